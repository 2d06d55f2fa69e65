"""Sets of moments as sorted, disjoint, half-open spans in UTC, and time cut into blocks of days.

Blocks let every rule be worked out once per stretch of days and remembered. No zones in here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

Span = tuple[datetime, datetime]

BLOCK_DAYS = 32
FIRST = datetime(1, 1, 3, tzinfo=UTC)
LAST = datetime(9999, 12, 29, tzinfo=UTC)
"""The calendar ends some days before `datetime` does, so that no zone can push a moment off it."""


def block_of(at: datetime) -> int:
    return at.toordinal() // BLOCK_DAYS


def block_span(block: int) -> Span:
    first = block * BLOCK_DAYS
    return _midnight(first), _midnight(first + BLOCK_DAYS)


def later(at: datetime, by: timedelta) -> datetime:
    """`at + by`, or the end of the calendar."""
    return at + by if by < LAST - at else LAST


def on_calendar(at: datetime) -> datetime:
    """The moment, or the end of the calendar that lies next to it."""
    return min(max(at, FIRST), LAST - timedelta.resolution)


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Spans that touch or overlap are one; empty ones vanish."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def minus(spans: Iterable[Span], taken: Iterable[Span]) -> tuple[Span, ...]:
    """What is left of `spans` without `taken`; both are unions."""
    left: list[Span] = list(spans)
    for lost_start, lost_end in taken:
        rest: list[Span] = []
        for start, end in left:
            if lost_end <= start or end <= lost_start:
                rest.append((start, end))
                continue
            if start < lost_start:
                rest.append((start, lost_start))
            if lost_end < end:
                rest.append((lost_end, end))
        left = rest
    return tuple(left)


def clip(spans: Iterable[Span], bounds: Span) -> tuple[Span, ...]:
    low, high = bounds
    cut = ((max(start, low), min(end, high)) for start, end in spans)
    return tuple((start, end) for start, end in cut if start < end)


def _midnight(ordinal: int) -> datetime:
    if ordinal < FIRST.toordinal():
        return FIRST
    if ordinal > LAST.toordinal():
        return LAST
    return datetime.fromordinal(ordinal).replace(tzinfo=UTC)
