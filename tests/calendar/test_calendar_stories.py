"""The calendar as a release manager meets it: an office window, nights, holidays, a freeze."""

from __future__ import annotations

from datetime import timedelta

from bot.core.calendar import HORIZON, attended_need, fits
from tests.calendar.almanac import (
    UNIT,
    calendar,
    emergency,
    freeze,
    minutes,
    office,
    open_hours,
    unit,
    utc,
    window,
)


def test_a_batch_at_friday_1550_does_not_fit_and_starts_on_monday() -> None:
    """Nobody should have to watch a batch after the window that people promised to watch."""
    asked = calendar(office())
    need = attended_need(minutes(5), soak=minutes(90), attended=asked.attended)
    friday = utc("2026-11-27T14:50")  # 15:50 in Berlin

    opening = asked.ask(UNIT, friday)
    start = asked.next_start(UNIT, friday, need)

    assert opening.open
    assert not fits(opening, friday, need)
    assert start is not None
    assert start.at == utc("2026-11-30T08:00")
    assert start.by == ("weekdays-berlin",)
    assert start.why == (
        "35 min do not fit before the close Fri 27 Nov 16:00 Europe/Berlin (15:00 UTC); "
        "first fits Mon 30 Nov 09:00 Europe/Berlin (08:00 UTC)"
    )


def test_a_batch_that_ends_with_the_window_still_fits() -> None:
    """The close is the first moment that is no longer the window's, so ending there is in time."""
    asked = calendar(office())
    last = utc("2026-11-27T14:25")
    assert fits(asked.ask(UNIT, last), last, minutes(35))
    assert not fits(asked.ask(UNIT, last), last + minutes(1), minutes(35))


def test_people_need_watch_only_the_shorter_of_soak_and_attended_time() -> None:
    """A long soak writes nothing: it may go on in the night."""
    assert attended_need(minutes(5), minutes(5), minutes(30)) == minutes(10)
    assert attended_need(minutes(5), timedelta(days=1), minutes(30)) == minutes(35)


def test_at_night_the_answer_names_the_window_and_the_morning() -> None:
    """Everything that waits can say why and when it clears by itself."""
    opening = calendar(office()).ask(UNIT, utc("2026-11-23T20:00"))
    assert not opening.open
    assert opening.by == ("weekdays-berlin",)
    assert opening.why == (
        "Outside weekdays-berlin; opens Tue 24 Nov 09:00 Europe/Berlin (08:00 UTC)"
    )
    assert opening.next_open == utc("2026-11-24T08:00")
    assert opening.next_close == utc("2026-11-24T15:00")


def test_an_open_window_says_when_it_closes_and_opens_again() -> None:
    """Open: the close comes first, and the opening is the one after it."""
    opening = calendar(office()).ask(UNIT, utc("2026-11-27T08:00"))
    assert opening.open
    assert opening.why == (
        "Within weekdays-berlin until Fri 27 Nov 16:00 Europe/Berlin (15:00 UTC)"
    )
    assert (opening.next_close, opening.next_open) == (
        utc("2026-11-27T15:00"),
        utc("2026-11-30T08:00"),
    )


def test_a_window_is_half_open() -> None:
    """`[from, to)`: the first moment is in, the last is out."""
    asked = calendar(office())
    tick = timedelta(microseconds=1)
    assert not asked.ask(UNIT, utc("2026-11-24T08:00") - tick).open
    assert asked.ask(UNIT, utc("2026-11-24T08:00")).open
    assert asked.ask(UNIT, utc("2026-11-24T15:00") - tick).open
    assert not asked.ask(UNIT, utc("2026-11-24T15:00")).open


def test_a_freeze_over_new_year_beats_the_window_and_names_its_owner() -> None:
    """Deny beats Allow, and who is stopped wants to know by whom and until when."""
    asked = calendar(office(), freeze("year-end", "2026-12-18T00:00", "2027-01-04T08:00"))
    opening = asked.ask(UNIT, utc("2026-12-22T10:00"))
    assert not opening.open
    assert opening.by == ("year-end",)
    assert opening.why == (
        "Freeze year-end until Mon 4 Jan 2027 08:00 Europe/Berlin (07:00 UTC): "
        "Year-end trading (ana); opens Mon 4 Jan 2027 09:00 Europe/Berlin (08:00 UTC)"
    )
    assert opening.next_open == utc("2027-01-04T08:00")


def test_the_evening_before_a_freeze_knows_what_the_next_opening_waits_behind() -> None:
    """`Opens in two weeks` without a reason would send people looking for a fault."""
    asked = calendar(office(), freeze("year-end", "2026-12-18T00:00", "2027-01-04T08:00"))
    evening = asked.ask(UNIT, utc("2026-12-17T17:00"))
    assert evening.by == ("weekdays-berlin",)
    assert evening.why.endswith(
        "opens Mon 4 Jan 2027 09:00 Europe/Berlin (08:00 UTC), after year-end"
    )
    start = asked.next_start(UNIT, utc("2026-12-17T14:50"), minutes(35))
    assert start is not None
    assert start.why.endswith(", after year-end")


def test_a_freeze_that_begins_within_a_window_closes_it_early() -> None:
    """The close that counts for the fit is the freeze's, and the answer says so."""
    asked = calendar(office(), freeze("audit", "2026-11-24T12:00", "2026-11-24T13:00"))
    opening = asked.ask(UNIT, utc("2026-11-24T10:50"))
    assert opening.next_close == utc("2026-11-24T11:00")
    assert opening.next_open == utc("2026-11-24T12:00")
    assert opening.why.endswith("until Tue 24 Nov 12:00 Europe/Berlin (11:00 UTC) (audit)")
    start = asked.next_start(UNIT, utc("2026-11-24T10:50"), minutes(35))
    assert start is not None
    assert (start.at, start.by) == (utc("2026-11-24T12:00"), ("audit",))


def test_no_batch_begins_on_a_public_holiday_of_the_land() -> None:
    """Women's Day is a holiday in Berlin and a working day in Bavaria."""
    berlin, bavaria = calendar(office(holidays="DE-BE")), calendar(office(holidays="DE-BY"))
    womens_day = utc("2027-03-08T10:00")
    assert not berlin.ask(UNIT, womens_day).open
    assert bavaria.ask(UNIT, womens_day).open
    assert berlin.ask(UNIT, womens_day).why == (
        "Outside weekdays-berlin (public holiday: Women's Day); "
        "opens Tue 9 Mar 09:00 Europe/Berlin (08:00 UTC)"
    )
    assert "holiday" not in berlin.ask(UNIT, utc("2027-03-07T10:00")).why


def test_easter_is_one_long_weekend() -> None:
    """Good Friday and Easter Monday close, and the clock changes on the Sunday between."""
    asked = calendar(office(holidays="DE-BE"))
    assert open_hours(asked, "2027-03-25T00:00", "2027-03-31T00:00") == [
        ("03-25 08:00", "03-25 15:00"),
        ("03-30 07:00", "03-30 14:00"),
    ]


def test_observed_and_substitute_days_are_holidays_too() -> None:
    """Boxing Day 2026 is a Saturday: London is off on Monday the 28th."""
    asked = calendar(office("london", "Europe/London", holidays="GB-ENG"))
    assert not asked.ask(UNIT, utc("2026-12-28T10:00")).open
    assert asked.ask(UNIT, utc("2026-12-29T10:00")).open


def test_an_interval_that_began_before_a_holiday_runs_to_its_end() -> None:
    """On a holiday the interval does not begin; one begun the night before goes on into it."""
    night = window("night", **{"from": "22:00", "to": "04:00"}, holidays="DE-BE")
    assert open_hours(calendar(night), "2027-03-25T12:00", "2027-03-27T12:00") == [
        ("03-25 21:00", "03-26 03:00"),  # into Good Friday
    ]


def test_a_deny_window_does_not_begin_on_its_holidays_either() -> None:
    """The contract says it of every window, whatever its effect."""
    trading = window("trading", effect="Deny", **{"from": "09:00", "to": "17:00"}, holidays="DE-BE")
    asked = calendar(trading, none_matches="open")
    assert not asked.ask(UNIT, utc("2027-03-25T10:00")).open
    assert asked.ask(UNIT, utc("2027-03-26T10:00")).open


def test_a_window_may_wrap_over_midnight() -> None:
    """`days` is the day on which the interval begins; `to` not after `from` is the next day's."""
    asked = calendar(window("night", "UTC", days=["Fri"], **{"from": "22:00", "to": "04:00"}))
    assert open_hours(asked, "2026-11-23T00:00", "2026-11-30T00:00") == [
        ("11-27 22:00", "11-28 04:00")
    ]


def test_from_equal_to_to_is_a_whole_day() -> None:
    """Not after means the next day, so 09:00 to 09:00 is 24 hours."""
    asked = calendar(window("round", "UTC", days=["Tue"], **{"from": "09:00", "to": "09:00"}))
    assert open_hours(asked, "2026-11-23T00:00", "2026-11-30T00:00") == [
        ("11-24 09:00", "11-25 09:00")
    ]


def test_a_range_of_days_may_wrap_over_the_weekend_and_touching_days_are_one() -> None:
    """Fri-Mon with the default hours is one stretch of four days, not four windows."""
    asked = calendar(window("long-weekend", "UTC", days=["Fri-Mon"]))
    assert open_hours(asked, "2026-11-24T00:00", "2026-12-03T00:00") == [
        ("11-27 00:00", "12-01 00:00")
    ]
    assert asked.ask(UNIT, utc("2026-11-28T00:00")).next_close == utc("2026-12-01T00:00")


def test_starts_and_ends_are_the_first_and_last_day_of_beginning() -> None:
    """The last night still runs into the next morning."""
    night = window(
        "night", "UTC", **{"from": "22:00", "to": "04:00"}, starts="2026-11-24", ends="2026-11-25"
    )
    assert open_hours(calendar(night), "2026-11-20T00:00", "2026-11-30T00:00") == [
        ("11-24 22:00", "11-25 04:00"),
        ("11-25 22:00", "11-26 04:00"),
    ]


def test_a_window_that_is_over_still_matches_and_so_keeps_closed() -> None:
    """Otherwise `whenNoneMatches: open` would open the fleet on the day a window expires."""
    asked = calendar(office(ends="2026-01-31"), none_matches="open")
    opening = asked.ask(UNIT, utc("2026-11-24T10:00"))
    assert (opening.open, opening.next_open, opening.next_close) == (False, None, None)
    assert opening.by == ("weekdays-berlin",)
    assert opening.why == "Outside weekdays-berlin; no opening within 400 days"


def test_where_no_window_matches_the_policy_decides() -> None:
    """Closed is the default of a cautious operator; both are said to be the policy's word."""
    at = utc("2026-11-24T10:00")
    asia = office(units={"matchLabels": {"region": "asia"}})
    for word, is_open in (("closed", False), ("open", True)):
        opening = calendar(asia, none_matches=word).ask(UNIT, at)
        assert (opening.open, opening.by) == (is_open, ("policy",))
        assert (opening.next_open, opening.next_close) == (None, None)
        assert opening.why.startswith("No window matches; policy policy")


def test_windows_match_by_unit_and_by_component() -> None:
    """One team's window opens nothing for another team's component."""
    shop = office(
        "shop", units={"matchLabels": {"business": "shop"}}, components={"names": ["node-*"]}
    )
    asked, at = calendar(shop), utc("2026-11-24T10:00")
    assert asked.ask(unit(business="shop"), at).open
    assert not asked.ask(unit(business="bank"), at).open
    assert not asked.ask(unit(component="coredns", business="shop"), at).open


def test_a_rollback_waits_for_no_window() -> None:
    """The way back must be open at night, and where no window matches at all."""
    night = utc("2026-11-23T02:00")
    for asked in (calendar(office()), calendar(), calendar(window("d", effect="Deny"))):
        opening = asked.ask(UNIT, night, "rollback")
        assert (opening.open, opening.by) == (True, ("policy",))
        assert opening.why == "A rollback waits for no window"


def test_a_rollback_is_stopped_by_a_freeze_that_names_it() -> None:
    """Only who says `rollback` stops a rollback; here the advance goes on."""
    both = freeze("move", "2026-11-24T00:00", "2026-11-25T00:00", actions=["rollback"])
    asked, at = calendar(office(), both), utc("2026-11-24T10:00")
    assert asked.ask(UNIT, at).open
    stopped = asked.ask(UNIT, at, "rollback")
    assert (stopped.open, stopped.by) == (False, ("move",))
    assert stopped.next_open == utc("2026-11-24T23:00")
    assert stopped.next_close is None


def test_everything_that_denies_is_named_in_order() -> None:
    """Lifting one of two freezes opens nothing; both must be seen."""
    asked = calendar(
        office(),
        window("backups", effect="Deny", **{"from": "10:00", "to": "12:00"}),
        freeze("audit", "2026-11-24T09:30", "2026-11-24T11:00"),
    )
    opening = asked.ask(UNIT, utc("2026-11-24T09:30"))
    assert opening.by == ("audit", "backups")
    assert opening.why == (
        "Freeze audit until Tue 24 Nov 11:00 Europe/Berlin (10:00 UTC): Year-end trading (ana); "
        "Deny window backups until Tue 24 Nov 12:00 Europe/Berlin (11:00 UTC)"
    )


def test_every_allow_that_covers_is_named_and_overlaps_are_one_interval() -> None:
    """Berlin closes at 16:00, and Lisbon carries on until its own close."""
    asked = calendar(office("berlin"), office("lisbon", "Europe/Lisbon"))
    opening = asked.ask(UNIT, utc("2026-11-24T10:00"))
    assert opening.by == ("berlin", "lisbon")
    assert opening.next_close == utc("2026-11-24T16:00")
    (interval,) = asked.intervals(UNIT, utc("2026-11-24T00:00"), utc("2026-11-25T00:00"))
    assert (interval.start, interval.by) == (utc("2026-11-24T08:00"), ("berlin", "lisbon"))


def test_an_emergency_freeze_counts_as_a_freeze_and_leaves_the_rest_as_it_was() -> None:
    """It is a command, not a file: it has no source, and lifting it brings the old answer back."""
    plain = calendar(office(), sources=lambda kind, name: f"calendar/{kind}-{name}.yaml:1")
    stop = emergency(
        "inc-7",
        "2026-11-24T09:00",
        "2026-11-24T11:00",
        selector=lambda stopped: stopped.cluster == "eu-1",
    )
    frozen, at = plain.with_emergency([stop]), utc("2026-11-24T10:00")
    opening = frozen.ask(UNIT, at)
    assert (opening.open, opening.by, opening.source) == (False, ("inc-7",), None)
    assert opening.why == "Emergency freeze inc-7 until Tue 24 Nov 11:00 UTC: INC-7 (ben)"
    assert frozen.ask(unit("eu-2"), at).open
    assert frozen.ask(UNIT, at, "rollback").open
    assert frozen.with_emergency([]).ask(UNIT, at) == plain.ask(UNIT, at)


def test_the_answer_points_to_the_file_of_the_rule_that_decided() -> None:
    """Who wants to change it should not have to search."""
    asked = calendar(
        office(),
        freeze("year-end", "2026-12-18T00:00", "2027-01-04T08:00"),
        sources=lambda kind, name: f"{kind}:{name}",
    )
    assert asked.ask(UNIT, utc("2026-11-24T10:00")).source == "Window:weekdays-berlin"
    assert asked.ask(UNIT, utc("2026-12-24T10:00")).source == "Freeze:year-end"
    assert asked.ask(UNIT, utc("2026-12-24T10:00"), "rollback").source == "Policy:policy"


def test_a_batch_longer_than_every_window_never_starts_and_says_so() -> None:
    """A wait without end is a mistake that someone must see."""
    asked, at = calendar(office()), utc("2026-11-23T20:00")
    assert asked.next_start(UNIT, at, timedelta(hours=8)) is None
    assert asked.why_never(UNIT, at, timedelta(hours=8)).endswith(
        "; no opening within 400 days is long enough for 8 h"
    )


def test_a_short_opening_is_passed_over_with_its_reason() -> None:
    """The lunch gap between two freezes is an opening, but not for a long batch."""
    asked = calendar(
        office(),
        freeze("morning", "2026-11-24T00:00", "2026-11-24T12:00"),
        freeze("afternoon", "2026-11-24T12:20", "2026-11-24T14:00"),
    )
    start = asked.next_start(UNIT, utc("2026-11-24T08:30"), minutes(35))
    assert start is not None
    assert (start.at, start.by) == (utc("2026-11-24T13:00"), ("morning",))
    assert start.why == (
        "Freeze morning until Tue 24 Nov 12:00 Europe/Berlin (11:00 UTC): Year-end trading (ana); "
        "that is too short for 35 min, first fits Tue 24 Nov 14:00 Europe/Berlin (13:00 UTC)"
    )


def test_what_lies_beyond_400_days_is_unknown_and_the_answer_moves_with_the_question() -> None:
    """Remembered answers must not carry yesterday's horizon into today."""
    asked = calendar(office(starts="2028-01-03"))
    first = utc("2028-01-03T08:00")
    assert asked.ask(UNIT, first - HORIZON - minutes(1)).next_open is None
    assert asked.ask(UNIT, first - HORIZON).next_open == first
    assert asked.ask(UNIT, first - HORIZON - minutes(1)).next_open is None
    assert asked.next_start(UNIT, first - HORIZON, minutes(35)) is not None
    assert asked.next_start(UNIT, first - HORIZON - minutes(1), minutes(35)) is None
