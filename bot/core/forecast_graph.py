"""The forecast of a release of several components, or of parts of clusters.

A unit begins when all of the wave before has ended and what it needs in its cluster, or shares an
object with and comes before it, has ended well; the units in flight are counted over all
components. One component alone is `forecast.py`, which this goes by for the batches inside a unit.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from bot.core.calendar import Klass
from bot.core.forecast import (
    Forecast,
    Span,
    StageForecast,
    UnitForecast,
    _Run,
    _Unit,
    _Way,
    checks_take,
)
from bot.core.situation import PlanIndex
from bot.model.plan import ComponentPlan, UnitPlan

Place = tuple[int, int]
"""Stage, wave."""
Alike = tuple[int, str, str, Klass, int, datetime]
"""Stage, component, version, class of the calendar, batches ahead, and when it may begin."""


def forecast_of_many(run: _Run, begin: datetime) -> Forecast:
    """The whole release, its components side by side as far as their graph lets them."""
    return _Many(run, PlanIndex(run.plan), begin).all()


@dataclass(slots=True)
class _Many:
    run: _Run
    index: PlanIndex
    begin: datetime
    runs: dict[tuple[str, str], _Run] = field(default_factory=dict)
    """One run a component: its batches, soak and checks are its own."""
    seen: dict[str, _Unit] = field(default_factory=dict)
    order: dict[str, int] = field(default_factory=dict)
    waits: dict[str, int] = field(default_factory=dict)
    """Unit → how many units, and whether a wave, must end before it is known when it may begin."""
    behind: dict[str, list[str]] = field(default_factory=dict)
    """Unit → units of its cluster that need it."""
    left: Counter[Place] = field(default_factory=Counter)
    following: dict[Place, Place] = field(default_factory=dict)
    inside: dict[Place, list[str]] = field(default_factory=dict)
    ready: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    """Unit → when it may begin at the earliest, and the unit whose end said so."""
    queued: set[str] = field(default_factory=set)
    queues: dict[Alike, deque[str]] = field(default_factory=dict)
    lanes: dict[int, list[tuple[datetime, str]]] = field(default_factory=dict)
    fleet: list[tuple[datetime, str]] = field(default_factory=list)

    def all(self) -> Forecast:
        self._prepare()
        under_way = [name for name, unit in self.seen.items() if unit.ended or unit.ready]
        for name in under_way:
            self._under_way(name)
        for name in self.order:
            self._queue_when_free(name)
        while self.queues:
            self._next()
        for name in self.order:
            self.run.done.setdefault(name, UnitForecast())
        return self._told()

    def _prepare(self) -> None:
        for number, unit in enumerate(self.run.plan.units):
            place = (unit.stage, unit.wave)
            self.order[unit.unit] = number
            self.inside.setdefault(place, []).append(unit.unit)
            self.left[place] += 1
            self.ready[unit.unit] = (self.begin, "")
            component = self.index.component(unit)
            key = (component.name, component.version)
            if key not in self.runs:
                self.runs[key] = _alone(self.run, component)
            self.seen[unit.unit] = self.runs[key]._seen(unit, self._soak(unit, component))
        places = sorted(self.inside)
        self.following.update(pairwise(places))
        later = set(self.following.values())
        for unit in self.run.plan.units:
            needed = (*self.index.needed(unit), *self._sibling(unit.unit))
            for other in needed:
                self.behind.setdefault(other, []).append(unit.unit)
            first = (unit.stage, unit.wave) not in later
            self.waits[unit.unit] = len(needed) + (0 if first else 1)

    def _sibling(self, name: str) -> tuple[str, ...]:
        """The unit before it that shares an object with it: they go one after another."""
        names = self.index.sharing.get(name, (name,))
        place = self.index.turns.get(name, 0)
        return names[place - 1 : place] if place else ()

    def _under_way(self, name: str) -> None:
        """A unit of a running release that has begun or ended."""
        unit = self.seen[name]
        if unit.ended is not None:
            self._tell(name, _Way((), unit.ended))
            return
        assert unit.ready is not None
        way = self._way(name, unit.ready)
        if way.end is not None:
            heapq.heappush(self._lane(name), (way.end, name))
            heapq.heappush(self.fleet, (way.end, name))
        self._tell(name, way)

    def _queue(self, name: str) -> None:
        plan, unit = self.index.units[name], self.seen[name]
        component = self.index.component(plan)
        at = max(self.ready[name][0], self.run.free.get(name, self.begin))
        key = (plan.stage, component.name, component.version, unit.klass, unit.ahead, at)
        self.queues.setdefault(key, deque()).append(name)

    def _next(self) -> None:
        """The unit that can begin first; among equals the first in the plan's order."""
        best: tuple[tuple[bool, datetime, int], Alike, _Way, str] | None = None
        for key, queue in self.queues.items():
            at, freed_by = self._room(key)
            way = self._way(queue[0], at)
            start = way.spans[0].start if way.spans else at
            rank = (start is None, start or at, self.order[queue[0]])
            if best is None or rank < best[0]:
                best = (rank, key, way, freed_by)
        assert best is not None
        _, key, way, freed_by = best
        name = self.queues[key].popleft()
        if not self.queues[key]:
            del self.queues[key]
        if way.spans and way.spans[0].start:
            insort(self.run.begun, way.spans[0].start)
        if link := freed_by or self.ready[name][1]:
            self.run.before[name] = link
        if way.end is not None:
            for lane, width in self._lanes(key[0]):
                if width is not None and len(lane) >= width:
                    heapq.heappop(lane)
                heapq.heappush(lane, (way.end, name))
        self._tell(name, way)

    def _room(self, key: Alike) -> tuple[datetime, str]:
        """When the stage and the fleet have room for one more, and who makes it."""
        at, freed_by = key[5], ""
        for lane, width in self._lanes(key[0]):
            if width is not None and len(lane) >= width and lane[0][0] > at:
                at, freed_by = lane[0]
        return self.run._not_too_many(at), freed_by

    def _lanes(self, stage: int) -> list[tuple[list[tuple[datetime, str]], int | None]]:
        limit = self.run.policy.spec.limits.units_in_flight
        width = self.run.plan.stages[stage].max_concurrency
        return [(self.lanes.setdefault(stage, []), width), (self.fleet, limit)]

    def _lane(self, name: str) -> list[tuple[datetime, str]]:
        return self.lanes.setdefault(self.index.units[name].stage, [])

    def _way(self, name: str, at: datetime) -> _Way:
        plan = self.index.units[name]
        component = self.index.component(plan)
        run = self.runs[component.name, component.version]
        return run._way(self.seen[name], at, self._soak(plan, component))

    def _tell(self, name: str, way: _Way) -> None:
        """A unit is told; what waited for its end may now be known too."""
        self.run._tell(self.seen[name], way)
        if way.end is None:
            return
        plan = self.index.units[name]
        place = (plan.stage, plan.wave)
        freed = list(self.behind.get(name, ()))
        self.left[place] -= 1
        if not self.left[place] and place in self.following:
            freed += self.inside[self.following[place]]
            last = max(self.inside[place], key=lambda one: self.run.done[one].end or self.begin)
            end = self.run.done[last].end or self.begin
            for other in self.inside[self.following[place]]:
                self._later(other, end, last)
        for other in self.behind.get(name, ()):
            self._later(other, way.end, name)
        for other in freed:
            self.waits[other] -= 1
            self._queue_when_free(other)

    def _queue_when_free(self, name: str) -> None:
        unit = self.seen[name]
        begun = unit.ended is not None or unit.ready is not None
        if not (self.waits[name] or begun or name in self.queued):
            self.queued.add(name)
            self._queue(name)

    def _later(self, name: str, at: datetime, by: str) -> None:
        if at > self.ready[name][0]:
            self.ready[name] = (at, by)

    def _soak(self, unit: UnitPlan, component: ComponentPlan) -> timedelta:
        return max(component.soak, self.run.plan.stages[unit.stage].soak)

    def _told(self) -> Forecast:
        stages = []
        for stage in self.run.plan.stages:
            waves = tuple(self._span(wave) for wave in stage.waves)
            starts = [span.start for span in waves if span.start]
            ends = [span.end for span in waves]
            stages.append(
                StageForecast(
                    name=stage.name,
                    waves=waves,
                    start=min(starts, default=None),
                    end=max((end for end in ends if end), default=None) if all(ends) else None,
                )
            )
        told = self.run.done
        end = max((one.end for one in told.values() if one.end), default=self.begin)
        whole = all(one.end for one in told.values())
        if whole and told:
            last = max(told, key=lambda name: told[name].end or self.begin)
            self._count(last)
        return self.run._told(tuple(stages), end if whole else None)

    def _span(self, names: tuple[str, ...]) -> Span:
        told: Mapping[str, UnitForecast] = self.run.done
        starts = [start for name in names if (start := told[name].start)]
        ends = [told[name].end for name in names]
        return Span(
            min(starts, default=None),
            max((end for end in ends if end), default=None) if all(ends) else None,
        )

    def _count(self, last: str) -> None:
        """Add up what the longest way is made of, back from the unit that ends last."""
        name: str | None = last
        while name is not None:
            plan = self.index.units[name]
            component = self.index.component(plan)
            run = self.runs[component.name, component.version]
            run.going[name] = self.run.going[name]
            run._count(self.seen[name], self._soak(plan, component))
            name = self.run.before.get(name)
        for run in self.runs.values():
            self.run.costs.update(run.costs)
            self.run.waited += run.waited


def _alone(run: _Run, component: ComponentPlan) -> _Run:
    """The same run with one component: how its batches go."""
    names = {*component.checks_before, *component.checks_after}
    checks = {name: spec for name, spec in run.plan.checks.items() if name in names}
    plan = replace(run.plan, components=(component,), checks=checks)
    alone = _Run(plan=plan, calendar=run.calendar, policy=run.policy, now=run.now)
    alone.batches, alone.progress = run.batches, run.progress
    alone.takes, alone.between = component.batch_takes, component.batch_soak
    alone.checks = checks_take(plan)
    return alone
