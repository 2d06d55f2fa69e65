"""How long a window is ever open in one piece, from its days and local times alone.

Pure arithmetic on the minutes of a week; public holidays and clock changes are the calendar's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from release_repo_schema.models import WindowSpec

DAY = 24 * 60
WEEK = 7 * DAY
Interval = tuple[int, int]


def weekdays_of(spec: WindowSpec) -> frozenset[int]:
    """The weekdays on which an interval really begins, `starts` and `ends` considered."""
    if spec.starts is None or spec.ends is None or (spec.ends - spec.starts).days >= 6:
        return spec.weekdays
    days = (spec.ends - spec.starts).days + 1
    return spec.weekdays & {(spec.starts + timedelta(days=n)).weekday() for n in range(days)}


def intervals(spec: WindowSpec) -> list[Interval]:
    """The intervals of one week, in minutes after Monday's midnight; the last may run over."""
    start, end = spec.from_minutes, spec.to_minutes
    return [(day * DAY + start, day * DAY + end) for day in sorted(weekdays_of(spec))]


def longest(specs: Iterable[WindowSpec], holding: WindowSpec | None = None) -> int:
    """Minutes of the longest piece that some windows of one zone are open together.

    `holding`: only pieces that hold an interval of this window. Open all week: without end, a week.
    """
    week = sorted(one for spec in specs for one in intervals(spec))
    # The week is laid twice, so that what runs over Sunday's end meets Monday.
    twice = sorted([*week, *((start + WEEK, end + WEEK) for start, end in week)])
    wanted = None if holding is None else {start for start, _ in intervals(holding)}
    best, pieces = 0, _joined(twice)
    for start, end in pieces:
        if wanted is None or any(
            start <= s % WEEK + k * WEEK < end for s in wanted for k in (0, 1)
        ):
            best = max(best, end - start)
    return min(best, WEEK)


def _joined(intervals_in_order: list[Interval]) -> list[Interval]:
    pieces: list[Interval] = []
    for start, end in intervals_in_order:
        if pieces and start <= pieces[-1][1]:
            pieces[-1] = (pieces[-1][0], max(pieces[-1][1], end))
        else:
            pieces.append((start, end))
    return pieces
