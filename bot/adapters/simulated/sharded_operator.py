"""Sharded operators: each version reconciles what is in the namespaces that it is given.

A version's pods that are ready write every object in their namespaces that another version wrote
last, a moment after they got them: as real ones do, they write only what differs. Knows no
operator: the row says where everything stands. Never routes anything itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from datetime import datetime

from bot.adapters.simulated.pods import iso, number_of
from bot.adapters.simulated.workload import Workload
from bot.cluster.fields import at, put
from bot.cluster.kinds import Sharding
from bot.cluster.sharding import routed, served, version_of
from bot.model.plan import JSON

IDLE = "idle"
"""The fault of pods that are ready and do nothing."""

Address = tuple[str, str, str, str]


def reconcile(
    shardings: Mapping[tuple[str, str], Sharding],
    plain: MutableMapping[Address, JSON],
    workloads: Iterable[Workload],
    memory: MutableMapping[str, str],
    t: int,
) -> None:
    """Everything that the versions have written up to `t`. `memory`: who did what already."""
    spaces = [obj for address, obj in plain.items() if address[:2] == ("", "Namespace")]
    known = list(workloads)
    for address, router in list(plain.items()):
        sharding = shardings.get(address[:2])
        if sharding is None:
            continue
        names = served(sharding, spaces)
        version = version_of(sharding, router)
        new = routed(sharding, router, names)
        ready = _versions(sharding, router, known, t)
        older = max((one for one in ready if one != version), default="")
        given = {
            name: _given(memory, address, name, version if name in new else older, router)
            for name in names
        }
        for there, obj in list(plain.items()):
            told = (str(obj.get("apiVersion")), str(obj.get("kind")))
            if told not in sharding.resources or there[2] not in names:
                continue
            server, _, since = given[there[2]].rpartition(" ")
            done = _when(int(since), obj, ready.get(server))
            key, uid = "/".join(there), str(obj["metadata"].get("uid"))
            has = f"{server} {uid}"
            # Who gets back what nobody else has written since finds nothing that differs.
            if server and memory.get(key) != has and done is not None and done <= t:
                memory[key] = has
                plain[there] = _written(sharding, obj, server, done)


def _given(
    memory: MutableMapping[str, str], router: Address, namespace: str, server: str, obj: JSON
) -> str:
    """Who has a namespace, and since when: whoever gets it looks at everything in it."""
    key = "/".join((*router, "", namespace))
    if memory.get(key, "").rpartition(" ")[0] != server or key not in memory:
        memory[key] = f"{server} {_seconds(_stamp(obj))}"
    return memory[key]


def _versions(
    sharding: Sharding, router: JSON, workloads: Iterable[Workload], t: int
) -> dict[str, int | None]:
    """Version → since when a pod of it serves; None: no pod does."""
    found: dict[str, int | None] = {}
    for workload in workloads:
        obj = workload.obj
        labels = obj["metadata"].get("labels") or {}
        if (obj["apiVersion"], obj["kind"]) != sharding.shards or (
            workload.namespace != router["metadata"].get("namespace", "")
        ):
            continue
        name = at(obj, sharding.identity)
        if name and sharding.shard_labels.items() <= labels.items():
            serving = [
                pod.ready
                for pod in workload.pods.values()
                if pod.is_ready(t) and not pod.deleting and pod.fault != IDLE
            ]
            if serving or int((workload.seen or {}).get("replicas", 1)) > 0:
                found[str(name)] = min(serving, default=None)
    return found


def _when(given: int, obj: JSON, serving: int | None) -> int | None:
    """A moment after the namespace was given to it, the object was there, and a pod was ready."""
    if serving is None:
        return None
    since = max(given, _seconds(obj["metadata"].get("creationTimestamp")))
    return max(since, serving) + 2 + number_of(str(obj["metadata"].get("uid"))) % 5


def _stamp(obj: JSON) -> JSON:
    times = [entry.get("time") for entry in obj["metadata"].get("managedFields") or ()]
    return max((time for time in times if time), default=None)


def _seconds(text: JSON) -> int:
    return int(datetime.fromisoformat(str(text)).timestamp()) if text else 0


def _written(sharding: Sharding, obj: JSON, by: str, t: int) -> JSON:
    metadata = obj["metadata"]
    entry = {"manager": by, "operation": "Update", "subresource": "status", "time": iso(t)}
    others = [one for one in metadata.get("managedFields") or () if one.get("manager") != by]
    version = str(int(metadata.get("resourceVersion", "1")) + 1)
    kept = {**metadata, "managedFields": [*others, entry], "resourceVersion": version}
    written = {**obj, "metadata": kept}
    return put(written, sharding.reconciled_by, by) if sharding.reconciled_by else written
