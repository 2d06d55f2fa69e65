"""The chain of the audit: each line's hash covers the line before it, and the line of a batch that
is done covers its certificate. Stores nothing.

`hash = sha256(hash of the line before + canonical JSON of this line)`, as hex; before the first
stands nothing. The canonical JSON of a line is that of `audit --json` without `hash`, keys sorted,
no spaces, so that anyone can follow the chain with standard tools.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.model.plan import JSON
    from bot.model.state import Certificate, Event

DONE = "batch.succeeded"
"""The line that each certificate belongs to."""


class Flaw(StrEnum):
    """What is wrong at a line of the audit."""

    MISSING = "missing"
    """The line is not there, though a later one or the store's own count says that it was."""
    CHANGED = "changed"
    """The line, or one before it, is not what was written."""
    NO_CERTIFICATE = "no-certificate"
    """The certificate of this line is not there."""
    OTHER_CERTIFICATE = "other-certificate"
    """The certificate is not the one that was given when this line was written."""
    ADDED_CERTIFICATE = "added-certificate"
    """A certificate that no line tells of."""
    NO_INTENT = "no-intent"
    """The intent of the write that this line tells of is not there."""
    OTHER_INTENT = "other-intent"
    """The intent is not the one that was recorded before the write left."""
    OTHER_OUTCOME = "other-outcome"
    """The intent says another outcome of the write than the lines."""
    ADDED_INTENT = "added-intent"
    """An intent that no line tells of."""
    OTHER_DECISION = "other-decision"
    """A decision says a question, a vote or an answer that no line tells of."""
    OTHER_RECORD = "other-record"
    """The line has not the hash that was noted elsewhere: another record, however whole."""


@dataclass(frozen=True, slots=True)
class Break:
    """The first line that does not hold; everything before it does."""

    seq: int
    """0 where there is no line: a certificate that none tells of."""
    flaw: Flaw
    certificate: str = ""
    """Key of the row that the flaw is in: `release/unit/batch` of a certificate, `release/seq` of
    an intent, `release#number` of a decision.
    """


def line(event: Event) -> dict[str, JSON]:
    """What a line of the audit says, as JSON; without its hash."""
    return {
        "seq": event.seq,
        "at": _rfc3339(event.at),
        "kind": event.kind,
        "release": event.release,
        "unit": event.unit,
        "batch": event.batch,
        "who": event.who,
        "data": dict(event.data),
    }


def link(before: str, event: Event) -> str:
    """The hash of a line whose predecessor has the hash `before` ("" at the first line)."""
    text = json.dumps(line(event), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256((before + text).encode("utf-8", "surrogatepass")).hexdigest()


def append(last: Event | None, events: Iterable[Event]) -> tuple[Event, ...]:
    """The events with `seq` and `hash`, going on after the last line that stands."""
    seq, before = (last.seq, last.hash) if last else (0, "")
    done = []
    for event in events:
        seq += 1
        numbered = replace(event, seq=seq)
        before = link(before, numbered)
        done.append(replace(numbered, hash=before))
    return tuple(done)


def verify(events: Iterable[Event], *, count: int | None = None) -> Break | None:
    """The first line of a whole audit, oldest first, that is broken or missing; None when all hold.

    `count` is how many lines were ever written, where the store knows: else lines that were cut off
    the end leave no trace.
    """
    before, seq = "", 0
    for event in events:
        seq += 1
        if event.seq > seq:
            return Break(seq, Flaw.MISSING)
        if event.seq < seq or link(before, event) != event.hash:
            return Break(event.seq, Flaw.CHANGED)
        before = event.hash
    if count is not None and seq < count:
        return Break(seq + 1, Flaw.MISSING)
    return None


def fingerprint(certificate: Certificate) -> str:
    """sha256 over the canonical JSON of a certificate, as hex: what its line in the chain keeps."""
    text = json.dumps(
        _plain(certificate), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def certified(events: Iterable[Event], certificates: Iterable[Certificate]) -> Break | None:
    """The first line of a whole audit whose certificate is gone or another, or else a certificate
    without a line; None when all match. A line from before fingerprints only needs one to be there.
    """
    standing = {one.key: one for one in certificates}
    # A batch that was done twice has the certificate of the last time.
    lines = {
        f"{event.release}/{event.unit}/{event.batch}": event
        for event in events
        if event.kind == DONE
    }
    for key, event in sorted(lines.items(), key=lambda item: item[1].seq):
        one = standing.pop(key, None)
        if one is None:
            return Break(event.seq, Flaw.NO_CERTIFICATE, key)
        written = event.data.get("certificate")
        if written is not None and written != fingerprint(one):
            return Break(event.seq, Flaw.OTHER_CERTIFICATE, key)
    added = min(standing, default=None)
    return None if added is None else Break(0, Flaw.ADDED_CERTIFICATE, added)


_AS_IT_IS = (str, int, bool)
"""Most of what a row is made of; asked first."""


def _plain(value: Any) -> Any:
    """A row as JSON, the same before it is stored and after it is read back."""
    if value is None or type(value) in _AS_IT_IS:
        return value
    if is_dataclass(value):
        # What is at its default says nothing: a field that comes later changes no fingerprint.
        return {
            one.name: _plain(getattr(value, one.name))
            for one in fields(value)
            if one.default is MISSING or getattr(value, one.name) != one.default
        }
    match value:
        case Enum():
            return _plain(value.value)
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case datetime():
            return _rfc3339(value)
        case float() if not math.isfinite(value):
            return None
    return value


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
