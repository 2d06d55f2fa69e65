"""Looks at units in their clusters, many at once. Reads only; what cannot be seen is said to be
unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from bot.cluster.kinds import BUILT_IN, Rows, Sharding, row_of
from bot.cluster.tasks import is_call
from bot.model.plan import JSON, UnitPlan
from bot.model.seen import ObjectSeen, UnitSeen
from bot.ports import Fleet, PortError

Calls = Mapping[tuple[str, str], JSON]
"""(unit, object key) → a call over HTTP that was answered: no cluster can tell of it."""
RowsOf = Callable[[UnitPlan], Rows]
"""The workload kinds that a unit's release goes by."""


def look(
    fleet: Fleet,
    pool: Executor | None,
    units: Iterable[UnitPlan],
    now: datetime,
    calls: Calls = MappingProxyType({}),
    rows: RowsOf = lambda unit: BUILT_IN,
) -> Mapping[str, UnitSeen]:
    """Unit → what was seen. A cluster that does not answer gives an unreachable unit, never an
    error.
    """
    wanted = list(units)

    def at(unit: UnitPlan) -> UnitSeen:
        return look_at(fleet, unit, now, calls, rows(unit))

    if pool is None or len(wanted) < 2:
        return {unit.unit: at(unit) for unit in wanted}
    seen = pool.map(at, wanted)
    return {unit.unit: found for unit, found in zip(wanted, seen, strict=True)}


def look_at(
    fleet: Fleet,
    unit: UnitPlan,
    now: datetime,
    calls: Calls = MappingProxyType({}),
    rows: Rows = BUILT_IN,
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
