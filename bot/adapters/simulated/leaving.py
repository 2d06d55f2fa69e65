"""How an object leaves a simulated cluster: at once, or when its finalizers have been taken away.

Stores nothing of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.adapters.simulated.api_rules import finalizers_of
from bot.adapters.simulated.pods import iso

if TYPE_CHECKING:
    from bot.adapters.simulated.cluster import Address, Cluster


def remove(cluster: Cluster, address: Address, t: int) -> None:
    """Deleted is not gone where somebody wants to clean up first."""
    workload = cluster.workloads.get(address)
    obj = workload.obj if workload else cluster.plain[address]
    if not finalizers_of(obj):
        cluster.plain.pop(address, None)
        cluster.workloads.pop(address, None)
    elif "deletionTimestamp" not in obj["metadata"]:
        noted = {"deletionTimestamp": iso(t), "resourceVersion": str(cluster.next_version())}
        obj = {**obj, "metadata": obj["metadata"] | noted}
        if workload:
            workload.written(obj, t)
        else:
            cluster.plain[address] = obj
