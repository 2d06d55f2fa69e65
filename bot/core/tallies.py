"""Units that began and units that failed in the last day: what limits over all releases count.

A row a unit, kept until a day has passed; counting looks at nothing older. Limits nothing itself.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.model.record import BEGAN, FAILED, Tally

DAY = timedelta(days=1)
"""A day is the last 24 hours (contract §1)."""


@dataclass(slots=True)
class Tallies:
    """The rows of the last day, by key, and their times in order."""

    rows: dict[str, Tally] = field(default_factory=dict)
    _times: dict[str, list[datetime]] = field(default_factory=lambda: {BEGAN: [], FAILED: []})

    @classmethod
    def of(cls, rows: Iterable[Tally]) -> Tallies:
        found = cls()
        for row in rows:
            found.add(row)
        return found

    def add(self, row: Tally) -> None:
        """A unit began, or failed; one that does so again counts once, from now."""
        self.forget(row.key)
        self.rows[row.key] = row
        insort(self._times[row.what], row.at)

    def forget(self, key: str) -> None:
        old = self.rows.pop(key, None)
        if old is not None:
            times = self._times[old.what]
            del times[bisect_right(times, old.at) - 1]

    def count(self, what: str, now: datetime) -> int:
        """How many in the 24 hours before `now`."""
        times = self._times[what]
        return len(times) - bisect_right(times, now - DAY)

    def fewer_at(self, what: str, now: datetime, limit: int) -> datetime | None:
        """When fewer than `limit` will be left if none comes; None when that is so already."""
        times = self._times[what]
        excess = self.count(what, now) - limit
        if excess < 0:
            return None
        last = bisect_right(times, now - DAY) + excess
        return (times[last] if last < len(times) else now) + DAY

    def over(self, now: datetime) -> list[str]:
        """Keys of rows that no count reaches any more."""
        if all(not times or times[0] > now - DAY for times in self._times.values()):
            return []
        return [key for key, row in self.rows.items() if row.at <= now - DAY]

    def failed(self) -> list[str]:
        """Keys of the failures that count."""
        return [key for key, row in self.rows.items() if row.what == FAILED]
