"""A release repo with a custom resource of its own: its row makes it roll like any other kind."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bot.core.messages import why
from bot.core.plan_json import plan_json
from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef, ReleasePlan
from bot.model.state import Certificate
from tests import repo_files
from tests.world import World

CLUSTERS = ("st-1", "eu-1", "eu-2")
ST_1 = "node-agent@st-1"
TEMPLATE = "components/node-agent/templates/node-agent.yaml"
ROW = "workloadkinds/widget.yaml"
WIDGET = """\
apiVersion: example.com/v1
kind: Widget
metadata: {name: node-agent, namespace: infra}
spec:
  replicas: 4
  selector: {matchLabels: {app: node-agent}}
  roll: {atOnce: 2}
  template:
    metadata: {labels: {app: node-agent}}
    spec: {containers: [{name: agent, image: "{{ values.image }}"}]}
"""
SPEC: dict[str, Any] = {
    "target": {"apiVersion": "example.com/v1", "kind": "Widget"},
    "replicas": "spec.replicas",
    "partition": {"path": "spec.roll.hold", "means": "keptOld"},
    "paused": "spec.roll.stopped",
    "maxUnavailable": "spec.roll.atOnce",
    "observedGeneration": "status.observedGeneration",
    "updateRevision": "status.newest",
    "podLabel": "example.com/revision",
}


def row(**changed: Any) -> str:
    spec = {name: value for name, value in (SPEC | changed).items() if value is not None}
    return repo_files.doc("WorkloadKind", "widget", spec)


def runs(world: World, spec: str, template: str = WIDGET) -> None:
    """Every cluster has four nodes, the operator of the row, and widgets of 2.4.1."""
    world.write({"fleet/clusters/st-1.yaml": repo_files.cluster("st-1", "staging", 4)})
    world.changes({ROW: spec, TEMPLATE: template}, "Widgets")
    text = template.replace("{{ values.image }}", "registry.local/node-agent:2.4.1")
    for cluster in CLUSTERS:
        world.fleet.rebuild(cluster)
    world.changes({}, "The clusters are empty now")
    for cluster in CLUSTERS:
        world.fleet.seed(cluster, list(yaml.safe_load_all(text)))
    world.run_for(minutes=5)


def holds(world: World, cluster: str, field: str = "hold") -> list[Any]:
    """What the cluster was told to hold back, in order."""
    specs = [(w["patch"] or {}).get("spec", {}) for w in world.fleet.writes(cluster)]
    rolls = [spec["roll"] for spec in specs if "roll" in spec]
    return [roll[field] for roll in rolls if field in roll]


def shown(world: World, branch: str) -> Any:
    git = world.bot.ports.git
    base, head = git.head("main"), git.head(f"pr/{branch}")
    assert base
    assert head
    return plan_json(world.bot.planner.pull(base, head, now=world.clock.at))


def proposed(world: World, branch: str = "widgets-2", **files: str) -> Any:
    """What the plan of a release says, with these files in its pull request."""
    text = repo_files.release("widgets-2", "2.5.0")
    world.proposes(branch, {"releases/2026/widgets-2.yaml": text, **files})
    return shown(world, branch)


def test_a_custom_resource_rolls_in_the_batches_that_were_planned(world: World) -> None:
    """The plan counts its pods, the cluster is told how many to hold, each pod is proved."""
    runs(world, row())
    (release,) = proposed(world)["releases"]
    counts = {u["unit"]: u["counts"] for stage in release["stages"] for u in stage["units"]}
    assert counts == {f"node-agent@{cluster}": [1, 2, 4] for cluster in CLUSTERS}
    world.tick()
    world.merges("widgets-2")
    world.run_until("2026-11-24T09:03:00Z")
    assert world.running()["st-1"] == "2.4.1×3 2.5.0×1"
    world.run_to_the_end("widgets-2")
    assert world.phase("widgets-2") == "SUCCEEDED"
    assert world.running() == dict.fromkeys(sorted(CLUSTERS), "2.5.0×4")
    for cluster in CLUSTERS:
        assert holds(world, cluster) == [3, 2, 0]
    proofs = [
        c for c in world.bot.ports.store.rows(Certificate, parent="widgets-2") if c.unit == ST_1
    ]
    assert sorted((c.updated, len(c.pods)) for c in proofs) == [(1, 1), (2, 2), (4, 4)]


def test_where_the_number_means_the_new_ones_it_is_told_the_new_ones(world: World) -> None:
    """The same release, a row of the opposite sign: nobody but the row knows."""
    runs(world, row(partition={"path": "spec.roll.upTo", "means": "updated"}))
    release = world.releases("widgets-2")
    world.run_to_the_end(release)
    assert world.running() == dict.fromkeys(sorted(CLUSTERS), "2.5.0×4")
    assert holds(world, "st-1", "upTo") == [1, 2, None], "taken away, so that all may go"


def test_a_custom_resource_halts_and_goes_back(world: World) -> None:
    """A crash in the first batch: no second one, and one patch brings template and gate back."""
    runs(world, row())
    found = {cluster: world.live(cluster, "Widget")["spec"] for cluster in CLUSTERS}
    crash = [{"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}]
    text = repo_files.cluster("st-1", "staging", 4, crash)
    world.changes({"fleet/clusters/st-1.yaml": text}, "st-1 breaks")
    release = world.releases("widgets-2")
    world.run_until("2026-11-24T12:00:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert holds(world, "st-1") == [3]
    assert world.running()["st-1"] == "2.4.1×3 2.5.0×1"
    assert world.running()["eu-1"] == "2.4.1×4"
    world.says(f"rollback {release} crashes")
    world.run_for(minutes=30)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == dict.fromkeys(sorted(CLUSTERS), "2.4.1×4")
    assert {cluster: world.live(cluster, "Widget")["spec"] for cluster in CLUSTERS} == found


def test_a_pause_stops_its_controller_in_the_middle(world: World) -> None:
    """Where the row says that `true` stops it, it is written there."""
    slow = {"do": "slow", "image": "registry.local/node-agent:2.5.0", "takes": "4m"}
    runs(world, row())
    faulty = {"fleet/clusters/st-1.yaml": repo_files.cluster("st-1", "staging", 4, [slow])}
    whole = {"components/node-agent/component.yaml": repo_files.component(batches=["100%"])}
    world.changes(faulty | whole, "All at once, slowly")
    release = world.releases("widgets-2")
    world.run_until("2026-11-24T09:00:20Z")
    world.says(f"pause {release} wait")
    world.run_for(seconds=20)
    assert world.live("st-1", "Widget")["spec"]["roll"] == {
        "atOnce": 2,
        "hold": 2,
        "stopped": True,
    }
    world.run_for(minutes=30)
    assert world.running()["st-1"] == "2.4.1×2 2.5.0×2"
    world.says(f"resume {release}")
    world.run_to_the_end(release)
    assert world.running()["st-1"] == "2.5.0×4"
    assert not world.live("st-1", "Widget")["spec"]["roll"].get("stopped")


def test_a_row_that_changes_on_main_moves_no_running_release(world: World) -> None:
    """It was approved with the row that it had: that one is in the plan, and under its hash."""
    runs(world, row())
    release = world.releases("widgets-2")
    world.run_until("2026-11-24T09:03:00Z")
    assert holds(world, "st-1") == [3]
    planned = world.bot.ports.store.get(ReleasePlan, release)
    assert planned is not None
    (frozen,) = planned.rows
    assert frozen["partition"] == {"path": ["spec", "roll", "hold"], "means": "keptOld"}
    world.changes({ROW: row(partition={"path": "spec.roll.hold", "means": "updated"})}, "Turn it")
    world.run_until("2026-11-24T09:20:00Z")
    assert holds(world, "st-1") == [3, 2, 0], "the plan's row, not that of now"


def test_another_row_is_another_plan(world: World) -> None:
    """The same objects under another row are moved otherwise: no approval carries over."""
    runs(world, row())
    (before,) = proposed(world)["releases"]
    world.changes({ROW: row(maxUnavailable=None)}, "No limit")
    (after,) = proposed(world, "widgets-2-again")["releases"]
    assert before["planHash"] != after["planHash"]
    world.changes({"workloadkinds/other.yaml": repo_files.doc(
        "WorkloadKind", "other", SPEC | {"target": {"apiVersion": "x.io/v1", "kind": "Other"}}
    )}, "A row that it does not use")  # fmt: skip
    (again,) = proposed(world, "widgets-2-once-more")["releases"]
    assert after["planHash"] == again["planHash"]


def test_a_release_brings_no_row(world: World) -> None:
    """Else it could say that three of four are held back where none is."""
    runs(world, row())
    plan = proposed(world, **{ROW: row(partition={"path": "spec.roll.x", "means": "keptOld"})})
    assert plan["releases"] == []
    assert "release-with-rules" in {finding["code"] for finding in plan["findings"]}


@pytest.mark.parametrize(
    ("files", "code", "place", "hint"),
    [
        ({ROW: None}, "unknown-workload", "components/node-agent/component.yaml", "workloadkinds/"),
        (
            {TEMPLATE: WIDGET.replace("example.com/v1", "example.com/v1beta1")},
            "unknown-workload",
            "components/node-agent/component.yaml",
            "there is a row for example.com/v1",
        ),
        ({ROW: row(template="spec.tmplate")}, "row-does-not-fit", ROW, "new version"),
    ],
    ids=["no row", "a row of another version", "a slip in the template's path"],
)
def test_what_would_go_everywhere_at_once_is_refused_with_the_way_out(
    world: World, files: dict[str, str | None], code: str, place: str, hint: str
) -> None:
    """A workload without a row that fits is applied to all its pods and taken for done."""
    runs(world, row())
    world.changes(files, "A slip")
    plan = proposed(world)
    assert plan["releases"] == []
    (found,) = plan["findings"]
    assert (found["code"], found["path"]) == (code, place)
    assert hint in found["hint"]


def test_one_that_only_counts_is_proved_by_its_counts(world: World) -> None:
    """No label tells which pods are new: the status does, and what is not ready counts as new."""
    runs(world, row(podLabel=None, updateRevision=None, updated="status.changed",
                    ready="status.serving"))  # fmt: skip
    release = world.releases("widgets-2")
    world.run_to_the_end(release)
    assert world.running() == dict.fromkeys(sorted(CLUSTERS), "2.5.0×4")
    assert holds(world, "st-1") == [3, 2, 0]


PER_NODE = WIDGET.replace("  replicas: 4\n", "").replace("Widget", "NodeWidget")


def test_one_that_counts_nodes_and_is_deleted_pod_by_pod(world: World) -> None:
    """No partition, but `type: OnDelete`: we delete in order, a node at a time."""
    spec = row(
        target={"apiVersion": "example.com/v1", "kind": "NodeWidget"},
        counts="nodes",
        replicas="status.nodes",
        partition=None,
        onDelete=True,
        strategy="spec.roll",
    )
    runs(world, spec, PER_NODE)
    (release,) = proposed(world)["releases"]
    assert release["stages"][0]["units"][0]["counts"] == [1, 2, 4]
    nodes = {p["metadata"]["name"]: p["spec"]["nodeName"] for p in world.fleet.pods("st-1")}
    world.tick()
    world.merges("widgets-2")
    world.run_until("2026-11-24T09:03:00Z")
    assert world.live("st-1", "NodeWidget")["spec"]["roll"]["type"] == "OnDelete"
    assert world.running()["st-1"] == "2.4.1×3 2.5.0×1"
    world.run_to_the_end("widgets-2")
    objects = [write["object"] for write in world.fleet.writes("st-1")]
    deleted = [key.split("/")[-1] for key in objects if "/Pod/" in key]
    assert [nodes[pod] for pod in deleted] == sorted(nodes.values(), reverse=True)
    assert "type" not in world.live("st-1", "NodeWidget")["spec"]["roll"]


def test_nothing_begins_while_nobody_says_how_many_there_are(world: World) -> None:
    """A batch of an unknown number would be all of it: it waits, says so, and goes on by itself."""
    unsized = WIDGET.replace("  replicas: 4\n", "")
    runs(world, row(), unsized)
    release = world.releases("widgets-2")
    world.run_until("2026-11-24T09:20:00Z")
    assert world.writes("st-1") == []
    said = {line.unit: why(line.wait) for line in world.active(release).waiting}[ST_1]
    assert "nobody says how many Widget infra/node-agent is to have" in said
    assert "spec.replicas" in said
    for cluster in CLUSTERS:
        ref = ObjectRef("example.com/v1", "Widget", "infra", "node-agent")
        body = {"spec": {"replicas": 4}}
        write = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body=body)
        world.fleet.write(cluster, write, fence="", manager="autoscaler")
    world.run_to_the_end(release)
    assert holds(world, "st-1") == [3, 2, 0]
    assert world.running() == dict.fromkeys(sorted(CLUSTERS), "2.5.0×4")


NODE_ROW: dict[str, Any] = {
    "target": {"apiVersion": "example.com/v1", "kind": "NodeWidget"},
    "counts": "nodes",
    "replicas": "status.nodes",
    "partition": None,
    "strategy": "spec.roll",
}


def of_nodes(world: World, **changed: Any) -> Any:
    """A component whose units are single nodes, and what the plan of its release says."""
    runs(world, row(**NODE_ROW | changed), PER_NODE)
    simulated = {"group": "staging", "connection": {"simulated": {"nodes": 4}}}
    cluster = repo_files.doc("Cluster", "st-1", simulated | {"nodes": ["n-1", "n-2"]})
    component = repo_files.component(scope="node", batches=["100%"])
    world.changes(
        {"fleet/clusters/st-1.yaml": cluster, "components/node-agent/component.yaml": component},
        "Nodes one by one",
    )
    return proposed(world)


def test_a_row_that_says_so_can_be_released_node_by_node(world: World) -> None:
    """`onDelete: true`: only the pods of that node are deleted."""
    (release,) = of_nodes(world, onDelete=True)["releases"]
    units = [u["unit"] for stage in release["stages"] for u in stage["units"]]
    assert units == ["node-agent@st-1/node:n-1", "node-agent@st-1/node:n-2"]
    world.tick()
    world.merges("widgets-2")
    world.run_to_the_end("widgets-2")
    assert world.phase("widgets-2") == "SUCCEEDED"
    new = {p["spec"]["nodeName"] for p in world.fleet.pods("st-1")
           if p["metadata"]["name"] in world.pods("st-1", "2.5.0")}  # fmt: skip
    assert new == {"n-1", "n-2"}


def test_a_row_that_does_not_say_so_has_no_units_of_nodes(world: World) -> None:
    """Nobody knows whether its controller leaves the other nodes alone."""
    plan = of_nodes(world, partition={"path": "spec.roll.hold", "means": "keptOld"})
    assert plan["releases"] == []
    assert any("node" in finding["message"] for finding in plan["findings"])
