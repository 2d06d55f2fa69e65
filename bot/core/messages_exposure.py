"""The exposure curve as people read it: a few rows that tell how fast a release reaches the fleet.

Words and layout only; at most eight rows, whether it has ten points or ten thousand.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.exposure import Exposure, Point
from bot.core.messages_words import many, moment

_MARKS = (0.05, 0.25, 0.50, 1.0)
"""Shares of the nodes at which a row is told, beside the first and the last."""
_BAR = 24


def exposure_lines(told: Exposure, zone: str) -> list[str]:
    """The heading and the rows; nothing where nothing would be exposed."""
    chosen = _told(told)
    if not chosen:
        return []
    head = ["clusters", "nodes", *(["tier-0 units"] if told.tier0 else [])]
    rows = [("", *head, "")]
    for point in chosen:
        cells = [_share(point.clusters, told.clusters), _share(point.nodes, told.nodes)]
        if told.tier0:
            cells.append(_share(point.tier0, told.tier0))
        when = moment(point.at, zone).removesuffix(f" {zone}")
        rows.append((when, *cells, _bar(point.nodes, told.nodes)))
    assumed = (
        f", the nodes of {many(told.assumed, 'unit')} are not known and assumed"
        if told.assumed
        else ""
    )
    return [f"On the new version, from its first batch on{assumed}", *_columns(rows)]


def _told(told: Exposure) -> list[Point]:
    points, chosen = told.points, []
    marks = list(_MARKS)
    peak = max((point.nodes for point in points), default=0)
    for number, point in enumerate(points):
        share = point.nodes / told.nodes if told.nodes else 1.0
        passed = [mark for mark in marks if share >= mark]
        marks = [mark for mark in marks if share < mark]
        # What came to be most is told too, where it goes back again.
        highest = point.nodes == peak and points[-1].nodes < peak
        if passed or number in (0, len(points) - 1) or highest:
            chosen.append(point)
    return chosen


def _share(part: int, whole: int) -> str:
    """`6 of 124, 5 %`; a little is never told as nothing, nor almost all as all."""
    if not whole:
        return "–"
    return f"{part} of {whole}, {percent(part, whole)}"


def percent(part: float, whole: float) -> str:
    """`5 %`, `0.4 %`; below that `<0.1 %`, and 100 % only when it is all."""
    share = 100 * part / whole
    if 0 < share < 0.1:
        return "<0.1 %"
    if share < 1 and share:
        return f"{share:.1f} %"
    whole_share = round(share)
    return f"{99 if whole_share == 100 and part < whole else whole_share} %"


def _bar(part: int, whole: int) -> str:
    filled = _BAR * part // whole if whole else _BAR
    filled = max(1, filled) if part else 0
    return "█" * filled + "·" * (_BAR - filled)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
