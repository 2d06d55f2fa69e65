"""OpenKruise's CloneSet in both shapes of its API: the traps of its controller, one story each."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cluster.drive import Mode
from bot.model.plan import ObjectRef
from tests.cluster_rules.unit import KRUISE, KRUISE_ALPHA, Unit, release, workload

BOTH = pytest.mark.parametrize("api_version", [KRUISE, KRUISE_ALPHA])


def clone_set(api_version: str = KRUISE, **changed: Any) -> Unit:
    return release(api_version, "CloneSet", **changed)


def rolling(unit: Unit) -> Any:
    strategy = unit.live()["spec"]["updateStrategy"]
    return strategy.get("rollingUpdate", strategy)


def in_strategy(api_version: str, **fields: Any) -> dict[str, Any]:
    nested = {"rollingUpdate": fields} if api_version == KRUISE else fields
    return {"updateStrategy": nested}


@BOTH
def test_updated_four_of_ten_is_partition_six(api_version: str) -> None:
    unit = clone_set(api_version)
    progress = unit.forward(4)
    assert progress.converged
    assert unit.images() == {"1": 6, "2": 4}
    assert rolling(unit)["partition"] == 6
    assert unit.live()["status"]["expectedUpdatedReplicas"] == 4


def test_the_alpha_shape_stays_flat() -> None:
    """A nested field would be unknown to it, and everything would roll."""
    unit = clone_set(KRUISE_ALPHA)
    unit.forward(1)
    assert "rollingUpdate" not in unit.live()["spec"]["updateStrategy"]


@BOTH
def test_the_old_template_with_partition_left_set_brings_nothing_back(api_version: str) -> None:
    """Trap (a), shown on the controller itself: this is what a naive rollback does."""
    unit = clone_set(api_version)
    unit.forward(4)
    unit.patch({"spec": {"template": unit.old[0]["spec"]["template"]}})
    unit.clock.pass_by(600)
    assert unit.images() == {"1": 6, "2": 4}


@BOTH
def test_raising_partition_brings_nothing_back(api_version: str) -> None:
    """Trap (b)."""
    unit = clone_set(api_version)
    unit.forward(4)
    unit.patch({"spec": in_strategy(api_version, partition=10)})
    unit.clock.pass_by(600)
    assert unit.images() == {"1": 6, "2": 4}


@BOTH
def test_a_restore_is_old_template_and_open_partition_in_one_patch(api_version: str) -> None:
    """The answer to trap (a): only the touched pods move, so an open gate is safe."""
    unit = clone_set(api_version)
    was = unit.live()["spec"]
    unit.forward(4)
    kept = {p["metadata"]["uid"] for p in unit.pods() if unit.version(p) == "1"}
    unit.sent.clear()
    assert unit.restore().converged
    (write,) = unit.sent
    assert write.body is not None
    assert "template" in write.body["spec"]
    assert unit.images() == {"1": 10}
    assert kept <= {p["metadata"]["uid"] for p in unit.pods()}
    assert rolling(unit)["partition"] == 0
    assert unit.live()["spec"]["template"] == was["template"]


@BOTH
def test_a_stop_is_paused_and_partition_at_what_is_updated(api_version: str) -> None:
    unit = clone_set(api_version)
    unit.run(unit.goal(Mode.FORWARD, 8), seconds=10)
    assert unit.stop(8).converged
    unit.clock.pass_by(600)
    updated = unit.images()["2"]
    assert 0 < updated < 8
    assert rolling(unit)["paused"] is True
    assert rolling(unit)["partition"] == 10 - updated
    assert unit.forward(8).converged
    assert "paused" not in rolling(unit), "its webhook keeps no false"
    assert unit.images()["2"] == 8


def test_an_old_pod_that_goes_away_in_a_stop_comes_back_old() -> None:
    """Unlike a DaemonSet: partition counts, also for pods that are made anew."""
    unit = clone_set()
    unit.forward(3)
    unit.delete_pod("1")
    unit.clock.pass_by(60)
    assert unit.images() == {"1": 7, "2": 3}


def test_a_crashing_version_is_replaced_at_once_by_a_restore() -> None:
    fault = {"do": "crashLoop", "image": "registry.local/agent:2", "pods": 2}
    unit = clone_set(faults=[fault])
    assert unit.forward(3, seconds=120).detail["reason"] == "CrashLoopBackOff"
    assert unit.restore().converged
    assert unit.images() == {"1": 10}


def test_no_batch_begins_while_an_old_pod_is_unavailable() -> None:
    """Trap (c): unavailable pods go first, and without being counted."""
    unit = clone_set()
    sick = [p["metadata"]["name"] for p in unit.pods()][:4]
    unit.fleet.sicken("c", sick)
    unit.clock.pass_by(1)
    assert unit.forward(1, seconds=30).waiting == "old-unavailable"
    assert unit.sent == []
    unit.patch({"spec": {"template": unit.new[0]["spec"]["template"]}})
    unit.clock.pass_by(2)
    assert unit.images().get("1", 0) == 6


def test_a_surge_of_its_own_is_kept() -> None:
    unit = clone_set(spec=in_strategy(KRUISE, maxSurge=2, maxUnavailable=0))
    most = 0
    goal = unit.goal(Mode.FORWARD, 5)
    for _ in range(120):
        progress = unit.step(goal)
        most = max(most, len(unit.pods()))
        unit.clock.pass_by(1)
        if progress.converged:
            break
    assert progress.converged
    assert unit.images() == {"1": 5, "2": 5}
    assert most == 12


def test_a_scale_comes_with_the_last_batch() -> None:
    unit = clone_set()
    unit.objects = ((unit.ref, workload(KRUISE, "CloneSet", "2", replicas=14)),)
    assert unit.forward(2).converged
    assert unit.images() == {"1": 8, "2": 2}
    assert unit.finish().converged
    assert unit.images() == {"2": 14}


def test_another_scale_in_the_middle_takes_the_new_version_and_is_shown() -> None:
    """An autoscaler in the soak: what it adds is beyond the old pods that are kept."""
    unit = clone_set()
    unit.forward(2)
    unit.patch({"spec": {"replicas": 12}})
    progress = unit.run(unit.goal(Mode.FORWARD, 2))
    assert progress.converged
    assert progress.detail["leak"] == 2


def test_one_object_is_shown_in_both_shapes() -> None:
    """A component may move from one version of the API to the other."""
    unit = clone_set(KRUISE_ALPHA)
    ref = unit.ref
    beta = unit.fleet.get("c", ObjectRef(KRUISE, ref.kind, ref.namespace, ref.name))
    assert beta is not None
    assert beta["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"] == "20%"
    assert beta["spec"]["updateStrategy"]["type"] == "RollingUpdate"
    unit = clone_set()
    alpha = unit.fleet.get("c", ObjectRef(KRUISE_ALPHA, ref.kind, ref.namespace, ref.name))
    assert alpha is not None
    assert alpha["spec"]["updateStrategy"]["maxUnavailable"] == "20%"
    assert alpha["spec"]["updateStrategy"]["type"] == "ReCreate"
