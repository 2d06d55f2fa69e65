"""The Fleet port over two fleets: embedded clusters here, real ones there. Changes nothing of it.

A cluster belongs to the fleet that its connection names; none is ever asked by both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.model.effects import Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import Connection, Fleet

if TYPE_CHECKING:
    from bot.adapters.kubernetes_fleet import KubernetesFleet
    from bot.adapters.simulated.fleet import SimulatedFleet
    from bot.adapters.simulated.looking import FleetForLooking


class RoutedFleet:
    """`simulated` answers for connections that say so, `real` for all others."""

    def __init__(self, simulated: SimulatedFleet, real: KubernetesFleet) -> None:
        self.simulated, self.real = simulated, real
        self._real: frozenset[str] = frozenset()

    def connect(self, connections: Iterable[Connection]) -> None:
        links = list(connections)
        real = [one for one in links if "simulated" not in (one.connection or {})]
        self.simulated.connect(one for one in links if "simulated" in (one.connection or {}))
        self.real.connect(real)
        self._real = frozenset(one.cluster for one in real)

    def uid(self, cluster: str) -> str:
        return self._of(cluster).uid(cluster)

    def get(self, cluster: str, ref: ObjectRef) -> JSON | None:
        return self._of(cluster).get(cluster, ref)

    def children(self, cluster: str, owner: JSON) -> tuple[JSON, ...]:
        return self._of(cluster).children(cluster, owner)

    def nodes(self, cluster: str) -> tuple[JSON, ...]:
        return self._of(cluster).nodes(cluster)

    def every(self, cluster: str, api_version: str, kind: str) -> tuple[JSON, ...]:
        return self._of(cluster).every(cluster, api_version, kind)

    def write(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> JSON | None:
        return self._of(cluster).write(cluster, write, fence=fence, manager=manager)

    def dry_run(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> tuple[str, ...]:
        return self._of(cluster).dry_run(cluster, write, fence=fence, manager=manager)

    def close(self) -> None:
        self.simulated.close()
        self.real.close()

    def _of(self, cluster: str) -> Fleet:
        return self.real if cluster in self._real else self.simulated


class LookedAtFleet(RoutedFleet):
    """The same, with what commands that only look show of it."""

    simulated: FleetForLooking

    def reachable(self, cluster: str) -> bool:
        return (self.real if cluster in self._real else self.simulated).reachable(cluster)

    def objects(self, cluster: str) -> tuple[JSON, ...]:
        return self.simulated.objects(cluster)

    def writes(self, cluster: str) -> list[JSON]:
        return self.simulated.writes(cluster)
