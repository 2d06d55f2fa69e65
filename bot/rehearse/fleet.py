"""The clusters of a rehearsal: simulated copies in memory, and the faults that were asked for.

A fault begins with the first write of the batch that it was asked for, and ends when the unit is
put back. Opens no connection, whatever the release repo says of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.adapters.simulated import SimulatedFleet
from bot.adapters.simulated.pods import NEVER
from bot.cluster.tasks import is_call
from bot.model.effects import Purpose, Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import Clock, Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFault:
    """From batch `batch` on new pods of these images crash in the unit's cluster.

    `images` empty: those of every new pod, where the release changes no image.
    """

    unit: str
    cluster: str
    batch: int
    refs: frozenset[ObjectRef]
    images: tuple[str, ...]

    def listed(self) -> list[JSON]:
        return [{"do": "crashLoop", "image": image} for image in self.images or ("",)]


class RehearsedFleet(SimulatedFleet):
    """SimulatedFleet with copies of clusters that are not simulated. `nodes`: how many these have;
    `batch_of`: the batch that a unit is in.
    """

    def __init__(
        self, clock: Clock, nodes: Callable[[str], int], batch_of: Callable[[str], int]
    ) -> None:
        super().__init__(clock, None)
        self._nodes, self._batch_of = nodes, batch_of
        self._connections: tuple[Connection, ...] = ()
        self.kinds: list[JSON] = []
        """Rows of the repo's own workload kinds: copies of real clusters run them too."""
        self._asked: dict[str, list[AskedFault]] = {}
        self._striking: dict[str, AskedFault] = {}
        self.struck: set[str] = set()
        """Units whose fault was reached."""
        self.called: list[str] = []
        """Addresses that would have been called since this was read last."""

    def ask_for(self, faults: Iterable[AskedFault]) -> None:
        for fault in faults:
            self._asked.setdefault(fault.cluster, []).append(fault)

    def connect(self, connections: Iterable[Connection]) -> None:
        self._connections = tuple(connections)
        super().connect(self._as_asked(connection) for connection in self._connections)

    def next_event(self, cluster: str) -> datetime | None:
        """When the next thing happens in a cluster by itself; None when nothing will."""
        there, now = self._there(cluster), self._now()
        if there is None:
            return None
        times = [float(workload.next_at) for workload in there.workloads.values()]
        times += [one.start for one in there.faults.outages if one.start > now]
        soonest = min(times, default=float(NEVER))
        return None if soonest >= NEVER else datetime.fromtimestamp(soonest, UTC)

    def write(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> JSON | None:
        if is_call(write.ref) and isinstance(write.body, dict):
            # Nobody is called: the call is taken as answered.
            self.called.append(str(write.body["spec"]["url"]))
        for fault in self._asked.get(cluster, ()):
            if write.ref in fault.refs and self._changes(fault, write):
                self.connect(self._connections)
        return super().write(cluster, write, fence=fence, manager=manager)

    def _changes(self, fault: AskedFault, write: Write) -> bool:
        if write.purpose is Purpose.RESTORE:
            return self._striking.pop(fault.unit, None) is not None
        begins = write.purpose.forward and self._batch_of(fault.unit) >= fault.batch
        if not begins or fault.unit in self.struck:
            return False
        self._striking[fault.unit] = fault
        self.struck.add(fault.unit)
        return True

    def _as_asked(self, connection: Connection) -> Connection:
        written: Mapping[str, JSON] = connection.connection or {}
        simulated = written.get("simulated") or {"nodes": self._nodes(connection.cluster)}
        if self.kinds:
            simulated = {**simulated, "workloadKinds": self.kinds}
        more = [
            one
            for fault in self._striking.values()
            if fault.cluster == connection.cluster
            for one in fault.listed()
        ]
        if more:
            simulated = {**simulated, "faults": [*(simulated.get("faults") or ()), *more]}
        return replace(connection, connection={"simulated": simulated})
