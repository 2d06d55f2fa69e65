"""A Deployment in exact batches by surge, without any custom resource."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.cluster.drive import Mode, drive
from bot.cluster.stage import NEVER_AVAILABLE, NEVER_LATE
from bot.model.effects import Purpose
from tests.cluster_rules.unit import Unit, config_map, release, workload

OWN: dict[str, Any] = {
    "minReadySeconds": 5,
    "progressDeadlineSeconds": 300,
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 2, "maxUnavailable": 1}},
}


def deployment(**changed: Any) -> Unit:
    return release("apps/v1", "Deployment", **changed)


def test_a_batch_of_one_is_one_new_pod_beside_ten_old_ones() -> None:
    """The recipe, to the number: no old pod goes before the last batch."""
    unit = deployment()
    progress = unit.forward(1)
    assert progress.converged
    assert unit.images() == {"1": 10, "2": 1}
    spec = unit.live()["spec"]
    assert spec["minReadySeconds"] == NEVER_AVAILABLE
    assert spec["progressDeadlineSeconds"] == NEVER_LATE
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert (progress.updated, progress.total) == (1, 10)


def test_pods_that_may_not_be_made_are_told_in_the_words_of_who_refuses_them() -> None:
    """A quota leaves no room for the surge: no pod is there that could give a reason."""
    unit = deployment()
    goal = unit.goal(Mode.FORWARD, updated=1)
    unit.step(goal)
    unit.clock.pass_by(5)
    seen = unit.look()
    there = seen.objects[unit.ref.key]
    quota = "exceeded quota: small, requested: pods=1, used: pods=10, limited: pods=10"
    condition = {"type": "ReplicaFailure", "status": "True", "message": quota}
    live = there.live | {"status": there.live["status"] | {"conditions": [condition]}}
    children = tuple(c for c in there.children if c["kind"] != "Pod" or unit.version(c) != "2")
    there = replace(there, live=live, children=children)
    progress = drive(goal, replace(seen, objects={unit.ref.key: there}), unit.clock.now())
    assert not progress.converged
    assert (progress.waiting, progress.detail["reason"]) == ("progress", quota)


def test_a_batch_of_five_is_five_new_pods_beside_ten_old_ones() -> None:
    unit = deployment()
    unit.forward(1)
    assert unit.forward(5).converged
    assert unit.images() == {"1": 10, "2": 5}


def test_template_and_gate_leave_in_one_patch() -> None:
    """Between two patches there would be a moment in which everything rolls."""
    unit = deployment()
    unit.forward(1)
    (write,) = unit.sent
    assert write.purpose is Purpose.FORWARD
    assert write.resource_version is not None
    assert {"template", "strategy", "minReadySeconds"} <= write.body["spec"].keys()


def test_a_deleted_new_pod_comes_back_and_nothing_else_moves() -> None:
    unit = deployment()
    unit.forward(3)
    names = {p["metadata"]["name"] for p in unit.pods()}
    unit.delete_pod("2")
    unit.clock.pass_by(60)
    assert unit.images() == {"1": 10, "2": 3}
    assert len(names & {p["metadata"]["name"] for p in unit.pods()}) == 12


@pytest.mark.parametrize("applied", [False, True], ids=["first contact", "applied by us"])
@pytest.mark.parametrize("spec", [{}, OWN], ids=["defaults", "own fields"])
def test_the_last_batch_puts_the_own_fields_back(spec: dict[str, Any], applied: bool) -> None:
    """What a release changed for its batches is not left behind, whoever set it before."""
    unit = deployment(spec=spec, applied=applied)
    was = unit.live()["spec"]
    unit.forward(1)
    assert unit.finish().converged
    assert unit.images() == {"2": 10}
    now = unit.live()["spec"]
    assert {k: v for k, v in now.items() if k != "template"} == {
        k: v for k, v in was.items() if k != "template"
    }


def test_the_old_template_alone_scales_nothing_while_the_surge_stands() -> None:
    """Why a rollback puts all four fields back in one patch: half of it does nothing."""
    unit = deployment()
    unit.forward(3)
    template = {"spec": {"containers": unit.old[0]["spec"]["template"]["spec"]["containers"]}}
    unit.patch({"spec": {"template": template}})
    unit.clock.pass_by(600)
    assert unit.images() == {"1": 10, "2": 3}


@pytest.mark.parametrize("applied", [False, True], ids=["first contact", "applied by us"])
def test_a_restore_is_one_patch_and_takes_the_new_pods_away(applied: bool) -> None:
    unit = deployment(spec=OWN, applied=applied)
    was = unit.live()["spec"]
    unit.forward(4)
    sent = len(unit.sent)
    assert unit.restore().converged
    assert len(unit.sent) == sent + 1
    assert unit.sent[-1].purpose is Purpose.RESTORE
    assert unit.images() == {"1": 10}
    assert unit.live()["spec"] == was


def test_a_restore_out_of_the_last_batch_waits_for_old_pods_to_be_available() -> None:
    """Back is only back when it serves."""
    unit = deployment(spec=OWN)
    unit.forward(2)
    unit.since = unit.clock.now()
    from_here = unit.goal(Mode.FORWARD, 10, final=True)
    unit.run(from_here, seconds=12)
    assert unit.images()["2"] > 0
    assert unit.restore().converged
    assert unit.images() == {"1": 10}


def test_a_crashing_version_never_converges_and_says_why() -> None:
    fault = {"do": "crashLoop", "image": "registry.local/agent:2"}
    unit = deployment(faults=[fault])
    progress = unit.forward(1, seconds=120)
    assert (progress.converged, progress.waiting) == (False, "progress")
    assert progress.detail["reason"] == "CrashLoopBackOff"
    assert progress.detail["pods"]
    assert unit.images() == {"1": 10, "2": 1}
    assert unit.restore().converged


def test_recreate_has_only_its_last_batch() -> None:
    """It cannot stand between two versions, so the batches before touch nothing."""
    unit = deployment(spec={"strategy": {"type": "Recreate"}})
    assert unit.forward(1).converged
    assert unit.images() == {"1": 10}
    assert unit.sent == []
    assert unit.finish().converged
    assert unit.images() == {"2": 10}


def test_a_new_number_of_replicas_comes_with_the_last_batch() -> None:
    """A scale in the middle would spread over both versions and break the count."""
    unit = Unit(
        old=[workload("apps/v1", "Deployment", "1", replicas=10)],
        new=[workload("apps/v1", "Deployment", "2", replicas=14)],
    )
    unit.forward(2)
    assert unit.images() == {"1": 10, "2": 2}
    assert unit.finish().converged
    assert unit.images() == {"2": 14}


def test_an_autoscaler_s_replicas_survive_a_restore() -> None:
    """Fields that only others write are not put back to what they were."""
    old, new = (workload("apps/v1", "Deployment", v) for v in "12")
    for obj in (old, new):
        del obj["spec"]["replicas"]
    unit = Unit(old=[old], new=[new])
    unit.patch({"spec": {"replicas": 4}})
    unit.clock.pass_by(60)
    unit.forward(1)
    assert unit.restore().converged
    assert unit.live()["spec"]["replicas"] == 4
    assert unit.images() == {"1": 4}


@pytest.mark.parametrize("told", ["before", "after the first batch"])
def test_a_restore_brings_back_what_the_release_took_away(told: str) -> None:
    """Also once the new version counts as the last one that was applied."""
    old, new = (workload("apps/v1", "Deployment", v) for v in "12")
    old["spec"]["minReadySeconds"] = 4
    old["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 7
    settings = [config_map(a="1", b="2"), config_map(a="1")]
    unit = Unit(old=[settings[0], old], new=[settings[1], new], applied=True)
    was = unit.live()["spec"]
    unit.forward(2)
    assert "terminationGracePeriodSeconds" not in unit.live()["spec"]["template"]["spec"]
    if told != "before":
        unit.last = {ref.key: obj for ref, obj in unit.objects}
    assert unit.restore().converged
    assert unit.live()["spec"] == was
    assert unit.fleet.get("c", unit.objects[0][0])["data"] == {"a": "1", "b": "2"}


def test_an_own_field_that_left_the_template_is_gone_after_the_last_batch() -> None:
    """It was ours, we no longer want it; only what others had set would come back."""
    old, new = (workload("apps/v1", "Deployment", v) for v in "12")
    old["spec"]["minReadySeconds"] = 4
    unit = Unit(old=[old], new=[new], applied=True)
    unit.forward(2)
    unit.last = {ref.key: obj for ref, obj in unit.objects}
    assert unit.finish().converged
    assert "minReadySeconds" not in unit.live()["spec"]


def test_what_others_had_set_comes_back_after_the_last_batch() -> None:
    unit = deployment()
    unit.patch({"spec": {"minReadySeconds": 3}})
    unit.clock.pass_by(60)
    unit.found()
    unit.forward(2)
    assert unit.finish().converged
    assert unit.live()["spec"]["minReadySeconds"] == 3


def test_an_autoscaler_in_the_soak_is_no_illness() -> None:
    """A new number of replicas is not a sick pod; the controller lags a moment."""
    old, new = (workload("apps/v1", "Deployment", v) for v in "12")
    for obj in (old, new):
        del obj["spec"]["replicas"]
    unit = Unit(old=[old], new=[new])
    unit.forward(1)
    unit.patch({"spec": {"replicas": 2}})
    assert unit.step(unit.goal(Mode.FORWARD, 1)).healthy
    unit.clock.pass_by(30)
    assert unit.step(unit.goal(Mode.FORWARD, 1)).healthy


def test_the_controller_s_own_deadline_is_reported_as_failure() -> None:
    """In the last batch the component's own progressDeadlineSeconds counts again."""
    fault = {"do": "neverReady", "image": "registry.local/agent:2"}
    unit = deployment(faults=[fault], spec={"progressDeadlineSeconds": 60})
    progress = unit.forward(10, final=True, seconds=120)
    assert progress.failed == "progress-deadline-exceeded"


def test_the_deadline_of_the_version_before_is_no_failure_of_ours() -> None:
    """Its controller has not seen what was written: the verdict is of the broken one before."""
    unit = deployment()
    goal = unit.goal(Mode.FORWARD, 1)
    assert unit.step(goal).writes
    seen = unit.look()
    there = seen.objects[unit.ref.key]
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
    status = there.live["status"] | {"conditions": [late]}
    before = replace(there, live=there.live | {"status": status})
    progress = drive(goal, replace(seen, objects={unit.ref.key: before}), unit.clock.now())
    assert (progress.waiting, progress.failed) == ("controller-lag", None)


def test_a_config_map_goes_before_the_workload_that_reads_it() -> None:
    unit = Unit(
        old=[config_map(level="info"), workload("apps/v1", "Deployment", "1")],
        new=[config_map(level="debug"), workload("apps/v1", "Deployment", "2")],
    )
    unit.forward(1)
    assert [w.ref.kind for w in unit.sent] == ["ConfigMap", "Deployment"]
    assert unit.restore().converged
    assert unit.fleet.get("c", unit.objects[0][0])["data"] == {"level": "info"}
