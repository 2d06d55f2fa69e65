"""Laws see what they are about: without its gate each is broken, with the gate it is not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bot.cluster import tasks
from bot.core import begin, commands_rollback, commands_units, gates_begin, lifecycle, siblings
from bot.core.gates import GATES
from bot.core.members import Membership
from bot.core.turn import Turn
from bot.model.state import UnitPhase, UnitState
from bot.sim import docs as make
from bot.sim.draw_parts import SETS
from bot.sim.laws import LAWS
from bot.sim.script import Act
from tests.sim.planted import broken, brought, documents, released, says

Break = Callable[[pytest.MonkeyPatch], None]


def without(phase: UnitPhase, gate: str) -> Break:
    """The engine without one of its gates."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        left = tuple(one for one in GATES[phase] if one.__name__ != gate)
        assert len(left) == len(GATES[phase]) - 1
        patch.setitem(GATES, phase, left)  # type: ignore[arg-type]

    return plant


def no_waves(patch: pytest.MonkeyPatch) -> None:
    for module in (gates_begin, lifecycle):
        patch.setattr(module, "waits_for_wave", lambda t, u: None)


def no_newer(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(commands_rollback, "replaced_by", lambda *_: "")


def no_budget(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lifecycle, "keep_budget", lambda t: None)


def two_waves() -> tuple[Any, Any]:
    stage = {"name": "all", "units": {}, "order": "name", "waves": [1, "100%"]}
    return documents(stages=[stage]), released(0, "dns", "2.5.0")


def guest_and_host() -> tuple[Any, Any]:
    clusters = [
        make.cluster("eu-1", "prod", 2, {}),
        make.cluster("eu-2", "prod", 2, {}, (), "eu-1"),
    ]
    docs = documents(clusters=clusters, components={"dns": {}, "store": {}})
    only = {"names": ["eu-1"]}, {"names": ["eu-2"]}
    first = released(0, "dns", "2.5.0", units=only[0])
    return docs, [*first, *released(60, "store", "2.5.0", units=only[1])]


def one_at_a_time() -> tuple[Any, Any]:
    rule = {"name": "few", "when": "inFlight.total > 0", "verdict": "wait", "reason": "R"}
    docs = documents(components={"dns": {}, "store": {}}, riskRules=[rule])
    return docs, [*released(0, "dns", "2.5.0"), *released(60, "store", "2.5.0")]


def spent() -> tuple[Any, Any]:
    """The first release fails in a cluster, and no failure a day is tolerated."""
    bad = [{"do": "neverReady", "image": "registry.local/dns:2.5.0"}]
    clusters = [make.cluster(name, "prod", 2, {}, bad) for name in ("eu-1", "eu-2")]
    docs = documents(
        clusters=clusters, components={"dns": {}, "store": {}}, limits={"failureBudget": 0}
    )
    return docs, [*released(0, "dns", "2.5.0"), *released(900, "store", "2.5.0")]


def overtaken() -> tuple[Any, Any]:
    """Two releases one after another, and then somebody takes back the older one."""
    acts = [*released(0, "dns", "2.5.0"), *released(1200, "dns", "2.6.0")]
    return documents(), [*acts, says(2700, "rollback dns-2-5-0 --reason odd")]


def no_way_back() -> tuple[Any, Any]:
    pairs = [{"from": "2.4.*", "to": "2.5.0", "reason": "schema"}]
    docs = documents(components={"dns": {"irreversible": pairs}})
    return docs, [*released(0, "dns", "2.5.0"), says(900, "rollback dns-2-5-0 --reason odd")]


def by_large_node_sets() -> tuple[Any, Any]:
    """The rest takes longer than the set of one node."""
    return by_node_sets(6)


def by_node_sets(nodes: int = 2) -> tuple[Any, Any]:
    """A set of one node and the rest share a DaemonSet, and both are of one wave."""
    cluster = make.cluster("eu-1", "prod", nodes, {})
    cluster["spec"]["nodeSets"] = SETS[:1]
    cluster["spec"]["connection"]["simulated"]["nodeLabels"] = {"n-1": {"pool": "canary"}}
    docs = documents(clusters=[cluster], components={"net": {"scope": "nodeSet"}})
    return docs, [*released(0, "net", "2.5.0"), says(1500, "rollback net-2-5-0 --reason odd")]


GRAPH: dict[str, dict[str, Any]] = {"dns": {}, "store": {"dependsOn": ["dns"]}}


def addons(*names: str) -> list[Act]:
    written = [{"name": name, "version": "2.5.0"} for name in names]
    return brought(0, make.release("addons-1", "addons", "2.5.0", components=written))


def several() -> tuple[Any, Any]:
    """dns before store, in both clusters; taken back when all of it is there."""
    docs = documents(components=GRAPH)
    return docs, [*addons("dns", "store"), says(2400, "rollback addons-1 --reason odd")]


def one_after_another() -> tuple[Any, Any]:
    """The release of what the other one needs has not come to the second cluster yet."""
    stage = {"name": "all", "units": {}, "order": "name", "waves": [1, "100%"]}
    docs = documents(components=GRAPH, stages=[stage])
    only = {"names": ["eu-2"]}
    return docs, [*released(0, "dns", "2.5.0"), *released(20, "store", "2.5.0", units=only)]


def side_by_side() -> tuple[Any, Any]:
    """Merged later, what is needed goes on beside nothing that needs it."""
    return documents(components=GRAPH), [
        *released(0, "store", "2.5.0"),
        *released(20, "dns", "2.5.0"),
    ]


def with_a_task() -> tuple[Any, Any]:
    """A Job before the component that never ends, until it has failed by its deadline."""
    bad = [{"do": "neverReady", "image": "registry.local/ops:drain"}]
    stage = {"name": "all", "units": {}, "tasks": {"before": ["drain"]}}
    docs = documents(clusters=[make.cluster("eu-1", "prod", 2, {}, bad)], stages=[stage])
    job = {"image": "registry.local/ops:drain", "namespace": "ops"}
    spec = {"job": job, "takes": "1m", "deadline": "3m", "soak": "1m"}
    docs["tasks/drain.yaml"] = make.doc("Task", "drain", spec)
    return docs, released(0, "dns", "2.5.0")


def no_ends(patch: pytest.MonkeyPatch) -> None:
    """A Job that was made is taken for done."""
    patch.setattr(tasks, "_condition", lambda live, name: "" if name == "Complete" else None)


def every_node(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(siblings, "chosen", lambda choice, nodes: tuple(nodes))


def unrelated_seats(patch: pytest.MonkeyPatch) -> None:
    """Waves count units, though a cluster has several."""
    patch.setattr(Membership, "whole_clusters", property(lambda self: False))


def several_in_waves() -> tuple[Any, Any]:
    stage = {"name": "all", "units": {}, "order": "name", "waves": [1, "100%"]}
    return documents(components=GRAPH, stages=[stage]), addons("dns", "store")


def retried_though_done(patch: pytest.MonkeyPatch) -> None:
    """Whoever says retry has all of it done anew, however well it went."""

    def anew(t: Turn, name: str, by: str) -> None:
        fresh = UnitState(release=t.s.name, unit=name, since=t.s.now, anew_above=t.state.seq)
        t.tell("unit.retry", name, actor=by)
        t.put(fresh)

    # It would see the second batch first, and end the history before anything is written.
    patch.setitem(LAWS, "order", ("silent here", lambda seen: iter(())))
    patch.setattr(begin, "_nothing_to_do", lambda *_: False)
    patch.setattr(commands_units, "_retriable", lambda *_: True)
    patch.setattr(commands_units, "try_again", anew)


def done_and_asked_again() -> tuple[Any, Any]:
    """The Job has ended well and dns is on its way when somebody says retry."""
    stage = {"name": "all", "units": {}, "tasks": {"before": ["drain"]}}
    docs = documents(clusters=[make.cluster("eu-1", "prod", 2, {})], stages=[stage])
    job = {"image": "registry.local/ops:drain", "namespace": "ops"}
    spec = {"job": job, "takes": "1m", "deadline": "3m", "soak": "0s"}
    docs["tasks/drain.yaml"] = make.doc("Task", "drain", spec)
    return docs, [*released(0, "dns", "2.5.0"), says(300, "retry drain@eu-1")]


PENDING, BACK = UnitPhase.PENDING, UnitPhase.ROLLING_BACK
BREAKS = {
    "arrival": (no_waves, two_waves),
    "waves": (no_waves, two_waves),
    "host": (without(PENDING, "host_free"), guest_and_host),
    "risk": (without(PENDING, "risk"), one_at_a_time),
    "budget": (no_budget, spent),
    "newer": (no_newer, overtaken),
    "turns": (without(PENDING, "shared_object"), by_node_sets),
    "together": (without(BACK, "later_sibling"), by_large_node_sets),
    "untouched": (every_node, by_node_sets),
    "needs": (without(PENDING, "dependencies"), several),
    "worked": (no_ends, with_a_task),
    "before": (without(PENDING, "dependencies"), one_after_another),
    "beside": (without(PENDING, "dependencies"), side_by_side),
    "backwards": (without(BACK, "dependents_first"), several),
    "clusters": (unrelated_seats, several_in_waves),
    "done-once": (retried_though_done, done_and_asked_again),
    "one-way": (without(BACK, "reversible"), no_way_back),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_law_sees_that_its_gate_is_gone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A law that nothing can break says nothing when it holds."""
    plant, history = BREAKS[name]
    assert broken(*history()) == set(), "the history itself has to be lawful"
    plant(monkeypatch)
    assert name in broken(*history())
