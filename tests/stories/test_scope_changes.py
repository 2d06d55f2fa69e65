"""A component that changes its scope between releases, and one that does not run on every node."""

from __future__ import annotations

from tests import repo_files
from tests.stories.scopes import COMPONENT, EU_1, on, only_eu_1
from tests.stories.test_kinds import DAEMON_SET
from tests.world import World

CANARY, REST = f"{EU_1}/nodeSet:canary", f"{EU_1}/nodeSet:rest"
ALL = [f"n-{number}" for number in range(1, 7)]


def scope(world: World, name: str) -> None:
    world.changes({COMPONENT: repo_files.component(scope=name)}, f"By {name}")


def test_a_way_back_over_a_change_of_scope_is_to_what_ran(world: World) -> None:
    """By cluster, then by node sets, then by cluster again: each release knows the one before."""
    only_eu_1(world, DAEMON_SET, scope="cluster")
    world.run_to_the_end(world.releases("by-cluster", "2.5.0"))
    scope(world, "nodeSet")
    second = world.releases("by-sets", "2.6.0")
    while world.unit(second, REST).began is None:
        world.run_for(seconds=20)
    world.says(f"rollback {second} no")
    world.run_for(minutes=20)
    assert on(world, "2.5.0") == ALL
    world.run_until("2026-11-25T09:00:00Z")
    third = world.releases("by-sets-again", "2.7.0")
    world.run_to_the_end(third)
    assert on(world, "2.7.0") == ALL
    scope(world, "cluster")
    fourth = world.releases("by-cluster-again", "2.8.0")
    world.run_to_the_end(fourth)
    assert on(world, "2.8.0") == ALL
    world.says(f"rollback {fourth} no")
    world.run_for(minutes=20)
    assert on(world, "2.7.0") == ALL


def test_the_same_version_is_known_over_a_change_of_scope(world: World) -> None:
    """What every node runs already is not written again."""
    only_eu_1(world, DAEMON_SET, scope="cluster")
    world.run_to_the_end(world.releases("by-cluster", "2.5.0"))
    sent = len(world.fleet.writes("eu-1"))
    scope(world, "nodeSet")
    world.run_to_the_end(world.releases("by-sets", "2.5.0"))
    assert len(world.fleet.writes("eu-1")) == sent


def test_a_workload_that_runs_on_some_nodes_is_waited_for_on_those(world: World) -> None:
    """Of the canaries it runs on one, of the rest on none: nothing is missing there."""
    only_one = 'nodeSelector: {kubernetes.io/hostname: "n-2"}'
    chosen = DAEMON_SET.replace("    spec: {containers", f"    spec: {{{only_one}, containers")
    only_eu_1(world, chosen)
    release = world.releases()
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert on(world, "2.5.0") == ["n-2"]
    assert (world.unit(release, CANARY).total, world.unit(release, REST).total) == (1, 0)
