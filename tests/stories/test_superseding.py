"""A newer release of the same component: it waits, or it takes over and heals what is broken."""

from __future__ import annotations

from tests.world import World

CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"
OLD = {"eu-1": "2.4.1×4", "eu-2": "2.4.1×4", "st-1": "2.4.1×2"}
FIXED = {"eu-1": "2.5.1×4", "eu-2": "2.5.1×4", "st-1": "2.5.1×2"}


def broken_in_eu_1(world: World) -> str:
    """2.5.0 is through staging and crashes in eu-1: it is held."""
    world.breaks("eu-1", CRASH)
    first = world.releases()
    world.run_until("2026-11-24T11:00:00Z")
    assert world.unit(first, EU_1).phase == "FAILED"
    return first


def fixed(world: World, *supersedes: str) -> str:
    return world.releases("node-agent-2-5-1", "2.5.1", supersedes=list(supersedes))


def test_without_saying_so_the_newer_one_waits_with_a_hint(world: World) -> None:
    """Two releases of one component never run together; how to replace is in the sentence."""
    first = broken_in_eu_1(world)
    second = fixed(world)
    world.run_for(hours=2)
    assert world.phase(second) == "SCHEDULED"
    assert "[unit_free]" in world.why(second)
    assert first in world.why(second)
    assert "supersedes" in world.why(second)
    assert world.running()["eu-1"] == "2.4.1×3 2.5.0×1"
    world.says(f"rollback {first} crash loop")
    world.run_to_the_end(second)
    assert world.phase(first) == "ROLLED_BACK"
    assert world.phase(second) == "SUCCEEDED"
    assert world.running() == FIXED


def test_it_takes_over_and_heals_the_broken_units_first(world: World) -> None:
    """The old one is stopped where it stands; eu-1 goes before the rest of its stage."""
    first = broken_in_eu_1(world)
    second = fixed(world, first)
    world.run_for(minutes=1)
    assert world.phase(first) == "SUPERSEDED"
    assert f"Superseded by {second}" in world.thread(first)
    plan = world.active(second).index.plan
    assert EU_1 in plan.stages[1].waves[0]
    world.run_to_the_end(second)
    assert world.phase(second) == "SUCCEEDED"
    assert world.running() == FIXED
    began = {e.unit: e.at for e in reversed(world.events(second, "batch.applying"))}
    assert began[EU_1] <= began[EU_2]


def test_no_unit_is_written_by_two_plans_in_turn(world: World) -> None:
    """After the first write of the new plan the old one writes there no more: fences grow."""
    first = world.releases()
    world.run_until("2026-11-24T09:22:00Z")
    second = fixed(world, first)
    world.run_to_the_end(second)
    assert world.running() == FIXED
    writes = [*world.events(first, "write"), *world.events(second, "write")]
    for unit in (EU_1, EU_2, ST_1):
        owners = [e.release for e in sorted(writes, key=lambda e: e.seq) if e.unit == unit]
        assert owners == sorted(owners, key=[first, second].index), f"{unit}: {owners}"


def test_what_rolls_is_stopped_before_the_new_one_begins(world: World) -> None:
    """SUPERSEDED is not SUCCEEDED: a batch in hand stops where it is."""
    first = world.releases()
    world.run_until("2026-11-24T09:15:22Z")
    assert world.unit(first, EU_1).phase == "APPLYING"
    second = fixed(world, first)
    world.run_for(minutes=1)
    assert world.phase(first) == "SUPERSEDED"
    ended = world.events(first, "release.superseded")[0].seq
    assert all(e.seq > ended for e in world.events(second, "write"))
    world.run_to_the_end(second)
    assert world.running() == FIXED


def test_it_takes_over_only_when_it_may_begin_itself(world: World) -> None:
    """At night the old one goes on soaking: nothing is stopped for what cannot start."""
    world.clock.at = world.clock.at.replace(hour=16, minute=40)
    first = world.releases()
    world.run_until("2026-11-24T18:00:00Z")
    second = fixed(world, first)
    world.run_until("2026-11-25T08:59:00Z")
    assert world.phase(first) == "PROGRESSING"
    world.run_to_the_end(second)
    assert world.phase(first) == "SUPERSEDED"
    assert world.running() == FIXED


def test_rolling_back_the_newer_one_does_not_finish_the_broken_one(world: World) -> None:
    """What was left half done was never good: eu-1 gets what ran there before both."""
    first = broken_in_eu_1(world)
    second = fixed(world, first)
    world.run_for(minutes=24)
    assert world.unit(second, EU_1).began
    assert world.says(f"rollback {second} not better").code == 0
    world.run_for(minutes=40)
    assert world.phase(second) == "ROLLED_BACK"
    assert world.running()["eu-1"] == "2.4.1×4"
    assert world.running()["st-1"] == "2.5.0×2", "there 2.5.0 was proved good"


def test_what_was_not_taken_over_can_still_be_taken_back(world: World) -> None:
    """The newer one was given up before it came to eu-1: the broken pod there has a way back."""
    first = broken_in_eu_1(world)
    second = fixed(world, first)
    world.run_for(minutes=5)
    world.says(f"rollback {second} not better")
    world.run_for(minutes=10)
    assert world.phase(second) == "ROLLED_BACK"
    assert world.running()["eu-1"] == "2.4.1×3 2.5.0×1"
    said = world.says(f"rollback {first} crash loop")
    assert said.code == 0, said.text
    world.run_for(minutes=15)
    assert world.phase(first) == "ROLLED_BACK"
    assert world.running()["eu-1"] == "2.4.1×4"
