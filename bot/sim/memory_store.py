"""The Store in memory, for speed: every rule of the real one, no disk, no SQL.

Passes the suite of the port. Rows are kept as they were put: they are frozen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.adapters.sqlite_rows import KINDS, foreign_note, kind_of, settled
from bot.core import chain, messages_store
from bot.failures import StaleRow
from bot.model.plan import JSON
from bot.model.state import Event, ReleaseState
from bot.ports import Answer, Changes, Note


class MemoryStore:
    """What must not be forgotten, for as long as the object lives."""

    def __init__(self) -> None:
        self._rows: dict[type[Any], dict[str, Any]] = {kind: {} for kind in KINDS}
        self._ended: dict[str, bool] = {}
        self._blobs: dict[str, JSON] = {}
        self._marks: dict[str, str] = {}
        self._notes: dict[int, Note] = {}
        self._keys: dict[str, int] = {}
        self._answers: dict[int, Answer] = {}
        self._waiting: dict[int, Note] = {}
        self._events: list[Event] = []
        self.commits = 0

    def close(self) -> None:
        """Nothing to let go of."""

    def commit(self, changes: Changes) -> tuple[Event, ...]:
        if changes.empty:
            return ()
        puts = [self._checked(row) for row in changes.puts]
        drops = [(kind_of(type_).type, key) for type_, key in changes.drops]
        for note in changes.answers:
            if note not in self._waiting:
                raise StaleRow(messages_store.stale_note(note))
        lines = self._lines(changes.events)
        self._put(puts, drops)
        for digest, blob in changes.blobs.items():
            self._blobs.setdefault(digest, blob)
        for note, answer in changes.answers.items():
            self._answers[note] = answer
            del self._waiting[note]
        marks = {**self._marks, **changes.marks}
        self._marks = {name: value for name, value in marks.items() if value is not None}
        self._events += lines
        self.commits += 1
        return lines

    def get(self, kind: type[Any], key: str) -> Any | None:
        return self._rows[kind_of(kind).type].get(key)

    def rows(
        self,
        kind: type[Any],
        *,
        parent: str | None = None,
        live: bool = False,
        open: bool = False,
    ) -> tuple[Any, ...]:
        known = kind_of(kind)
        found = list(self._rows[kind].items())
        if parent is not None:
            found = [pair for pair in found if known.release(pair[1]) == parent]
        if open:
            found = [pair for pair in found if known.open(pair[1])]
        elif live and known.ends:
            found = [pair for pair in found if known.open(pair[1]) or self._live(known, pair[1])]
        return tuple(row for _, row in sorted(found, key=lambda pair: pair[0]))

    def names(self, kind: type[Any], *, ending: str = "") -> tuple[str, ...]:
        return tuple(key for key in self._rows[kind_of(kind).type] if key.endswith(ending))

    def blob(self, digest: str) -> JSON | None:
        return self._blobs.get(digest)

    def mark(self, name: str) -> str | None:
        return self._marks.get(name)

    def notes(self, after: int = 0) -> tuple[Note, ...]:
        return tuple(note for id_, note in self._waiting.items() if id_ > after)

    def note(
        self, key: str, text: str, *, by: str, surface: str, at: datetime, data: Mapping[str, JSON]
    ) -> int:
        note = Note(id=len(self._notes) + 1, key=key, text=text, by=by, surface=surface, at=at,
                    data=data)  # fmt: skip
        note = foreign_note(note)
        if note.key not in self._keys:
            self._keys[note.key] = note.id
            self._notes[note.id] = self._waiting[note.id] = note
        return self._keys[note.key]

    def answer(self, note: int) -> Answer | None:
        return self._answers.get(note)

    def events(
        self, *, release: str | None = None, after: int = 0, limit: int | None = None
    ) -> tuple[Event, ...]:
        found = self._events[after:]
        if release is not None:
            found = [event for event in found if event.release == release]
        return tuple(found[:limit])

    def event_count(self) -> int:
        return len(self._events)

    def _put(self, puts: list[tuple[str, Any]], drops: list[tuple[type[Any], str]]) -> None:
        for key, row in puts:
            self._rows[type(row)][key] = row
            if isinstance(row, ReleaseState):
                self._ended[row.release] = row.phase.ended
        for type_, key in drops:
            self._rows[type_].pop(key, None)
            if type_ is ReleaseState:
                self._ended.pop(key, None)

    def _checked(self, row: Any) -> tuple[str, Any]:
        """The row as it will stand; StaleRow when another was there first."""
        kind = kind_of(type(row))
        key = kind.key(row)
        if not kind.counted:
            return key, row
        there = self._rows[kind.type].get(key)
        standing = there.version if there is not None else None
        if (standing or 0) != row.version or (standing is None) != (row.version == 0):
            raise StaleRow(messages_store.stale_row(kind.table, key, row.version, standing))
        return key, replace(row, version=row.version + 1)

    def _lines(self, events: tuple[Event, ...]) -> tuple[Event, ...]:
        last = self._events[-1] if self._events else None
        return chain.append(last, [settled(event) for event in events])

    def _live(self, kind: Any, row: Any) -> bool:
        release = kind.release(row)
        return bool(release) and not self._ended.get(release, False)
