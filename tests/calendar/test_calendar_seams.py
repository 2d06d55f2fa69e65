"""Where something is cut or remembered, no answer may show it: blocks of days, years, far zones."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from tests.calendar.almanac import UNIT, calendar, freeze, minutes, office, utc, window

DAY = timedelta(days=1)
YEAR = utc("2026-01-01T00:00"), utc("2027-01-01T00:00")


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "UTC"])
@pytest.mark.parametrize(("start", "end"), [("00:00", "00:30"), ("23:30", "23:00")])
def test_a_daily_window_comes_every_day_of_the_year_at_its_full_length(
    zone: str, start: str, end: str
) -> None:
    """From 14 hours ahead of UTC to 11 behind, no day of the year is lost or cut."""
    asked = calendar(window("daily", zone, **{"from": start, "to": end}))
    found = asked.intervals(UNIT, *YEAR)[1:-1]
    assert len(found) in (363, 364)
    assert {after.start - before.start for before, after in pairwise(found)} == {DAY}
    assert len({interval.end - interval.start for interval in found}) == 1


def test_a_freeze_of_months_is_one_span() -> None:
    """Its end is its end, from whichever day it is asked."""
    asked = calendar(
        freeze("migration", "2026-02-01T00:00", "2026-11-01T00:00"), none_matches="open"
    )
    first, last = asked.intervals(UNIT, *YEAR)
    assert (first.end, last.start) == (utc("2026-01-31T23:00"), utc("2026-10-31T23:00"))
    day = utc("2026-02-01T12:00")
    while day < last.start:
        opening = asked.ask(UNIT, day)
        assert (opening.open, opening.next_open) == (False, last.start)
        assert "until Sun 1 Nov 00:00 Europe/Berlin (Sat 31 Oct 23:00 UTC)" in opening.why
        day += DAY


def test_a_deny_that_never_ends_names_no_end() -> None:
    """Daily denies that touch are one; there is no moment to wait for."""
    opening = calendar(window("never", effect="Deny"), none_matches="open").ask(UNIT, YEAR[0])
    assert (opening.next_open, opening.next_close) == (None, None)
    assert opening.why == "Deny window never; no opening within 400 days"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_another_year_is_spelled_out_and_the_same_year_is_not(order: tuple[int, int]) -> None:
    """The night of New Year is one closed time, but its words follow the day of the question."""
    asked = calendar(office(holidays="DE-BE"))
    nights = utc("2026-12-31T22:00"), utc("2027-01-01T02:00")
    words = {n: asked.ask(UNIT, nights[n]).why for n in order}
    assert words[0].endswith("opens Mon 4 Jan 2027 09:00 Europe/Berlin (08:00 UTC)")
    assert words[1].endswith("opens Mon 4 Jan 09:00 Europe/Berlin (08:00 UTC)")


def test_a_batch_may_end_exactly_with_its_window() -> None:
    """The first moment that fits is now; a minute later it is the next morning."""
    asked, last = calendar(office()), utc("2026-11-24T14:25")
    now, later = (asked.next_start(UNIT, at, minutes(35)) for at in (last, last + minutes(1)))
    assert now is not None
    assert later is not None
    assert (now.at, later.at) == (last, utc("2026-11-25T08:00"))


def test_a_long_batch_may_need_a_window_that_runs_through_several_days() -> None:
    """Touching days are one opening, so what needs three days fits a weekend of four."""
    asked = calendar(window("long-weekend", "UTC", days=["Fri-Mon"]))
    start = asked.next_start(UNIT, utc("2026-11-24T10:00"), timedelta(days=3))
    assert start is not None
    assert start.at == utc("2026-11-27T00:00")
    assert asked.next_start(UNIT, utc("2026-11-24T10:00"), timedelta(days=5)) is None


@pytest.mark.parametrize(
    "at",
    ["0001-01-01T00:00", "0001-02-03T00:00", "9998-12-31T23:00", "9999-12-31T23:59:59.999999"],
)
def test_the_edges_of_time_are_answered_not_tripped_over(at: str) -> None:
    """`--at 9999-12-31T23:59:59Z` is a strange question, but it is a question."""
    berlin = office(holidays="DE-BE")
    for asked in (calendar(berlin), calendar(none_matches="open"), calendar()):
        for action in ("advance", "rollback"):
            assert asked.ask(UNIT, utc(at), action).why
            asked.next_start(UNIT, utc(at), minutes(35), action)
            asked.intervals(UNIT, utc(at), utc(at), action)


def test_a_freeze_for_ever_holds_for_ever() -> None:
    """Some write the last day there is, in a zone that pushes it off the calendar."""
    late = freeze("for-ever", "2026-01-01T00:00", "2199-12-31T23:59", "America/New_York")
    assert not calendar(late, none_matches="open").ask(UNIT, utc("2199-01-01T00:00")).open


def test_an_action_that_the_calendar_does_not_know_is_refused() -> None:
    """A misspelled action must not be taken for one that no window stops."""
    with pytest.raises(ValueError, match="roll-back"):
        calendar(office()).ask(UNIT, YEAR[0], "roll-back")
