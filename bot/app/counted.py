"""The Fleet port with every write counted by purpose and outcome. Changes nothing of it."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model.effects import Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import Connection, Fleet, PortError
from bot.web.vitals import Vitals


class CountedFleet:
    """Passes every call on to the fleet behind it."""

    def __init__(self, fleet: Fleet, vitals: Vitals) -> None:
        self._fleet = fleet
        self._vitals = vitals

    def connect(self, connections: Iterable[Connection]) -> None:
        self._fleet.connect(connections)

    def uid(self, cluster: str) -> str:
        return self._fleet.uid(cluster)

    def get(self, cluster: str, ref: ObjectRef) -> JSON | None:
        return self._fleet.get(cluster, ref)

    def children(self, cluster: str, owner: JSON) -> tuple[JSON, ...]:
        return self._fleet.children(cluster, owner)

    def nodes(self, cluster: str) -> tuple[JSON, ...]:
        return self._fleet.nodes(cluster)

    def every(self, cluster: str, api_version: str, kind: str) -> tuple[JSON, ...]:
        return self._fleet.every(cluster, api_version, kind)

    def write(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> JSON | None:
        outcome = "done"
        try:
            return self._fleet.write(cluster, write, fence=fence, manager=manager)
        except PortError as error:
            outcome = type(error).__name__.lower()
            raise
        finally:
            self._vitals.wrote(write.purpose.value, outcome)

    def dry_run(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> tuple[str, ...]:
        return self._fleet.dry_run(cluster, write, fence=fence, manager=manager)
