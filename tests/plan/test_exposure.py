"""The exposure curve, what a forecast waits for, and what other releases and limits cost it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.calendar import Calendar
from bot.core.exposure import (
    MOST_POINTS,
    Exposure,
    Reached,
    curve,
    forecast_exposure,
    thinned,
    tier_0,
)
from bot.core.forecast import forecast
from bot.core.forecast_waits import delays
from bot.core.messages_exposure import exposure_lines, percent
from bot.core.plan_json import exposure_json
from tests.plan.test_forecast import COMPONENT, MINUTE, MONDAY, OFFICE, plan, policy, stage, told

TIERED = replace(COMPONENT, labels={"tier": "0"})


def shape(found: Exposure) -> list[tuple[str, int, int, int]]:
    return [(f"{p.at:%H:%M}", p.clusters, p.nodes, p.tier0) for p in found.points]


def test_a_cluster_is_exposed_from_its_first_batch_and_nodes_as_batches_reach_them() -> None:
    """One unit, then two: 1, 3, 6 nodes each, ten minutes from batch to batch."""
    release = plan(stage(1, 2), components=(TIERED,))
    counts = {f"agent@c-000{n}": (1, 3, 6) for n in range(3)}

    found = forecast_exposure(release, told(release), counts)

    assert shape(found) == [
        ("08:00", 1, 1, 1),
        ("08:10", 1, 3, 1),
        ("08:20", 1, 6, 1),
        ("08:55", 3, 8, 3),
        ("09:05", 3, 12, 3),
        ("09:15", 3, 18, 3),
    ]
    assert (found.clusters, found.nodes, found.tier0, found.assumed) == (3, 18, 3, 0)


def test_what_nobody_counted_is_assumed_like_the_others_and_said() -> None:
    """A share of nodes that leaves clusters out would look safer than it is."""
    release = plan(stage(2))
    counts = {"agent@c-0000": (1, 5, 10), "agent@c-0001": None}

    found = forecast_exposure(release, told(release), counts)

    assert (found.nodes, found.assumed) == (20, 1)
    assert found.points[-1].nodes == 20
    assert "the nodes of 1 unit are not known and assumed" in exposure_lines(found, "UTC")[0]


def test_units_that_stay_out_and_units_that_have_it_already_count_as_they_are() -> None:
    """Skipped units are not exposed; what runs the revision is from the first moment on."""
    release = plan(stage(3))
    counts = {f"agent@c-000{n}": (1, 2, 4) for n in range(3)}
    seen = told(release, batches={"agent@c-0000": 0})

    found = forecast_exposure(release, seen, counts, without={"agent@c-0002"})

    assert shape(found)[0] == ("08:00", 2, 4 + 1, 0)
    assert found.points[-1].nodes == 8


def test_what_goes_back_is_not_exposed_any_more() -> None:
    """A rehearsal that rolls back ends with an empty curve."""
    release = plan(stage(1, 1))
    first, second = "agent@c-0000", "agent@c-0001"
    at = [MONDAY + n * MINUTE for n in range(4)]
    steps = [
        Reached(at[0], first, 3),
        Reached(at[1], second, 1),
        Reached(at[2], second, 0, on=False),
        Reached(at[3], first, 0, on=False),
    ]

    found = curve(release.units, steps, {first: (3,), second: (3,)}, {second})

    assert shape(found) == [
        ("08:00", 1, 3, 0),
        ("08:01", 2, 4, 1),
        ("08:02", 1, 3, 0),
        ("08:03", 0, 0, 0),
    ]


def test_tier_0_is_what_component_or_unit_is_labelled() -> None:
    """The label of a unit speaks where that of its component does not."""
    release = plan(stage(2))
    marked = tuple(
        replace(unit, labels={**unit.labels, "tier": "0"}) if unit.cluster == "c-0001" else unit
        for unit in release.units
    )

    assert tier_0(replace(release, units=marked)) == {"agent@c-0001"}
    assert tier_0(replace(release, components=(TIERED,))) == {"agent@c-0000", "agent@c-0001"}


def test_scripts_get_shares_and_null_where_there_is_nothing_to_share() -> None:
    """`{"at", "clusters", "nodes", "tier0"}`, each from 0 to 1."""
    release = plan(stage(1, 1))
    counts = {f"agent@c-000{n}": (1, 2) for n in range(2)}

    said = json.loads(json.dumps(exposure_json(forecast_exposure(release, told(release), counts))))

    assert said["points"][0] == {
        "at": "2026-11-23T08:00:00Z",
        "clusters": 0.5,
        "nodes": 0.25,
        "tier0": None,
    }
    assert said["of"] == {"clusters": 2, "nodes": 4, "tier0": 0}


@given(st.integers(1, 900))
def test_a_long_curve_is_thinned_and_keeps_its_ends(count: int) -> None:
    """A thousand clusters make thousands of points; a script draws it from two hundred."""
    release = plan(stage(1))
    (unit,) = (one.unit for one in release.units)
    steps = [Reached(MONDAY + n * MINUTE, unit, n + 1) for n in range(count)]
    found = curve(release.units, steps, {unit: (count,)}, ())

    kept = thinned(found)

    assert len(kept) <= MOST_POINTS
    assert (kept[0], kept[-1]) == (found.points[0], found.points[-1])
    assert list(kept) == sorted(kept, key=lambda point: point.at)


def test_a_share_never_says_all_or_nothing_when_it_is_not() -> None:
    """`100 %` with one cluster missing would be a lie that people act on."""
    assert [percent(a, b) for a, b in ((0, 5), (1, 5000), (1, 150), (999, 1000), (5, 5))] == [
        "0 %",
        "<0.1 %",
        "0.7 %",
        "99 %",
        "100 %",
    ]


def test_what_does_not_fit_says_which_batch_waits_how_long_and_why() -> None:
    """The last batch needs 35 min before the close at 16:00; it waits for tomorrow."""
    release = plan(stage(2))
    late = MONDAY.replace(hour=14, minute=6)
    calendar = Calendar.of((OFFICE,), (), policy())

    (found,) = delays(release, told(release, late), calendar)

    assert (found.stage, found.wave, len(found.units)) == ("all", 1, 2)
    assert (f"{found.since:%a %H:%M}", f"{found.until:%a %H:%M}") == ("Mon 14:26", "Tue 08:00")
    assert "35 min do not fit before the close" in found.why
    assert delays(release, told(release), calendar) == ()


def test_what_another_release_holds_is_reckoned_from_when_it_is_free() -> None:
    """The unit that another release has until noon begins at noon, the others at once."""
    release = plan(stage(3))
    noon = MONDAY.replace(hour=11)
    calendar, rules = Calendar.of((OFFICE,), (), policy()), policy()

    seen = forecast(release, calendar, rules, MONDAY, free={"agent@c-0000": noon})

    starts = {name[-1]: unit.start for name, unit in seen.units.items()}
    assert starts == {"0": noon, "1": MONDAY, "2": MONDAY}
    assert seen.end == noon + 55 * MINUTE


def test_a_limit_of_units_a_day_spreads_a_wave_over_days() -> None:
    """Two a day, one of them already begun by another release this morning: 1, 2, 2."""
    release = plan(stage(5))
    rules = policy(limits={"unitsPerDay": 2})
    calendar = Calendar.of((OFFICE,), (), rules)
    early = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)

    seen = forecast(release, calendar, rules, MONDAY, begun=[early])

    starts = sorted(unit.start for unit in seen.units.values() if unit.start)
    assert [f"{at:%a %H:%M}" for at in starts] == [
        "Mon 08:00",
        "Tue 08:00",
        "Tue 08:00",
        "Wed 08:00",
        "Wed 08:00",
    ]
    for place, at in enumerate(starts[2:], start=2):
        assert at - starts[place - 2] >= timedelta(days=1)
