"""When each batch would begin: the plan run ahead on the calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from time import perf_counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.core.calendar import Calendar, CalendarUnit, attended_need, fits
from bot.core.forecast import Forecast, forecast
from bot.model.plan import ComponentPlan, ReleasePlan, StagePlan, UnitPlan
from bot.model.state import UnitPhase, UnitState
from release_repo_schema.models import Policy, Window

MINUTE = timedelta(minutes=1)
MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # 09:00 in Berlin

OFFICE = Window.model_validate(
    {
        "metadata": {"name": "office"},
        "spec": {"days": ["Mon-Fri"], "from": "09:00", "to": "16:00", "zone": "Europe/Berlin"},
    }
)
COMPONENT = ComponentPlan(
    name="agent",
    version="2",
    content="",
    batches=(1, "50%", "100%"),
    batch_soak=5 * MINUTE,
    soak=30 * MINUTE,
    batch_takes=5 * MINUTE,
    batch_deadline=20 * MINUTE,
)


def policy(**spec: Any) -> Policy:
    return Policy.model_validate({"metadata": {"name": "policy"}, "spec": spec})


def plan(*stages: StagePlan, **changes: Any) -> ReleasePlan:
    units = tuple(
        UnitPlan(
            unit=name,
            component="agent",
            cluster=name.partition("@")[2],
            stage=stage,
            wave=wave,
            reason="",
            labels={"cluster": name.partition("@")[2]},
            revision="",
            objects=(),
        )
        for stage, one in enumerate(stages)
        for wave, names in enumerate(one.waves)
        for name in names
    )
    made = ReleasePlan(
        release="r",
        plan_hash="",
        commit="",
        position=0,
        spec={},
        components=(COMPONENT,),
        stages=stages,
        units=units,
    )
    return replace(made, **changes)


def stage(*waves: int, **said: Any) -> StagePlan:
    names = iter(f"agent@c-{n:04}" for n in range(10_000))
    return StagePlan(
        name="all", waves=tuple(tuple(next(names) for _ in range(n)) for n in waves), **said
    )


def told(
    of: ReleasePlan,
    now: datetime = MONDAY,
    *,
    rules: Policy | None = None,
    windows: tuple[Window, ...] = (OFFICE,),
    batches: Mapping[str, int] | None = None,
    progress: Mapping[str, UnitState] | None = None,
) -> Forecast:
    rules = rules or policy()
    calendar = Calendar.of(windows, (), rules)
    return forecast(of, calendar, rules, now, batches=batches, progress=progress)


def clock(at: datetime | None) -> str:
    assert at is not None
    return f"{at:%a %H:%M}"


def test_a_day_that_is_open_takes_what_batches_and_soaks_add_up_to() -> None:
    """Three batches of 5 min, two silences of 5 min, one of 30 min: 55 min."""
    result = told(plan(stage(1)))

    one = result.units["agent@c-0000"]
    assert [clock(batch.start) for batch in one.batches] == ["Mon 08:00", "Mon 08:10", "Mon 08:20"]
    assert clock(one.end) == "Mon 08:55"
    assert (result.start, result.end, result.days) == (MONDAY, one.end, 1)
    assert [(c.what, c.times, c.total) for c in result.costs] == [
        ("soak", 1, 30 * MINUTE),
        ("batchTakes", 3, 15 * MINUTE),
        ("batchSoak", 2, 10 * MINUTE),
    ]


def test_a_batch_that_no_longer_fits_today_begins_tomorrow() -> None:
    """The last batch needs 5 min and 30 attended: 15:26 local is too late, 15:25 is not."""
    late = told(plan(stage(1)), MONDAY.replace(hour=14, minute=6))
    in_time = told(plan(stage(1)), MONDAY.replace(hour=14, minute=5))

    assert [clock(b.start) for b in late.units["agent@c-0000"].batches] == [
        "Mon 14:06",
        "Mon 14:16",
        "Tue 08:00",
    ]
    assert clock(in_time.units["agent@c-0000"].batches[2].start) == "Mon 14:25"
    assert (late.days, in_time.days) == (2, 1)
    assert late.costs[0].what == "windows"


def test_a_night_and_a_weekend_cost_what_they_cost() -> None:
    """Asked on Friday evening, the release begins on Monday."""
    result = told(plan(stage(1)), datetime(2026, 11, 20, 18, 0, tzinfo=UTC))

    assert result.start == MONDAY
    assert result.costs[0].total == timedelta(days=2, hours=14)
    assert result.zone == "Europe/Berlin"


def test_a_wave_waits_for_all_of_the_one_before_and_concurrency_for_a_free_place() -> None:
    """Five units, two at once: three turns of 55 min."""
    together = told(plan(stage(1, 4)))
    two = told(plan(stage(1, 4, max_concurrency=2)))
    fleet = told(plan(stage(1, 4)), rules=policy(limits={"unitsInFlight": 1}))

    assert [clock(w.start) for w in together.stages[0].waves] == ["Mon 08:00", "Mon 08:55"]
    assert clock(together.end) == "Mon 09:50"
    assert clock(two.end) == "Mon 10:45"
    assert [clock(two.units[f"agent@c-000{n}"].start) for n in range(5)] == [
        "Mon 08:00",
        "Mon 08:55",
        "Mon 08:55",
        "Mon 09:50",
        "Mon 09:50",
    ]
    assert clock(fleet.end) == "Mon 12:35"
    soak = next(cost for cost in fleet.costs if cost.what == "soak")
    assert (soak.times, soak.total) == (5, 150 * MINUTE)


def test_a_stage_may_widen_the_soak_and_checks_take_their_time() -> None:
    """Whoever asks for an hour of silence sees what it costs."""
    check = {"workload": {}, "count": 3, "interval": "1m"}

    result = told(plan(stage(1, soak=timedelta(hours=1)), checks={"ready": check}))

    assert clock(result.end) == "Mon 09:31"
    assert ("checks", 3) in {(cost.what, cost.times) for cost in result.costs}


def test_not_before_is_a_local_time_and_shows_in_the_costs() -> None:
    """`2026-11-24T10:00` in Berlin is nine o'clock UTC."""
    spec = {"notBefore": {"at": "2026-11-24T10:00", "zone": "Europe/Berlin"}}

    result = told(plan(stage(1), spec=spec))

    assert result.start == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert result.costs[0].what == "notBefore"


def test_what_never_fits_is_named_with_the_reason_and_stops_what_comes_after() -> None:
    """A component that takes eight hours has no place in a window of seven."""
    slow = replace(COMPONENT, batch_takes=timedelta(hours=8))

    result = told(plan(stage(1, 1), components=(slow,)))

    assert set(result.never) == {"agent@c-0000"}
    assert "8 h 5 min" in result.never["agent@c-0000"]
    assert (result.start, result.end) == (None, None)
    assert result.units["agent@c-0001"].start is None


def test_units_of_other_windows_do_not_hold_a_place_while_theirs_is_closed() -> None:
    """Two at once, one cluster that opens in the evening: the others pass it."""
    evening = Window.model_validate(
        {
            "metadata": {"name": "evening"},
            "spec": {
                "from": "18:00",
                "to": "22:00",
                "zone": "Europe/Berlin",
                "units": {"names": ["c-0000"]},
            },
        }
    )
    office = OFFICE.model_copy(
        update={
            "spec": OFFICE.spec.model_copy(
                update={
                    "units": evening.spec.units.model_copy(
                        update={"names": ("c-0001", "c-0002", "c-0003")}
                    )
                }
            )
        }
    )

    result = told(plan(stage(4, max_concurrency=1)), windows=(evening, office))

    starts = [clock(result.units[f"agent@c-000{n}"].start) for n in range(4)]
    assert starts == ["Mon 17:00", "Mon 08:00", "Mon 08:55", "Mon 09:50"]


def state(n: int, phase: UnitPhase, **said: Any) -> tuple[str, UnitState]:
    unit = f"agent@c-{n:04}"
    return unit, UnitState(release="r", unit=unit, phase=phase, since=MONDAY, **said)


def test_a_running_release_goes_on_from_where_it_stands() -> None:
    """What is over is over; what soaks ends its soak; what waits begins after it."""
    ten = MONDAY + timedelta(hours=2)
    progress = dict(
        [
            state(0, UnitPhase.SUCCEEDED, batch=3, began=MONDAY),
            state(
                1,
                UnitPhase.SOAKING,
                batch=2,
                began=MONDAY,
                batch_began=ten,
                soak_until=ten + 3 * MINUTE,
            ),
            state(2, UnitPhase.PENDING),
        ]
    )

    result = told(plan(stage(1, 1, 1)), ten, progress=progress)

    rolling = result.units["agent@c-0001"].batches
    assert [clock(one.start) for one in rolling] == ["Mon 10:00", "Mon 10:03"]
    assert clock(result.units["agent@c-0001"].end) == "Mon 10:38"
    assert clock(result.units["agent@c-0002"].start) == "Mon 10:38"
    assert clock(result.stages[0].waves[0].end) <= "Mon 10:00"


def test_units_with_nothing_to_do_take_no_time() -> None:
    """Up to date is an end, not a batch."""
    result = told(plan(stage(1, 1)), batches={"agent@c-0000": 0})

    assert result.units["agent@c-0000"].batches == ()
    assert result.units["agent@c-0001"].start == MONDAY


@given(
    waves=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    width=st.one_of(st.none(), st.integers(1, 3)),
    start=st.integers(0, 7 * 24 * 60),
    takes=st.integers(1, 90),
    soak=st.integers(0, 120),
)
def test_no_forecast_breaks_the_rules_of_the_gates(
    waves: list[int], width: int | None, start: int, takes: int, soak: int
) -> None:
    """Windows, waves, order of batches and concurrency hold for the forecast as for the engine."""
    component = replace(COMPONENT, batch_takes=takes * MINUTE, soak=soak * MINUTE)
    rules = policy()
    calendar = Calendar.of((OFFICE,), (), rules)
    of = plan(stage(*waves, max_concurrency=width), components=(component,))

    result = forecast(of, calendar, rules, MONDAY + start * MINUTE)

    assert set(result.units) == {unit.unit for unit in of.units}
    spans = []
    for unit in of.units:
        place = CalendarUnit(
            unit=unit.unit,
            component="agent",
            component_labels={},
            cluster=unit.cluster,
            labels=unit.labels,
        )
        one = result.units[unit.unit]
        assert one.start
        assert one.end
        spans.append((one.start, one.end))
        for number, batch in enumerate(one.batches, start=1):
            assert batch.start
            rest = component.soak if number == len(one.batches) else component.batch_soak
            need = attended_need(component.batch_takes, rest, calendar.attended)
            assert fits(calendar.ask(place, batch.start), batch.start, need)
        for before, after in pairwise(one.batches):
            assert before.end
            assert after.start
            assert before.end <= after.start
    for before, after in pairwise(result.stages[0].waves):
        assert before.end
        assert after.start
        assert before.end <= after.start
    for at, _ in spans:
        assert sum(s <= at < e for s, e in spans) <= (width or len(spans))
    assert result.end == max(end for _, end in spans)
    assert result.start
    assert result.end
    if len(of.units) == 1:
        total = sum((cost.total for cost in result.costs), timedelta())
        assert total == result.end - result.at


def test_a_thousand_units_are_forecast_in_a_blink() -> None:
    """It is worked out for every pull request and every card."""
    of = plan(stage(1, 49, 150, 300, 500, max_concurrency=50))
    calendar = Calendar.of((OFFICE,), (), policy())
    forecast(of, calendar, policy(), MONDAY)

    began = perf_counter()
    result = forecast(of, calendar, policy(), MONDAY)

    assert len(result.units) == 1000
    assert perf_counter() - began < 1  # about 20 ms on a quiet machine
