"""What holds in every situation: `why` is true, holds hold, limits limit, order is nothing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.core.flights import Flights
from bot.core.gates import GATES
from bot.core.lifecycle import Step, advance, explain
from bot.core.scope import covers
from bot.core.situation import Claim, PlanIndex, Situation, calendar_unit, covered
from bot.model.record import BEGAN
from bot.model.state import ReleasePhase, UnitPhase
from tests.properties.situations import (
    OPEN,
    UNITS,
    Case,
    after,
    cases,
    config_map,
    eager_cases,
    rules,
    unit_of,
)


def begun(s: Situation, step: Step) -> list[str]:
    """Units whose batch began in this step."""
    return [
        name
        for name, unit in step.units.items()
        if unit.batch > s.units[name].batch and unit.phase is not UnitPhase.PENDING
    ]


def moved(s: Situation, step: Step, name: str) -> bool:
    unit = step.units.get(name)
    return name in step.asks or (unit is not None and unit.phase is not s.units[name].phase)


@given(cases() | eager_cases())
def test_why_is_empty_exactly_when_the_tick_acts(case: Case) -> None:
    """A unit of which `why` says nothing moves or is looked at, or waits once others have moved."""
    s = case.s
    told = {line.unit: line.gate for line in explain(s)}
    step = advance(s)
    told_after = {line.unit for line in explain(after(s, step))}
    for name, unit in s.units.items():
        if unit.phase not in GATES:
            continue
        if name not in told:
            assert moved(s, step, name) or name in told_after, f"{name} says nothing, does nothing"
        elif name in begun(s, step):
            # An earlier wave may end, a place become free, and a check that is due may say yes, in
            # this very tick.
            allowed = ("earlier", "checks_before", "concurrency", "host_free", "risk")
            assert told[name] in allowed, f"{name} began although {told[name]} was closed"


@given(cases() | eager_cases())
def test_a_second_look_at_the_same_moment_finds_nothing_new(case: Case) -> None:
    """Deciding is pure and comes to rest: without news there is no second transition."""
    s = case.s
    step = advance(s)
    again = after(s, step)
    more = advance(again)
    assert more.state == again.state
    assert {n: u.phase for n, u in more.units.items() if u.phase is not again.units[n].phase} == {}
    assert more.decisions == ()
    assert more.events == ()
    assert begun(again, more) == []


@given(cases())
def test_what_is_held_begins_nothing(case: Case) -> None:
    """Law 7: after a pause is recorded no forward write begins."""
    s = case.s
    step = advance(s)
    for hold in s.holds:
        reached = {u.unit for u in s.plan.units if covers(hold.scope, covered(s, u))}
        assert reached.isdisjoint(begun(s, step))
        if not hold.finish_batch:
            assert not [u for u, w in step.writes if u in reached and w.purpose.forward]


@given(cases())
def test_no_batch_begins_outside_a_window_or_where_another_release_is(case: Case) -> None:
    """Law 5."""
    s = case.s
    for name in begun(s, advance(s)):
        place = calendar_unit(s, s.index.units[name])
        assert s.rules.calendar.ask(place, s.now).open
        assert all(not c.in_flight and c.position > 5 for c in s.claims.get(name, ()))


@given(cases())
def test_limits_are_never_exceeded(case: Case) -> None:
    """Over the fleet and in a stage; what is above a limit already only ends."""
    s = case.s
    step = advance(s)
    flying = {name for name, unit in after(s, step).units.items() if unit.in_flight}
    before = {name for name, unit in s.units.items() if unit.in_flight}
    limit = s.rules.policy.spec.limits.units_in_flight
    if limit is not None and flying - before:
        assert len(flying) + s.in_flight <= limit
    for stage in s.plan.stages:
        own = {name for wave in stage.waves for name in wave}
        if stage.max_concurrency is not None and (flying - before) & own:
            assert len(flying & own) <= stage.max_concurrency


@given(eager_cases(), st.sets(st.sampled_from(UNITS), max_size=3), st.integers(0, 2))
def test_nothing_begins_in_a_stage_that_failed_more_often_than_it_tolerates(
    case: Case, broken: set[str], tolerated: int
) -> None:
    """Whatever became of the hold that the failure made: a lifted hold is no better version."""
    plan = case.s.plan
    stages = tuple(replace(stage, max_failures=tolerated) for stage in plan.stages)
    units = {
        name: unit_of(
            name, UnitPhase.FAILED if name in broken else UnitPhase.PENDING, OPEN, 15, True
        )
        for name in UNITS
    }
    s = replace(
        case.s,
        units=units,
        state=replace(case.s.state, phase=ReleasePhase.PROGRESSING, began=OPEN),
        index=PlanIndex(replace(plan, stages=stages)),
        rules=rules(None),
        claims={},
        in_flight=0,
        flights=Flights(),
    )
    step = advance(s)
    for name in {*begun(s, step), *step.asks}:
        stage = plan.stages[s.index.units[name].stage]
        here = broken & {unit for wave in stage.waves for unit in wave}
        assert len(here) <= tolerated, f"{name} began after {here} failed"


@given(eager_cases(), st.sampled_from(UNITS), st.booleans())
def test_nothing_is_put_back_where_a_newer_release_is_at_work(
    case: Case, name: str, at_work: bool
) -> None:
    """However it came to that: two releases never write one object in turn."""
    rolled = unit_of(name, UnitPhase.APPLYING, case.s.now, 15, False)
    s = replace(
        case.s,
        units={**case.s.units, name: replace(rolled, phase=UnitPhase.ROLLING_BACK, in_hand=False)},
        state=replace(case.s.state, phase=ReleasePhase.PROGRESSING, began=case.s.now),
        claims={name: (Claim("newer", 9, at_work),)},
    )
    step = advance(s)
    wrote = any(unit == name for unit, _ in step.writes)
    if at_work:
        assert not wrote
        assert ("unit_free", name) in {(line.gate, line.unit) for line in explain(s)}
    elif any(
        one.live and one.live["data"] != config_map("old")["data"]
        for one in s.seen[name].objects.values()
    ):
        assert wrote, "it goes back where nobody else is"


def flying(s: Situation) -> set[str]:
    """Units in flight, of every release."""
    others = {name for flights in s.flights.by_release.values() for name in flights}
    return others | {name for name, unit in s.units.items() if unit.in_flight}


@given(eager_cases())
def test_host_and_guest_are_never_in_flight_together(case: Case) -> None:
    """Whatever begins, begins alone among its kin."""
    s = case.s
    step = advance(s)
    clusters = {name.partition("@")[2] for name in flying(after(s, step))}
    for name in begun(s, step):
        kin = s.rules.kin.get(name.partition("@")[2], ())
        assert clusters.isdisjoint(kin), f"{name} began beside {kin}"


@given(eager_cases())
def test_no_more_begin_in_a_day_than_the_policy_says(case: Case) -> None:
    """Over all releases, and within one turn."""
    s = case.s
    limit = s.rules.policy.spec.limits.units_per_day
    first = [name for name in begun(s, advance(s)) if s.units[name].began is None]
    if limit is not None and first:
        assert s.tally.count(BEGAN, s.now) + len(first) <= limit


@given(eager_cases())
def test_what_a_rule_forbids_does_not_begin(case: Case) -> None:
    """`inFlight.total >= 2`: nothing begins as the third."""
    s = case.s
    step = advance(s)
    if s.rules.policy.spec.risk_rules and begun(s, step):
        assert len(flying(after(s, step))) <= 2 or not flying(after(s, step)) - flying(s)


@given(cases(), st.permutations(UNITS))
def test_the_order_of_what_is_told_does_not_matter(case: Case, names: list[str]) -> None:
    """The same inputs, whichever way they were gathered."""
    s = case.s
    other = replace(
        s,
        units={name: s.units[name] for name in names},
        seen={name: s.seen[name] for name in names if name in s.seen},
        claims={name: s.claims[name] for name in names if name in s.claims},
    )
    one, two = advance(s), advance(other)
    assert one.units == two.units
    assert one.writes == two.writes
    assert one.state == two.state
    assert one.asks == two.asks
    assert [line.unit for line in explain(s)] == [line.unit for line in explain(other)]


def test_the_small_release_is_what_the_properties_think_it_is() -> None:
    assert len(UNITS) == 5
