"""The native DaemonSet: OnDelete while the release runs, and we delete the pods in order."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cluster.drive import Mode
from tests.cluster_rules.unit import Unit, release


def daemon_set(limit: int | str | None = None, **changed: Any) -> Unit:
    spec = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": limit}}} if limit else {}
    return release("apps/v1", "DaemonSet", spec=spec, **changed)


def unavailable(unit: Unit) -> int:
    return int(unit.live()["status"].get("numberUnavailable", 0))


def test_a_batch_replaces_exactly_so_many_pods_from_the_end() -> None:
    unit = daemon_set()
    assert unit.forward(3).converged
    assert unit.nodes_on("2") == ["n-7", "n-8", "n-9"]
    assert unit.live()["spec"]["updateStrategy"] == {"type": "OnDelete"}


def test_template_and_on_delete_leave_in_one_patch() -> None:
    """Else the controller would roll everything in between."""
    unit = daemon_set()
    unit.step(unit.goal(Mode.FORWARD, 1))
    (write,) = unit.sent
    assert write.body["spec"]["updateStrategy"] == {"type": "OnDelete", "rollingUpdate": None}
    assert "template" in write.body["spec"]


@pytest.mark.parametrize(("limit", "at_once"), [(None, 1), (3, 3), ("25%", 3)])
def test_never_more_than_max_unavailable_at_once(limit: int | str | None, at_once: int) -> None:
    """Its own limit holds, a percentage rounded up as the controller does."""
    unit = daemon_set(limit)
    goal = unit.goal(Mode.FORWARD, 8)
    most = 0
    for _ in range(300):
        progress = unit.step(goal)
        unit.clock.pass_by(1)
        most = max(most, unavailable(unit))
        if progress.converged:
            break
    assert progress.converged
    assert most == at_once
    assert unit.images() == {"1": 2, "2": 8}


def test_pods_are_deleted_by_uid() -> None:
    """A pod of the same name that came later is another pod."""
    unit = daemon_set()
    unit.forward(1)
    deletes = [w for w in unit.sent if w.verb == "delete"]
    assert len(deletes) == 1
    assert deletes[0].ref.kind == "Pod"
    assert deletes[0].uid is not None


def test_nothing_is_deleted_while_another_pod_is_unavailable() -> None:
    unit = daemon_set(3)
    unit.forward(1)
    unit.sent.clear()
    old = next(p for p in unit.pods() if p["spec"]["nodeName"] in unit.nodes_on("1"))
    unit.fleet.sicken("c", [old["metadata"]["name"]])
    unit.clock.pass_by(1)
    progress = unit.forward(5, seconds=60)
    assert unit.sent == []
    assert not progress.converged


def test_a_crashing_version_stops_at_its_first_pod() -> None:
    """The budget is used up by the pod that does not come: nobody else is touched."""
    fault = {"do": "crashLoop", "image": "registry.local/agent:2"}
    unit = daemon_set(faults=[fault])
    progress = unit.forward(5, seconds=300)
    assert progress.waiting == "progress"
    assert progress.detail["reason"] == "CrashLoopBackOff"
    assert unit.images() == {"1": 9, "2": 1}


def test_the_own_strategy_comes_back_when_every_pod_is_new() -> None:
    """Earlier, and the controller would go on by itself."""
    unit = daemon_set("20%")
    unit.forward(2)
    assert unit.finish().converged
    assert unit.images() == {"2": 10}
    strategy = unit.live()["spec"]["updateStrategy"]
    assert strategy["type"] == "RollingUpdate"
    assert strategy["rollingUpdate"]["maxUnavailable"] == "20%"
    last = [w.verb for w in unit.sent][-1]
    assert last == "patch"


@pytest.mark.parametrize("applied", [False, True], ids=["first contact", "applied by us"])
def test_a_restore_deletes_the_new_pods_and_puts_the_strategy_back(applied: bool) -> None:
    unit = daemon_set(2, applied=applied)
    was = unit.live()["spec"]
    unit.forward(4)
    assert unit.restore().converged
    assert unit.images() == {"1": 10}
    assert unit.live()["spec"] == was


def test_a_restore_takes_broken_pods_first_and_all_of_them() -> None:
    """What does not serve costs nothing to replace."""
    fault = {"do": "crashLoop", "image": "registry.local/agent:2", "pods": 3}
    unit = daemon_set(3, faults=[fault])
    unit.forward(3, seconds=60)
    unit.sent.clear()
    unit.run(unit.goal(Mode.RESTORE), seconds=2)
    assert sum(w.verb == "delete" for w in unit.sent) == 3
    assert unit.restore().converged


def test_a_stop_is_simply_no_more_deletes() -> None:
    unit = daemon_set()
    unit.run(unit.goal(Mode.FORWARD, 6), seconds=12)
    unit.sent.clear()
    assert unit.stop(6).converged
    unit.clock.pass_by(60)
    updated = unit.images()["2"]
    assert unit.sent == []
    assert 0 < updated < 6
    assert unit.forward(6).converged


def test_a_node_that_joins_gets_the_new_version_and_is_shown_as_a_leak() -> None:
    """Trap (d) holds for OnDelete as well."""
    unit = daemon_set()
    unit.forward(2)
    unit.nodes = 12
    unit.connect()
    progress = unit.run(unit.goal(Mode.FORWARD, 2))
    assert progress.converged
    assert progress.detail["leak"] == 2
    assert unit.images() == {"1": 8, "2": 4}
