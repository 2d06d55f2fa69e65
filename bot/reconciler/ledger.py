"""What one tick will record: rows by key, the last word wins; and the versions that the store has.

Collects, and hands over in one transaction. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bot.core.runs import Runs
from bot.model.plan import JSON
from bot.model.state import Decision, Event, ReleaseState, UnitState
from bot.ports import Answer, Changes, Store

_COUNTED = (ReleaseState, UnitState, Decision)


class Versions:
    """The optimistic version that each row has in the store, as far as this process wrote or read
    it.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[type, str], int] = {}
        self.runs: Runs | None = None
        """What the lines of the audit begin and end."""
        self.lines = 0
        """The last line of the audit up to which there is none that this process has not read."""

    def learn(self, row: Any) -> None:
        """A row as it was read."""
        if isinstance(row, _COUNTED):
            self._known[(type(row), row.key)] = row.version

    def stamped(self, row: Any) -> Any:
        """The row with the version that the store is expected to have."""
        if not isinstance(row, _COUNTED):
            return row
        return replace(row, version=self._known.get((type(row), row.key), 0))

    def written(self, row: Any) -> None:
        if isinstance(row, _COUNTED):
            key = (type(row), row.key)
            self._known[key] = self._known.get(key, 0) + 1

    def told(self, events: Sequence[Event]) -> None:
        """Lines that this process wrote: where another's came in between, those are unread."""
        for event in events:
            if event.seq == self.lines + 1:
                self.lines = event.seq

    def forget_rows(self, *rows: Any) -> None:
        """Rows that nobody writes any more before they are read again."""
        self.forget((type(row), row.key) for row in rows)

    def forget(self, keys: Iterable[tuple[type, str]]) -> None:
        for key in keys:
            self._known.pop(key, None)


class Ledger:
    """Open for one half of a tick."""

    def __init__(self, store: Store, versions: Versions) -> None:
        self._store = store
        self._versions = versions
        self._puts: dict[tuple[type, str], Any] = {}
        self._drops: dict[tuple[type, str], None] = {}
        self.events: list[Event] = []
        self.blobs: dict[str, JSON] = {}
        self.answers: dict[int, Answer] = {}
        self.marks: dict[str, str | None] = {}

    def put(self, *rows: Any) -> None:
        for row in rows:
            key = (type(row), getattr(row, "key", None) or row.release)
            self._drops.pop(key, None)
            self._puts[key] = row

    def drop(self, kind: type, key: str) -> None:
        self._puts.pop((kind, key), None)
        self._drops[(kind, key)] = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to record."""
        return self._changes().empty

    def _changes(self) -> Changes:
        return Changes(
            puts=tuple(self._versions.stamped(row) for row in self._puts.values()),
            drops=tuple(self._drops),
            events=tuple(self.events),
            blobs=self.blobs,
            answers=self.answers,
            marks=self.marks,
        )

    def commit(self) -> tuple[Event, ...]:
        """Everything at once; nothing when there is nothing. Raises StoreLocked, StaleRow."""
        if self._versions.runs is not None and self.events:
            self.put(*self._versions.runs.rows(self.events))
        changes = self._changes()
        if changes.empty:
            return ()
        events = self._store.commit(changes)
        for row in self._puts.values():
            self._versions.written(row)
        self._versions.forget(self._drops)
        self._versions.told(events)
        return events
