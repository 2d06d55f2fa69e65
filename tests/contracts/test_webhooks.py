"""Calls over HTTP, against a real server on loopback: what is sent where, what may be lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from bot.adapters.simulated import SimulatedFleet
from bot.adapters.webhooks import CallingFleet
from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.ports import AnswerLost, Refused, Unreachable


@dataclass
class Peer:
    """A service that answers as it is told, and remembers what it was asked."""

    status: int = 200
    location: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def peer() -> Iterator[Peer]:
    found = Peer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            found.seen.append(dict(self.headers) | {"path": self.path, "json": json.loads(body)})
            self.send_response(found.status)
            if found.location:
                self.send_header("Location", found.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_port
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def calling(peer: Peer, hosts: dict[str, frozenset[str]] | None = None) -> CallingFleet:
    allowed = {f"127.0.0.1:{peer.port}": frozenset({"ops"})} if hosts is None else hosts
    return CallingFleet(SimulatedFleet(Noon()), allowed, {"ops": "t0ken"}.get)


def call(peer: Peer, **spec: Any) -> Write:
    ref = ObjectRef("sluice/v1", "Webhook", "", "drain-1a2b3c4d")
    body = {"spec": {"url": f"http://127.0.0.1:{peer.port}/drain/eu-1", **spec}}
    return Write(ref=ref, verb="create", purpose=Purpose.FORWARD, body=body)


def test_it_posts_the_body_with_a_key_that_stays(peer: Peer) -> None:
    """Twice the same call has the same key: the service does it once."""
    fleet = calling(peer)
    for _ in range(2):
        fleet.write("eu-1", call(peer, body={"pool": "canary"}, secret="ops"), fence="1.1")
    first, second = peer.seen
    assert (first["path"], first["json"]) == ("/drain/eu-1", {"pool": "canary"})
    assert first["Authorization"] == "Bearer t0ken"
    assert first["Idempotency-Key"] == second["Idempotency-Key"] == "eu-1/drain-1a2b3c4d"


def test_a_host_that_the_bot_was_not_told_is_never_called(peer: Peer) -> None:
    """What a release repo names opens no connection by itself."""
    with pytest.raises(Refused, match="SLUICE_HOSTS"):
        calling(peer, {"ops.example.com": frozenset()}).write("eu-1", call(peer), fence="1.1")
    assert peer.seen == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "http://", "http://user:secret@127.0.0.1/", "http://[::1", "x"]
)
def test_what_is_no_plain_address_is_refused(peer: Peer, url: str) -> None:
    with pytest.raises((Refused, ValueError)):
        calling(peer).write("eu-1", call(peer, url=url), fence="1.1")
    assert peer.seen == []


def test_a_secret_goes_only_where_it_may(peer: Peer) -> None:
    allowed = {f"127.0.0.1:{peer.port}": frozenset({"other"})}
    with pytest.raises(Refused, match="may not be sent"):
        calling(peer, allowed).write("eu-1", call(peer, secret="ops"), fence="1.1")
    with pytest.raises(Refused, match="SLUICE_SECRET_OTHER"):
        calling(peer, allowed).write("eu-1", call(peer, secret="other"), fence="1.1")
    assert peer.seen == []


def test_a_redirect_is_not_followed(peer: Peer) -> None:
    """Else the secret would go wherever the service likes."""
    peer.status, peer.location = 302, f"http://127.0.0.1:{peer.port}/elsewhere"
    with pytest.raises(Refused, match="302"):
        calling(peer).write("eu-1", call(peer, secret="ops"), fence="1.1")
    assert len(peer.seen) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, Refused), (403, Refused), (429, Unreachable), (500, AnswerLost), (503, AnswerLost)],
)
def test_an_answer_says_whether_it_was_done(
    peer: Peer, status: int, error: type[Exception]
) -> None:
    """No is no; later is later; after a crash of theirs nobody knows, and it is asked again."""
    peer.status = status
    with pytest.raises(error, match=str(status)):
        calling(peer).write("eu-1", call(peer), fence="1.1")


def test_nobody_there_is_not_done(peer: Peer) -> None:
    fleet = calling(peer, {"127.0.0.1:9": frozenset()})
    with pytest.raises(Unreachable):
        fleet.write("eu-1", call(peer, url="http://127.0.0.1:9/"), fence="1.1")
