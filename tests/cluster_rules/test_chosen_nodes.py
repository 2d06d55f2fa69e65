"""Only some nodes: what is on the others is neither replaced nor counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cluster.drive import Mode, Progress
from bot.cluster.kinds import chooses_nodes
from tests.cluster_rules.unit import KINDS, KRUISE, MACHINES, Unit, release, workload

CHOOSE = [("apps/v1", "DaemonSet"), (KRUISE, "DaemonSet"), MACHINES]
EVERY_KIND = pytest.mark.parametrize(("api_version", "kind"), CHOOSE)


def on(nodes: set[str] | frozenset[str], **changed: Any) -> dict[str, Any]:
    return {"nodes": frozenset(nodes), "totals": {}, **changed}


def forward(unit: Unit, nodes: set[str], updated: int, *, final: bool = False) -> Progress:
    return unit.forward(updated, **on(nodes), final=final)


@EVERY_KIND
def test_a_unit_of_two_nodes_touches_two_nodes(api_version: str, kind: str) -> None:
    unit = release(api_version, kind)
    first = forward(unit, {"n-3", "n-4"}, 1)
    assert first.converged
    assert unit.nodes_on("2") == ["n-4"]
    last = forward(unit, {"n-3", "n-4"}, 2, final=True)
    assert last.converged
    assert (last.updated, last.total) == (2, 2)
    assert unit.nodes_on("2") == ["n-3", "n-4"]
    unit.clock.pass_by(3600)
    assert unit.images() == {"1": 8, "2": 2}


@EVERY_KIND
def test_unit_after_unit_the_last_one_gives_the_own_fields_back(
    api_version: str, kind: str
) -> None:
    """Before that the controller would bring it to the nodes whose turn has not come."""
    unit = release(api_version, kind)
    was = unit.live()["spec"]
    own = {k: v for k, v in was.items() if k not in ("template", "version")}
    nodes = [f"n-{n}" for n in range(1, 11)]
    for pair in (nodes[:4], nodes[4:7], nodes[7:]):
        assert forward(unit, set(pair), len(pair), final=True).converged
        assert set(unit.nodes_on("2")) >= set(pair)
    # The write that gives them back comes with the look after the last node's.
    unit.run(unit.goal(Mode.FORWARD, 3, final=True, **on(set(nodes[7:]))))
    now = unit.live()["spec"]
    assert {k: v for k, v in now.items() if k in own} == own
    assert not set(now) - set(was) - {"partition", "pause"}


@EVERY_KIND
def test_a_unit_of_nodes_is_taken_back_alone(api_version: str, kind: str) -> None:
    unit = release(api_version, kind)
    was = unit.live()["spec"]
    forward(unit, {"n-1", "n-2"}, 2, final=True)
    forward(unit, {"n-5"}, 1, final=True)
    assert unit.restore(**on({"n-5"})).converged
    assert unit.nodes_on("2") == ["n-1", "n-2"]
    assert unit.restore(**on({"n-1", "n-2"})).converged
    assert unit.images() == {"1": 10}
    assert unit.live()["spec"] == was


@EVERY_KIND
def test_an_old_pod_that_is_sick_elsewhere_does_not_hold_the_unit(
    api_version: str, kind: str
) -> None:
    """Nothing of it is replaced: it is not what this unit is about."""
    unit = release(api_version, kind)
    if kind == "MachineComponentSet":
        sick = ["agent-n-9"]
    else:
        sick = [p["metadata"]["name"] for p in unit.pods() if unit.node(p) == "n-9"]
    unit.fleet.sicken("c", sick)
    unit.clock.pass_by(1)
    assert forward(unit, {"n-1"}, 1, final=True).converged
    assert unit.nodes_on("2") == ["n-1"]


@given(
    st.sampled_from(CHOOSE),
    st.sets(st.integers(1, 6), min_size=1, max_size=5),
    st.lists(st.tuples(st.booleans(), st.integers(1, 5), st.integers(0, 15)), max_size=3),
    st.integers(0, 3),
)
def test_from_anywhere_only_the_chosen_nodes_change(
    kind: tuple[str, str], chosen: set[int], acts: list[tuple[bool, int, int]], every: int
) -> None:
    """Stopped, resumed, with answers lost: nobody else's node is ever touched."""
    faults = [{"do": "loseAnswers", "every": every}] if every else []
    unit = release(*kind, nodes=6, faults=faults)
    nodes = frozenset(f"n-{n}" for n in chosen)
    allowed = 0
    for stops, updated, seconds in acts:
        allowed = max(allowed, min(updated, len(nodes)))
        unit.since = unit.clock.now()
        goal = unit.goal(Mode.STOP if stops else Mode.FORWARD, allowed, **on(nodes))
        for _ in range(seconds):
            unit.step(goal)
            unit.clock.pass_by(1)
            assert set(unit.nodes_on("2")) <= nodes
            assert unit.images().get("2", 0) <= allowed
    assert unit.forward(len(nodes), final=True, **on(nodes)).converged
    assert set(unit.nodes_on("2")) == nodes
    assert unit.restore(**on(nodes)).converged
    assert unit.images() == {"1": 6}


def test_kinds_say_whether_they_can() -> None:
    """Units of scope node exist only for those."""
    can = {kind for kind in [*KINDS, MACHINES] if chooses_nodes(workload(*kind))}
    assert can == set(CHOOSE)
