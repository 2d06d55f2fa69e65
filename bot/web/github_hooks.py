"""What GitHub delivers to `/webhooks/github`: a knock at the door, believed only when signed.

A delivery says that something may be new, never what: the next tick asks GitHub itself. So one
that is lost, doubled, late or out of order changes nothing. Nothing of its text goes anywhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

PATH = "/webhooks/github"
MOST_BYTES = 25 * 1024 * 1024
"""GitHub sends no larger payload (its documentation, "Webhook events and payloads")."""
IDS_KEPT = 2000
WAKES = frozenset(
    {
        "check_run",
        "check_suite",
        "create",
        "delete",
        "issue_comment",
        "merge_group",
        "pull_request",
        "pull_request_review",
        "push",
    }
)
"""Events after which something of ours may be new."""


class Taken(StrEnum):
    """What became of a delivery that was believed."""

    WAKES = "wakes"
    DOUBLED = "doubled"
    PING = "ping"
    ELSEWHERE = "another repository"
    IGNORED = "ignored"


class NotTaken(Exception):
    """A delivery that is not believed or cannot be read. `status`: what it is answered."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def verify(headers: Mapping[str, str], body: bytes, secret: bytes) -> None:
    """Before anything of the body is read. NotTaken where the signature is not GitHub's.

    HMAC-SHA256 of the raw body, as GitHub documents `X-Hub-Signature-256`; the older SHA-1 header
    is not looked at.
    """
    given = headers.get("x-hub-signature-256", "")
    wanted = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode()):
        raise NotTaken(HTTPStatus.UNAUTHORIZED, "the signature does not fit the body")


def about(headers: Mapping[str, str], body: bytes, slug: str, installation: int | None) -> Taken:
    """What a verified delivery is to the repository `slug`. NotTaken where it cannot be read."""
    event = headers.get("x-github-event", "")
    payload = _payload(headers, body)
    if event == "ping":
        return Taken.PING
    repository, app = payload.get("repository"), payload.get("installation")
    name = repository.get("full_name") if isinstance(repository, dict) else None
    number = app.get("id") if isinstance(app, dict) else None
    if not isinstance(name, str) or name.lower() != slug.lower():
        return Taken.ELSEWHERE
    if installation is not None and number is not None and number != installation:
        return Taken.ELSEWHERE
    return Taken.WAKES if event in WAKES else Taken.IGNORED


def _payload(headers: Mapping[str, str], body: bytes) -> Mapping[str, Any]:
    """The JSON of a delivery, whichever of the two content types the hook was set to."""
    try:
        text = body.decode()
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            text = parse_qs(text, max_num_fields=8).get("payload", [""])[0]
        found = json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise NotTaken(HTTPStatus.BAD_REQUEST, "the body is not JSON") from wrong
    if not isinstance(found, dict):
        raise NotTaken(HTTPStatus.BAD_REQUEST, "the body is not a JSON object")
    return found


@dataclass(slots=True)
class GitHubHooks:
    """The door for one repository. `wake` is called for what may be news, and returns at once."""

    slug: str
    secret: bytes = field(repr=False)
    wake: Callable[[], None]
    installation: int | None = None
    counted: Counter[str] = field(default_factory=Counter)
    """What became of deliveries → how many."""
    _seen: OrderedDict[str, None] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, headers: Mapping[str, str], body: bytes) -> Taken:
        """One delivery; header names in lower case. Raises NotTaken."""
        try:
            verify(headers, body, self.secret)
            taken = about(headers, body, self.slug, self.installation)
        except NotTaken:
            self._count("refused")
            raise
        if taken is Taken.WAKES and not self._first(headers.get("x-github-delivery", "")):
            taken = Taken.DOUBLED
        if taken is Taken.WAKES:
            self.wake()
        self._count(taken.value)
        return taken

    def _first(self, delivery: str) -> bool:
        """Whether this delivery is new: GitHub delivers again when somebody asks it to."""
        if not delivery:
            return True
        with self._lock:
            if delivery in self._seen:
                return False
            self._seen[delivery] = None
            if len(self._seen) > IDS_KEPT:
                self._seen.popitem(last=False)
        return True

    def _count(self, what: str) -> None:
        with self._lock:
            self.counted[what] += 1
