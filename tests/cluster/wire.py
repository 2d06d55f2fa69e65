"""A wire to one API server that breaks at chosen calls: before they arrive, or with their answers.

TLS ends here, under the cluster's own authority, so that the calls can be told apart; what is
passed on goes to the real server unchanged. Judges nothing.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.control_plane import Cluster

_OF_ONE_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "host"}


@dataclass
class Break:
    """Calls of that method whose path has that part in it; dry runs are left alone."""

    how: str
    """`before`: cut before the server has it. `after`: done, and the answer is lost. `half`: cut
    in the middle of the answer. `meanwhile`: somebody else acts just before it arrives."""
    method: str
    part: str
    times: int = 1
    act: Callable[[], object] = bool
    struck: int = 0

    def meets(self, method: str, path: str) -> bool:
        if self.struck >= self.times or method != self.method or self.part not in path:
            return False
        return "dryRun" not in path


class Wire(ThreadingHTTPServer):
    """`kubeconfig` is the administrator's, over this wire."""

    daemon_threads = True

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Call)
        self.cluster = cluster
        self.breaks: list[Break] = []
        self.sent: list[str] = []
        """What reached the server and changes something, in order: `PATCH /api/…`."""
        self._lock = threading.Lock()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(*cluster.serving)
        told = yaml.safe_load(cluster.kubeconfig.read_text())
        told["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{self.server_port}"
        self.kubeconfig = folder / f"{cluster.name}-by-wire"
        self.kubeconfig.write_text(yaml.safe_dump(told))

    def breaks_at(
        self, how: str, method: str, part: str, times: int = 1, act: Callable[[], object] = bool
    ) -> Break:
        self.breaks.append(Break(how, method, part, times, act))
        return self.breaks[-1]

    def broken(self, method: str, path: str) -> str:
        with self._lock:
            for each in self.breaks:
                if each.meets(method, path):
                    each.struck += 1
                    each.act()
                    return each.how
        return ""

    def get_request(self) -> tuple[socket.socket, Any]:
        plain, address = super().get_request()
        # The handshake is the handler's: who is slow at it keeps nobody else waiting.
        secure = self._tls.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        return secure, address

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is nothing to tell of."""


class _Call(BaseHTTPRequestHandler):
    server: Wire
    protocol_version = "HTTP/1.1"

    def _pass(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size) if size else None
        how = self.server.broken(self.command, self.path)
        if how == "before":
            self._cut()
            return
        cluster = self.server.cluster
        trust = ssl.create_default_context(cafile=str(cluster.authority.file))
        upstream = http.client.HTTPSConnection("127.0.0.1", cluster.port, context=trust, timeout=30)
        with closing(upstream):
            kept = {k: v for k, v in self.headers.items() if k.lower() not in _OF_ONE_HOP}
            upstream.request(self.command, self.path, body, kept)
            answer = upstream.getresponse()
            data = answer.read()
        if self.command != "GET" and "dryRun" not in self.path:
            self.server.sent.append(f"{self.command} {self.path.partition('?')[0]}")
        if how == "after":
            self._cut()
            return
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _OF_ONE_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if how == "half" else data)
        if how == "half":
            self._cut()

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _pass  # noqa: N815 (the library's names)

    def _cut(self) -> None:
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def wire_to(cluster: Cluster, folder: Path) -> Iterator[Wire]:
    wire = Wire(cluster, folder)
    thread = threading.Thread(target=wire.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield wire
    finally:
        wire.shutdown()
        wire.server_close()
        thread.join()
