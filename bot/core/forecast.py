"""When each batch of a plan would begin, when the release ends, and which setting costs most.

The plan run ahead on the calendar: waves in order, units up to the concurrency, batches with their
soak, each in a window that it fits. Approvals are taken as given at once and checks as passed; it
promises nothing, decides nothing, and is no part of a plan.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core.batches import counts
from bot.core.calendar import Calendar, CalendarUnit, Klass, attended_need, fits
from bot.core.not_before import not_before as not_before
from bot.model.plan import ReleasePlan, StagePlan, UnitPlan
from bot.model.state import UnitPhase, UnitState
from release_repo_schema.models import CheckSpec, Policy

_NONE, _DAY = timedelta(), timedelta(days=1)

_Alike = tuple[Klass, int, datetime]
"""Class of the calendar, batches ahead, when no other release has it any more."""


@dataclass(frozen=True, slots=True)
class Span:
    """From the beginning to the end of something; None: never, as the calendar stands."""

    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitForecast:
    """A unit's batches. `end` is the end of its last soak and checks."""

    batches: tuple[Span, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    never: str = ""
    """Why a batch of it never begins; empty if all do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageForecast:
    name: str
    waves: tuple[Span, ...]
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one setting adds to the longest way through the release.

    what: windows | batchTakes | batchSoak | soak | checks | notBefore. `each` is None for windows.
    """

    what: str
    each: timedelta | None
    times: int
    total: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The whole release. `end` None: something never fits, `never` says what and why."""

    at: datetime
    units: Mapping[str, UnitForecast]
    stages: tuple[StageForecast, ...]
    start: datetime | None
    end: datetime | None
    days: int
    """Days, in `zone`, on which a batch begins."""
    zone: str
    """The zone of the window that decides."""
    costs: tuple[Cost, ...]
    """The longest way, most expensive first."""
    never: Mapping[str, str] = field(default_factory=dict)
    """Unit → why a batch of it never begins; only those that stop the release, not those behind."""


def forecast(
    plan: ReleasePlan,
    calendar: Calendar,
    policy: Policy,
    now: datetime,
    *,
    batches: Mapping[str, int] | None = None,
    progress: Mapping[str, UnitState] | None = None,
    free: Mapping[str, datetime] | None = None,
    begun: Sequence[datetime] = (),
) -> Forecast:
    """Run the plan ahead from `now`.

    `batches`: unit → how many batches it takes where that is known (equal steps merge, nothing to
    write is 0); else as many as written. `progress`: where the units of a running release stand.
    `free`: unit → when another release will have left it. `begun`: when units of other releases
    began, for `limits.unitsPerDay`.
    """
    run = _Run(plan=plan, calendar=calendar, policy=policy, now=now.astimezone(UTC))
    run.batches, run.progress, run.free = batches or {}, progress or {}, free or {}
    run.begun = sorted([*begun, *(u.began for u in run.progress.values() if u.began)])
    return run.all()


def checks_take(plan: ReleasePlan) -> timedelta:
    """How long the checks after a batch take when all is well: they run side by side."""
    specs = [CheckSpec.model_validate(spec) for spec in plan.checks.values()]
    return max((spec.interval * (spec.count - 1) for spec in specs), default=_NONE)


@dataclass(slots=True)
class _Unit:
    """A unit as the run sees it: what it has behind it, and how many batches are ahead."""

    name: str
    place: CalendarUnit
    klass: Klass
    ahead: int
    behind: tuple[Span, ...] = ()
    ready: datetime | None = None
    """In flight: when its next batch may begin. None: not begun."""
    ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Way:
    """Batches one after another from a moment on, shared by all units of a class."""

    spans: tuple[Span, ...]
    end: datetime | None
    waits: tuple[timedelta, ...] = ()
    never: str = ""


@dataclass(slots=True)
class _Run:
    plan: ReleasePlan
    calendar: Calendar
    policy: Policy
    now: datetime
    batches: Mapping[str, int] = field(default_factory=dict)
    progress: Mapping[str, UnitState] = field(default_factory=dict)
    free: Mapping[str, datetime] = field(default_factory=dict)
    begun: list[datetime] = field(default_factory=list)
    """When units began or will, in order: what `limits.unitsPerDay` counts."""
    ways: dict[tuple[Klass, int, datetime, timedelta], _Way] = field(default_factory=dict)
    done: dict[str, UnitForecast] = field(default_factory=dict)
    going: dict[str, _Way] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    """Unit → the unit whose end let it begin, where concurrency made it wait."""
    costs: Counter[tuple[str, timedelta | None]] = field(default_factory=Counter)
    waited: timedelta = _NONE
    takes: timedelta = _NONE
    between: timedelta = _NONE
    checks: timedelta = _NONE
    never: dict[str, str] = field(default_factory=dict)

    def all(self) -> Forecast:
        component = self.plan.components[0]
        self.takes, self.between = component.batch_takes, component.batch_soak
        self.checks = checks_take(self.plan)
        begin: datetime | None = self.now
        if (earliest := not_before(self.plan)) and earliest > self.now:
            self.costs["notBefore", earliest - self.now] += 1
            begin = earliest
        if len(self.plan.components) > 1 or any(unit.place for unit in self.plan.units):
            from bot.core.forecast_graph import forecast_of_many

            return forecast_of_many(self, begin or self.now)
        planned = {unit.unit: unit for unit in self.plan.units}
        stages = []
        for stage in self.plan.stages:
            waves = []
            for names in stage.waves:
                waves.append(self._wave([planned[name] for name in names], stage, begin))
                begin = waves[-1].end
            stages.append(
                StageForecast(
                    name=stage.name, waves=tuple(waves), start=waves[0].start, end=waves[-1].end
                )
            )
        return self._told(tuple(stages), begin)

    def _told(self, stages: tuple[StageForecast, ...], end: datetime | None) -> Forecast:
        zone = self._zone()
        starts = {span.start for one in self.done.values() for span in one.batches if span.start}
        return Forecast(
            at=self.now,
            units=self.done,
            stages=stages,
            start=min(starts, default=None),
            end=end,
            days=len({at.astimezone(zone).date() for at in starts}),
            zone=zone.key,
            costs=self._costs(),
            never=self.never,
        )

    def _zone(self) -> ZoneInfo:
        for unit in self.plan.units[:1]:
            return ZoneInfo(self.calendar.zone(self._place(unit)))
        return ZoneInfo("UTC")

    def _place(self, unit: UnitPlan) -> CalendarUnit:
        component = self.plan.components[0]
        return CalendarUnit(
            unit=unit.unit,
            component=component.name,
            component_labels=component.labels,
            cluster=unit.cluster,
            labels=unit.labels,
        )

    def _wave(self, units: Sequence[UnitPlan], stage: StagePlan, begin: datetime | None) -> Span:
        if begin is None:
            self.done.update({unit.unit: UnitForecast() for unit in units})
            return Span(None, None)
        soak = max(self.plan.components[0].soak, stage.soak)
        members = [self._seen(unit, soak) for unit in units]
        limits = [stage.max_concurrency, self.policy.spec.limits.units_in_flight]
        width = min([len(units), *(limit for limit in limits if limit is not None)])
        self._roll(members, max(1, width), soak, begin)
        told = [self.done[unit.name] for unit in members]
        if any(one.never for one in told):
            starts = [one.start for one in told if one.start]
            return Span(min(starts, default=None), None)
        ends = [one.end for one in told if one.end]
        end = max(ends, default=begin)
        if end > begin:
            last = max(members, key=lambda unit: self.done[unit.name].end or begin)
            self._count(last, soak)
        return Span(min((one.start for one in told if one.start), default=begin), max(end, begin))

    def _seen(self, unit: UnitPlan, soak: timedelta) -> _Unit:
        place = self._place(unit)
        state = self.progress.get(unit.unit)
        written = self._batches(unit.unit, state)
        found = _Unit(unit.unit, place, self.calendar.klass(place), written)
        if state is None or (state.began is None and not state.phase.ended):
            return found
        found.ahead = max(0, written - state.batch)
        if state.phase.ended or state.phase is UnitPhase.ROLLING_BACK:
            found.ended, found.ahead = state.since if state.phase.ended else self.now, 0
            found.behind = (Span(state.began, found.ended),) if state.began else ()
            return found
        rest = soak if found.ahead == 0 else self.between
        began = state.batch_began or state.began
        match state.phase:
            case UnitPhase.APPLYING:
                until = max(self.now, (state.batch_began or self.now) + self.takes) + rest
            case UnitPhase.SOAKING:
                until = max(self.now, state.soak_until or self.now + rest)
            case _:
                until = self.now
        found.ready = until if state.phase is UnitPhase.PENDING else until + self.checks
        if state.phase is not UnitPhase.PENDING:
            found.behind = (Span(began, found.ready),)
        return found

    def _batches(self, unit: str, state: UnitState | None) -> int:
        """How many batches a unit takes in all: equal steps merge, once its totals are known."""
        steps = self.plan.components[0].batches
        if unit in self.batches:
            return self.batches[unit]
        totals = state.totals.values() if state is not None else ()
        if state is not None and state.batches and not totals:
            return state.batches
        return max((len(counts(steps, total)) for total in totals), default=len(steps))

    def _roll(self, units: Sequence[_Unit], width: int, soak: timedelta, begin: datetime) -> None:
        """Every unit of a wave, as many at once as may be; whoever can begin first, begins."""
        free: list[tuple[datetime, str]] = []
        queues: dict[_Alike, deque[_Unit]] = {}
        for unit in units:
            if unit.ended is not None:
                self._tell(unit, _Way((), unit.ended))
            elif unit.ready is not None:
                way = self._way(unit, unit.ready, soak)
                self._tell(unit, way)
                if way.end is not None:
                    free.append((way.end, unit.name))
            else:
                alike = (unit.klass, unit.ahead, self.free.get(unit.name, begin))
                queues.setdefault(alike, deque()).append(unit)
        heapq.heapify(free)
        room = width - len(free)
        order = {unit.name: place for place, unit in enumerate(units)}
        while queues:
            at, freed_by = (begin, "") if room > 0 or not free else heapq.heappop(free)
            room -= 1
            unit, way = self._next(queues, self._not_too_many(max(at, begin)), soak, order)
            if way.spans and way.spans[0].start:
                insort(self.begun, way.spans[0].start)
            if freed_by:
                self.before[unit.name] = freed_by
            self._tell(unit, way)
            if way.end is not None:
                heapq.heappush(free, (way.end, unit.name))
            else:
                room += 1

    def _not_too_many(self, at: datetime) -> datetime:
        """The first moment from `at` on at which `limits.unitsPerDay` lets one more begin."""
        limit = self.policy.spec.limits.units_per_day
        if limit is None or len(self.begun) < limit:
            return at
        return max(at, self.begun[-limit] + _DAY)

    def _next(
        self,
        queues: dict[_Alike, deque[_Unit]],
        at: datetime,
        soak: timedelta,
        order: Mapping[str, int],
    ) -> tuple[_Unit, _Way]:
        """The unit that can begin first; among equals the first in the wave's order."""
        best: tuple[tuple[bool, datetime, int], _Alike, _Way] | None = None
        for key, queue in queues.items():
            way = self._way(queue[0], max(at, key[2]), soak)
            start = way.spans[0].start if way.spans else at
            rank = (start is None, start or at, order[queue[0].name])
            if best is None or rank < best[0]:
                best = (rank, key, way)
        assert best is not None
        _, key, way = best
        unit = queues[key].popleft()
        if not queues[key]:
            del queues[key]
        return unit, way

    def _way(self, unit: _Unit, at: datetime, soak: timedelta) -> _Way:
        key = (unit.klass, unit.ahead, at, soak)
        known = self.ways.get(key)
        if known is None:
            known = self.ways[key] = self._ahead(unit, at, soak)
        return known

    def _ahead(self, unit: _Unit, at: datetime, soak: timedelta) -> _Way:
        spans: list[Span] = []
        waits: list[timedelta] = []
        for left in range(unit.ahead, 0, -1):
            rest = soak if left == 1 else self.between
            need = attended_need(self.takes, rest, self.calendar.attended)
            start = self._start(unit.place, at, need)
            if start is None:
                why = self.calendar.why_never(unit.place, at, need)
                return _Way((*spans, Span(None, None)), None, never=why)
            waits.append(start - at)
            at = start + self.takes + rest + self.checks
            spans.append(Span(start, at))
        return _Way(tuple(spans), at, tuple(waits))

    def _start(self, place: CalendarUnit, at: datetime, need: timedelta) -> datetime | None:
        if fits(self.calendar.ask(place, at), at, need):
            return at
        found = self.calendar.next_start(place, at, need)
        return None if found is None else found.at

    def _tell(self, unit: _Unit, way: _Way) -> None:
        self.going[unit.name] = way
        if way.never:
            self.never[unit.name] = way.never
        batches = unit.behind + way.spans
        start = batches[0].start if batches else way.end
        self.done[unit.name] = UnitForecast(
            batches=batches, start=start, end=way.end, never=way.never
        )

    def _count(self, last: _Unit, soak: timedelta) -> None:
        """Add up what the longest way of a wave is made of, back along the lane it waited for."""
        name: str | None = last.name
        while name is not None:
            way = self.going[name]
            for left in range(len(way.spans), 0, -1):
                final = left == 1
                self.costs["batchTakes", self.takes] += 1
                self.costs["soak" if final else "batchSoak", soak if final else self.between] += 1
                self.costs["checks", self.checks] += 1
            self.waited += sum(way.waits, _NONE)
            name = self.before.get(name)

    def _costs(self) -> tuple[Cost, ...]:
        costs = [
            Cost(what=what, each=each, times=times, total=times * (each or _NONE))
            for (what, each), times in self.costs.items()
            if each
        ]
        if self.waited:
            costs.append(Cost(what="windows", each=None, times=1, total=self.waited))
        return tuple(sorted(costs, key=lambda cost: (-cost.total, cost.what)))
