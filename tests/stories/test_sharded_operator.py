"""An operator is released namespace by namespace: each is moved, and proved to be reconciled."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.model.state import Certificate
from tests import repo_files
from tests.world import World

CLUSTERS = ("st-1", "eu-1", "eu-2")
ST_1 = "node-agent@st-1"
TEAMS = ("team-a", "team-b", "team-c", "team-d", "team-e", "team-f")
TEMPLATE = "components/node-agent/templates/node-agent.yaml"
ROW = "workloadkinds/router.yaml"
NEW_IMAGE = "registry.local/node-agent:2.5.0"
OPERATOR = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: "op-{{ version | replace('.', '-') }}"
  namespace: infra
  labels: {app: node-agent, version: "op-{{ version }}"}
spec:
  replicas: 2
  selector: {matchLabels: {version: "op-{{ version }}"}}
  template:
    metadata: {labels: {app: node-agent, version: "op-{{ version }}"}}
    spec: {containers: [{name: op, image: "{{ values.image }}"}]}
---
apiVersion: mesh.example.com/v1
kind: Router
metadata: {name: op, namespace: infra}
spec:
  version: "op-{{ version }}"
  limits: [{selector: {key: namespace, operator: NotIn, values: []}}]
"""
LIST: list[Any] = ["spec", "limits", 0, "selector", "values"]
SHARDED: dict[str, Any] = {
    "namespaces": {"matchLabels": {"tenant": "yes"}},
    "list": LIST,
    "means": "keptOld",
    "manager": "spec.version",
    "resources": [{"apiVersion": "example.com/v1", "kind": "Tenant"}],
    "shards": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "matchLabels": {"app": "node-agent"},
        "identity": "metadata.labels.version",
    },
}


def row(**changed: Any) -> str:
    sharded = {name: value for name, value in (SHARDED | changed).items() if value is not None}
    target = {"apiVersion": "mesh.example.com/v1", "kind": "Router"}
    return repo_files.doc("WorkloadKind", "op", {"target": target, "shardedOperator": sharded})


def namespace(name: str, **labels: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": labels},
    }


def tenant(team: str, name: str = "main") -> dict[str, Any]:
    metadata = {"name": name, "namespace": team}
    return {"apiVersion": "example.com/v1", "kind": "Tenant", "metadata": metadata, "spec": {}}


def runs(world: World, spec: str | None = None, template: str = OPERATOR, **component: Any) -> None:
    """Six teams in each cluster, all of them reconciled by version 2.4.1."""
    world.write({"fleet/clusters/st-1.yaml": repo_files.cluster("st-1", "staging", 4)})
    own = {"batches": [1, "50%", "100%"]} | component
    files = {ROW: spec or row(), TEMPLATE: template,
             "components/node-agent/component.yaml": repo_files.component(**own)}  # fmt: skip
    for cluster in CLUSTERS:
        world.fleet.rebuild(cluster)
    world.changes(files, "An operator in shards")
    text = template.replace("{{ values.image }}", "registry.local/node-agent:2.4.1")
    text = text.replace("{{ version | replace('.', '-') }}", "2-4-1").replace(
        "{{ version }}", "2.4.1"
    )
    objects = [namespace(team, tenant="yes") for team in TEAMS]
    objects += [namespace("infra"), *yaml.safe_load_all(text)]
    objects += [tenant(team, name) for team in TEAMS for name in ("main", "side")]
    for cluster in CLUSTERS:
        world.fleet.seed(cluster, objects)
    world.run_for(minutes=5)


def reconciled(world: World, cluster: str) -> dict[str, set[str]]:
    """Namespace → who wrote its tenants last."""
    found: dict[str, set[str]] = {}
    for obj in world.fleet.every(cluster, "example.com/v1", "Tenant"):
        managers = [e for e in obj["metadata"]["managedFields"] if e["manager"].startswith("op-")]
        if managers:
            last = max(managers, key=lambda entry: entry["time"])["manager"]
            found.setdefault(obj["metadata"]["namespace"], set()).add(last)
    return found


def kept(world: World, cluster: str) -> list[Any]:
    """The list of the routing object in every write of it, in order."""
    found = []
    for write in world.fleet.writes(cluster):
        limits = ((write["patch"] or {}).get("spec") or {}).get("limits")
        if limits is not None and "/Router/" in write["object"]:
            found.append(limits[0]["selector"]["values"])
    return found


def by(version: str, *teams: str) -> dict[str, set[str]]:
    return {team: {f"op-{version}"} for team in teams}


def proofs(world: World, release: str) -> list[Certificate]:
    rows = world.bot.ports.store.rows(Certificate, parent=release)
    return sorted((c for c in rows if c.unit == ST_1), key=lambda c: c.batch)


def test_namespaces_move_batch_by_batch_and_the_old_version_goes_last(world: World) -> None:
    """1, 3, 6 of six teams; nothing moves before the new version's pods are ready."""
    runs(world)
    assert reconciled(world, "st-1") == by("2.4.1", *TEAMS)
    release = world.releases()
    world.run_until("2026-11-24T09:03:00Z")
    assert reconciled(world, "st-1") == by("2.5.0", "team-a") | by("2.4.1", *TEAMS[1:])
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    for cluster in CLUSTERS:
        assert reconciled(world, cluster) == by("2.5.0", *TEAMS)
        assert kept(world, cluster) == [list(TEAMS[1:]), list(TEAMS[3:]), []]
        assert world.running()[cluster] == "2.5.0×2"
        assert world.live(cluster, "Deployment", "op-2-4-1")["spec"]["replicas"] == 0


def test_the_certificate_names_the_namespaces_and_what_was_reconciled_there(world: World) -> None:
    """The counts are of namespaces, never mixed with the operator's own pods."""
    runs(world)
    release = world.releases()
    world.run_to_the_end(release)
    found = proofs(world, release)
    assert [(c.updated, c.total) for c in found] == [(1, 6), (3, 6), (6, 6)]
    assert [[pod["name"] for pod in c.pods] for c in found] == [
        list(TEAMS[:1]), list(TEAMS[:3]), list(TEAMS),
    ]  # fmt: skip
    first = found[0].pods[0]
    assert (first["objects"], first["reconciledBy"]) == (2, "op-2.5.0")
    assert first["movedAt"].startswith("2026-11-24T09:00:")


@pytest.mark.parametrize("do", ["idle", "crashLoop"])
def test_a_version_that_reconciles_nothing_fails_the_first_batch(world: World, do: str) -> None:
    """Ready pods prove nothing; one that crashes gets no namespace at all."""
    runs(world)
    faults = [{"do": do, "image": NEW_IMAGE}]
    text = repo_files.cluster("st-1", "staging", 4, faults)
    world.changes({"fleet/clusters/st-1.yaml": text}, "st-1 breaks")
    release = world.releases()
    world.run_until("2026-11-24T12:00:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert kept(world, "st-1") == ([list(TEAMS[1:])] if do == "idle" else [])
    assert kept(world, "eu-1") == []
    assert proofs(world, release) == []
    if do == "idle":
        said = world.thread(release)
        assert "2 of 2 objects not reconciled by op-2.5.0" in said
    world.says(f"rollback {release} broken")
    world.run_for(minutes=30)
    assert world.phase(release) == "ROLLED_BACK"
    assert reconciled(world, "st-1") == by("2.4.1", *TEAMS)
    assert world.live("st-1", "Deployment", "op-2-5-0") is None


def test_a_rollback_gives_every_namespace_back_and_proves_it(world: World) -> None:
    """The old version serves before it gets anything; the new one goes when it has nothing."""
    runs(world)
    found = {cluster: world.live(cluster, "Router", "op")["spec"] for cluster in CLUSTERS}
    release = world.releases()
    world.run_to_the_end(release)
    assert reconciled(world, "st-1") == by("2.5.0", *TEAMS)
    world.says(f"rollback {release} slow")
    world.run_for(minutes=40)
    assert world.phase(release) == "ROLLED_BACK"
    for cluster in CLUSTERS:
        assert reconciled(world, cluster) == by("2.4.1", *TEAMS)
        assert world.running()[cluster] == "2.4.1×2"
        assert world.live(cluster, "Router", "op")["spec"] == found[cluster]
        assert world.live(cluster, "Deployment", "op-2-5-0") is None
        notes = world.live(cluster, "Router", "op")["metadata"]["annotations"]
        assert "sluice/moved" not in notes
        order = [w["object"].split("/")[-1] for w in world.fleet.writes(cluster)][-4:]
        assert order == ["op-2-4-1", "op", "op-2-5-0", "op"]


def test_a_pause_moves_no_further_namespace(world: World) -> None:
    """What has moved stays with the version that has it."""
    runs(world)
    release = world.releases()
    world.run_until("2026-11-24T09:03:00Z")
    world.says(f"pause {release} wait")
    world.run_for(hours=2)
    assert kept(world, "st-1") == [list(TEAMS[1:])]
    assert reconciled(world, "st-1") == by("2.5.0", "team-a") | by("2.4.1", *TEAMS[1:])
    world.says(f"resume {release}")
    world.run_to_the_end(release)
    assert reconciled(world, "st-1") == by("2.5.0", *TEAMS)


def test_a_namespace_that_is_made_during_the_release_is_counted(world: World) -> None:
    """It has the new version, since the list names those that keep the old one; and is proved."""
    runs(world)
    release = world.releases()
    world.run_until("2026-11-24T09:03:00Z")
    for obj in (namespace("team-g", tenant="yes"), tenant("team-g")):
        metadata = obj["metadata"]
        ref = ObjectRef(obj["apiVersion"], obj["kind"], metadata.get("namespace", ""),
                        metadata["name"])  # fmt: skip
        write = Write(ref=ref, verb="create", purpose=Purpose.FORWARD, body=obj)
        world.fleet.write("st-1", write, fence="", manager="kubectl")
    world.run_to_the_end(release)
    assert reconciled(world, "st-1") == by("2.5.0", *TEAMS, "team-g")
    assert [(c.updated, c.total) for c in proofs(world, release)] == [(2, 7), (4, 7), (7, 7)]
    assert kept(world, "eu-1") == [list(TEAMS[1:]), list(TEAMS[3:]), []]


def test_where_the_list_names_the_moved_ones_it_grows(world: World) -> None:
    """The other sign; at the end the list holds what gives everything to the new version."""
    template = OPERATOR.replace("values: []", 'values: ["*"]')
    runs(world, row(means="updated", open=["*"]), template)
    release = world.releases()
    world.run_to_the_end(release)
    assert kept(world, "st-1") == [["team-a"], list(TEAMS[:3]), ["*"]]
    assert reconciled(world, "st-1") == by("2.5.0", *TEAMS)


def test_an_operator_that_says_who_reconciled_is_believed(world: World) -> None:
    """It need not write where nothing differs: a field of the object tells its version."""
    runs(world, row(reconciledBy="status.reconciledBy"))
    release = world.releases()
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert [(c.updated, c.total) for c in proofs(world, release)] == [(1, 6), (3, 6), (6, 6)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("version: \"op-{{ version }}\"\n  limits", "version: op\n  limits"),
            "does not name 2.5.0",
        ),
        (("values: []", "names: []"), "no list stands at spec.limits.0.selector.values"),
        (
            ("labels: {app: node-agent, version: \"op-{{ version }}\"}\nspec",
             "labels: {app: node-agent, version: \"{{ version }}\"}\nspec"),
            "no rendered Deployment of the operator has op-2.5.0",
        ),
    ],
    ids=["one name for two versions", "no list", "nothing runs the version"],
)  # fmt: skip
def test_what_would_move_nothing_and_be_taken_for_done_is_refused(
    world: World, change: tuple[str, str], said: str
) -> None:
    """The plan has the rendered objects: the slip is told before anything is merged."""
    runs(world)
    assert change[0] in OPERATOR
    world.changes({TEMPLATE: OPERATOR.replace(*change)}, "A slip")
    text = repo_files.release("op-2", "2.5.0")
    world.proposes("op-2", {"releases/2026/op-2.yaml": text})
    git = world.bot.ports.git
    base, head = git.head("main"), git.head("pr/op-2")
    assert base
    assert head
    plan = world.bot.planner.pull(base, head, now=world.clock.at)
    assert plan.releases == ()
    found = [finding for finding in plan.findings if finding.code == "row-does-not-fit"]
    assert {finding.path for finding in found} == {ROW}
    assert any(said in finding.message for finding in found)


def test_a_namespace_that_goes_takes_its_place_in_the_batch_along(world: World) -> None:
    """Nobody is moved in its stead, and nobody is ill for it."""
    runs(world)
    release = world.releases()
    world.run_until("2026-11-24T09:10:00Z")
    assert kept(world, "st-1") == [list(TEAMS[1:]), list(TEAMS[3:])]
    ref = ObjectRef("v1", "Namespace", "", "team-a")
    write = Write(ref=ref, verb="delete", purpose=Purpose.FORWARD)
    world.fleet.write("st-1", write, fence="", manager="kubectl")
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert kept(world, "st-1") == [list(TEAMS[1:]), list(TEAMS[3:]), []]
    assert [(c.updated, c.total) for c in proofs(world, release)] == [(1, 6), (2, 5), (5, 5)]


def test_the_next_release_of_the_operator_finds_no_drift_and_takes_the_next_turn(
    world: World,
) -> None:
    """What our own batches wrote into the routing object is nobody's edit."""
    runs(world)
    first = world.releases()
    world.run_to_the_end(first)
    second = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_to_the_end(second)
    assert reconciled(world, "st-1") == by("2.6.0", *TEAMS)
    assert kept(world, "st-1")[3:] == [list(TEAMS[1:]), list(TEAMS[3:]), []]
    assert world.running()["st-1"] == "2.6.0×2"
    assert [world.live("st-1", "Deployment", f"op-2-{n}-{m}")["spec"]["replicas"] for n, m in
            ((4, 1), (5, 0), (6, 0))] == [0, 0, 2]  # fmt: skip
    world.says(f"rollback {second} slow")
    world.run_for(minutes=40)
    assert world.phase(second) == "ROLLED_BACK"
    assert reconciled(world, "st-1") == by("2.5.0", *TEAMS)
    assert world.running()["st-1"] == "2.5.0×2"


def test_a_rollback_gives_nothing_to_a_version_that_is_gone(world: World) -> None:
    """Somebody deleted the old version: its namespaces stay where something serves them."""
    runs(world)
    release = world.releases()
    world.run_until("2026-11-24T09:03:00Z")
    ref = ObjectRef("apps/v1", "Deployment", "infra", "op-2-4-1")
    write = Write(ref=ref, verb="delete", purpose=Purpose.FORWARD)
    world.fleet.write("st-1", write, fence="", manager="kubectl")
    world.says(f"rollback {release} slow")
    world.run_for(minutes=30)
    assert kept(world, "st-1") == [list(TEAMS[1:])]
    assert world.unit(release, ST_1).phase == "FAILED"


def test_only_the_version_before_is_sent_away(world: World) -> None:
    """What else carries the labels of the operator is not ours to scale."""
    runs(world)
    text = OPERATOR.split("---")[0].replace("{{ version | replace('.', '-') }}", "x")
    text = text.replace("{{ version }}", "debug").replace("{{ values.image }}", "debug:1")
    other = yaml.safe_load(text)
    world.fleet.seed("st-1", [other])
    release = world.releases()
    world.run_to_the_end(release)
    assert world.live("st-1", "Deployment", "op-x")["spec"]["replicas"] == 2
    assert world.live("st-1", "Deployment", "op-2-4-1")["spec"]["replicas"] == 0


def test_lost_answers_and_a_bot_that_dies_move_nothing_twice(world: World) -> None:
    """The note of what was moved stands in the cluster: a new process goes on from there."""
    runs(world)
    faults = [{"do": "loseAnswers", "every": 2}]
    text = repo_files.cluster("st-1", "staging", 4, faults)
    world.changes({"fleet/clusters/st-1.yaml": text}, "st-1 loses answers")
    release = world.releases()
    for minute in ("09:00:12", "09:03:00", "09:06:10", "09:12:00"):
        world.run_until(f"2026-11-24T{minute}Z")
        world.dies()
        world.start()
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert kept(world, "st-1") == [list(TEAMS[1:]), list(TEAMS[3:]), []]
    assert reconciled(world, "st-1") == by("2.5.0", *TEAMS)
    assert world.running()["st-1"] == "2.5.0×2"
    world.says(f"rollback {release} slow")
    world.run_for(minutes=40)
    assert world.phase(release) == "ROLLED_BACK"
    assert reconciled(world, "st-1") == by("2.4.1", *TEAMS)
