"""From a local time to the moment it names, on the days when clocks change too.

Contract: a local time that does not exist means the moment of the jump; which of two is meant when
it exists twice is the caller's to say. Knows nothing of windows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from bot.core.calendar.spans import FIRST, LAST

_SECOND = timedelta(seconds=1)


class WhenTwice(Enum):
    """Which moment a local time names when the clock shows it twice."""

    FIRST = 0
    SECOND = 1


def moment(local: datetime, zone: ZoneInfo, twice: WhenTwice) -> datetime:
    """The moment in UTC of a naive local time in a zone."""
    before = local.replace(tzinfo=zone, fold=0).utcoffset()
    after = local.replace(tzinfo=zone, fold=1).utcoffset()
    assert before is not None
    assert after is not None
    if before == after:
        return _at_offset(local, before)
    if before > after:  # the clock was put back: shown twice
        return _at_offset(local, before if twice is WhenTwice.FIRST else after)
    return _jump(_at_offset(local, after), _at_offset(local, before), zone)


def _at_offset(local: datetime, offset: timedelta) -> datetime:
    try:
        at = (local - offset).replace(tzinfo=UTC, fold=0)
    except OverflowError:
        return FIRST if local.year == 1 else LAST
    return min(max(at, FIRST), LAST)


def _jump(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The moment in (low, high] at which the offset changes; zones change on whole seconds."""
    low, high = low.replace(microsecond=0), high.replace(microsecond=0)
    old = low.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return high
