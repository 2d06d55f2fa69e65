"""Components on the nodes themselves: what a node reports, and that it is Ready, is the proof."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cluster.drive import Mode, facts, total_of
from tests.cluster_rules.unit import MACHINES, Unit, release, workload

CANARY = {"n-1": {"pool": "canary"}, "n-2": {"pool": "canary"}}
IN_CANARY = {"selector": {"matchLabels": {"pool": "canary"}}}


def kubelets(**changed: Any) -> Unit:
    return release(*MACHINES, **changed)


def test_updated_three_of_ten_is_partition_seven() -> None:
    unit = kubelets()
    progress = unit.forward(3)
    assert progress.converged
    assert (progress.updated, progress.total) == (3, 10)
    assert unit.live()["spec"]["partition"] == 7
    assert unit.nodes_on("2") == ["n-7", "n-8", "n-9"]


def test_a_node_that_reports_the_version_and_is_not_ready_does_not_count() -> None:
    fault = {"do": "neverReady", "image": "agent:2"}
    unit = kubelets(faults=[fault])
    progress = unit.forward(1, seconds=120)
    assert unit.images() == {"1": 9, "2": 1}
    assert progress.waiting == "progress"
    assert progress.detail["pods"] == ["n-9"]
    assert progress.detail["reason"] == "KubeletNotReady"


def test_the_limit_of_the_component_holds() -> None:
    """A node that is changed is not Ready meanwhile."""
    unit = kubelets(spec={"maxUnavailable": "30%"})
    goal = unit.goal(Mode.FORWARD, 9)
    most = 0
    for _ in range(120):
        progress = unit.step(goal)
        most = max(most, progress.unavailable)
        unit.clock.pass_by(1)
        if progress.converged:
            break
    assert progress.converged
    assert most == 3


def test_it_is_pause_here_not_paused() -> None:
    unit = kubelets()
    unit.run(unit.goal(Mode.FORWARD, 8), seconds=15)
    assert unit.stop(8).converged
    assert unit.live()["spec"]["pause"] is True
    assert "paused" not in unit.live()["spec"]
    unit.clock.pass_by(600)
    updated = unit.images()["2"]
    assert 0 < updated < 8
    assert unit.forward(8).converged
    assert unit.live()["spec"]["pause"] is False


def test_the_old_version_with_partition_left_set_brings_nothing_back() -> None:
    """Trap (a): a partition counts, whichever version is the old one."""
    unit = kubelets()
    unit.forward(4)
    unit.patch({"spec": {"version": "1"}})
    unit.clock.pass_by(600)
    assert unit.images() == {"1": 6, "2": 4}


@pytest.mark.parametrize("applied", [False, True], ids=["first contact", "applied by us"])
def test_a_restore_is_one_patch_and_moves_only_what_was_touched(applied: bool) -> None:
    unit = kubelets(applied=applied)
    unit.forward(4)
    unit.sent.clear()
    assert unit.restore().converged
    assert len(unit.sent) == 1
    assert unit.live()["spec"]["version"] == "1"
    assert unit.images() == {"1": 10}


def test_nodes_that_it_does_not_select_are_neither_touched_nor_counted() -> None:
    unit = kubelets(labels=CANARY, spec=IN_CANARY)
    progress = unit.forward(1)
    assert progress.converged
    assert progress.total == 2
    assert total_of(unit.ref.key, unit.look()) == 2
    assert unit.finish().converged
    assert unit.nodes_on("2") == ["n-1", "n-2"]
    assert unit.live()["spec"]["selector"] == IN_CANARY["selector"]


def test_a_node_that_joins_gets_the_new_version() -> None:
    """Trap (d): whatever partition and pause say."""
    unit = kubelets()
    unit.forward(2)
    unit.nodes = 11
    unit.connect()
    progress = unit.run(unit.goal(Mode.FORWARD, 2))
    assert progress.converged
    assert progress.detail["leak"] == 1


def test_checks_are_told_of_nodes() -> None:
    unit = kubelets()
    progress = unit.forward(2)
    told = facts(unit.goal(Mode.FORWARD, 2), unit.look(), progress)
    (found,) = told["workloads"]
    assert (found["desired"], found["updated"], found["ready"]) == (10, 2, 10)
    assert [p["node"] for p in progress.pods] == ["n-8", "n-9"]
    assert {p["revision"] for p in progress.pods} == {"2"}


def test_another_field_than_the_version_is_applied_and_rolls_nothing() -> None:
    unit = kubelets()
    unit.objects = ((unit.ref, workload(*MACHINES, "1", maxUnavailable=3)),)
    assert unit.finish().converged
    assert unit.live()["spec"]["maxUnavailable"] == 3
    assert unit.images() == {"1": 10}
