"""One connection of a client: bytes → requests → answers, one after the other, faults included.

Speaks just enough HTTP/1.1: Content-Length bodies, keep-alive. Knows nothing of Kubernetes.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from benchmarks.http_fleet.answers import Answer
from benchmarks.http_fleet.answers import status as status_answer

if TYPE_CHECKING:
    from benchmarks.http_fleet.faults import Fault
    from benchmarks.http_fleet.server import FleetServer

REASONS = {
    200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 410: "Gone",
    415: "Unsupported Media Type", 422: "Unprocessable Entity", 429: "Too Many Requests",
    500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}  # fmt: skip
_STORM = {
    429: ("TooManyRequests", "the server has received too many requests, please try again later"),
    500: ("InternalError", "Internal error occurred: etcdserver: request timed out"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: ("Timeout", "Timeout: request did not complete within requested timeout"),
}
_HTML = b"<html><head><title>%d</title></head><body><h1>%d</h1></body></html>\n"
SLOWLY = 16
"""Into so many pieces a slow body is cut."""
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: str
    headers: bytes
    body: bytes

    def header(self, name: bytes) -> str:
        """One header, by its name in lower case; "" without."""
        low = self.headers.lower()
        start = low.find(b"\r\n" + name + b":")
        if start < 0:
            return ""
        start += len(name) + 3
        end = self.headers.find(b"\r\n", start)
        return self.headers[start : end if end >= 0 else None].strip().decode("latin-1")

    @property
    def content_type(self) -> str:
        return self.header(b"content-type")

    @property
    def token(self) -> str:
        return self.header(b"authorization").removeprefix("Bearer ")


class Connection(asyncio.Protocol):
    """Answers in the order of the requests."""

    def __init__(self, server: FleetServer, loop: asyncio.AbstractEventLoop) -> None:
        self.server, self.loop = server, loop
        self.transport: Any = None
        self.buffer = b""
        self.busy = False

    # -- what asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.server.made += 1
        self.server.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.open.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._next()

    # -- requests

    def _next(self) -> None:
        while not self.busy and (request := self._take()) is not None:
            fault = self.server.fault_for(request)
            if fault is None:
                self.transport.write(self.server.encoded(request))
            else:
                self.busy = True
                self._suffer(request, fault)

    def _take(self) -> Request | None:
        """The next whole request of what has arrived."""
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self.buffer[:end]
        first, _, _ = head.partition(b"\r\n")
        headers = head[len(first) :]
        length = 0
        found = headers.lower().find(b"\r\ncontent-length:")
        if found >= 0:
            length = int(headers[found + 17 :].partition(b"\r\n")[0])
        start = end + 4
        if len(self.buffer) < start + length:
            return None
        body, self.buffer = self.buffer[start : start + length], self.buffer[start + length :]
        method, target, _ = first.decode("latin-1").split(" ", 2)
        path, _, query = target.partition("?")
        return Request(method, path, query, headers, body)

    # -- faults

    def _suffer(self, request: Request, fault: Fault) -> None:
        match fault.do:
            case "hang":
                return
            case "reset":
                self.abort()
            case "status":
                self._go_on(encoded(stormy(fault)))
            case "latency":
                self.loop.call_later(fault.seconds, self._late, request)
            case _:
                self._done_but(self.server.encoded(request), fault)

    def _done_but(self, answer: bytes, fault: Fault) -> None:
        """It is done; something is wrong with how the answer travels."""
        head, _, body = answer.partition(b"\r\n\r\n")
        match fault.do:
            case "lose":
                self.abort()
            case "half":
                self.transport.write(answer[: len(head) + 4 + len(body) // 2])
                self.transport.close()
            case "garbage":
                half = body[: len(body) // 2]
                first = head.partition(b"\r\n")[0]
                told = b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                self._go_on(first + told % len(half) + half)
            case "slow":
                self.transport.write(head + b"\r\n\r\n")
                size = max(1, len(body) // SLOWLY)
                pieces = [body[at : at + size] for at in range(0, len(body), size)]
                self._drip(pieces, fault.seconds / max(1, len(pieces)))

    def _drip(self, pieces: list[bytes], pause: float) -> None:
        if self.transport.is_closing():
            return
        if not pieces:
            self._go_on(b"")
            return
        self.transport.write(pieces[0])
        self.loop.call_later(pause, self._drip, pieces[1:], pause)

    def _late(self, request: Request) -> None:
        if not self.transport.is_closing():
            self._go_on(self.server.encoded(request))

    def _go_on(self, answer: bytes) -> None:
        self.transport.write(answer)
        self.busy = False
        self._next()

    def abort(self) -> None:
        """Broken with a reset, not closed."""
        broken = self.transport.get_extra_info("socket")
        if broken is not None and broken.fileno() >= 0:
            broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def encoded(answer: Answer, flow: str = "") -> bytes:
    body = answer.body if isinstance(answer.body, bytes) else _encode(answer.body)
    more = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    reason = REASONS.get(answer.status, "Unknown")
    head = (
        f"HTTP/1.1 {answer.status} {reason}\r\nContent-Type: {answer.content_type}\r\n"
        f"{flow}{more}Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode("latin-1") + body


def stormy(fault: Fault) -> Answer:
    """What a server or a proxy that is out of breath says."""
    code = fault.status
    after = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.body == "html":
        return Answer(code, _HTML % (code, code), after, "text/html")
    reason, message = _STORM.get(code, ("InternalError", "Internal error occurred"))
    told = status_answer(code, reason, message)
    return Answer(code, told.body, after)
