"""dependsOn over releases: released before it, whole, and never moved beside it."""

from __future__ import annotations

from tests.stories.test_two_releases import ST_1, both, other, watch
from tests.world import World

DNS = "dns@st-1"
CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}


def test_what_was_merged_earlier_is_released_before_what_depends_on_it(world: World) -> None:
    """dns leans on node-agent, whose release was merged first: cluster by cluster it goes first."""
    other(world, depends_on=("node-agent",))
    first, second = both(world)
    world.run_until("2026-11-24T09:05:00Z")
    assert f"[dependencies] Waiting for the dependency {ST_1}" in world.why(second)
    world.run_to_the_end(second)
    for cluster in ("st-1", "eu-1", "eu-2"):
        done = next(
            event.at
            for event in world.events(first, "unit.succeeded")
            if event.unit == f"node-agent@{cluster}"
        )
        began = world.unit(second, f"dns@{cluster}").began
        assert began is not None
        assert began >= done


def test_what_was_merged_later_lets_the_first_go_on(world: World) -> None:
    """Nobody waits for what did not exist when it was merged; only never beside each other."""
    other(world, depends_on=("node-agent",))
    second = world.releases("dns-1-1", "1.1", components=[{"name": "dns", "version": "1.1"}])
    first = world.releases()
    seen = watch(world, first, second, until="2026-11-24T11:00")
    assert not [units for units in seen if {ST_1, DNS} <= units]
    assert world.phase(second) == "SUCCEEDED"


def test_a_dependency_that_failed_keeps_what_leans_on_it(world: World) -> None:
    """Failed, then left out half-way by a person: neither is a release of it. Taken back, it is
    whole again, and what leans on it goes.
    """
    other(world, depends_on=("node-agent",))
    world.breaks("st-1", CRASH, group="staging")
    first, second = both(world)
    world.run_until("2026-11-24T10:00:00Z")
    assert world.unit(first, ST_1).phase == "FAILED"
    assert (
        f"[dependencies] Waiting for the dependency {ST_1}: release {first} was merged earlier and"
        " has not brought it to a good end. Retry or skip it there."
    ) in world.why(second)
    assert mended_by(world, second) == ["ana", "ben"]
    assert world.says(f"skip {ST_1} --reason 'later'", by="ben").code == 0
    world.run_for(hours=1)
    assert world.unit(second, DNS).began is None
    half = f"Waiting for the dependency {ST_1}: release {first} left it half-way to 2.5.0"
    assert half in world.why(second)
    assert mended_by(world, second) == ["ana", "ben"]
    world.dies()
    world.run_for(minutes=30)
    assert half in world.why(second), "a restart has not forgotten it"
    assert world.says(f"rollback {ST_1} --reason 'not today'").code == 0
    world.run_to_the_end(second)
    assert world.phase(second) == "SUCCEEDED"


def mended_by(world: World, release: str) -> list[str]:
    """Who is named as those who can do something about it."""
    found = {who for line in world.view(release).waiting for who in line.wait.who}
    return sorted(found)


def test_what_was_never_released_by_us_is_nobodys_to_judge(world: World) -> None:
    """Sluice comes to a fleet that runs: not everything has to be released again before anything
    else may be.
    """
    other(world, depends_on=("node-agent",))
    second = world.releases("dns-1-1", "1.1", components=[{"name": "dns", "version": "1.1"}])
    world.run_to_the_end(second)
    assert world.phase(second) == "SUCCEEDED"


def test_a_dependency_that_went_back_whole_is_whole_again(world: World) -> None:
    """After its rollback the cluster runs what it ran before: nothing is half-way."""
    other(world, depends_on=("node-agent",))
    world.breaks("st-1", CRASH, group="staging")
    first, second = both(world)
    world.run_until("2026-11-24T10:00:00Z")
    world.says(f"rollback {first} --reason 'crash loop'")
    world.run_to_the_end(second)
    assert world.phase(first) == "ROLLED_BACK"
    assert world.phase(second) == "SUCCEEDED"
