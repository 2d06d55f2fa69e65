"""Node sets drawn at random, in a real bot: nobody outside the set in hand is ever touched."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import repo_files
from tests.stories.scopes import EU_1, KRUISE_SET, MACHINES, on, only_eu_1
from tests.stories.test_kinds import DAEMON_SET
from tests.world import World

KINDS = {"DaemonSet": DAEMON_SET, "KruiseSet": KRUISE_SET, "MachineComponentSet": MACHINES}
BATCHES = ([1, "100%"], ["50%", "100%"], [2, "75%", "100%"], ["100%"])


@st.composite
def fleets(draw: st.DrawFn) -> dict[str, Any]:
    """Pools of one cluster's nodes, which of them are sets and in which order, and bad luck."""
    count = draw(st.integers(1, 7))
    pools = draw(st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=count, max_size=count))
    return {
        "kind": draw(st.sampled_from(sorted(KINDS))),
        "pools": {f"n-{number}": pool for number, pool in enumerate(pools, 1)},
        "sets": draw(st.lists(st.sampled_from(["a", "b", "c"]), max_size=3, unique=True)),
        "batches": draw(st.sampled_from(BATCHES)),
        "lost": draw(st.sampled_from([0, 2, 3])),
        "acts": draw(st.lists(st.sampled_from(["", "dies", "pause", "resume"]), max_size=6)),
        "back": draw(st.booleans()),
    }


@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(fleets())
def test_only_the_set_in_hand_changes_and_never_more_of_it_than_was_planned(
    drawn: dict[str, Any],
) -> None:
    """Whatever the sets, the batches, the lost answers, the restarts and the pauses."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        try:
            world.push("The fleet as it is")
            world.start()
            _play(world, drawn)
        finally:
            world.close()


def _play(world: World, drawn: dict[str, Any]) -> None:
    kind = drawn["kind"].replace("KruiseSet", "DaemonSet")
    everywhere = sorted(drawn["pools"])
    only_eu_1(
        world,
        KINDS[drawn["kind"]],
        cluster_file=_cluster(drawn),
        component={"batches": drawn["batches"]},
    )
    before = world.live("eu-1", kind)["spec"]
    release = world.releases()
    units = [unit.unit for unit in world.active(release).index.plan.units]
    acts = list(drawn["acts"])
    for _ in range(2000):
        _judge(world, drawn, release, units, on(world, "2.5.0", kind))
        if world.phase(release) == "SUCCEEDED":
            break
        if acts and world.unit(release, units[0]).began:
            _act(world, release, acts.pop())
        elif not acts:
            world.says(f"resume {release}")
        world.run_for(seconds=61)
    assert on(world, "2.5.0", kind) == everywhere
    if drawn["back"]:
        world.says(f"rollback {release} once more")
        world.run_for(hours=2)
        assert on(world, "2.4.1", kind) == everywhere
        now = world.live("eu-1", kind)["spec"]
        assert {key: now.get(key) for key in before} == before


def _cluster(drawn: dict[str, Any]) -> str:
    labels = {node: {"pool": pool} for node, pool in drawn["pools"].items() if pool}
    simulated: dict[str, Any] = {"nodes": len(drawn["pools"]), "nodeLabels": labels}
    if drawn["lost"]:
        simulated["faults"] = [{"do": "loseAnswers", "every": drawn["lost"]}]
    sets = [{"name": one, "selector": {"matchLabels": {"pool": one}}} for one in drawn["sets"]]
    body = {"group": "prod", "connection": {"simulated": simulated}, "nodeSets": sets}
    return repo_files.doc("Cluster", "eu-1", body)


def _act(world: World, release: str, act: str) -> None:
    if act == "dies":
        world.dies()
    elif act:
        world.says(f"{act} {release} by chance")


def _judge(
    world: World, drawn: dict[str, Any], release: str, units: list[str], new: list[str]
) -> None:
    """What the cluster shows, against what each unit was allowed so far."""
    flying = 0
    for unit in units:
        state = world.unit(release, unit)
        flying += state.in_flight
        mine = _nodes(drawn, unit.rpartition(":")[2])
        allowed = len(mine) if state.phase == "SUCCEEDED" else sum(state.targets.values())
        assert len(set(new) & mine) <= allowed, f"{unit} has {new}"
    assert flying <= 1


def _nodes(drawn: dict[str, Any], name: str) -> set[str]:
    if name == "rest":
        return {node for node, pool in drawn["pools"].items() if pool not in drawn["sets"]}
    return {node for node, pool in drawn["pools"].items() if pool == name}


def test_the_judge_knows_the_sets() -> None:
    """Else the property would hold of nothing."""
    drawn = {"pools": {"n-1": "a", "n-2": "b", "n-3": ""}, "sets": ["a"]}
    assert _nodes(drawn, "a") == {"n-1"}
    assert _nodes(drawn, "rest") == {"n-2", "n-3"}
    assert EU_1 == "node-agent@eu-1"
