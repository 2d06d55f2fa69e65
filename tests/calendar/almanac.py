"""The words that calendar stories are told in: windows and freezes as they are written, and UTC.

Builds the real models and the real calendar; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.calendar import Calendar, CalendarUnit, EmergencyFreeze
from release_repo_schema.models.calendar import Freeze, Window
from release_repo_schema.models.policy import Policy


def utc(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def window(name: str, zone: str = "Europe/Berlin", **spec: Any) -> Window:
    return Window.model_validate({"metadata": {"name": name}, "spec": {"zone": zone, **spec}})


def office(name: str = "weekdays-berlin", zone: str = "Europe/Berlin", **spec: Any) -> Window:
    """Working days from 09:00 to 16:00: the window most stories start from."""
    hours = {"days": ("Mon-Thu", "Fri"), "from": "09:00", "to": "16:00"}
    return window(name, zone, **{**hours, **spec})


def freeze(name: str, start: str, end: str, zone: str = "Europe/Berlin", **spec: Any) -> Freeze:
    dates = {"from": start, "to": end, "zone": zone}
    known = {"reason": "Year-end trading", "owner": "ana"}
    return Freeze.model_validate({"metadata": {"name": name}, "spec": {**dates, **known, **spec}})


def emergency(name: str, start: str, until: str, **given: Any) -> EmergencyFreeze:
    return EmergencyFreeze(
        name=name,
        selector=given.pop("selector", lambda unit: True),
        start=utc(start),
        until=utc(until),
        reason="INC-7",
        owner="ben",
        **given,
    )


def policy(when_none_matches: str = "closed", attended: int = 30) -> Policy:
    windows = {"whenNoneMatches": when_none_matches, "attended": minutes(attended)}
    return Policy.model_validate({"metadata": {"name": "policy"}, "spec": {"windows": windows}})


def calendar(
    *rules: Window | Freeze | EmergencyFreeze, none_matches: str = "closed", **given: Any
) -> Calendar:
    return Calendar.of(
        (rule for rule in rules if isinstance(rule, Window)),
        (rule for rule in rules if isinstance(rule, Freeze)),
        policy(none_matches),
        emergency=[rule for rule in rules if isinstance(rule, EmergencyFreeze)],
        **given,
    )


def unit(cluster: str = "eu-1", component: str = "node-agent", **labels: str) -> CalendarUnit:
    return CalendarUnit(
        unit=f"{component}@{cluster}",
        component=component,
        component_labels={"tier": "0"},
        cluster=cluster,
        labels={"cluster": cluster, **labels},
    )


UNIT = unit()


def open_hours(
    asked: Calendar, start: str, end: str, action: str = "advance"
) -> list[tuple[str, str]]:
    """The open intervals in UTC, short enough to compare by eye: `12-24 09:00`."""
    found = asked.intervals(UNIT, utc(start), utc(end), action)
    return [(f"{i.start:%m-%d %H:%M}", f"{i.end:%m-%d %H:%M}") for i in found]


def total(spans: Iterable[Any]) -> timedelta:
    return sum((span.end - span.start for span in spans), timedelta())
