"""The same story for every kind of workload: a little at a time, and the way back."""

from __future__ import annotations

from typing import Any

import yaml

from tests import repo_files
from tests.world import World

OLD = {"eu-1": "2.4.1×4", "eu-2": "2.4.1×4", "st-1": "2.4.1×4"}
NEW = {"eu-1": "2.5.0×4", "eu-2": "2.5.0×4", "st-1": "2.5.0×4"}
EU_1, ST_1 = "node-agent@eu-1", "node-agent@st-1"

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: node-agent, namespace: infra}
spec:
  replicas: 4
  minReadySeconds: 5
  selector: {matchLabels: {app: node-agent}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 1}}
  template:
    metadata: {labels: {app: node-agent}}
    spec: {containers: [{name: agent, image: "{{ values.image }}"}]}
"""
DAEMON_SET = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: node-agent, namespace: infra}
spec:
  selector: {matchLabels: {app: node-agent}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}
  template:
    metadata: {labels: {app: node-agent}}
    spec: {containers: [{name: agent, image: "{{ values.image }}"}]}
"""
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: node-agent, namespace: infra}
data: {level: "{{ values.level }}"}
"""
TEMPLATE = "components/node-agent/templates/node-agent.yaml"
VALUES = "components/node-agent/values/default.yaml"


def runs(world: World, template: str) -> None:
    """Every cluster has four nodes and runs 2.4.1 of the component in this shape."""
    text = template.replace("{{ values.image }}", "registry.local/node-agent:2.4.1")
    objects = list(yaml.safe_load_all(text.replace("{{ values.level }}", "info")))
    world.write({"fleet/clusters/st-1.yaml": repo_files.cluster("st-1", "staging", 4)})
    world.changes({TEMPLATE: template}, "Another shape")
    for cluster in OLD:
        world.fleet.rebuild(cluster)
        world.fleet.seed(cluster, objects)
    world.run_for(minutes=5)


def strategy(world: World, kind: str, cluster: str = "st-1") -> dict[str, Any]:
    """The fields that say how the workload rolls."""
    spec = world.live(cluster, kind)["spec"]
    names = ("strategy", "updateStrategy", "minReadySeconds", "progressDeadlineSeconds", "paused")
    return {name: spec[name] for name in names if name in spec}


def test_a_deployment_goes_batch_by_batch(world: World) -> None:
    """New pods beside all old ones; its own strategy is back when it has ended."""
    runs(world, DEPLOYMENT)
    before = strategy(world, "Deployment")
    release = world.releases()
    world.run_until("2026-11-24T09:03:00Z")
    assert world.unit(release, ST_1).batch == 1
    assert world.running()["st-1"] == "2.4.1×4 2.5.0×1", "beside all old ones"
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running() == NEW
    assert strategy(world, "Deployment") == before


def test_a_deployment_goes_back_with_its_own_strategy(world: World) -> None:
    """Out of the middle of a surge: nothing of the batch stays in the object."""
    runs(world, DEPLOYMENT)
    found = {cluster: world.live(cluster, "Deployment")["spec"] for cluster in OLD}
    release = world.releases()
    world.run_until("2026-11-24T09:30:00Z")
    world.says(f"rollback {release} slow")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD
    assert {cluster: world.live(cluster, "Deployment")["spec"] for cluster in OLD} == found


def test_a_crashing_deployment_harms_no_old_pod(world: World) -> None:
    """All four keep serving while the fifth crashes."""
    runs(world, DEPLOYMENT)
    crash = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
    world.write(
        {"fleet/clusters/st-1.yaml": repo_files.cluster("st-1", "staging", 4, faults=[crash])}
    )
    world.changes({}, "st-1 breaks")
    release = world.releases()
    world.run_until("2026-11-24T12:00:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert world.running()["st-1"] == "2.4.1×4 2.5.0×1"


def test_a_native_daemon_set_is_deleted_pod_by_pod_in_order(world: World) -> None:
    """OnDelete while the release runs: one pod at a time, from the last node to the first."""
    runs(world, DAEMON_SET)
    before = strategy(world, "DaemonSet")
    nodes = {p["metadata"]["name"]: p["spec"]["nodeName"] for p in world.fleet.pods("st-1")}
    release = world.releases()
    world.run_until("2026-11-24T09:03:00Z")
    assert strategy(world, "DaemonSet")["updateStrategy"]["type"] == "OnDelete"
    assert world.running()["st-1"] == "2.4.1×3 2.5.0×1"
    world.run_to_the_end(release)
    objects = [write["object"] for write in world.fleet.writes("st-1")]
    deleted = [key.split("/")[-1] for key in objects if "/Pod/" in key]
    assert [nodes[pod] for pod in deleted] == sorted(nodes.values(), reverse=True)
    assert world.running() == NEW
    assert strategy(world, "DaemonSet") == before


def test_a_native_daemon_set_goes_back_with_its_own_strategy(world: World) -> None:
    """The pods that were deleted forward are deleted backward; RollingUpdate comes back last."""
    runs(world, DAEMON_SET)
    found = {cluster: world.live(cluster, "DaemonSet")["spec"] for cluster in OLD}
    release = world.releases()
    world.run_until("2026-11-24T09:30:00Z")
    assert world.running()["eu-1"] != "2.4.1×4"
    world.says(f"rollback {release} slow")
    world.run_for(minutes=30)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD
    assert {cluster: world.live(cluster, "DaemonSet")["spec"] for cluster in OLD} == found


def test_several_workloads_take_their_batch_one_after_the_other(world: World) -> None:
    """Batch k of each, in file order; the ConfigMap is there before both."""
    second = DEPLOYMENT.replace("name: node-agent", "name: side").replace("app: node", "app: side")
    runs(world, "---\n".join([CONFIG, DAEMON_SET, second]))
    release = world.releases()
    world.run_until("2026-11-24T09:04:00Z")
    assert world.unit(release, ST_1).batch == 1
    assert world.running()["st-1"] == "2.4.1×3 2.5.0×1"
    assert world.running("side-agent")["st-1"] == "2.4.1×4 2.5.0×1"
    unit = world.unit(release, ST_1)
    assert sum(unit.targets.values()) == 2
    world.run_to_the_end(release)
    assert world.running() == NEW
    assert world.running("side-agent") == NEW
    again = world.says(f"rollback {release} slow")
    assert again.code == 0
    world.run_for(minutes=40)
    assert world.running() == OLD
    assert world.running("side-agent") == OLD


def test_plain_objects_are_one_batch(world: World) -> None:
    """A configuration component has no pods to count: applied, soaked, checked, and taken back."""
    runs(world, CONFIG)
    values = 'image: "registry.local/node-agent:{{ version }}"\nlevel: debug\n'
    world.changes({VALUES: values}, "Debug")
    release = world.releases("config-2", "2.5.0")
    world.run_until("2026-11-24T09:01:00Z")
    unit = world.unit(release, ST_1)
    assert (unit.phase, unit.batch, unit.batches) == ("SOAKING", 1, 1)
    assert world.live("st-1", "ConfigMap")["data"] == {"level": "debug"}
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    world.says(f"rollback {release} too chatty")
    world.run_for(minutes=10)
    assert world.phase(release) == "ROLLED_BACK"
    assert {world.live(cluster, "ConfigMap")["data"]["level"] for cluster in OLD} == {"info"}
