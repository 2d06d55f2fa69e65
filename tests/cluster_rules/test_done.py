"""When a batch is done: proved pod by pod, against our own revision, after our own write."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from bot.cluster.drive import Mode, drive, facts, guess_total, stops_part_way, total_of, up_to_date
from bot.model.seen import UnitSeen
from checks.verdict import Verdict
from checks.workload import ask
from tests.cluster_rules.unit import KINDS, KRUISE, NINE, Unit, config_map, release, workload

NEW_IMAGE = "registry.local/agent:2"
EVERY_KIND = pytest.mark.parametrize(("api_version", "kind"), KINDS)


@EVERY_KIND
def test_a_status_older_than_our_write_proves_nothing(api_version: str, kind: str) -> None:
    """The most reported false "done": the previous version's health taken for the new one's."""
    unit = release(api_version, kind)
    goal = unit.goal(Mode.FORWARD, 0)
    unit.step(goal)
    progress = unit.step(goal)
    assert (progress.converged, progress.waiting) == (False, "controller-lag")


@EVERY_KIND
def test_the_health_of_the_version_before_is_not_ours(api_version: str, kind: str) -> None:
    """Ten of ten are ready, and not one of them is what was just written."""
    unit = release(api_version, kind)
    goal = unit.goal(Mode.FORWARD, 2)
    assert unit.step(goal).writes
    progress = unit.step(goal)
    assert (progress.updated, progress.pods, progress.healthy) == (0, (), False)


@pytest.mark.parametrize(("api_version", "kind"), [k for k in KINDS if k[0] == "apps/v1"])
def test_a_template_that_nothing_carries_is_another_revision(api_version: str, kind: str) -> None:
    """Seen by its controller, and no ReplicaSet or ControllerRevision of it yet: nothing counts."""
    unit = release(api_version, kind)
    assert unit.forward(2).converged
    seen = unit.look()
    there = seen.objects[unit.ref.key]
    live = copy.deepcopy(there.live)
    live["status"].pop("updateRevision", None)
    pods = tuple(child for child in there.children if child["kind"] == "Pod")
    bare = replace(there, live=live, children=pods)
    progress = drive(
        unit.goal(Mode.FORWARD, 2), replace(seen, objects={unit.ref.key: bare}), unit.clock.now()
    )
    assert (progress.waiting, progress.updated, progress.healthy) == ("other-revision", 0, False)


@EVERY_KIND
def test_pods_must_have_been_ready_for_min_ready_seconds(api_version: str, kind: str) -> None:
    spec: dict[str, Any] = {"minReadySeconds": 60}
    if (api_version, kind) == (KRUISE, "StatefulSet"):
        spec = {"updateStrategy": {"rollingUpdate": spec}}
    unit = release(api_version, kind, spec=spec)
    unit.clock.pass_by(120)
    assert not unit.forward(1, seconds=55).converged
    assert unit.run(unit.goal(Mode.FORWARD, 1), seconds=60).converged


@EVERY_KIND
def test_a_slow_pod_is_waited_for(api_version: str, kind: str) -> None:
    fault = {"do": "slow", "image": "registry.local/agent:2", "takes": "5m"}
    unit = release(api_version, kind, faults=[fault])
    assert unit.forward(1, seconds=240).waiting == "progress"
    assert unit.run(unit.goal(Mode.FORWARD, 1), seconds=120).converged


@EVERY_KIND
def test_an_old_pod_that_breaks_meanwhile_is_collateral(api_version: str, kind: str) -> None:
    """The batch must not end well when something else broke with it."""
    unit = release(api_version, kind)
    unit.run(unit.goal(Mode.FORWARD, 1), seconds=2)
    old = unit.nodes_on("1")[0]
    name = next(
        p["metadata"]["name"] for p in unit.pods() if unit.node(p) == old and unit.version(p) == "1"
    )
    unit.fleet.sicken("c", [name])
    progress = unit.run(unit.goal(Mode.FORWARD, 1), seconds=60)
    assert not progress.converged
    assert progress.waiting in ("collateral", "progress")
    assert progress.unavailable >= 1


@EVERY_KIND
def test_health_in_the_soak_is_lost_with_a_wanted_pod(api_version: str, kind: str) -> None:
    unit = release(api_version, kind)
    assert unit.forward(2).healthy
    node = unit.nodes_on("2")[0]
    names = [
        p["metadata"]["name"]
        for p in unit.pods()
        if unit.node(p) == node and unit.version(p) == "2"
    ]
    unit.fleet.sicken("c", names)
    unit.clock.pass_by(1)
    assert not unit.step(unit.goal(Mode.FORWARD, 2)).healthy


@EVERY_KIND
def test_health_in_the_soak_is_lost_with_an_old_pod(api_version: str, kind: str) -> None:
    """What the batch brought stands, and something beside it broke: the silence is for that."""
    unit = release(api_version, kind)
    assert unit.forward(2).healthy
    name = next(p["metadata"]["name"] for p in unit.pods() if unit.version(p) == "1")
    unit.fleet.sicken("c", [name])
    unit.clock.pass_by(1)
    assert not unit.step(unit.goal(Mode.FORWARD, 2)).healthy


@EVERY_KIND
def test_the_certificate_names_the_pods_that_counted(api_version: str, kind: str) -> None:
    unit = release(api_version, kind)
    pods = unit.forward(2).pods
    assert len(pods) == 2
    for pod in pods:
        assert pod["images"] == ["registry.local/agent:2"]
        assert (pod["ready"], pod["restarts"]) == (True, 0)
        assert pod["revision"]
        assert pod["node"].startswith("n-")


@EVERY_KIND
def test_a_change_by_hand_is_not_taken_for_our_version(api_version: str, kind: str) -> None:
    """Somebody patches the image under a running batch: it is put right, not counted."""
    unit = release(api_version, kind)
    unit.forward(1)
    other = workload(api_version, kind, "by-hand")["spec"]["template"]["spec"]
    unit.patch({"spec": {"template": {"spec": {"containers": other["containers"]}}}})
    unit.clock.pass_by(60)  # its controller has rolled it, and its pods are ready
    progress = unit.step(unit.goal(Mode.FORWARD, 1))
    assert (progress.converged, progress.healthy, progress.updated) == (False, False, 0)


@EVERY_KIND
def test_what_already_runs_as_wanted_is_up_to_date(api_version: str, kind: str) -> None:
    """Equal and rolled out: the unit succeeds without a write."""
    unit = release(api_version, kind)
    old = tuple((ref, obj) for (ref, _), obj in zip(unit.objects, unit.old, strict=True))
    assert up_to_date(old, {}, unit.look())
    assert not up_to_date(unit.objects, {}, unit.look())
    unit.forward(3)
    assert not up_to_date(unit.objects, {}, unit.look())
    unit.finish()
    assert up_to_date(unit.objects, {}, unit.look())


@EVERY_KIND
def test_a_first_install_is_created_whole_and_converges(api_version: str, kind: str) -> None:
    unit = Unit(old=[], new=[workload(api_version, kind, "2")])
    assert unit.before == {unit.ref.key: None}
    progress = unit.forward(10, final=True)
    assert progress.converged
    assert [w.verb for w in unit.sent] == ["create"]
    assert progress.updated == progress.total == 10


@EVERY_KIND
def test_undoing_a_first_install_deletes_only_when_somebody_said_so(
    api_version: str, kind: str
) -> None:
    unit = Unit(old=[], new=[config_map(a="1"), workload(api_version, kind, "2")])
    unit.finish()
    assert unit.restore().converged
    assert unit.live() is not None
    assert unit.restore(undo_installs=True).converged
    assert unit.live() is None
    deletes = [w.ref.kind for w in unit.sent if w.verb == "delete"]
    assert deletes == [kind, "ConfigMap"]


def test_a_second_workload_waits_until_the_first_has_its_batch() -> None:
    """Batch k of each, in file order: two bad versions at once would be one too many."""
    fault = {"do": "neverReady", "image": "registry.local/one:2"}
    pair = [[workload(KRUISE, "DaemonSet", v, name) for name in ("one", "two")] for v in "12"]
    unit = Unit(old=pair[0], new=pair[1], faults=[fault])
    unit.forward(1, seconds=60)
    assert {w.ref.name for w in unit.sent} == {"one"}


def test_an_unreachable_cluster_is_unknown_not_done() -> None:
    unit = release(KRUISE, "DaemonSet")
    goal = unit.goal(Mode.FORWARD, 1)
    lost = UnitSeen(unit="agent@c", at=NINE, reachable=False, error="timeout")
    progress = drive(goal, lost, NINE)
    assert (progress.converged, progress.waiting, progress.writes) == (False, "unreachable", ())
    assert not up_to_date(unit.objects, {}, lost)


def test_a_workload_counts_what_its_kind_counts() -> None:
    unit = release(KRUISE, "DaemonSet")
    assert total_of(unit.ref.key, unit.look()) == 10
    assert total_of("v1/ConfigMap/infra/none", unit.look()) is None
    assert guess_total(workload("apps/v1", "Deployment", replicas=4), 7) == 4
    assert guess_total(workload(KRUISE, "DaemonSet"), 7) == 7
    assert guess_total(config_map(), 7) is None


@pytest.mark.parametrize(
    ("obj", "can"),
    [
        (workload("apps/v1", "Deployment"), True),
        (workload("apps/v1", "Deployment", strategy={"type": "Recreate"}), False),
        (workload("apps/v1", "DaemonSet"), True),
        (config_map(), False),
    ],
    ids=["deployment", "recreate", "daemon set", "plain"],
)
def test_what_can_stop_part_way(obj: dict[str, Any], can: bool) -> None:
    assert stops_part_way(obj) is can


def test_checks_are_told_counts_reasons_and_pods() -> None:
    fault = {"do": "crashLoop", "image": "registry.local/agent:2"}
    unit = release(KRUISE, "DaemonSet", faults=[fault])
    progress = unit.forward(1, seconds=60)
    told = facts(unit.goal(Mode.FORWARD, 1), unit.look(), progress)
    (workload_facts,) = told["workloads"]
    assert (workload_facts["observed"], workload_facts["wanted"]) == (True, 1)
    assert workload_facts["desired"] == 10
    assert workload_facts["updated"] == 1
    assert workload_facts["available"] == 9
    assert workload_facts["restarts"] > 0
    assert workload_facts["reasons"] == ["CrashLoopBackOff"]


@EVERY_KIND
def test_the_workload_check_understands_these_facts(api_version: str, kind: str) -> None:
    """A fact that is named otherwise there would be an error in every release."""
    unit = release(api_version, kind)
    progress = unit.forward(3)
    told = facts(unit.goal(Mode.FORWARD, 3), unit.look(), progress)
    verdict, why, _ = ask(told)
    assert (verdict, why) == (
        Verdict.PASSED,
        f"{told['workloads'][0]['available']} of 10 pods available",
    )
    broken = release(api_version, kind, faults=[{"do": "crashLoop", "image": NEW_IMAGE}])
    progress = broken.forward(1, seconds=60)
    verdict, why, _ = ask(facts(broken.goal(Mode.FORWARD, 1), broken.look(), progress))
    assert verdict is Verdict.FAILED
    assert "CrashLoopBackOff" in why
