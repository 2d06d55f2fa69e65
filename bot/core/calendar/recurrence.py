"""A window's intervals: worked out per local date, converted to UTC each by itself.

When clocks change an Allow never grows and a Deny never shrinks. Knows nothing of units.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.calendar.local_time import WhenTwice, moment
from bot.core.calendar.public_holidays import holiday
from bot.core.calendar.spans import FIRST, LAST, Span, block_span, clip, union

DAY = timedelta(days=1)

_REACH_BACK = 4
_REACH_AHEAD = 1
"""Local dates whose interval may reach into a span of UTC: under two days long, begun at most a day
off UTC, and a zone may have skipped a day (Apia, 2011)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """On these days, from `begins` for as long as to `ends` on the local clock."""

    days: frozenset[int]
    """On which an interval begins: Monday is 0."""
    begins: timedelta
    """Since the local midnight of the day on which the interval begins."""
    ends: timedelta
    """Since the same midnight; over 24 h when it ends on the next day."""
    zone: ZoneInfo
    denies: bool
    holidays: str | None = None
    first_day: date | None = None
    last_day: date | None = None

    def block(self, block: int) -> tuple[Span, ...]:
        """The union of the intervals, cut to the block."""
        start, end = block_span(block)
        low = max(start.toordinal() - _REACH_BACK, FIRST.toordinal())
        high = min(end.toordinal() + _REACH_AHEAD, LAST.toordinal())
        return clip(union(self._intervals(low, high)), (start, end))

    def holiday_at(self, at: datetime) -> str | None:
        """The public holiday that keeps the interval of that local date from beginning."""
        if self.holidays is None:
            return None
        day = at.astimezone(self.zone).date()
        return holiday(self.holidays, day) if self._calls_for(day) else None

    def midnights_around(self, at: datetime) -> Span:
        """The local day that holds the moment: `holiday_at` answers the same all through it."""
        day = datetime.combine(at.astimezone(self.zone).date(), datetime.min.time())
        return (
            moment(day, self.zone, WhenTwice.FIRST),
            moment(day + DAY, self.zone, WhenTwice.FIRST),
        )

    def _intervals(self, low: int, high: int) -> Iterator[Span]:
        """Each interval that begins on a local date from `low` to `high` (proleptic ordinals)."""
        begin = WhenTwice.FIRST if self.denies else WhenTwice.SECOND
        end = WhenTwice.SECOND if self.denies else WhenTwice.FIRST
        for ordinal in range(low, high + 1):
            day = date.fromordinal(ordinal)
            if not self._calls_for(day):
                continue
            if self.holidays is not None and holiday(self.holidays, day) is not None:
                continue
            midnight = datetime.fromordinal(ordinal)
            yield (
                moment(midnight + self.begins, self.zone, begin),
                moment(midnight + self.ends, self.zone, end),
            )

    def _calls_for(self, day: date) -> bool:
        return (
            day.weekday() in self.days
            and (self.first_day is None or self.first_day <= day)
            and (self.last_day is None or day <= self.last_day)
        )
