"""A controller for a custom resource, as its row describes it: for kinds that a release repo adds.

Works like a CloneSet whose fields live where the row says. Knows no kind of its own.
"""

from __future__ import annotations

from bot.adapters.simulated.clone_set import CloneSetController
from bot.adapters.simulated.workload import Workload
from bot.cluster.fields import at, put
from bot.cluster.kinds import Gate, WorkloadKind
from bot.model.plan import JSON


class RowController(CloneSetController):
    def __init__(self, row: WorkloadKind) -> None:
        self.row = row
        self.label = row.revision_label or "controller-revision-hash"

    def kept_old(self, w: Workload) -> int:
        replicas = self._replicas(w)
        number = at({"spec": w.seen}, self.row.partition) if self.row.partition else 0
        if not isinstance(number, int):
            return 0
        kept = replicas - number if self.row.gate is Gate.UPDATED else number
        return max(0, min(replicas, kept))

    def paused(self, w: Workload) -> bool:
        return bool(self.row.paused and at({"spec": w.seen}, self.row.paused))

    def status(self, w: Workload, t: int) -> JSON:
        """The counts where the row looks for them."""
        usual = super().status(w, t)
        told: JSON = {"status": {"currentRevision": usual["currentRevision"]}}
        told = put(told, self.row.observed, w.observed)
        for path in self.row.revision:
            told = put(told, path, usual["updateRevision"])
        for where, name in (
            (self.row.updated_count, "updatedReplicas"),
            (self.row.ready_count, "availableReplicas"),
        ):
            if where is not None:
                told = put(told, where, usual[name])
        return told["status"]

    def _replicas(self, w: Workload) -> int:
        return int(at({"spec": w.seen}, self.row.desired[0], 1))
