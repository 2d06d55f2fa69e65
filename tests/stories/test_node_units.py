"""Nodes: one unit is one node is one batch."""

from __future__ import annotations

import pytest

from tests.stories.scopes import EU_1, MACHINES, cluster, on, one_stage, only_eu_1
from tests.stories.test_kinds import DAEMON_SET, DEPLOYMENT
from tests.world import World

KINDS = {"DaemonSet": DAEMON_SET, "MachineComponentSet": MACHINES}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
NODES = ["n-5", "n-2", "n-3"]
UNITS = [f"{EU_1}/node:{name}" for name in NODES]


def by_node(world: World, kind: str, **more: object) -> None:
    file = cluster(nodeSets=None, nodes=6, canary=0).replace('"group"', '"nodes": @, "group"')
    file = file.replace("@", str(NODES).replace("'", '"'))
    only_eu_1(world, KINDS[kind], scope="node", cluster_file=file, **more)  # type: ignore[arg-type]


@EVERY_KIND
def test_node_after_node_in_the_order_as_written(world: World, kind: str) -> None:
    """Each soaks and is checked before the next one; nodes that are not listed are not touched."""
    by_node(world, kind)
    release = world.releases()
    assert [unit.unit for unit in world.active(release).index.plan.units] == UNITS
    seen: list[list[str]] = []
    while world.phase(release) != "SUCCEEDED":
        now = on(world, "2.5.0", kind)
        if not seen or seen[-1] != now:
            seen.append(now)
        assert sum(world.unit(release, name).in_flight for name in UNITS) <= 1
        world.run_for(seconds=30)
    assert seen == [[], ["n-5"], ["n-2", "n-5"], ["n-2", "n-3", "n-5"]]
    assert on(world, "2.5.0", kind) == sorted(NODES)
    assert on(world, "2.4.1", kind) == ["n-1", "n-4", "n-6"]
    for name in UNITS:
        assert (world.unit(release, name).batches, world.unit(release, name).total) == (1, 1)


@EVERY_KIND
def test_nodes_go_back_together_the_last_one_first(world: World, kind: str) -> None:
    """And the fields that the release borrowed are back with the last of them."""
    by_node(world, kind)
    before = world.live("eu-1", kind)["spec"]
    release = world.releases()
    while world.unit(release, UNITS[2]).began is None:
        world.run_for(seconds=30)
    world.dies()
    assert world.says(f"rollback {UNITS[0]} it leaks").body["units"] == 3
    world.run_for(minutes=30)
    assert on(world, "2.4.1", kind) == [f"n-{n}" for n in range(1, 7)]
    assert world.live("eu-1", kind)["spec"] == before
    ends = [event.unit for event in world.events(release, "unit.rolled-back")]
    assert ends == UNITS[::-1]


def test_a_unit_in_its_first_batch_is_taken_back_by_its_name(world: World) -> None:
    """Not the release before, which wrote there last: who types it means what rolls."""
    by_node(world, "DaemonSet")
    world.run_to_the_end(world.releases())
    release = world.releases("node-agent-2-6-0", "2.6.0")
    while not world.unit(release, UNITS[1]).in_flight:
        world.run_for(seconds=10)
    assert world.says(f"rollback {UNITS[1]} it leaks").body["units"] == 2
    world.run_for(minutes=30)
    assert on(world, "2.5.0") == sorted(NODES)
    ends = [event.unit for event in world.events(release, "unit.rolled-back")]
    assert ends == [UNITS[1], UNITS[0]]


def test_a_kind_that_does_not_run_by_node_is_refused(world: World) -> None:
    """A Deployment has no pod of a node."""
    by_node(world, "DaemonSet")
    world.changes({"components/node-agent/templates/node-agent.yaml": DEPLOYMENT}, "A Deployment")
    release = world.releases()
    active = world.active(release)
    assert active.unplanned
    held = [h.reason for h in world.bot.board.holds.values() if h.release == release]
    assert any("Deployment infra/node-agent cannot be released by single nodes" in h for h in held)


def test_a_node_that_is_gone_is_nobody(world: World) -> None:
    """Its unit is done without a write; the others are not held up."""
    by_node(world, "DaemonSet", pipeline=one_stage(order="name"))
    file = world.files["fleet/clusters/eu-1.yaml"].replace('"nodes": 6', '"nodes": 4')
    world.changes({"fleet/clusters/eu-1.yaml": file}, "n-5 and n-6 leave")
    release = world.releases()
    world.run_to_the_end(release)
    assert on(world, "2.5.0") == ["n-2", "n-3"]
