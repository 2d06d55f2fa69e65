"""How the bot is: counters, the last whole tick, what is wrong. Read by HTTP.

Reads no clock; never decides whether a release may go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

SILENT_AFTER = timedelta(seconds=60)
SILENT_TICKS = 6


@dataclass(slots=True)
class Vitals:
    """One for a running bot. Safe between threads."""

    started: datetime
    tick: timedelta
    last_tick: datetime | None = None
    """When the last tick ended that went through whole."""
    took: timedelta = timedelta()
    ticks: int = 0
    failures: int = 0
    notes: int = 0
    commits: int = 0
    outbox: int = 0
    in_flight: int = 0
    releases: Mapping[str, int] = field(default_factory=dict)
    """Phase → releases that have not ended."""
    problems: tuple[str, ...] = ()
    """What the last tick met with outside, such as a repo that does not answer."""
    store_problem: str | None = None
    writes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(purpose, outcome) → writes to clusters."""
    _lock: Lock = field(default_factory=Lock, repr=False)

    def wrote(self, purpose: str, outcome: str) -> None:
        """One write to a cluster came back."""
        with self._lock:
            self.writes[purpose, outcome] += 1

    def written(self) -> dict[tuple[str, str], int]:
        with self._lock:
            return dict(self.writes)

    def age(self, now: datetime) -> timedelta:
        """How long ago the last whole tick ended, or the bot began."""
        return now - (self.last_tick or self.started)

    def alive(self, now: datetime) -> bool:
        """Whether ticks go through: a bot that is silent for long must be noticed."""
        return self.age(now) <= max(SILENT_AFTER, SILENT_TICKS * self.tick)

    def not_ready(self, now: datetime) -> tuple[str, ...]:
        """Everything that keeps it from doing its work; empty when nothing does."""
        found = list(self.problems)
        if self.store_problem is not None:
            found.insert(0, self.store_problem)
        if self.last_tick is None:
            found.append("no tick has gone through yet")
        elif not self.alive(now):
            found.append(f"the last whole tick was {int(self.age(now).total_seconds())} s ago")
        return tuple(found)
