"""What holds for every calendar: it agrees with a count of minutes, and a Deny opens nothing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.core.calendar import Calendar, CalendarUnit, Interval, fits
from tests.calendar.almanac import UNIT, calendar, emergency, office, total, unit, utc
from tests.calendar.drawn import (
    LENGTH,
    actions,
    drawn_calendar,
    model,
    none_matches,
    rules_of,
    weeks,
    written,
)
from tests.calendar.minutes import MINUTE, every_minute, verdicts

offsets = st.integers(0, LENGTH // MINUTE - 1)


def _minutes_of(intervals: tuple[Interval, ...]) -> set[datetime]:
    return {
        interval.start + MINUTE * n
        for interval in intervals
        for n in range((interval.end - interval.start) // MINUTE)
    }


@given(st.data(), weeks, none_matches, actions)
def test_the_calendar_agrees_with_a_count_of_minutes(
    data: st.DataObject, week: datetime, otherwise: str, action: str
) -> None:
    """Zones, folds, gaps, holidays and wraps, told twice by different means, are the same."""
    rules = data.draw(rules_of(week))
    asked, end = drawn_calendar(rules, otherwise), week + LENGTH
    expected = verdicts(rules, week, end, action, otherwise)

    found = asked.intervals(UNIT, week, end, action)
    assert _minutes_of(found) == {minute for minute, verdict in expected.items() if verdict.open}
    assert all(before.end < after.start for before, after in pairwise(found))

    changes = [b for a, b in pairwise(expected) if expected[a].open != expected[b].open]
    for offset in data.draw(st.lists(offsets, min_size=10, max_size=10)):
        at = week + MINUTE * offset
        opening = asked.ask(UNIT, at, action)
        assert (opening.open, opening.by) == (expected[at].open, expected[at].by)
        first, second = (*(change for change in changes if change > at), None, None)[:2]
        if opening.open:
            told = opening.next_close, opening.next_open
        else:
            told = opening.next_open, opening.next_close
        for ours, theirs in zip((first, second), told, strict=True):
            assert ours == theirs if ours is not None else theirs is None or theirs >= end


@given(st.data(), weeks, none_matches, actions, offsets, st.integers(1, 10 * 60))
def test_a_start_is_open_and_fits_and_nothing_earlier_does(
    data: st.DataObject, week: datetime, otherwise: str, action: str, offset: int, length: int
) -> None:
    """Too late would cost days of a rollout; too early would be unwatched."""
    rules = data.draw(rules_of(week))
    asked, at, need = drawn_calendar(rules, otherwise), week + MINUTE * offset, MINUTE * length
    start = asked.next_start(UNIT, at, need, action)
    end = week + LENGTH
    expected = verdicts(rules, week, end, action, otherwise)
    closed = [minute for minute in every_minute(week, end) if not expected[minute].open]
    fitting = (
        minute
        for minute in every_minute(at, end - need)
        if expected[minute].open and not any(minute <= c < minute + need for c in closed)
    )
    earliest = next(fitting, None)
    if earliest is not None:
        assert start is not None
        assert start.at == earliest
    if start is not None:
        assert start.at >= at
        assert fits(asked.ask(UNIT, start.at, action), start.at, need)
        assert start.by
        assert start.why


@given(st.data(), weeks, none_matches, actions)
def test_a_deny_that_is_added_opens_nothing(
    data: st.DataObject, week: datetime, otherwise: str, action: str
) -> None:
    """Deny beats Allow, whatever else is written."""
    rules = data.draw(rules_of(week, most=3))
    more = [*rules, data.draw(written(week, 9, allow=False))]
    before = drawn_calendar(rules, otherwise).intervals(UNIT, week, week + LENGTH, action)
    after = drawn_calendar(more, otherwise).intervals(UNIT, week, week + LENGTH, action)
    assert _minutes_of(after) <= _minutes_of(before)


@given(st.data(), weeks)
def test_an_allow_never_reaches_beyond_its_hours_on_the_local_clock(
    data: st.DataObject, week: datetime
) -> None:
    """Where clocks change, it is open only while the clock shows a time that the author wrote."""
    rule = data.draw(written(week, 0, allow=True))
    asked = calendar(model(rule))
    found = asked.intervals(UNIT, week, week + LENGTH)
    zone = ZoneInfo(rule.zone)
    for minute in _minutes_of(found):
        local = minute.astimezone(zone)
        shown = local.hour * 60 + local.minute
        if rule.begins < rule.ends:
            assert rule.begins <= shown < rule.ends
        else:
            assert shown >= rule.begins or shown < rule.ends


@given(st.data(), weeks)
def test_one_interval_lasts_no_longer_than_it_says_but_for_an_hour_that_the_clock_repeats(
    data: st.DataObject, week: datetime
) -> None:
    """An Allow never grows; 01:30 to 03:30 lasts three hours where 02:00 to 03:00 comes twice."""
    rule = data.draw(written(week, 0, allow=True))
    day = week.replace(tzinfo=None) + timedelta(days=1)
    asked = calendar(model(replace(rule, first_day=day, last_day=day)))
    found = asked.intervals(UNIT, week - LENGTH, week + LENGTH)
    zone = ZoneInfo(rule.zone)
    before, after = (at.astimezone(zone).utcoffset() for at in (week - LENGTH, week + LENGTH))
    assert before is not None
    assert after is not None
    written_length = MINUTE * (rule.ends - rule.begins + (1440 if rule.ends <= rule.begins else 0))
    assert total(found) <= written_length + max(before - after, timedelta())


@given(st.data(), weeks, none_matches, actions, st.lists(offsets, min_size=2, max_size=12))
def test_an_answer_does_not_depend_on_what_was_asked_before(
    data: st.DataObject, week: datetime, otherwise: str, action: str, asked_at: list[int]
) -> None:
    """What is remembered is only ever the answer itself: same inputs, same words."""
    rules = data.draw(rules_of(week))
    warm = drawn_calendar(rules, otherwise)
    years = data.draw(st.lists(st.integers(-420, 420), min_size=2, max_size=6))
    moments = [week + MINUTE * offset for offset in asked_at]
    moments += [week + timedelta(days=days, hours=days % 24) for days in years]
    told = {at: warm.ask(UNIT, at, action) for at in moments}
    for at in reversed(moments):
        assert told[at] == warm.ask(UNIT, at, action)
        assert told[at] == drawn_calendar(rules, otherwise).ask(UNIT, at, action)


def test_units_of_one_class_are_asked_once_and_get_one_answer() -> None:
    """A forecast asks for a thousand units thousands of times: matching is done once for each."""
    matched: list[CalendarUnit] = []

    def shop(asked_for: CalendarUnit) -> bool:
        matched.append(asked_for)
        return asked_for.labels.get("business") == "shop"

    stop = emergency("inc-7", "2026-11-24T09:00", "2026-11-24T11:00", selector=shop)
    asked = calendar(office(), stop)
    units = [unit(f"eu-{n}", business="shop" if n % 2 else "bank") for n in range(40)]
    for _ in range(3):
        answers = {id(asked.ask(u, utc("2026-11-24T10:00"))) for u in units}
        assert len(answers) == 2
    assert len(matched) == len(units)
    assert len({asked.klass(u) for u in units}) == 2
    assert asked.klass(units[0]) == asked.klass(unit("eu-98", business="bank"))
    assert asked.klass(units[0]) != asked.klass(units[0], "rollback")
    assert Calendar.klass(asked, units[1]) == asked.klass(unit("eu-1", business="shop"))


def test_holidays_are_loaded_only_for_a_window_that_names_them() -> None:
    """`sluice windows` must answer fast; the library takes longer to load than the question."""
    script = (
        "import sys; from tests.calendar.almanac import UNIT, calendar, office, utc\n"
        "import bot.core.calendar\n"
        "calendar(office()).ask(UNIT, utc('2026-11-24T10:00'))\n"
        "assert 'holidays' not in sys.modules\n"
        "calendar(office(holidays='DE-BE')).ask(UNIT, utc('2026-11-24T10:00'))\n"
        "assert 'holidays' in sys.modules\n"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", script], check=True, cwd=root)
