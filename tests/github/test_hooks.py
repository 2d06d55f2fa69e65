"""GitHub's deliveries: only a signature is believed, and even then a delivery is only a knock."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from bot.web.github_hooks import IDS_KEPT, WAKES, GitHubHooks, NotTaken, Taken
from bot.web.health import HealthServer
from bot.web.vitals import Vitals

EXAMPLES = Path(__file__).parent / "node_modules/@octokit/webhooks-examples"
SLUG, SECRET, INSTALLATION = "acme/releases", b"a secret", 99
PUSH = {"repository": {"full_name": "Acme/Releases"}, "installation": {"id": INSTALLATION}}


class Clock:
    """A clock that stands."""

    def now(self) -> datetime:
        return datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


class Door:
    """The real server with its door, and how often it was knocked at."""

    def __init__(self) -> None:
        self.knocks = 0
        self.hooks = GitHubHooks(SLUG, SECRET, self._knocked, INSTALLATION)
        vitals = Vitals(started=Clock().now(), tick=timedelta(seconds=5))
        self.server = HealthServer(vitals, Clock(), 0, self.hooks)

    def _knocked(self) -> None:
        self.knocks += 1

    def send(
        self, body: bytes, *, path: str = "/webhooks/github", **headers: str | None
    ) -> tuple[int, str]:
        """A delivery; a header that is None is left out."""
        named = {
            "Content-Type": "application/json",
            "X-GitHub-Event": "push",
            "X-GitHub-Delivery": "",
            "X-Hub-Signature-256": signed(body),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        host = self.server.address.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=10)
        try:
            given = {name: value for name, value in named.items() if value is not None}
            connection.request("POST", path, body, given)
            answer = connection.getresponse()
            return answer.status, answer.read().decode().strip()
        finally:
            connection.close()


def signed(body: bytes, secret: bytes = SECRET) -> str:
    return "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()


def payload(**more: Any) -> bytes:
    return json.dumps({**PUSH, **more}).encode()


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.server.close()


def test_a_signed_delivery_wakes_the_bot(door: Door) -> None:
    """By the address that the App's settings name; the letters' case of a name is GitHub's."""
    assert door.send(payload()) == (HTTPStatus.ACCEPTED, "wakes")
    assert door.knocks == 1


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Hub_Signature_256": None},
        {"X_Hub_Signature_256": "sha256="},
        {"X_Hub_Signature_256": "sha256=" + "0" * 64},
        {"X_Hub_Signature_256": signed(payload(), b"another")},
        {"X_Hub_Signature_256": signed(b"another body")},
        {"X_Hub_Signature_256": None, "X_Hub_Signature": "sha1=" + "0" * 40},
        {"X_Hub_Signature_256": "sha256=ünïcode"},
    ],
    ids=["none", "empty", "zeros", "secret", "body", "sha1", "odd"],
)
def test_a_forged_delivery_is_refused_before_it_is_read(
    door: Door, headers: dict[str, str | None]
) -> None:
    """Anybody can send to an open port."""
    assert door.send(payload(), **headers)[0] == HTTPStatus.UNAUTHORIZED
    assert door.knocks == 0
    assert door.hooks.counted == {"refused": 1}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"repository": ' + b"[" * 100_000],
    ids=["empty", "half", "list", "bytes", "null", "deep"],
)
def test_a_signed_body_that_is_no_delivery_is_a_400(door: Door, body: bytes) -> None:
    """And the server lives on."""
    assert door.send(body)[0] == HTTPStatus.BAD_REQUEST
    assert door.send(payload())[0] == HTTPStatus.ACCEPTED


@pytest.mark.parametrize(
    ("more", "taken"),
    [
        ({"repository": {"full_name": "acme/other"}}, Taken.ELSEWHERE),
        ({"repository": None}, Taken.ELSEWHERE),
        ({"repository": "acme/releases"}, Taken.ELSEWHERE),
        ({"repository": {"full_name": 7}}, Taken.ELSEWHERE),
        ({"installation": {"id": 1}}, Taken.ELSEWHERE),
        ({"installation": None}, Taken.WAKES),
    ],
)
def test_what_is_for_another_repository_wakes_nobody(
    door: Door, more: dict[str, Any], taken: Taken
) -> None:
    """One App may stand in many repositories; a repo's own hook names no installation."""
    assert door.send(payload(**more)) == (HTTPStatus.ACCEPTED, taken.value)
    assert door.knocks == (taken is Taken.WAKES)


def test_a_form_is_a_delivery_too(door: Door) -> None:
    """GitHub's first setting of a hook is a form."""
    body = b"payload=" + json.dumps(PUSH).replace(" ", "").encode()
    kind = "application/x-www-form-urlencoded"
    assert door.send(body, Content_Type=kind)[1] == "wakes"


def test_a_doubled_delivery_wakes_once(door: Door) -> None:
    """Redelivered by a person, or by a proxy that had no answer."""
    assert [door.send(payload(), X_GitHub_Delivery="a")[1] for _ in range(2)] == [
        "wakes",
        "doubled",
    ]
    assert door.knocks == 1


def test_ids_of_deliveries_are_not_kept_for_ever() -> None:
    """A hundred a minute for years must not fill the memory."""
    hooks = GitHubHooks(SLUG, SECRET, lambda: None)
    for number in range(IDS_KEPT + 10):
        headers = {"x-github-event": "push", "x-github-delivery": str(number)}
        hooks.take({**headers, "x-hub-signature-256": signed(payload())}, payload())
    assert len(hooks._seen) == IDS_KEPT


def test_the_body_s_length_is_known_before_it_is_read(door: Door) -> None:
    """A stranger's endless body costs nothing: no signature can be seen before its end."""
    big = {"Content_Length": str(26 * 1024 * 1024)}
    assert door.send(b"", **big)[0] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    assert door.send(b"x", Content_Length="-1")[0] == HTTPStatus.LENGTH_REQUIRED
    assert door.send(payload(), path="/webhooks/other")[0] == HTTPStatus.NOT_FOUND


def test_without_a_secret_there_is_no_door() -> None:
    """Nothing unsigned is ever taken."""
    vitals = Vitals(started=Clock().now(), tick=timedelta(seconds=5))
    door = Door()
    door.server.close()
    door.server = HealthServer(vitals, Clock(), 0)
    assert door.send(payload())[0] == HTTPStatus.NOT_FOUND
    door.server.close()


def real_payloads() -> list[Any]:
    found = []
    for index in sorted(EXAMPLES.glob("*/index.json")):
        for event in json.loads(index.read_text()):
            for number, example in enumerate(event["examples"]):
                name = f"{index.parent.name}-{event['name']}-{number}"
                found.append(pytest.param(event["name"], example, id=name))
    return found


@pytest.mark.parametrize(("event", "example"), real_payloads())
def test_every_real_payload_is_taken_or_ignored(event: str, example: dict[str, Any]) -> None:
    """As GitHub and its Enterprise servers sent them: whatever an App subscribes to is no error."""
    knocks: list[str] = []
    repository = example.get("repository")
    slug = repository["full_name"] if isinstance(repository, dict) else SLUG
    hooks = GitHubHooks(slug, SECRET, lambda: knocks.append(event))
    body = json.dumps(example).encode()
    headers = {"x-github-event": event, "x-hub-signature-256": signed(body)}
    taken = hooks.take(headers, body)
    if event == "ping":
        assert taken is Taken.PING
    elif not isinstance(repository, dict):
        assert taken is Taken.ELSEWHERE
    else:
        assert (taken is Taken.WAKES) == (event in WAKES) == bool(knocks)
    with pytest.raises(NotTaken):
        hooks.take({**headers, "x-hub-signature-256": signed(body, b"x")}, body)


def test_there_are_real_payloads() -> None:
    """Without them the story above would be empty."""
    assert len(real_payloads()) > 300
