"""A pause that lets the batch end, and failures, in the middle of the way back of added objects."""

from __future__ import annotations

from tests import repo_files
from tests.stories.test_added import adds, back
from tests.stories.test_leftovers import COMPONENT, EU_1, EXTRA, OLD, ST_1, open_ones, there
from tests.world import World

CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}


def test_a_batch_that_may_end_goes_back_all_the_same(world: World) -> None:
    """`pause --finish-batch`, and then a rollback: the pause stops no way back, and no question."""
    release = adds(world)
    assert world.says(f"pause {release} --finish-batch").code == 0
    back(world, release)
    assert world.running()["eu-1"] == "2.4.1×4"
    assert len(open_ones(world, release)) == 1
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert there(world) == []


def test_a_pause_while_the_question_is_open_does_not_swallow_the_answer(world: World) -> None:
    release = adds(world)
    back(world, release)
    assert world.says(f"pause {release} --finish-batch").code == 0
    world.run_for(hours=1)
    assert {"st-1", "eu-1"} <= set(there(world)), "nobody has answered yet"
    assert len(open_ones(world, release)) == 1
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert there(world) == []


def failing(world: World) -> str:
    """eu-1 breaks and is taken back by itself; eu-2 comes later."""
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({COMPONENT: repo_files.component(onFailure="rollbackUnit")})
    world.changes({"fleet/clusters/eu-1.yaml": repo_files.cluster("eu-1", "prod", 4, [CRASH])})
    world.changes({EXTRA: OLD})
    release = world.releases()
    for _ in range(60):
        world.run_for(minutes=5)
        if world.unit(release, EU_1).added:
            break
    return release


def test_a_unit_that_was_taken_back_by_itself_asks_for_itself(world: World) -> None:
    """The release is not over: one unit is back, its object waits for an answer, the first one
    keeps what it has.
    """
    release = failing(world)
    assert world.unit(release, EU_1).phase.value == "ROLLING_BACK"
    (asked,) = open_ones(world, release)
    assert EU_1 in asked
    assert ST_1 not in asked
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_for(minutes=10)
    assert world.unit(release, EU_1).phase.value == "ROLLED_BACK"
    assert "eu-1" not in there(world)
    assert "st-1" in there(world)
    assert world.unit(release, ST_1).phase.value == "SUCCEEDED"


def test_a_rollback_of_all_while_one_unit_waits_is_asked_as_one(world: World) -> None:
    """The question grows, and the old answer counts for nothing."""
    release = failing(world)
    (first,) = open_ones(world, release)
    assert ST_1 not in first
    back(world, release)
    (asked,) = open_ones(world, release)
    assert EU_1 in asked
    assert ST_1 in asked
    assert world.says(f"approve {release}#1", by="ben").code == 3
    assert {"st-1", "eu-1"} <= set(there(world))
    assert world.says(f"reject {release} --reason 'in use'", by="ben").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert {"st-1", "eu-1"} <= set(there(world))
