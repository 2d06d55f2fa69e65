"""What does not fit: where a forecast waits for the calendar, how long, and why.

Asks the calendar what the forecast asked; plans nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.calendar import Calendar, CalendarUnit, attended_need
from bot.core.forecast import Forecast, not_before
from bot.core.situation import PlanIndex
from bot.model.plan import ComponentPlan, ReleasePlan, StagePlan, UnitPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """Units of a wave (counted from 1) whose next batch could begin at `since` but for the
    calendar, and begins at `until`.
    """

    stage: str
    wave: int
    units: tuple[str, ...]
    since: datetime
    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class _Gap:
    """One batch that waits. `last`: it is the last of its unit."""

    unit: str
    since: datetime
    until: datetime
    last: bool


def delays(plan: ReleasePlan, told: Forecast, calendar: Calendar) -> tuple[Delay, ...]:
    """Every wait of a forecast, wave by wave; units that wait the same are told together."""
    index = PlanIndex(plan)
    found: list[Delay] = []
    for component in dict.fromkeys(one.name for one in plan.components):
        found += _of_component(index, component, told, calendar)
    order = {stage.name: number for number, stage in enumerate(plan.stages)}
    return tuple(sorted(found, key=lambda one: (order[one.stage], one.wave)))


def _of_component(
    index: PlanIndex, component: str, told: Forecast, calendar: Calendar
) -> list[Delay]:
    """The waits of one component: each goes its own way through the waves."""
    plan, units = index.plan, index.units
    found: list[Delay] = []
    begin: datetime | None = max(told.at, not_before(plan) or told.at)
    for stage in plan.stages:
        for number, wave in enumerate(stage.waves, start=1):
            names = tuple(name for name in wave if units[name].component == component)
            if begin is None:
                return found
            together: dict[tuple[datetime, datetime, str], list[str]] = {}
            for gap in _gaps(index, told, names, begin):
                unit = units[gap.unit]
                brought = index.component(unit)
                need = _need(brought, stage, gap.last, calendar.attended)
                start = calendar.next_start(_place(unit, brought), gap.since, need)
                if start is not None and start.at > gap.since:
                    key = (gap.since, gap.until, start.why)
                    together.setdefault(key, []).append(gap.unit)
            found += [
                Delay(
                    stage=stage.name,
                    wave=number,
                    units=tuple(waiting),
                    since=since,
                    until=until,
                    why=why,
                )
                for (since, until, why), waiting in sorted(together.items())
            ]
            ends = [told.units[name].end for name in names]
            if any(end is None for end in ends):
                return found
            begin = max([begin, *(end for end in ends if end is not None)])
    return found


def _gaps(
    index: PlanIndex, told: Forecast, names: tuple[str, ...], begin: datetime
) -> Iterator[_Gap]:
    """Batches that begin later than the one before ended, and the wave's first if that is late."""
    ahead = [(name, told.units[name].batches) for name in names]
    starts = [
        (spans[0].start, name, len(spans) == 1) for name, spans in ahead if spans and spans[0].start
    ]
    if starts:
        first, name, last = min(starts, key=lambda one: (one[0], one[1]))
        ends = (told.units[other].end for other in index.needed(index.units[name]))
        begin = max([begin, *(end for end in ends if end is not None)])
        if first > begin:
            yield _Gap(name, begin, first, last)
    for name, spans in ahead:
        for number in range(1, len(spans)):
            since, until = spans[number - 1].end, spans[number].start
            if since is not None and until is not None and until > max(since, told.at):
                yield _Gap(name, max(since, told.at), until, number == len(spans) - 1)


def _need(component: ComponentPlan, stage: StagePlan, last: bool, attended: timedelta) -> timedelta:
    rest = max(component.soak, stage.soak) if last else component.batch_soak
    return attended_need(component.batch_takes, rest, attended)


def _place(unit: UnitPlan, component: ComponentPlan) -> CalendarUnit:
    return CalendarUnit(
        unit=unit.unit,
        component=component.name,
        component_labels=component.labels,
        cluster=unit.cluster,
        labels=unit.labels,
    )
