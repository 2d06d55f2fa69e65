"""Which type lives in which table, and rows to JSON and back. Never talks to the database."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from bot.model.message import Post
from bot.model.plan import JSON, ReleasePlan
from bot.model.runs import PipelineRun, TaskRun
from bot.model.state import (
    Applied,
    Blocked,
    Certificate,
    ClusterSeen,
    Decision,
    EmergencyStop,
    Event,
    Hold,
    Intent,
    IntentStatus,
    Pull,
    ReleaseState,
    Tally,
    UnitState,
)
from bot.ports import Answer, Note

_PACK_FROM = 1024
"""Bytes of JSON from which a blob is compressed: a rendered workload shrinks to a fifth."""


def _never(row: Any) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One type of row and its table."""

    type: type[Any]
    table: str
    release: Callable[[Any], str]
    """The release that the row is about; "" for none."""
    key: Callable[[Any], str] = lambda row: str(row.key)
    counted: bool = False
    """Carries the optimistic version. An Applied's `version` is a component's and does not."""
    ends: bool = True
    """Stops being live when its release ends; the others are live for ever."""
    open: Callable[[Any], bool] = _never
    """Live whatever its release does: an effect whose end is not known yet is not forgotten."""


def _own(row: Any) -> str:
    return str(row.release)


def _none(row: Any) -> str:
    return ""


KINDS = {
    kind.type: kind
    for kind in (
        Kind(
            type=ReleaseState,
            table="release",
            release=_own,
            counted=True,
            # One that went back is not forgotten before its revert is proposed.
            open=lambda row: row.sticks and row.revert is None,
        ),
        Kind(type=UnitState, table="unit", release=_own, counted=True),
        Kind(
            type=Hold,
            table="hold",
            release=lambda row: row.release or "",
            open=lambda row: row.release is None,
        ),
        Kind(type=EmergencyStop, table="emergency", release=_none, ends=False),
        Kind(type=Decision, table="decision", release=_own, counted=True),
        Kind(type=Pull, table="pull", release=_none, ends=False),
        Kind(
            type=Intent,
            table="intent",
            release=_own,
            open=lambda row: row.status in (IntentStatus.INTENDED, IntentStatus.UNKNOWN),
        ),
        Kind(type=Applied, table="applied", release=_own, ends=False),
        Kind(type=Certificate, table="certificate", release=_own),
        Kind(type=Blocked, table="blocked", release=_own, ends=False),
        Kind(type=ClusterSeen, table="cluster", release=_none, ends=False),
        Kind(type=Tally, table="tally", release=_own, ends=False),
        Kind(type=PipelineRun, table="pipelinerun", release=_own),
        Kind(
            type=TaskRun,
            table="taskrun",
            release=_own,
            open=lambda row: row.completed is None,
        ),
        Kind(type=ReleasePlan, table="plan", release=_own, key=_own),
        Kind(type=Post, table="post", release=_own, open=lambda row: not row.sent),
    )
}


UNREADABLE = "unreadable"
_NO_TIME = datetime.min.replace(tzinfo=UTC)


def kind_of(type_: type[Any]) -> Kind:
    """Where rows of a type live. Another type is a mistake of the caller."""
    try:
        return KINDS[type_]
    except KeyError:
        raise TypeError(f"{type_.__name__} is no row of the store") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """A row, ready to be written. `expected`: the version that must stand; None: none is kept."""

    kind: Kind
    key: str
    release: str
    open: bool
    expected: int | None
    body: str
    ended: bool | None
    """For the row of a release: whether it has ended."""


def put_of(row: Any) -> Put:
    """The row as it will stand: with the next version, where it has one."""
    kind = kind_of(type(row))
    expected = row.version if kind.counted else None
    stored = replace(row, version=expected + 1) if expected is not None else row
    return Put(
        kind=kind,
        key=kind.key(row),
        release=kind.release(row),
        open=kind.open(row),
        expected=expected,
        body=msgspec.json.encode(stored).decode(),
        ended=row.phase.ended if isinstance(row, ReleaseState) else None,
    )


def decoder(type_: type[Any]) -> msgspec.json.Decoder[Any]:
    """Reads the JSON of a row back; made once a type, it is the costly part."""
    found = _DECODERS.get(type_)
    if found is None:
        found = _DECODERS[type_] = msgspec.json.Decoder(type_)
    return found


_DECODERS: dict[type[Any], msgspec.json.Decoder[Any]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """An event without what the chain adds."""

    at: Any
    kind: str
    release: str
    unit: str
    batch: int
    who: str
    data: JSON


def event_body(event: Event) -> str:
    """The JSON of a line; `seq` and `hash` stand in columns of their own."""
    fields = {name: getattr(event, name) for name in _Line.__dataclass_fields__}
    fields["at"] = event.at.astimezone(UTC)
    return msgspec.json.encode(_Line(**fields)).decode()


def event_of(seq: int, hash_: str, release: str, body: str) -> Event:
    """A line as it stands. One that was tampered with is told as such, for the chain to find."""
    try:
        event: Event = decoder(Event).decode(body)
        sound = event.release == release
    except msgspec.MsgspecError:
        sound = False
    if not sound:
        event = Event(at=_NO_TIME, kind=UNREADABLE, release=release, data={"body": body})
    return replace(event, seq=seq, hash=hash_)


def settled(event: Event) -> Event:
    """The event as it will be read back (UTC, lists for tuples), so that its hash holds."""
    return event_of(0, "", event.release, event_body(event))


def packed(value: JSON) -> tuple[int, bytes]:
    """A blob's JSON, compressed where that pays; the flag says so."""
    body = msgspec.json.encode(value)
    return (1, zlib.compress(body, 3)) if len(body) >= _PACK_FROM else (0, body)


def unpacked(flag: int, body: bytes) -> JSON:
    """What `packed` was given."""
    return msgspec.json.decode(zlib.decompress(body) if flag else body)


def answer_text(answer: Answer) -> str:
    return msgspec.json.encode(answer).decode()


def answer_of(text: str) -> Answer:
    found: Answer = decoder(Answer).decode(text)
    return found


def foreign_note(note: Note) -> Note:
    """The note in storable text: bytes of a terminal that are no UTF-8 must not keep it out."""
    texts = {"key": note.key, "text": note.text, "by": note.by, "data": note.data}
    return replace(note, **{name: _utf8(value) for name, value in texts.items()})


def _utf8(value: JSON) -> JSON:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode("utf-8")
        case Mapping():
            return {_utf8(key): _utf8(each) for key, each in value.items()}
        case list() | tuple():
            return [_utf8(each) for each in value]
    return value


def note_body(note: Note) -> str:
    return msgspec.json.encode(note).decode()


def note_of(id_: int, text: str) -> Note:
    found: Note = decoder(Note).decode(text)
    return replace(found, id=id_)
