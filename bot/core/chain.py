"""The chain of the audit: each line's hash covers the line before it. Stores nothing.

`hash = sha256(hash of the line before + canonical JSON of this line)`, as hex; before the first
stands nothing. The canonical JSON of a line is that of `audit --json` without `hash`, keys sorted,
no spaces, so that anyone can follow the chain with standard tools.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.model.plan import JSON
    from bot.model.state import Event


class Flaw(StrEnum):
    """What is wrong at a line of the audit."""

    MISSING = "missing"
    """The line is not there, though a later one or the store's own count says that it was."""
    CHANGED = "changed"
    """The line, or one before it, is not what was written."""


@dataclass(frozen=True, slots=True)
class Break:
    """The first line that does not hold; everything before it does."""

    seq: int
    flaw: Flaw


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


def _rfc3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
