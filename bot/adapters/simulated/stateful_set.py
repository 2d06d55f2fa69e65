"""The StatefulSet controllers: the native one and OpenKruise's, with slots, paused and unordered.

Both count positions, not ordinals, and wait in order for a pod that does not become ready.
"""

from __future__ import annotations

from bot.adapters.simulated.pods import Pod
from bot.adapters.simulated.revisions import RevisionRules, current_of, note_current
from bot.adapters.simulated.workload import (
    Revision,
    Workload,
    label_selector,
    scaled,
    template_hash,
    without_zeros,
)
from bot.cluster.fields import at
from bot.cluster.ordinals import ordinal_of, positions
from bot.model.plan import JSON

_UNSAID = frozenset({"readyReplicas", "currentReplicas", "updatedReplicas"})
"""Counts that the API of the native kind leaves out when they are zero."""


class StatefulSetController(RevisionRules):
    def __init__(self, *, kruise: bool) -> None:
        self.kruise = kruise

    def revision_of(self, w: Workload, spec: JSON) -> str:
        """Labels of its pods, and its status, hold the name of the revision."""
        return f"{w.name}-{template_hash(spec['template'])}"

    def min_ready(self, w: Workload) -> int:
        path = ("updateStrategy", "rollingUpdate", "minReadySeconds")
        return int(at(w.seen, path if self.kruise else ("minReadySeconds",), 0))

    def sync(self, w: Workload, t: int) -> None:
        new = w.revision(t)
        assert new is not None
        current = current_of(w, new)
        ordinals = list(positions({"spec": w.seen}, int(w.seen.get("replicas", 1))))
        strategy = w.seen.get("updateStrategy") or {}
        rolling = strategy.get("rollingUpdate") or {}
        on_delete = strategy.get("type", "RollingUpdate") == "OnDelete"
        floor = 0 if on_delete else int(rolling.get("partition", 0))
        in_order = w.seen.get("podManagementPolicy", "OrderedReady") != "Parallel"
        unordered = self.kruise and rolling.get("unorderedUpdate") is not None
        by_ordinal = {ordinal_of(p.name): p for p in w.pods.values()}
        for position, ordinal in enumerate(ordinals):
            pod = by_ordinal.get(ordinal)
            if pod is None:
                old = position < floor
                if unordered:
                    kept = sum(p.rev != new.hash for p in by_ordinal.values())
                    old = kept < floor
                revision = current if old else new
                w.start(revision, self._node(w), t, name=f"{w.name}-{ordinal}")
                by_ordinal[ordinal] = w.pods[f"{w.name}-{ordinal}"]
                if in_order:
                    return
            elif in_order and (pod.deleting or not self._serves(w, pod, t)):
                return
        if self._condemn(w, set(ordinals), t, one_by_one=in_order) or on_delete:
            return
        if self.kruise:
            self._replace_kruise(w, new.hash, ordinals, rolling, t, unordered=unordered)
        else:
            self._replace(w, new.hash, ordinals[floor:], t)

    def _condemn(self, w: Workload, wanted: set[int], t: int, *, one_by_one: bool) -> bool:
        """A scale down: the highest go first; whether any is still there."""
        extra = [p for p in w.pods.values() if ordinal_of(p.name) not in wanted]
        for pod in sorted(extra, key=lambda p: -ordinal_of(p.name)):
            pod.delete(t)
            if one_by_one:
                break
        return bool(extra)

    def _replace(self, w: Workload, new: str, ordinals: list[int], t: int) -> None:
        """From the last down: the first old one goes; one that does not serve is waited for."""
        for ordinal in reversed(ordinals):
            pod = w.pods.get(f"{w.name}-{ordinal}")
            if pod is None or pod.deleting:
                return
            if pod.rev != new:
                pod.delete(t)
                return
            if not self._serves(w, pod, t):
                return

    def _replace_kruise(
        self, w: Workload, new: str, ordinals: list[int], rolling: JSON, t: int, *, unordered: bool
    ) -> None:
        if rolling.get("paused"):
            return
        pods = [w.pods.get(f"{w.name}-{ordinal}") for ordinal in reversed(ordinals)]
        there = [p for p in pods if p is not None]
        kept = int(rolling.get("partition", 0))
        if unordered:
            updated = sum(p.rev == new or p.deleting for p in there)
            left = [p for p in there if p.rev != new and not p.deleting]
            chosen = left[: max(0, len(ordinals) - kept - updated)]
        else:
            chosen = [p for p in pods[: max(0, len(ordinals) - kept)] if p and p.rev != new]
        limit = max(1, scaled(rolling.get("maxUnavailable", 1), len(ordinals), up=False))
        down = len(ordinals) - sum(self._serves(w, p, t) for p in there)
        for pod in chosen:
            if pod.deleting:
                continue
            if not self._serves(w, pod, t):
                pod.delete(t)  # what does not serve costs nothing
            elif down < limit:
                down += 1
                pod.delete(t)
            else:
                return

    def show_revision(self, w: Workload, revision: Revision, t: int) -> JSON:
        """The label of its pods holds the revision's name; on the revision it is another one."""
        shown = super().show_revision(w, revision, t)
        labels = shown["metadata"]["labels"]
        if labels.pop(self.label, None):
            labels["controller.kubernetes.io/hash"] = revision.hash.rpartition("-")[2]
        return shown

    def status(self, w: Workload, t: int) -> JSON:
        new = w.current.hash if w.current else ""
        standing = [p for p in w.pods.values() if not p.deleting]
        ready = sum(p.is_ready(t) for p in standing)
        updated = [p for p in standing if p.rev == new]
        available = [p for p in standing if p.is_available(t, self.min_ready(w))]
        replicas = int(w.seen.get("replicas", 1))
        current = note_current(w, done=len(updated) == ready == replicas)
        status: dict[str, JSON] = {
            "observedGeneration": w.observed,
            "replicas": len(w.pods),
            "readyReplicas": ready,
            "availableReplicas": len(available),
            "currentReplicas": sum(p.rev == current for p in standing),
            "updatedReplicas": len(updated),
            "currentRevision": current,
            "updateRevision": new,
            "collisionCount": 0,
        }
        if self.kruise:
            status["labelSelector"] = label_selector(w)
            status["updatedReadyReplicas"] = sum(p.is_ready(t) for p in updated)
            status["updatedAvailableReplicas"] = sum(p in available for p in updated)
            return status
        return without_zeros(status, _UNSAID)

    def _serves(self, w: Workload, pod: Pod, t: int) -> bool:
        return not pod.deleting and pod.is_ready(t) and pod.is_available(t, self.min_ready(w))

    def _node(self, w: Workload) -> str:
        return min(w.place.nodes, key=w.place.load_of, default="")
