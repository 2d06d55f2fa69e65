"""Every numbered kind through a whole release: planned counts, what the cluster was really told.

The number in an object means another thing in each kind; only what a cluster received proves that
the plan's cumulative count became the right one.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from bot.core.plan_json import plan_json
from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.model.state import Certificate
from tests import repo_files
from tests.world import World

CLUSTERS = ("st-1", "eu-1", "eu-2")
ST_1 = "node-agent@st-1"
TEMPLATE = "components/node-agent/templates/node-agent.yaml"

STATEFUL = """\
apiVersion: {api}
kind: StatefulSet
metadata: {{name: node-agent, namespace: infra}}
spec:
  replicas: 4
  serviceName: node-agent
  podManagementPolicy: {pods}
  selector: {{matchLabels: {{app: node-agent}}}}
  template:
    metadata: {{labels: {{app: node-agent}}}}
    spec: {{containers: [{{name: agent, image: "{{{{ values.image }}}}"}}]}}
"""
CLONE_SET = """\
apiVersion: apps.kruise.io/{version}
kind: CloneSet
metadata: {{name: node-agent, namespace: infra}}
spec:
  replicas: 4
  selector: {{matchLabels: {{app: node-agent}}}}
  template:
    metadata: {{labels: {{app: node-agent}}}}
    spec: {{containers: [{{name: agent, image: "{{{{ values.image }}}}"}}]}}
"""
ROLLING = ("updateStrategy", "rollingUpdate", "partition")
SHAPES: dict[str, tuple[str, tuple[str, ...]]] = {
    "native StatefulSet": (STATEFUL.format(api="apps/v1", pods="OrderedReady"), ROLLING),
    "native StatefulSet, parallel": (STATEFUL.format(api="apps/v1", pods="Parallel"), ROLLING),
    "OpenKruise StatefulSet": (
        STATEFUL.format(api="apps.kruise.io/v1beta1", pods="OrderedReady"),
        ROLLING,
    ),
    "CloneSet v1beta1": (CLONE_SET.format(version="v1beta1"), ROLLING),
    "CloneSet v1alpha1": (CLONE_SET.format(version="v1alpha1"), ("updateStrategy", "partition")),
}
MACHINES = """\
apiVersion: kubenode.alibabacloud.com/v1
kind: MachineComponentSet
metadata: {name: node-agent}
spec: {componentName: node-agent, version: "{{ version }}", maxUnavailable: 2}
"""


def runs(world: World, template: str, version: str = "2.4.1") -> None:
    """Every cluster has four nodes and runs an old version of the component in this shape."""
    text = template.replace("{{ values.image }}", f"registry.local/node-agent:{version}")
    objects = list(yaml.safe_load_all(text.replace("{{ version }}", version)))
    world.write({"fleet/clusters/st-1.yaml": repo_files.cluster("st-1", "staging", 4)})
    world.changes({TEMPLATE: template}, "Another shape")
    for cluster in CLUSTERS:
        world.fleet.rebuild(cluster)
        world.fleet.seed(cluster, objects)
    world.run_for(minutes=5)


def numbers(world: World, cluster: str, path: tuple[str, ...]) -> list[Any]:
    """The partition of every patch that the cluster received, in order; "open" where it is gone."""
    found = []
    for write in world.fleet.writes(cluster):
        spec: Any = (write["patch"] or {}).get("spec", {})
        for part in path:
            if not isinstance(spec, dict) or part not in spec:
                break
            spec = spec[part]
        else:
            found.append(spec)
    return found


def planned(world: World, branch: str) -> dict[str, Any]:
    """What `plan --json` says of a pull request."""
    git, planner = world.bot.ports.git, world.bot.planner
    base, head = git.head("main"), git.head(f"pr/{branch}")
    assert base
    assert head
    shown = plan_json(planner.pull(base, head, now=world.clock.at))
    (release,) = json.loads(json.dumps(shown))["releases"]
    return {unit["unit"]: unit for stage in release["stages"] for unit in stage["units"]}


def certificates(world: World, release: str, unit: str) -> list[Certificate]:
    rows: tuple[Certificate, ...] = world.bot.ports.store.rows(Certificate, parent=release)
    return sorted((r for r in rows if r.unit == unit), key=lambda r: r.batch)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_count_of_the_plan_is_the_number_that_the_cluster_gets(
    world: World, shape: str
) -> None:
    """1, 2, 4 of four: three, two and none kept back, each told once, each proved pod by pod."""
    template, path = SHAPES[shape]
    runs(world, template)
    release = "node-agent-2-5-0"
    text = repo_files.release(release, "2.5.0")
    world.proposes(release, {f"releases/2026/{release}.yaml": text})
    unit = planned(world, release)[ST_1]
    assert (unit["batches"], unit["counts"]) == ([1, "50%", "100%"], [1, 2, 4])
    world.tick()
    world.merges(release)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running() == dict.fromkeys(sorted(CLUSTERS), "2.5.0×4")
    for cluster in CLUSTERS:
        assert numbers(world, cluster, path) == [3, 2, 0]
        proofs = certificates(world, release, f"node-agent@{cluster}")
        assert [(p.updated, p.total, p.final) for p in proofs] == [
            (1, 4, False),
            (2, 4, False),
            (4, 4, True),
        ]
        assert [len({pod["name"] for pod in p.pods}) for p in proofs] == [1, 2, 4]
        assert all(pod["node"].startswith("n-") for p in proofs for pod in p.pods)


def on_nodes(world: World, cluster: str) -> dict[str, int]:
    """Version → how many nodes of a cluster report it."""
    found: dict[str, int] = {}
    for node in world.fleet.nodes(cluster):
        notes = node["metadata"].get("annotations") or {}
        version = notes.get("kubenode.alibabacloud.com/node-agent", "")
        found[version] = found.get(version, 0) + 1
    return found


def test_a_component_of_the_nodes_themselves_is_counted_in_nodes(world: World) -> None:
    """No pod exists: the certificate names the nodes, and the plan counts them before."""
    runs(world, MACHINES)
    release = "node-agent-2-5-0"
    text = repo_files.release(release, "2.5.0")
    world.proposes(release, {f"releases/2026/{release}.yaml": text})
    assert planned(world, release)[ST_1]["counts"] == [1, 2, 4]
    world.tick()
    world.merges(release)
    world.run_until("2026-11-24T09:03:00Z")
    assert on_nodes(world, "st-1") == {"2.4.1": 3, "2.5.0": 1}
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    for cluster in CLUSTERS:
        assert on_nodes(world, cluster) == {"2.5.0": 4}
        assert numbers(world, cluster, ("partition",)) == [3, 2, 0]
        proofs = certificates(world, release, f"node-agent@{cluster}")
        assert [[pod["name"] for pod in p.pods] for p in proofs] == [
            ["n-4"],
            ["n-3", "n-4"],
            ["n-1", "n-2", "n-3", "n-4"],
        ]


@pytest.mark.parametrize("shape", [*SHAPES, "machines"])
def test_a_crash_in_the_first_batch_goes_no_further(world: World, shape: str) -> None:
    """One of four is lost, whatever the kind; the number still keeps three back afterwards."""
    template, path = SHAPES.get(shape, (MACHINES, ("partition",)))
    runs(world, template)
    images = ["registry.local/node-agent:2.5.0", "node-agent:2.5.0"]
    crash = [{"do": "crashLoop", "image": image} for image in images]
    world.changes({"fleet/clusters/st-1.yaml": repo_files.cluster("st-1", "staging", 4, crash)})
    release = world.releases()
    world.run_until("2026-11-24T12:00:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert numbers(world, "st-1", path) == [3]
    if shape == "machines":
        assert on_nodes(world, "st-1") == {"2.4.1": 3, "2.5.0": 1}
    else:
        assert world.running()["st-1"] == "2.4.1×3 2.5.0×1"
    assert certificates(world, release, ST_1) == []
    assert numbers(world, "eu-1", path) == []


@pytest.mark.parametrize("shape", SHAPES)
def test_pods_that_an_autoscaler_adds_in_a_batch_are_told_and_no_further_one_goes(
    world: World, shape: str
) -> None:
    """Four become eight while three are kept back: their controller makes the other five new.

    Nothing takes them back, so the certificate says five; the gate closes behind them.
    """
    template, path = SHAPES[shape]
    runs(world, template)
    unsized = template.replace("  replicas: 4\n", "")
    world.changes({TEMPLATE: unsized}, "An autoscaler has the number of pods")
    release = world.releases()
    world.run_until("2026-11-24T09:03:00Z")
    assert world.unit(release, ST_1).batch == 1
    scale(world, "st-1", 8)
    world.run_to_the_end(release)
    assert world.running()["st-1"] == "2.5.0×8"
    assert numbers(world, "st-1", path) == [3, 4, 0]
    proofs = certificates(world, release, ST_1)
    assert [(p.updated, p.total) for p in proofs] == [(5, 8), (5, 8), (8, 8)]


def scale(world: World, cluster: str, replicas: int) -> None:
    """An autoscaler asks for more."""
    (live,) = world.fleet.objects(cluster)
    ref = ObjectRef(live["apiVersion"], live["kind"], "infra", live["metadata"]["name"])
    body = {"spec": {"replicas": replicas}}
    write = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body=body)
    world.fleet.write(cluster, write, fence="", manager="autoscaler")
