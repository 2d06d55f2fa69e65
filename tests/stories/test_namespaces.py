"""Namespaces: units with objects of their own go side by side, those that share one do not."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests import repo_files
from tests.stories.scopes import EU_1, TEMPLATE, as_of, cluster, one_stage, only_eu_1
from tests.stories.test_kinds import DEPLOYMENT
from tests.world import World

TEAMS = ("team-a", "team-b", "team-c")
A, B, C = (f"{EU_1}/namespace:{team}" for team in TEAMS)
NAMESPACES = [{"name": team, "labels": {"wave": str(n)}} for n, team in enumerate(TEAMS, 1)]
OWN = DEPLOYMENT.replace("namespace: infra", "namespace: {{ unit.namespace }}").replace(
    "replicas: 4", "replicas: 2"
)
STATEFUL = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: node-agent, namespace: "{{ unit.namespace }}"}
spec:
  replicas: 2
  serviceName: node-agent
  selector: {matchLabels: {app: node-agent}}
  template:
    metadata: {labels: {app: node-agent}}
    spec: {containers: [{name: agent, image: "{{ values.image }}"}]}
"""
SHARED = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: node-agent, labels: {version: "{{ version }}"}}
rules: []
---
"""


def namespaced(world: World, template: str, **more: Any) -> None:
    """eu-1 has three namespaces, and each runs 2.4.1 of the component."""
    file = cluster(nodeSets=None, namespaces=NAMESPACES)
    only_eu_1(world, template, scope="namespace", running=False, cluster_file=file, **more)
    seeded: list[Any] = []
    for team in TEAMS:
        text = as_of(template, "2.4.1").replace("{{ unit.namespace }}", team)
        for obj in yaml.safe_load_all(text):
            if obj["metadata"].get("namespace") or not seeded:
                seeded.append(obj)
    world.fleet.seed("eu-1", seeded)
    world.run_for(minutes=5)


def versions(world: World) -> dict[str, str]:
    """Namespace → the versions of its pods."""
    found: dict[str, set[str]] = {}
    for pod in world.fleet.pods("eu-1"):
        tag = pod["spec"]["containers"][0]["image"].rpartition(":")[2]
        found.setdefault(pod["metadata"]["namespace"], set()).add(tag)
    return {team: " ".join(sorted(tags)) for team, tags in sorted(found.items())}


ALL_OLD = dict.fromkeys(TEAMS, "2.4.1")
ALL_NEW = dict.fromkeys(TEAMS, "2.5.0")


@pytest.mark.parametrize("template", [OWN, STATEFUL], ids=["Deployment", "StatefulSet"])
def test_namespaces_go_wave_by_wave_each_on_its_own(world: World, template: str) -> None:
    """The pipeline sees the labels of a namespace; the others are not touched before their turn."""
    namespaced(world, template, pipeline=_two_stages())
    release = world.releases()
    assert [[*s.waves] for s in world.active(release).index.plan.stages] == [[(A,)], [(B, C)]]
    while world.unit(release, B).began is None:
        assert versions(world)["team-b"] == versions(world)["team-c"] == "2.4.1"
        world.run_for(seconds=30)
    assert versions(world)["team-a"] == "2.5.0"
    assert world.unit(release, C).in_flight, "side by side: they share no object"
    world.run_to_the_end(release)
    assert versions(world) == ALL_NEW


def _two_stages() -> str:
    first = {"name": "first", "units": {"matchLabels": {"wave": "1"}}}
    others = {"name": "others", "units": {}}
    return repo_files.doc("Pipeline", "standard", {"stages": [first, others]})


def test_one_namespace_is_taken_back_and_the_others_stay(world: World) -> None:
    """They have nothing in common."""
    namespaced(world, OWN)
    release = world.releases()
    world.run_to_the_end(release)
    assert world.says(f"rollback {B} their tests fail").body["units"] == 1
    world.run_for(minutes=10)
    assert versions(world) == ALL_NEW | {"team-b": "2.4.1"}


def test_what_namespaces_share_is_written_once_and_goes_back_with_all(world: World) -> None:
    """One ClusterRole for all of them: one namespace after another, and back together."""
    namespaced(world, SHARED + OWN)
    release = world.releases()
    together = 0
    while world.phase(release) != "SUCCEEDED":
        world.run_for(seconds=30)
        flying = [name for name in (A, B, C) if world.unit(release, name).in_flight]
        together = max(together, len(flying))
    assert together == 1
    roles = [w for w in world.fleet.writes("eu-1") if "ClusterRole" in w["object"]]
    assert len(roles) == 1
    assert world.says(f"rollback {B} no").body["units"] == 3
    world.run_for(minutes=20)
    assert versions(world) == ALL_OLD
    role = world.live("eu-1", "ClusterRole")
    assert role["metadata"]["labels"] == {"version": "2.4.1"}
    ends = [event.unit for event in world.events(release, "unit.rolled-back")]
    assert ends == [C, B, A]


def test_a_workload_that_all_namespaces_share_is_a_mistake(world: World) -> None:
    """Who forgets `unit.namespace` would release it once for each of them."""
    namespaced(world, OWN)
    world.write({TEMPLATE: DEPLOYMENT})
    world.changes({}, "Forgot the namespace")
    release = world.releases()
    assert world.active(release).unplanned
    held = [h.reason for h in world.bot.board.holds.values() if h.release == release]
    assert any("Deployment infra/node-agent is one workload in eu-1" in why for why in held)


def test_a_failure_in_one_namespace_leaves_the_others_alone(world: World) -> None:
    """`onFailure: rollbackUnit` takes back the namespace that failed."""
    namespaced(
        world,
        OWN,
        component={"onFailure": "rollbackUnit"},
        pipeline=one_stage(maxConcurrency=1, order="name", maxFailures=1),
    )
    release = world.releases()
    while world.unit(release, B).began is None:
        world.run_for(seconds=30)
    broken = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
    file = cluster(nodeSets=None, namespaces=NAMESPACES, faults=[broken])
    world.changes({"fleet/clusters/eu-1.yaml": file}, "It crashes")
    world.run_for(hours=1)
    assert world.unit(release, B).phase == "ROLLED_BACK"
    assert versions(world)["team-b"] == "2.4.1"
    assert versions(world)["team-a"] == "2.5.0"
