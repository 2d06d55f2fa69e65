"""A small HTTP server on loopback: /healthz, /readyz, /metrics and what GitHub delivers.

Takes no commands: a delivery only asks for an earlier look.
"""

from __future__ import annotations

import json
import logging
import socketserver
from datetime import datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from bot.ports import Clock, Unreachable
from bot.web.github_hooks import MOST_BYTES, PATH, GitHubHooks, NotTaken
from bot.web.vitals import Vitals

log = logging.getLogger(__name__)
HOST = "127.0.0.1"


class HealthServer:
    """Serves from its own threads until `close`. Unreachable when the port is taken."""

    def __init__(
        self, vitals: Vitals, clock: Clock, port: int, hooks: GitHubHooks | None = None
    ) -> None:
        try:
            self._server = _Server((HOST, port), _Handler)
        except OSError as taken:
            raise Unreachable(
                f"port {port} on {HOST} cannot be used ({taken.strerror or taken}); "
                "--port names another, 0 is any free one"
            ) from taken
        self._server.vitals, self._server.clock = vitals, clock
        self._server.hooks = hooks
        self._thread = Thread(target=self._serve, name="health", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    vitals: Vitals
    clock: Clock
    hooks: GitHubHooks | None

    def server_bind(self) -> None:
        # Not HTTPServer's own: it asks the name service for its name, which may hang.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "sluice"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_GET(self) -> None:
        now, vitals = self.server.clock.now(), self.server.vitals
        match self.path.partition("?")[0]:
            case "/healthz":
                alive = vitals.alive(now)
                self._json(alive, {"alive": alive, **_last(vitals, now)})
            case "/readyz":
                problems = vitals.not_ready(now)
                body = {"ready": not problems, "problems": list(problems), **_last(vitals, now)}
                self._json(not problems, body)
            case "/metrics":
                from bot.web.metrics import CONTENT_TYPE, registry_of, scrape

                self._answer(HTTPStatus.OK, CONTENT_TYPE, scrape(registry_of(vitals)))
            case _:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"not found\n")

    do_HEAD = do_GET  # noqa: N815 the name is the protocol's

    def do_POST(self) -> None:
        """Only GitHub's deliveries. An answer before the body was read ends the connection."""
        hooks = self.server.hooks
        if hooks is None or self.path.partition("?")[0] != PATH:
            self._refuse(HTTPStatus.NOT_FOUND, "not found")
            return
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "Content-Length is needed")
            return
        if int(length) > MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "larger than GitHub sends")
            return
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            taken = hooks.take(headers, body)
        except NotTaken as no:
            log.warning("a delivery to %s is not taken: %s", PATH, no.why)
            self._refuse(no.status, no.why)
            return
        self._answer(HTTPStatus.ACCEPTED, "text/plain; charset=utf-8", f"{taken}\n".encode())

    def _refuse(self, status: HTTPStatus, why: str) -> None:
        self.close_connection = True
        self._answer(status, "text/plain; charset=utf-8", f"{why}\n".encode())

    def _json(self, good: bool, body: dict[str, Any]) -> None:
        status = HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE
        self._answer(status, "application/json", json.dumps(body).encode() + b"\n")

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)


def _last(vitals: Vitals, now: datetime) -> dict[str, Any]:
    last = vitals.last_tick
    return {
        "lastTick": last.isoformat().replace("+00:00", "Z") if last else None,
        "ageSeconds": round(vitals.age(now).total_seconds(), 3),
        "ticks": vitals.ticks,
    }
