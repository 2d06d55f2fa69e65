"""The way back of every workload kind, from wherever the way forward stood: the old revision really
comes back, to the letter, without a batch's fields left behind.
"""

from __future__ import annotations

from typing import Any

import pytest

from bot.cluster.drive import Mode
from tests.cluster_rules.unit import KINDS, MACHINES, NINE, Unit, release

ALL = (*KINDS, MACHINES)
IN_ORDER = [("apps/v1", "StatefulSet"), ("apps.kruise.io/v1beta1", "StatefulSet")]
KNOWN = [False, True]


def name_of(value: Any) -> str:
    if isinstance(value, tuple):
        return "/".join(value)
    return ("found", "applied")[value] if isinstance(value, bool) else str(value)


every_kind = pytest.mark.parametrize("kind", ALL, ids=name_of)
known = pytest.mark.parametrize("applied", KNOWN, ids=name_of)


def begun(kind: tuple[str, str], **changed: Any) -> tuple[Unit, Any]:
    """A unit, and the spec that its workload had before."""
    unit = release(*kind, **changed)
    return unit, unit.live()["spec"]


def is_back(unit: Unit, before: Any) -> None:
    """Every pod on the old version, the spec as it was, and it stays so."""
    assert unit.images() == {"1": 10}
    spec = unit.live()["spec"]
    opened = {"partition", "paused", "pause"}
    assert _without(spec, opened) == _without(before, opened)
    for path, value in _gates(spec):
        assert value in (0, False), f"{path} is left at {value}"
    sent = len(unit.sent)
    unit.clock.pass_by(600)
    assert unit.restore().converged
    assert len(unit.sent) == sent, "what is back is left alone"


def _without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        kept = {k: _without(v, names) for k, v in value.items() if k not in names}
        return {k: v for k, v in kept.items() if v not in ({}, None)}
    return value


def _gates(value: Any, path: str = "") -> list[tuple[str, Any]]:
    found = []
    for key, one in value.items() if isinstance(value, dict) else ():
        if key in ("partition", "paused", "pause"):
            found.append((f"{path}.{key}", one))
        found += _gates(one, f"{path}.{key}")
    return found


@every_kind
@known
@pytest.mark.parametrize("reached", [(1,), (1, 5), (1, 2, 5, 9)], ids=str)
def test_after_a_batch(kind: tuple[str, str], applied: bool, reached: tuple[int, ...]) -> None:
    """After batch 1, after batch 2 of 4, before the last."""
    unit, before = begun(kind, applied=applied)
    for updated in reached:
        assert unit.forward(updated).converged
    assert unit.restore().converged
    is_back(unit, before)


@every_kind
@known
def test_after_the_last_batch(kind: tuple[str, str], applied: bool) -> None:
    """What succeeded goes back just the same."""
    unit, before = begun(kind, applied=applied)
    assert unit.forward(1).converged
    assert unit.finish().converged
    assert unit.restore().converged
    is_back(unit, before)


@every_kind
@known
@pytest.mark.parametrize("seconds", [0, 1, 3, 8, 20])
def test_in_the_middle_of_a_batch(kind: tuple[str, str], applied: bool, seconds: int) -> None:
    """At any second of a batch: pods on their way out, others just made."""
    unit, before = begun(kind, applied=applied)
    unit.forward(6, seconds=seconds)
    assert unit.restore().converged
    is_back(unit, before)


@every_kind
@pytest.mark.parametrize("final", [False, True], ids=["batch", "last batch"])
def test_while_it_is_paused(kind: tuple[str, str], final: bool) -> None:
    """Out of a stop: what stopped it does not stop the way back."""
    unit, before = begun(kind)
    unit.run(unit.goal(Mode.FORWARD, 6, final=final), seconds=8)
    unit.stop(6)
    unit.clock.pass_by(300)
    assert unit.restore().converged
    is_back(unit, before)


@every_kind
@known
@pytest.mark.parametrize("do", ["crashLoop", "neverReady"])
@pytest.mark.parametrize("final", [False, True], ids=["batch", "last batch"])
def test_out_of_a_version_that_never_comes_up(
    kind: tuple[str, str], applied: bool, do: str, final: bool
) -> None:
    """The usual cause. OrderedReady StatefulSets wait for ever for what crashes, unless its pod is
    deleted (kubernetes#67250).
    """
    name = "agent:2" if kind == MACHINES else "registry.local/agent:2"
    unit, before = begun(kind, applied=applied, faults=[{"do": do, "image": name}])
    assert not unit.forward(3, final=final, seconds=120).converged
    assert unit.restore().converged
    is_back(unit, before)


@pytest.mark.parametrize("kind", IN_ORDER, ids=name_of)
def test_of_a_stateful_set_in_order_the_broken_pod_is_deleted(kind: tuple[str, str]) -> None:
    """And only it: what serves is left to its controller."""
    faults = [{"do": "crashLoop", "image": "registry.local/agent:2"}]
    unit, _ = begun(kind, faults=faults)
    unit.forward(3, seconds=120)
    unit.sent.clear()
    assert unit.restore().converged
    deleted = [write.ref.name for write in unit.sent if write.verb == "delete"]
    assert deleted == ["agent-9"]


@every_kind
def test_with_every_other_answer_lost(kind: tuple[str, str]) -> None:
    """Each write happened or did not: the next look tells, and no field is left behind."""
    unit, before = begun(kind, faults=[{"do": "loseAnswers", "every": 2}])
    unit.forward(5)
    assert unit.restore().converged
    is_back(unit, before)


@every_kind
def test_begun_while_nobody_answers(kind: tuple[str, str]) -> None:
    """The cluster goes on by itself meanwhile; then it goes back from where it is."""
    gone = {"do": "unreachable", "from": NINE.isoformat(), "to": NINE.isoformat()}
    unit, before = begun(kind, faults=[gone])
    unit.run(unit.goal(Mode.FORWARD, 6), seconds=2)
    unit.clock.pass_by(900)
    assert unit.restore().converged
    is_back(unit, before)


@every_kind
def test_asked_again_and_again(kind: tuple[str, str]) -> None:
    """A rollback during a rollback, from another process that remembers nothing, writes no more
    than one did.
    """
    unit, before = begun(kind)
    unit.forward(6)
    unit.sent.clear()
    for _ in range(40):
        unit.step(unit.goal(Mode.RESTORE))
        unit.step(unit.goal(Mode.RESTORE, since=unit.clock.now()))
        unit.clock.pass_by(3)
    assert unit.restore().converged
    patches = [write for write in unit.sent if write.verb == "patch"]
    assert len(patches) <= 2, "one brings it back; a DaemonSet's own strategy comes last"
    is_back(unit, before)


@pytest.mark.parametrize("mode", [Mode.FORWARD, Mode.RESTORE])
def test_the_own_strategy_comes_back_once_however_slow_its_controller(mode: Mode) -> None:
    """While the controller has not seen it, the last step is not taken back and done again."""
    unit, _ = begun(("apps/v1", "DaemonSet"))
    unit.forward(6)
    for _ in range(120):
        unit.step(unit.goal(mode, 10, final=True))
        unit.step(unit.goal(mode, 10, final=True))
        unit.clock.pass_by(1)
    types = [
        write.body["spec"]["updateStrategy"]["type"]
        for write in unit.sent
        if write.verb == "patch" and "updateStrategy" in write.body["spec"]
    ]
    assert types == ["OnDelete", "RollingUpdate"]


@every_kind
@known
def test_forward_back_and_forward_again(kind: tuple[str, str], applied: bool) -> None:
    """A retry after a rollback, and the rollback of that: what a rollback left is a start."""
    unit, before = begun(kind, applied=applied)
    for _ in range(2):
        assert unit.forward(4).converged
        assert unit.restore().converged
        unit.found()
    is_back(unit, before)
    assert unit.forward(4).converged
    assert unit.finish().converged
    assert unit.images() == {"2": 10}


@every_kind
def test_turned_round_in_the_middle_of_the_way_back(kind: tuple[str, str]) -> None:
    """Forward, back, forward before it was back, and back at last."""
    unit, before = begun(kind)
    unit.forward(6)
    unit.run(unit.goal(Mode.RESTORE), seconds=4)
    unit.forward(3, seconds=30)
    assert unit.restore().converged
    is_back(unit, before)


@every_kind
def test_while_nodes_come_and_go(kind: tuple[str, str]) -> None:
    """An autoscaler works in the middle of the way back."""
    unit, _ = begun(kind)
    unit.forward(6)
    unit.run(unit.goal(Mode.RESTORE), seconds=2)
    unit.nodes = 12
    unit.connect()
    unit.run(unit.goal(Mode.RESTORE), seconds=5)
    unit.nodes = 9
    unit.connect()
    assert unit.restore().converged
    assert set(unit.images()) == {"1"}
