"""A release from its merge to its end, when nothing goes wrong."""

from __future__ import annotations

from tests.world import World


def test_a_release_reaches_every_cluster_batch_by_batch(world: World) -> None:
    """The main job: staging first, then production, a little at a time, each batch proved."""
    release = world.releases()

    world.clock.at = world.clock.at.replace(hour=9)
    world.tick()
    assert world.running()["st-1"] == "2.4.1×2", "the write has left, the pods have not moved yet"
    world.run_for(minutes=2)
    assert world.running() == {"eu-1": "2.4.1×4", "eu-2": "2.4.1×4", "st-1": "2.4.1×1 2.5.0×1"}

    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running() == {"eu-1": "2.5.0×4", "eu-2": "2.5.0×4", "st-1": "2.5.0×2"}
