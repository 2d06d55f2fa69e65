"""Looks at units in their clusters, many at once. Reads only; what cannot be seen is said to be
unknown, and what does not answer yet is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType

from bot.cluster.kinds import BUILT_IN, Rows, Sharding, row_of
from bot.cluster.tasks import is_call
from bot.core.messages_rolling import no_answer_for
from bot.model.plan import JSON, ObjectRef, UnitPlan
from bot.model.seen import ObjectSeen, UnitSeen
from bot.ports import Fleet, PortError
from bot.reconciler.lanes import Call, Lanes, Late

Calls = Mapping[tuple[str, str], JSON]
"""(unit, object key) → a call over HTTP that was answered: no cluster can tell of it."""
RowsOf = Callable[[UnitPlan], Rows]
"""The workload kinds that a unit's release goes by."""
Beside = Callable[[UnitPlan], Iterable[ObjectRef]]
"""Objects that are to be seen with those of a unit: what left its template."""


AT_ONCE = 4
"""Units of one cluster that are looked at side by side: reading has no order."""
AGAIN = timedelta(seconds=2)
STALE = timedelta(minutes=1)
"""What was asked longer ago than this is asked anew."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen, and which units have been asked for and not been told yet."""

    seen: Mapping[str, UnitSeen]
    pending: frozenset[str] = frozenset()

    def of(self, asks: Iterable[str]) -> dict[str, UnitSeen]:
        return {unit: self.seen[unit] for unit in asks if unit in self.seen}

    def again(self, asks: frozenset[str], wake: datetime | None, now: datetime) -> datetime:
        """When who still asks is due: at once, or soon where only an answer is to come."""
        return now if asks - self.pending else min(wake or now + AGAIN, now + AGAIN)


def look(
    fleet: Fleet,
    lanes: Lanes,
    units: Iterable[UnitPlan],
    now: datetime,
    calls: Calls = MappingProxyType({}),
    rows: RowsOf = lambda unit: BUILT_IN,
    beside: Beside = lambda unit: (),
) -> Looked:
    """A cluster that does not answer gives an unreachable unit, never an error; one that takes
    its time gives nothing yet, and what it says after all is told by the next look.
    """
    came = lanes.came("look")
    wanted = {unit.unit: unit for unit in units}
    told = {
        name: seen
        for name, (unit, seen) in came.items()
        if unit is wanted.get(name) and abs(now - seen.at) <= STALE
    }

    def at(unit: UnitPlan) -> tuple[UnitPlan, UnitSeen]:
        return unit, look_at(fleet, unit, now, calls, rows(unit), beside(unit))

    asked = [unit for name, unit in wanted.items() if name not in told]
    found = lanes.run(
        [Call(unit.cluster, ("look", unit.unit), partial(at, unit)) for unit in asked],
        width=AT_ONCE,
    )
    pending: set[str] = set()
    for unit, one in zip(asked, found, strict=True):
        if not isinstance(one, Late):
            told[unit.unit] = one[1]
        elif (silent := lanes.waits(unit.cluster)) >= lanes.silent:
            told[unit.unit] = _silent(unit, now, silent)
        else:
            pending.add(unit.unit)
    return Looked({name: told[name] for name in wanted if name in told}, frozenset(pending))


def _silent(unit: UnitPlan, now: datetime, silent: float) -> UnitSeen:
    return UnitSeen(unit=unit.unit, at=now, reachable=False, error=no_answer_for(silent))


def look_at(
    fleet: Fleet,
    unit: UnitPlan,
    now: datetime,
    calls: Calls = MappingProxyType({}),
    rows: Rows = BUILT_IN,
    beside: Iterable[ObjectRef] = (),
) -> UnitSeen:
    """One unit: identity of the cluster, every object of it, and what the workloads own."""
    try:
        uid = fleet.uid(unit.cluster)
        objects: dict[str, ObjectSeen] = {}
        for planned in (*unit.objects, *unit.undo):
            if is_call(planned.ref):
                told = calls.get((unit.unit, planned.ref.key))
                objects[planned.ref.key] = ObjectSeen(ref=planned.ref, live=told)
                continue
            live = fleet.get(unit.cluster, planned.ref)
            children = fleet.children(unit.cluster, live) if live is not None else ()
            row = row_of(planned.ref, rows)
            if row is not None and row.sharding is not None:
                children = _sharded(fleet, unit.cluster, row.sharding)
            objects[planned.ref.key] = ObjectSeen(ref=planned.ref, live=live, children=children)
        for ref in beside:
            live = fleet.get(unit.cluster, ref)
            # A workload that a rollback brought back is well only when its pods are.
            counts = live is not None and row_of(ref, rows) is not None
            children = fleet.children(unit.cluster, live) if counts else ()
            objects[ref.key] = ObjectSeen(ref=ref, live=live, children=children)
        nodes = fleet.nodes(unit.cluster) if unit.nodes is not None else None
    except PortError as error:
        return UnitSeen(unit=unit.unit, at=now, reachable=False, error=error.why)
    seen = UnitSeen(unit=unit.unit, at=now, uid=uid, objects=objects)
    return seen if nodes is None else replace(seen, nodes=_labels(nodes), taints=_taints(nodes))


def _sharded(fleet: Fleet, cluster: str, sharding: Sharding) -> tuple[JSON, ...]:
    """Namespaces, what a sharded operator reconciles in them, and the workloads that run it."""
    kinds = [("v1", "Namespace"), *sharding.resources]
    kinds += [sharding.shards] if sharding.shards else []
    return tuple(one for kind in dict.fromkeys(kinds) for one in fleet.every(cluster, *kind))


def _labels(nodes: Iterable[JSON]) -> dict[str, dict[str, str]]:
    """Node → its labels."""
    return {node["metadata"]["name"]: dict(node["metadata"].get("labels") or {}) for node in nodes}


def _taints(nodes: Iterable[JSON]) -> dict[str, tuple[JSON, ...]]:
    """Node → its taints, of those that have any."""
    return {
        node["metadata"]["name"]: tuple(taints)
        for node in nodes
        if (taints := (node.get("spec") or {}).get("taints"))
    }
