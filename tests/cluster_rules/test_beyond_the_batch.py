"""What is beyond a batch: a gate that somebody opened, pods nobody wanted yet, a neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cluster.drive import Mode
from tests.cluster_rules.unit import KRUISE, KRUISE_ALPHA, Unit, release, workload

GATES = (
    (KRUISE, "DaemonSet"),
    ("apps/v1", "StatefulSet"),
    (KRUISE, "StatefulSet"),
    (KRUISE, "CloneSet"),
    (KRUISE_ALPHA, "CloneSet"),
)


@pytest.mark.parametrize(("api_version", "kind"), GATES)
def test_an_opened_gate_is_closed_also_while_old_pods_are_ill(api_version: str, kind: str) -> None:
    """To wait for them would let the whole cluster through, one pod after the other."""
    unit = release(api_version, kind)
    assert unit.forward(2).converged
    unit.fleet.sicken("c", [_named(unit, "1")])
    flat = api_version == KRUISE_ALPHA
    opened: dict[str, Any] = {"partition": 0}
    unit.patch({"spec": {"updateStrategy": opened if flat else {"rollingUpdate": opened}}})
    sent = len(unit.sent)
    assert unit.step(unit.goal(Mode.FORWARD, 2)).waiting == "not-applied"
    assert len(unit.sent) == sent + 1
    rolling = unit.live()["spec"]["updateStrategy"]
    assert (rolling if flat else rolling["rollingUpdate"])["partition"] == 8


def test_a_batch_still_does_not_begin_while_old_pods_are_ill() -> None:
    """Only what closes a gate goes ahead of them."""
    unit = release(KRUISE, "DaemonSet")
    assert unit.forward(2).converged
    unit.fleet.sicken("c", [_named(unit, "1")])
    sent = len(unit.sent)
    assert unit.forward(4, seconds=60).waiting == "old-unavailable"
    assert len(unit.sent) == sent


def test_a_neighbour_of_the_same_unit_that_breaks_closes_the_gate() -> None:
    """A component of several workloads is one unit: each stands up for the others."""
    pair = [[workload(KRUISE, "DaemonSet", v, name) for name in ("one", "two")] for v in "12"]
    unit = Unit(old=pair[0], new=pair[1])
    assert unit.forward(2).healthy
    two = next(p["metadata"]["name"] for p in unit.pods() if unit.version(p) == "1")
    unit.fleet.sicken("c", [two])
    unit.clock.pass_by(1)
    progress = unit.step(unit.goal(Mode.FORWARD, 2))
    assert (progress.converged, progress.waiting, progress.healthy) == (False, "collateral", False)


def _named(unit: Unit, version: str) -> str:
    return str(next(p["metadata"]["name"] for p in unit.pods() if unit.version(p) == version))
