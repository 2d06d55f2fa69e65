"""What does not fit: where a forecast waits for the calendar, how long, and why.

Asks the calendar what the forecast asked; plans nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.calendar import Calendar, CalendarUnit, attended_need
from bot.core.forecast import Forecast, not_before
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
    units = {unit.unit: unit for unit in plan.units}
    components = {component.name: component for component in plan.components}
    found: list[Delay] = []
    begin: datetime | None = max(told.at, not_before(plan) or told.at)
    for stage, when in zip(plan.stages, told.stages, strict=True):
        for number, (names, span) in enumerate(zip(stage.waves, when.waves, strict=True), start=1):
            if begin is None:
                return tuple(found)
            together: dict[tuple[datetime, datetime, str], list[str]] = {}
            for gap in _gaps(told, names, begin):
                unit = units[gap.unit]
                component = components[unit.component]
                need = _need(component, stage, gap.last, calendar.attended)
                start = calendar.next_start(_place(unit, component), gap.since, need)
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
            begin = span.end
    return tuple(found)


def _gaps(told: Forecast, names: tuple[str, ...], begin: datetime) -> Iterator[_Gap]:
    """Batches that begin later than the one before ended, and the wave's first if that is late."""
    ahead = [(name, told.units[name].batches) for name in names]
    starts = [
        (spans[0].start, name, len(spans) == 1) for name, spans in ahead if spans and spans[0].start
    ]
    if starts:
        first, name, last = min(starts, key=lambda one: (one[0], one[1]))
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
