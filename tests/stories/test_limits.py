"""Limits over all releases: units a day, and a failure budget that only a person gives back."""

from __future__ import annotations

from datetime import timedelta

from bot.model.state import Tally
from tests import repo_files
from tests.stories.test_two_releases import EU_1, ST_1, both, limits, other
from tests.world import World

CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}


def test_so_many_units_a_day_over_all_releases(world: World) -> None:
    """Two begin today, whatever release they belong to; the third a day after the first."""
    other(world)
    limits(world, unitsPerDay=2)
    first, second = both(world)
    world.run_until("2026-11-24T16:00:00Z")
    begun = [
        unit.unit
        for name in (first, second)
        for unit in world.active(name).units.values()
        if unit.began is not None
    ]
    assert sorted(begun) == ["dns@st-1", ST_1]
    wait = next(line.wait for line in world.view(first).waiting if line.unit == EU_1)
    assert wait.code == "day-limit"
    assert wait.until is not None
    assert wait.until.isoformat() == "2026-11-25T09:00:00+00:00"
    assert wait.source == "policy/policy.yaml:12"
    assert "2 of 2 units began in the last 24 hours" in world.why(first)
    world.run_until("2026-11-25T09:01:00Z")
    assert world.unit(first, EU_1).began is not None


def test_the_day_is_remembered_over_a_restart_and_forgotten_after_it(world: World) -> None:
    """A restart gives no second helping; what is older than a day costs nothing any more."""
    limits(world, unitsPerDay=1)
    release = world.releases()
    world.run_until("2026-11-24T12:00:00Z")
    assert world.unit(release, ST_1).phase == "SUCCEEDED"
    world.dies()
    world.run_until("2026-11-24T16:00:00Z")
    assert world.unit(release, EU_1).began is None
    world.run_until("2026-11-25T09:05:00Z")
    assert world.unit(release, EU_1).began is not None
    rows = world.bot.ports.store.rows(Tally)
    assert [row.unit for row in rows] == [EU_1], "yesterday's row is gone"


def test_a_unit_that_has_nothing_to_do_takes_no_place_in_the_day(world: World) -> None:
    """What is certified already is not begun."""
    release = world.releases()
    world.run_to_the_end(release)
    limits(world, unitsPerDay=4)
    again = world.releases("node-agent-again", "2.5.0")
    world.run_to_the_end(again)
    assert len(world.bot.board.tally.rows) == 3


def broken_staging(world: World, budget: int) -> tuple[str, str]:
    other(world)
    quick = repo_files.component(batchDeadline="6m")
    world.write({"components/node-agent/component.yaml": quick})
    limits(world, failureBudget=budget)
    world.breaks("st-1", CRASH, group="staging")
    return both(world)


def test_a_failure_within_the_budget_holds_nobody_else(world: World) -> None:
    first, second = broken_staging(world, budget=1)
    world.run_to_the_end(second)
    assert world.unit(first, ST_1).phase == "FAILED"


def test_a_spent_budget_holds_everything_until_a_person_clears_it(world: World) -> None:
    """One failure too many, and nothing new begins anywhere; what began comes to its end."""
    first, second = broken_staging(world, budget=0)
    world.run_until("2026-11-24T12:00:00Z")
    assert world.unit(first, ST_1).phase == "FAILED"
    assert world.phase(second) == "PROGRESSING"
    assert "dns@eu-1" in world.why(second)
    assert "1 unit failed in the last 24 hours over all releases" in world.why(second)
    assert "resume all" in world.why(second)
    assert "limits.failureBudget tolerates 0" in world.thread(second), "its thread tells it too"
    wait = next(line.wait for line in world.view(second).waiting)
    assert wait.who == ("ana", "ben"), "operators; an owner's right ends at the component"
    began = [u.unit for u in world.active(second).units.values() if u.began is not None]
    assert began == ["dns@st-1"]
    assert not world.unit(second, "dns@st-1").in_flight, "what began came to its end"
    refused = world.says("resume all", by="cleo")
    assert refused.body["refused"]["code"] == "role"
    assert world.says("resume all", by="ben").code == 0
    world.run_to_the_end(second)
    assert world.phase(second) == "SUCCEEDED"
    assert world.unit(first, ST_1).phase == "FAILED", "its own release still asks about it"


def test_a_spent_budget_outlives_a_restart_and_the_day(world: World) -> None:
    """Only a person clears it: time does not."""
    _, second = broken_staging(world, budget=0)
    world.run_until("2026-11-24T12:00:00Z")
    world.dies()
    world.run_until(world.clock.at + timedelta(days=2))
    assert world.phase(second) == "PROGRESSING"
    assert "limits.failureBudget" in world.why(second)


def test_a_budget_that_is_lowered_below_what_failed_counts_at_once(world: World) -> None:
    """Limits are live from main."""
    first, second = broken_staging(world, budget=5)
    world.run_until("2026-11-24T09:10:00Z")
    assert world.unit(first, ST_1).phase == "FAILED"
    limits(world, failureBudget=0)
    assert "limits.failureBudget" in world.why(second)
