"""What a unit has now, as a plan tells it: what is known is told, and nothing is made up."""

from __future__ import annotations

from tests import repo_files
from tests.world import World

NAME = "eu-9-only"


def joined(world: World) -> None:
    """eu-9 is new, and nothing of the component is there."""
    world.changes({"fleet/clusters/eu-9.yaml": repo_files.cluster("eu-9", "prod", 4)})


def proposes(world: World, version: str, *clusters: str) -> str:
    text = repo_files.release(NAME, version, units={"names": list(clusters)})
    world.proposes(NAME, {f"releases/2026/{NAME}.yaml": text})
    world.tick()
    return world.chat.cards[f"pull/pr/{NAME}"]


def test_a_release_that_has_not_reached_a_cluster_makes_nothing_lower_there(world: World) -> None:
    """2.5.0 runs and may not come to eu-9 for days; 2.4.9 is the first that eu-9 gets."""
    joined(world)
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    assert world.phase(release) == "PROGRESSING"
    card = proposes(world, "2.4.9", "eu-9")
    assert "lower" not in card, card
    assert "2.5.0 → 2.4.9" not in card


def test_where_it_has_been_a_lower_version_is_one(world: World) -> None:
    """st-1 has 2.5.0 for certain, one cluster has not been reached: only st-1 is named."""
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(waves=[1, "100%"])})
    units = world.active(world.releases()).units
    world.run_until("2026-11-24T09:26:00Z")
    (later,) = [name for name, unit in units.items() if unit.began is None]
    card = proposes(world, "2.4.9", "st-1", later.partition("@")[2])
    assert "lower than 2.5.0, which 1 unit (node-agent@st-1) has as last applied" in card
    assert card.count("lower than") == 1
