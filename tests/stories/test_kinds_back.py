"""Every workload kind back through the whole bot: out of a batch, after a retry, after the end, out
of a crash loop with a cluster that loses answers. What ran before runs, and the spec is as it was.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests import repo_files
from tests.stories.test_kinds import DAEMON_SET, DEPLOYMENT
from tests.stories.test_kinds_forward import CLUSTERS, MACHINES, SHAPES, runs
from tests.world import World

ST_1 = "node-agent@st-1"
KRUISE_DAEMON_SET = DAEMON_SET.replace("apps/v1", "apps.kruise.io/v1beta1")
KINDS = {
    **{name: template for name, (template, _) in SHAPES.items()},
    "Deployment": DEPLOYMENT,
    "native DaemonSet": DAEMON_SET,
    "OpenKruise DaemonSet": KRUISE_DAEMON_SET,
    "MachineComponentSet": MACHINES,
}
CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
LOSE = {"do": "loseAnswers", "every": 2}


def spec(world: World, cluster: str) -> Any:
    """The workload's spec, less a gate that stands open."""
    (live,) = [o for o in world.fleet.objects(cluster) if o["metadata"]["name"] == "node-agent"]
    return _closed(live["spec"])


def _closed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    shut = {
        key: _closed(one)
        for key, one in value.items()
        if not (key in ("partition", "paused", "pause") and one in (0, False))
    }
    return {key: one for key, one in shut.items() if one != {}}


def versions(world: World, cluster: str) -> set[str]:
    """Versions of pods; of what runs on the nodes themselves, what they report."""
    found = world.running()[cluster]
    if found:
        return {part.partition("×")[0] for part in found.split()}
    note = "kubenode.alibabacloud.com/node-agent"
    return {node["metadata"]["annotations"][note] for node in world.fleet.nodes(cluster)}


@pytest.mark.parametrize("kind", KINDS)
def test_back_out_of_a_batch_forward_again_and_back_after_the_end(world: World, kind: str) -> None:
    """Half-way back, retried from what the rollback left, to the end, and back once more."""
    runs(world, KINDS[kind])
    before = {cluster: spec(world, cluster) for cluster in CLUSTERS}
    release = world.releases()
    while world.unit(release, ST_1).batch < 2:
        world.run_for(minutes=1)
    assert versions(world, "st-1") == {"2.4.1", "2.5.0"}
    assert world.says(f"rollback {ST_1} --reason slow").code == 0
    world.run_for(minutes=15)
    assert world.unit(release, ST_1).phase == "ROLLED_BACK"
    assert versions(world, "st-1") == {"2.4.1"}
    assert spec(world, "st-1") == before["st-1"]
    if world.unit(release, "node-agent@eu-1").began is None:
        assert world.says(f"retry {ST_1}").code == 0
    world.run_to_the_end(release)
    assert versions(world, "eu-1") == {"2.5.0"}
    assert world.says(f"rollback {release} --reason 'slow after all'").code == 0
    world.run_for(minutes=30)
    assert world.phase(release) == "ROLLED_BACK"
    assert {cluster: versions(world, cluster) for cluster in CLUSTERS} == {
        cluster: {"2.4.1"} for cluster in CLUSTERS
    }
    assert {cluster: spec(world, cluster) for cluster in CLUSTERS} == before


@pytest.mark.parametrize("kind", KINDS)
def test_back_out_of_a_crash_loop_while_answers_are_lost(world: World, kind: str) -> None:
    """The bad night itself: the new version never comes up, and every second answer is lost."""
    runs(world, KINDS[kind])
    before = spec(world, "st-1")
    image = "node-agent:2.5.0" if kind == "MachineComponentSet" else CRASH["image"]
    text = repo_files.cluster("st-1", "staging", 4, [{**CRASH, "image": image}, LOSE])
    world.changes({"fleet/clusters/st-1.yaml": text})
    release = world.releases()
    world.run_for(hours=2)
    assert world.unit(release, ST_1).phase == "FAILED"
    assert world.says(f"rollback {release} --reason 'crash loop'").code == 0
    world.run_for(minutes=30)
    assert world.phase(release) == "ROLLED_BACK"
    assert versions(world, "st-1") == {"2.4.1"}
    assert spec(world, "st-1") == before
