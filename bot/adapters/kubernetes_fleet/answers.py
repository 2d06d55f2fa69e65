"""What an API server's answer means to us: status and reason → the port's errors.

Judges one answer; never sends anything and never reads a clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from bot.failures import AnswerLost, Conflict, PortError, Refused, Unreachable
from bot.model.plan import JSON

SHOWN = 400
"""Characters of a server's own words that are passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer as it came. `body`: the JSON, or None where it is none."""

    status: int
    body: JSON = None
    text: str = ""
    """The beginning of a body that is no JSON."""
    warnings: tuple[str, ...] = ()
    """What the server warns of, in its own words."""
    retry_after: float | None = None
    """Seconds that the server asks to wait."""
    date: str = ""
    """The server's own time, as it writes it."""
    flow: str = ""
    """UID of the flow schema that took the call: an object of this cluster and of no other."""

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    @property
    def told(self) -> JSON:
        """The server's Status object; {} where it sent none."""
        body = self.body
        return body if isinstance(body, dict) and body.get("kind") == "Status" else {}

    @property
    def details(self) -> JSON:
        found = self.told.get("details")
        return found if isinstance(found, dict) else {}


def answer_of(status: int, headers: Mapping[str, str], data: bytes) -> Answer:
    """An answer from what came over the wire."""
    body, text = None, ""
    try:
        body = msgspec.json.decode(data) if data else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = data[:SHOWN].decode("utf-8", "replace")
    return Answer(
        status=status,
        body=body,
        text=text,
        warnings=tuple(_warnings(headers.get("Warning") or "")),
        retry_after=_seconds(headers.get("Retry-After")),
        date=headers.get("Date") or "",
        flow=headers.get("X-Kubernetes-Pf-Flowschema-Uid") or "",
    )


def _warnings(header: str) -> Iterator[str]:
    """The texts of `299 - "text", 299 - "text"`."""
    for found in re.finditer(r'299 \S+ "((?:[^"\\]|\\.)*)"', header):
        yield re.sub(r"\\(.)", r"\1", found[1])[:SHOWN]


def _seconds(text: str | None) -> float | None:
    """Seconds of a Retry-After; a date is taken for a second."""
    if text is None:
        return None
    return float(text) if text.strip().isdecimal() else 1.0


def kind_is_missing(answer: Answer) -> bool:
    """A 404 that is about the path, not about an object: the cluster does not serve the kind."""
    return answer.status == 404 and not answer.details.get("name")


def words(answer: Answer) -> str:
    """What the server says, on one line, not longer than people read."""
    said = str(answer.told.get("message") or answer.text or "").strip()
    said = re.sub(r"\s+", " ", said)
    return said if len(said) <= SHOWN else f"{said[: SHOWN - 1]}…"


def error_of(answer: Answer, what: str, *, writes: bool) -> PortError:
    """The error that an answer stands for. `what`: cluster and object, for who reads it."""
    status, said = answer.status, words(answer)
    reason = str(answer.told.get("reason") or "")
    if 300 <= status < 400:
        return Unreachable(f"{what}: answered {status}: redirects are not followed")
    if status == 401:
        return Unreachable(f"{what}: answered 401: the credentials are not accepted: {said}")
    if status == 403:
        return Refused(f"{what}: {_forbidden(said)}")
    if status == 409:
        return Conflict(f"{what}: {said or 'it has been modified'}")
    if status == 429:
        return Unreachable(f"{what}: answered 429: too many requests, later: {said}")
    if status == 500 and "failed calling webhook" in said:
        # Admission is before storage: nothing was written, and it may be back in a moment.
        return Unreachable(f"{what}: {said}")
    if status in (408, 504) or status >= 500:
        text = f"{what}: answered {status} {reason}: {said}".rstrip(": ")
        return AnswerLost(text) if writes else Unreachable(text)
    if answer.told or 400 <= status < 500:
        return Refused(f"{what}: {said} ({status})" if said else f"{what}: answered {status}")
    return Unreachable(f"{what}: answered {status}, which is no answer of a Kubernetes API")


def must_be_object(answer: Answer, what: str, *, writes: bool) -> None:
    """A good answer that is cut off, or is a proxy's own page, tells nothing of what was done."""
    metadata = answer.body.get("metadata") if isinstance(answer.body, dict) else None
    if isinstance(metadata, dict) and metadata.get("name"):
        return
    why = f"{what}: the answer is no object of a Kubernetes API"
    raise AnswerLost(why) if writes else Unreachable(why)


_RIGHT = re.compile(
    r'User "(?P<who>[^"]+)" cannot (?P<verb>[\w*]+) resource "(?P<what>[^"]+)" '
    r'in API group "(?P<group>[^"]*)"(?: in the namespace "(?P<where>[^"]+)")?'
)


def _forbidden(said: str) -> str:
    """Which right is missing, where that is what the server means; else its own words."""
    found = _RIGHT.search(said)
    if found is None:
        return said or "answered 403: forbidden"
    resource = f"{found['what']}.{found['group']}" if found["group"] else found["what"]
    inside = found["where"] and found["what"] != "namespaces"
    where = f"in namespace {found['where']}" if inside else "in the whole cluster"
    return f"{found['who']} lacks the right to {found['verb']} {resource} {where}"
