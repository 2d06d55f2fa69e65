"""The exposure curve: how much of the fleet is on the new version, and since when.

Counts what a forecast or a rehearsal says; plans nothing and knows no clock. A cluster and a unit
count from their first batch on: from then they are exposed. Nodes (or pods, whatever a workload
counts) count as the batches reach them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.model.plan import ReleasePlan, UnitPlan

if TYPE_CHECKING:
    from bot.core.forecast import Forecast

ASSUMED = 6
"""Nodes of a unit where nobody knows any."""
MOST_POINTS = 200
TIER_0 = "0"


@dataclass(frozen=True, slots=True)
class Reached:
    """From `at` on so many nodes of a unit are on the new version."""

    at: datetime
    unit: str
    nodes: int
    on: bool = True
    """Whether anything of the unit is on the new version; one without nodes may be, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What is on the new version from `at` on, in counts."""

    at: datetime
    clusters: int
    nodes: int
    tier0: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """The curve, and what its shares are of. `assumed`: units whose nodes nobody knows."""

    points: tuple[Point, ...]
    clusters: int
    nodes: int
    tier0: int
    assumed: int = 0


def tier_0(plan: ReleasePlan) -> frozenset[str]:
    """Units whose component, or whose own labels, say `tier: "0"`."""
    components = {one.name for one in plan.components if one.labels.get("tier") == TIER_0}
    return frozenset(
        unit.unit
        for unit in exposing(plan)
        if unit.component in components or unit.labels.get("tier") == TIER_0
    )


def exposing(plan: ReleasePlan) -> tuple[UnitPlan, ...]:
    """The units that bring a version: a task of a stage exposes nothing to one."""
    tasks = {one.name for one in plan.components if one.task}
    return tuple(unit for unit in plan.units if unit.component not in tasks)


def sizes_of(
    plan: ReleasePlan, known: Mapping[str, tuple[int, ...] | None]
) -> tuple[dict[str, tuple[int, ...]], int]:
    """Unit → its cumulative batches in nodes, and how many units had to be assumed to have some.

    What is not known is taken to be like the mean of what is.
    """
    units = exposing(plan)
    ends = [counts[-1] for unit in units if (counts := known.get(unit.unit))]
    size = max(1, round(sum(ends) / len(ends))) if ends else ASSUMED
    found: dict[str, tuple[int, ...]] = {}
    assumed = 0
    for unit in units:
        counts = known.get(unit.unit)
        if counts is None:
            assumed += 1
            counts = (size,)
        found[unit.unit] = counts
    return found, assumed


def forecast_exposure(
    plan: ReleasePlan,
    told: Forecast,
    known: Mapping[str, tuple[int, ...] | None],
    *,
    without: Collection[str] = (),
) -> Exposure:
    """The curve of a forecast. `known`: unit → cumulative nodes of its batches, where known.

    `without`: units that end without the new version: skipped, failed, gone back.
    """
    sizes, assumed = sizes_of(plan, known)
    steps: list[Reached] = []
    units = exposing(plan)
    for unit in units:
        if unit.unit in without:
            continue
        counts, ahead = sizes[unit.unit], told.units[unit.unit]
        spans = ahead.batches
        if not spans and ahead.end is not None:
            # It runs this revision already.
            steps.append(Reached(told.at, unit.unit, counts[-1]))
        for number, span in enumerate(spans, start=1):
            if span.start is None:
                break
            nodes = counts[-1] * number // len(spans)
            if known.get(unit.unit) is not None:
                nodes = counts[max(0, len(counts) - len(spans) + number - 1)]
            steps.append(Reached(span.start, unit.unit, nodes))
    return curve(units, steps, sizes, tier_0(plan), assumed=assumed)


def curve(
    units: Iterable[UnitPlan],
    steps: Iterable[Reached],
    sizes: Mapping[str, tuple[int, ...]],
    critical: Collection[str],
    *,
    assumed: int = 0,
) -> Exposure:
    """Steps in any order → one point for every moment at which something changes. A unit may lose
    nodes again: what went back is not exposed any more.
    """
    cluster_of = {unit.unit: unit.cluster for unit in units}
    nodes: Counter[str] = Counter()
    exposed: set[str] = set()
    there: Counter[str] = Counter()
    points: list[Point] = []
    total = tier0 = 0
    for step in sorted(steps, key=lambda one: one.at):
        total += step.nodes - nodes[step.unit]
        nodes[step.unit] = step.nodes
        if step.on != (step.unit in exposed):
            cluster = cluster_of[step.unit]
            there[cluster] += 1 if step.on else -1
            if not there[cluster]:
                del there[cluster]
            exposed ^= {step.unit}
            tier0 += (1 if step.on else -1) * (step.unit in critical)
        if points and points[-1].at == step.at:
            points.pop()
        points.append(Point(at=step.at, clusters=len(there), nodes=total, tier0=tier0))
    return Exposure(
        points=tuple(points),
        clusters=len(set(cluster_of.values())),
        nodes=sum(counts[-1] for counts in sizes.values()),
        tier0=len(critical),
        assumed=assumed,
    )


def thinned(told: Exposure, most: int = MOST_POINTS) -> tuple[Point, ...]:
    """At most so many points: the first, the last, and those where the curve moves."""
    points = told.points
    if len(points) <= most:
        return points
    kept: dict[tuple[int, bool], Point] = {}
    for number, point in enumerate(points):
        # The last point of every stretch of time; none of them says more than was so then.
        kept[number * (most - 1) // len(points), number == 0] = point
    return tuple(kept.values())
