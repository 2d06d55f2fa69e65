"""A unit that waits for the answer about what was added is in flight: it keeps its place, and who
waits for one is told.
"""

from __future__ import annotations

from tests.stories.test_added import adds, back
from tests.stories.test_leftovers import EXTRA, OLD, ST_1, there
from tests.stories.test_two_releases import limits, other
from tests.world import World


def second(world: World) -> str:
    return world.releases("dns-1-1", "1.1", components=[{"name": "dns", "version": "1.1"}])


def test_who_waits_for_its_place_is_told_which_release_stands(world: World) -> None:
    """What was added may be what breaks the cluster: nothing more begins beyond the limit. But
    nobody would answer a question of another release that nothing points to.
    """
    other(world)
    release = adds(world)
    back(world, release)
    limits(world, unitsInFlight=1)
    late = second(world)
    world.run_for(hours=2)
    assert world.unit(release, ST_1).in_flight
    assert set(world.running("dns").values()) == {"1.0×2", "1.0×4"}
    said = world.why(late)
    assert "[concurrency]" in said
    assert f"Units of {release} stand on their way back" in said
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(late)
    assert set(world.running("dns").values()) == {"1.1×2", "1.1×4"}
    assert there(world) == []


def test_who_waited_before_it_stood_is_told_too(world: World) -> None:
    other(world)
    limits(world, unitsInFlight=1)
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({EXTRA: OLD})
    release = world.releases()
    while not there(world):
        world.run_for(minutes=1)
    late = second(world)
    world.run_for(minutes=1)
    assert "[concurrency]" in world.why(late)
    back(world, release)
    assert f"Units of {release} stand on their way back" in world.why(late)
