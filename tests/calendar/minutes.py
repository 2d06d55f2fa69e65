"""The contract's calendar rules told as naively as possible: an oracle that looks at every minute.

Shares no code with the calendar. Where a local time names no minute or two, it is found by looking
through a list of all minutes and what the clock showed at each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

MINUTE = timedelta(minutes=1)
MARGIN = timedelta(days=4)
Minutes = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A window or freeze as an author writes it; `matches` says whether it is about our unit."""

    name: str
    allow: bool
    zone: str
    matches: bool
    actions: tuple[str, ...]
    days: frozenset[int] = frozenset(range(7))
    days_written: tuple[str, ...] = ("Mon-Sun",)
    begins: int = 0
    ends: int = 1440
    holidays: str | None = None
    first_day: datetime | None = None
    last_day: datetime | None = None
    once: tuple[datetime, datetime] | None = None
    """Local beginning and end of a freeze; everything about days does not count then."""


@lru_cache(maxsize=256)
def clock(zone: str, start: datetime, end: datetime) -> dict[datetime, list[datetime]]:
    """Every minute by what the clock showed then."""
    shown: dict[datetime, list[datetime]] = {}
    for minute in every_minute(start, end):
        local = minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        shown.setdefault(local, []).append(minute)
    return shown


@lru_cache(maxsize=16)
def every_minute(start: datetime, end: datetime) -> tuple[datetime, ...]:
    return tuple(start + MINUTE * i for i in range((end - start) // MINUTE))


def _named(local: datetime, shown: dict[datetime, list[datetime]], want_second: bool) -> datetime:
    minutes = shown.get(local)
    if minutes:
        return minutes[-1] if want_second else minutes[0]
    return min(minute for face, found in shown.items() if face > local for minute in found)


def _local_intervals(rule: Written, days: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    if rule.once is not None:
        return [rule.once]
    length = rule.ends - rule.begins + (1440 if rule.ends <= rule.begins else 0)
    found = []
    for day in days:
        if day.weekday() not in rule.days:
            continue
        if rule.first_day is not None and day < rule.first_day:
            continue
        if rule.last_day is not None and day > rule.last_day:
            continue
        if rule.holidays is not None and _is_holiday(rule.holidays, day):
            continue
        begin = day + MINUTE * rule.begins
        found.append((begin, begin + MINUTE * length))
    return found


def _is_holiday(code: str, day: datetime) -> bool:
    country, subdivision = code.split("-")
    return day.date() in _holidays(country, subdivision, day.year)


@lru_cache(maxsize=16)
def _holidays(country: str, subdivision: str, year: int) -> frozenset[object]:
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))


def covered(rule: Written, start: datetime, end: datetime) -> list[Minutes]:
    """The intervals of a rule around [start, end), each by itself, some of them empty."""
    low, high = start - MARGIN, end + MARGIN
    shown = clock(rule.zone, low, high)
    faces = sorted(shown)
    first = faces[0].replace(hour=0, minute=0) + timedelta(days=1)
    days = [first + timedelta(days=i) for i in range((faces[-1] - first).days - 2)]
    found = []
    for begin, finish in _local_intervals(rule, days):
        if finish <= faces[0] or faces[-1] <= begin:
            continue
        begin, finish = max(begin, faces[0]), min(finish, faces[-1])
        found.append((_named(begin, shown, rule.allow), _named(finish, shown, not rule.allow)))
    return found


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds in a minute."""

    open: bool
    by: tuple[str, ...]


def verdicts(
    rules: Sequence[Written], start: datetime, end: datetime, action: str, none_matches: str
) -> dict[datetime, Verdict]:
    """Each minute of [start, end) judged by the contract's sentences, in their order."""
    about_us = [rule for rule in rules if rule.matches and action in rule.actions]
    spans = {rule.name: covered(rule, start, end) for rule in about_us}
    allows = sorted(rule.name for rule in about_us if rule.allow)
    denies = sorted(rule.name for rule in about_us if not rule.allow)

    def covering(names: list[str], minute: datetime) -> tuple[str, ...]:
        return tuple(n for n in names if any(low <= minute < high for low, high in spans[n]))

    found = {}
    for minute in every_minute(start, end):
        if denying := covering(denies, minute):
            found[minute] = Verdict(False, denying)
        elif allows:
            allowing = covering(allows, minute)
            found[minute] = Verdict(bool(allowing), allowing or tuple(allows))
        else:
            found[minute] = Verdict(action == "rollback" or none_matches == "open", ("policy",))
    return found
