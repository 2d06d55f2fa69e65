"""Days when clocks change: what a local time means then, zone by zone, for Allow and Deny.

Past years only, so that no update of the zone data can move an expected moment.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.calendar import Calendar
from tests.calendar.almanac import UNIT, calendar, freeze, open_hours, unit, utc, window

EMPTY = None

# zone, local day, from, to → what an Allow opens and what a Deny closes, in UTC
BERLIN_SPRING = ("Europe/Berlin", "2025-03-30")  # 02:00 → 03:00 at 01:00Z
BERLIN_AUTUMN = ("Europe/Berlin", "2025-10-26")  # 03:00 → 02:00 at 01:00Z
NEW_YORK_SPRING = ("America/New_York", "2025-03-09")  # 02:00 → 03:00 at 07:00Z
NEW_YORK_AUTUMN = ("America/New_York", "2025-11-02")  # 02:00 → 01:00 at 06:00Z
LORD_HOWE_AUTUMN = ("Australia/Lord_Howe", "2025-04-06")  # 02:00 → 01:30 at 15:00Z the day before
LORD_HOWE_SPRING = ("Australia/Lord_Howe", "2025-10-05")  # 02:00 → 02:30 at 15:30Z the day before
RAMADAN_BEGINS = ("Africa/Casablanca", "2024-03-10")  # 03:00 → 02:00 at 02:00Z
RAMADAN_ENDS = ("Africa/Casablanca", "2024-04-14")  # 02:00 → 03:00 at 02:00Z
CAIRO_SPRING = ("Africa/Cairo", "2025-04-25")  # 00:00 → 01:00 at 22:00Z the day before

TABLE = [
    # A time that does not exist is the moment of the jump, for both effects.
    (*BERLIN_SPRING, "01:00", "02:30", ("30 00:00", "30 01:00"), ("30 00:00", "30 01:00")),
    (*BERLIN_SPRING, "02:30", "04:00", ("30 01:00", "30 02:00"), ("30 01:00", "30 02:00")),
    (*BERLIN_SPRING, "02:15", "02:45", EMPTY, EMPTY),
    (*BERLIN_SPRING, "02:00", "03:00", EMPTY, EMPTY),
    (*BERLIN_SPRING, "01:00", "04:00", ("30 00:00", "30 02:00"), ("30 00:00", "30 02:00")),
    (*NEW_YORK_SPRING, "01:00", "02:30", ("09 06:00", "09 07:00"), ("09 06:00", "09 07:00")),
    (*NEW_YORK_SPRING, "02:30", "04:00", ("09 07:00", "09 08:00"), ("09 07:00", "09 08:00")),
    (*LORD_HOWE_SPRING, "01:00", "02:15", ("04 14:30", "04 15:30"), ("04 14:30", "04 15:30")),
    (*LORD_HOWE_SPRING, "02:15", "04:00", ("04 15:30", "04 17:00"), ("04 15:30", "04 17:00")),
    (*RAMADAN_ENDS, "01:00", "02:30", ("14 01:00", "14 02:00"), ("14 01:00", "14 02:00")),
    (*RAMADAN_ENDS, "02:30", "05:00", ("14 02:00", "14 04:00"), ("14 02:00", "14 04:00")),
    (*CAIRO_SPRING, "00:00", "24:00", ("24 22:00", "25 21:00"), ("24 22:00", "25 21:00")),
    # A time that exists twice: the Allow takes the narrow reading, the Deny the wide one.
    (*BERLIN_AUTUMN, "01:00", "02:30", ("25 23:00", "26 00:30"), ("25 23:00", "26 01:30")),
    (*BERLIN_AUTUMN, "02:30", "04:00", ("26 01:30", "26 03:00"), ("26 00:30", "26 03:00")),
    (*BERLIN_AUTUMN, "02:15", "02:45", EMPTY, ("26 00:15", "26 01:45")),
    (*BERLIN_AUTUMN, "02:00", "03:00", ("26 01:00", "26 02:00"), ("26 00:00", "26 02:00")),
    (*BERLIN_AUTUMN, "01:30", "03:30", ("25 23:30", "26 02:30"), ("25 23:30", "26 02:30")),
    (*BERLIN_AUTUMN, "02:30", "02:30", ("26 01:30", "27 01:30"), ("26 00:30", "27 01:30")),
    (*NEW_YORK_AUTUMN, "00:00", "01:30", ("02 04:00", "02 05:30"), ("02 04:00", "02 06:30")),
    (*NEW_YORK_AUTUMN, "01:30", "03:00", ("02 06:30", "02 08:00"), ("02 05:30", "02 08:00")),
    (*LORD_HOWE_AUTUMN, "01:00", "01:45", ("05 14:00", "05 14:45"), ("05 14:00", "05 15:15")),
    (*LORD_HOWE_AUTUMN, "01:45", "03:00", ("05 15:15", "05 16:30"), ("05 14:45", "05 16:30")),
    (*RAMADAN_BEGINS, "01:00", "02:30", ("10 00:00", "10 01:30"), ("10 00:00", "10 02:30")),
    (*RAMADAN_BEGINS, "02:30", "04:00", ("10 02:30", "10 04:00"), ("10 01:30", "10 04:00")),
]


def _around(day: str) -> tuple[str, str]:
    noon = utc(f"{day}T12:00")
    return (
        f"{noon - timedelta(days=2):%Y-%m-%dT%H:%M}",
        f"{noon + timedelta(days=2):%Y-%m-%dT%H:%M}",
    )


def _opened(asked: Calendar, day: str) -> list[tuple[str, str]]:
    return [(start[3:], end[3:]) for start, end in open_hours(asked, *_around(day))]


def _closed(asked: Calendar, day: str) -> list[tuple[str, str]]:
    """What a calendar that is open otherwise closes in the days around."""
    edges = [edge for span in _opened(asked, day) for edge in span][1:-1]
    return list(zip(edges[::2], edges[1::2], strict=True))


@pytest.mark.parametrize(("zone", "day", "start", "end", "allowed", "denied"), TABLE)
def test_when_clocks_change_an_allow_takes_the_narrow_reading_and_a_deny_the_wide_one(
    zone: str,
    day: str,
    start: str,
    end: str,
    allowed: tuple[str, str] | None,
    denied: tuple[str, str] | None,
) -> None:
    """Twice a year a window at night means two things; the bot takes the safe one."""
    hours = {"from": start, "to": end, "starts": day, "ends": day}
    allow = calendar(window("night", zone, **hours))
    deny = calendar(window("night", zone, effect="Deny", **hours), none_matches="open")
    assert _opened(allow, day) == ([allowed] if allowed else [])
    assert _closed(deny, day) == ([denied] if denied else [])


def test_each_night_is_converted_by_itself_so_a_repeated_midnight_leaves_a_hole() -> None:
    """Havana shows 00:00 twice: an Allow ends at the first, the next begins at the second."""
    always = window("always", "America/Havana")
    assert open_hours(calendar(always), "2025-11-02T00:00", "2025-11-03T00:00") == [
        ("11-02 00:00", "11-02 04:00"),
        ("11-02 05:00", "11-03 00:00"),
    ]
    never = window("never", "America/Havana", effect="Deny")
    assert (
        open_hours(calendar(never, none_matches="open"), "2025-11-01T00:00", "2025-11-04T00:00")
        == []
    )


def test_a_day_that_a_zone_skipped_has_no_window() -> None:
    """Apia had no 30 December 2011; its window is empty, and the day before keeps its length."""
    friday = window("friday", "Pacific/Apia", starts="2011-12-29", ends="2011-12-30")
    assert open_hours(calendar(friday), "2011-12-25T00:00", "2012-01-05T00:00") == [
        ("12-29 10:00", "12-30 10:00")
    ]


@pytest.mark.parametrize(
    ("start", "end", "closes", "opens"),
    [
        ("2025-10-26T02:30", "2025-10-27T00:00", "2025-10-26T00:30", "2025-10-26T23:00"),
        ("2025-10-25T00:00", "2025-10-26T02:30", "2025-10-24T22:00", "2025-10-26T01:30"),
        ("2025-10-26T02:15", "2025-10-26T02:45", "2025-10-26T00:15", "2025-10-26T01:45"),
        ("2025-03-30T02:30", "2025-03-30T09:00", "2025-03-30T01:00", "2025-03-30T07:00"),
        ("2025-03-29T00:00", "2025-03-30T02:30", "2025-03-28T23:00", "2025-03-30T01:00"),
    ],
)
def test_a_freeze_is_a_deny_when_clocks_change(
    start: str, end: str, closes: str, opens: str
) -> None:
    """A freeze may last an hour longer than written, never an hour less."""
    asked = calendar(freeze("change", start, end), none_matches="open")
    before = asked.ask(UNIT, utc("2025-01-01T00:00"))
    assert (before.next_close, before.next_open) == (utc(closes), utc(opens))


def test_local_hours_stay_the_same_all_year_while_utc_moves() -> None:
    """09:00 in Berlin is 08:00 UTC in winter and 07:00 in summer."""
    asked = calendar(window("day", **{"from": "09:00", "to": "10:00"}))
    assert open_hours(asked, "2025-03-29T00:00", "2025-03-31T00:00") == [
        ("03-29 08:00", "03-29 09:00"),
        ("03-30 07:00", "03-30 08:00"),
    ]


def test_the_question_may_come_in_any_zone_but_not_in_none() -> None:
    """A time without a zone names no moment."""
    asked = calendar(window("day", **{"from": "09:00", "to": "10:00"}))
    at = utc("2025-01-07T08:30")
    local = at.astimezone(asked.rules[0].zone)
    assert asked.ask(UNIT, local) is asked.ask(unit(), at)
    with pytest.raises(ValueError, match="no zone"):
        asked.ask(UNIT, at.replace(tzinfo=None))
