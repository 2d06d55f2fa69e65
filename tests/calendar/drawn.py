"""Calendars drawn by Hypothesis: rules in zones and weeks where clocks change, and the real models.

Only draws and translates; what holds is asserted beside it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st

from bot.core.calendar import Calendar
from release_repo_schema.models.calendar import Freeze, Window
from tests.calendar.almanac import calendar, freeze, utc, window
from tests.calendar.minutes import MINUTE, Written

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "America/Havana",
    "Pacific/Chatham",
    "UTC",
)
WEEKS = tuple(
    utc(f"{day}T00:00")
    for day in (
        "2025-03-29",  # Berlin, the night of the 30th
        "2025-10-25",  # Berlin
        "2025-03-08",  # New York, Havana
        "2025-11-01",  # New York, Havana
        "2025-04-05",  # Lord Howe, Chatham
        "2025-10-04",  # Lord Howe
        "2024-04-13",  # Casablanca
        "2024-12-24",  # holidays, and the turn of the year
    )
)
LENGTH = timedelta(days=3)
DAYS = (
    (("Mon-Sun",), frozenset(range(7))),
    (("Mon-Thu", "Fri"), frozenset({0, 1, 2, 3, 4})),
    (("Fri-Mon",), frozenset({4, 5, 6, 0})),
    (("Sun",), frozenset({6})),
    (("Sat", "Tue-Wed"), frozenset({5, 1, 2})),
)

weeks = st.sampled_from(WEEKS)
none_matches = st.sampled_from(("closed", "open"))
actions = st.sampled_from(("advance", "advance", "rollback"))
_steps = st.integers(0, 95).map(lambda quarter: quarter * 15)
_night = st.integers(0, 16).map(lambda quarter: quarter * 15)


@st.composite
def written(draw: st.DrawFn, week: datetime, index: int, allow: bool | None = None) -> Written:
    """A rule about the week, more often than not touching the night in which clocks change."""
    allows = draw(st.booleans()) if allow is None else allow
    named = (
        ("advance",) if allows else draw(st.sampled_from((("advance",), ("advance", "rollback"))))
    )
    days_written, days = draw(st.sampled_from(DAYS))
    naive = week.replace(tzinfo=None)
    edge = st.one_of(st.none(), st.integers(-1, 4).map(lambda n: naive + timedelta(days=n)))
    first, last = draw(edge), draw(edge)
    if first is not None and last is not None and last < first:
        first, last = last, first
    return Written(
        name=f"rule-{index}",
        allow=allows,
        zone=draw(st.sampled_from(ZONES)),
        matches=draw(st.sampled_from((True, True, True, False))),
        actions=named,
        days=days,
        days_written=days_written,
        begins=draw(_night | _steps),
        ends=draw(_night | _steps | st.just(1440)),
        holidays=draw(st.sampled_from((None, None, "DE-BE"))),
        first_day=first,
        last_day=last,
        once=None if allows else draw(st.none() | _moments(naive)),
    )


@st.composite
def _moments(draw: st.DrawFn, naive: datetime) -> tuple[datetime, datetime]:
    start = naive + MINUTE * 15 * draw(st.integers(-48, 4 * 24 * 3))
    return start, start + MINUTE * 15 * draw(st.integers(1, 4 * 24 * 2))


def rules_of(week: datetime, most: int = 4) -> st.SearchStrategy[list[Written]]:
    counts = st.integers(0, most)
    return counts.flatmap(lambda n: st.tuples(*(written(week, i) for i in range(n)))).map(list)


def model(rule: Written) -> Window | Freeze:
    """The rule as the release repo's own model reads it."""
    units = {"matchLabels": {"cluster": "eu-1" if rule.matches else "elsewhere"}}
    about = {"units": units, "actions": rule.actions}
    if rule.once is not None:
        start, end = (moment.isoformat() for moment in rule.once)
        return freeze(rule.name, start, end, rule.zone, **about)
    return window(
        rule.name,
        rule.zone,
        effect="Allow" if rule.allow else "Deny",
        days=rule.days_written,
        **{"from": _hhmm(rule.begins), "to": _hhmm(rule.ends)},
        holidays=rule.holidays,
        starts=rule.first_day.date() if rule.first_day else None,
        ends=rule.last_day.date() if rule.last_day else None,
        **about,
    )


def drawn_calendar(rules: list[Written], none_matches: str) -> Calendar:
    return calendar(*(model(rule) for rule in rules), none_matches=none_matches)


def _hhmm(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
