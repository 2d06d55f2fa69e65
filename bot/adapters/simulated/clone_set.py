"""OpenKruise's CloneSet: partition counts old pods, in both shapes of its API.

Makes missing old pods anew from the old template. Never takes a new pod back by itself.
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
)
from bot.model.plan import JSON

_FLAT = (
    "partition",
    "maxUnavailable",
    "maxSurge",
    "paused",
    "priorityStrategy",
    "scatterStrategy",
    "inPlaceUpdateStrategy",
)


class CloneSetController(RevisionRules):
    def revision_of(self, w: Workload, spec: JSON) -> str:
        return f"{w.name}-{template_hash(spec['template'])}"

    def kept_old(self, w: Workload) -> int:
        """Pods that keep the old version: a number, or a percentage rounded up."""
        replicas, partition = self._replicas(w), rolling_of(w.seen).get("partition", 0)
        kept = min(replicas, scaled(partition, replicas, up=True))
        if isinstance(partition, str) and partition != "100%" and replicas > 1:
            kept = min(kept, replicas - 1)
        return kept

    def paused(self, w: Workload) -> bool:
        return bool(rolling_of(w.seen).get("paused"))

    def sync(self, w: Workload, t: int) -> None:
        new = w.revision(t)
        assert new is not None
        kept = self.kept_old(w)
        on_delete = (w.seen.get("updateStrategy") or {}).get("type") == "OnDelete"
        rolls = not on_delete and not self.paused(w)
        standing = [p for p in w.pods.values() if not p.deleting]
        old = [p for p in standing if p.rev != new.hash]
        surge = 0
        if rolls and len(old) > kept:
            most = scaled(rolling_of(w.seen).get("maxSurge", 0), self._replicas(w), up=True)
            surge = min(most, len(old) - kept)
        self._scale(w, new, self._replicas(w) + surge, 0 if on_delete else kept, t)
        if rolls:
            self._replace(w, new, kept, surge, t)

    def _scale(self, w: Workload, new: Revision, wanted: int, kept: int, t: int) -> None:
        standing = [p for p in w.pods.values() if not p.deleting]
        old = [p for p in standing if p.rev != new.hash]
        current = current_of(w, new)
        for number in range(wanted - len(standing)):
            revision = current if len(old) + number < kept else new
            node = min(w.place.nodes, key=w.place.load_of, default="")
            w.start(revision, node, t)
        too_old = len(old) > kept
        worth = sorted(
            standing, key=lambda p: (p.is_ready(t), (p.rev == new.hash) == too_old, p.name)
        )
        for pod in worth[: max(0, len(standing) - wanted)]:
            pod.delete(t)

    def _replace(self, w: Workload, new: Revision, kept: int, surge: int, t: int) -> None:
        """Old pods beyond those kept: what does not serve at once, others within the limit."""
        replicas, rolling = self._replicas(w), rolling_of(w.seen)
        limit = scaled(rolling.get("maxUnavailable", "20%"), replicas, up=False)
        if limit == 0 and scaled(rolling.get("maxSurge", 0), replicas, up=True) == 0:
            limit = 1
        standing = [p for p in w.pods.values() if not p.deleting]
        serving = sum(self._serves(w, p, t) for p in standing)
        budget = max(0, limit + serving - replicas)
        old = [p for p in standing if p.rev != new.hash]
        old.sort(key=lambda p: (self._serves(w, p, t), p.is_ready(t), p.name))
        for pod in old[: max(0, len(old) - kept)]:
            if self._serves(w, pod, t):
                if budget == 0:
                    return
                budget -= 1
            pod.delete(t)

    def status(self, w: Workload, t: int) -> JSON:
        new = w.current.hash if w.current else ""
        standing = [p for p in w.pods.values() if not p.deleting]
        updated = [p for p in standing if p.rev == new]
        available = [p for p in standing if self._serves(w, p, t)]
        ready = sum(p.is_ready(t) for p in standing)
        replicas = self._replicas(w)
        return {
            "observedGeneration": w.observed,
            "replicas": len(standing),
            "readyReplicas": ready,
            "availableReplicas": len(available),
            "updatedReplicas": len(updated),
            "updatedReadyReplicas": sum(p.is_ready(t) for p in updated),
            "updatedAvailableReplicas": sum(p in available for p in updated),
            "expectedUpdatedReplicas": replicas - self.kept_old(w),
            "currentRevision": note_current(w, done=len(updated) == ready == replicas),
            "updateRevision": new,
            "collisionCount": 0,
            "labelSelector": label_selector(w),
        }

    def _replicas(self, w: Workload) -> int:
        return int(w.seen.get("replicas", 1))

    def _serves(self, w: Workload, pod: Pod, t: int) -> bool:
        return pod.is_ready(t) and pod.is_available(t, self.min_ready(w))


def rolling_of(spec: JSON) -> JSON:
    """The fields of the roll: nested in v1beta1, flat in v1alpha1."""
    strategy = spec.get("updateStrategy") or {}
    return strategy.get("rollingUpdate") or strategy


def in_version(obj: JSON, api_version: str) -> JSON:
    """The object as v1alpha1 or v1beta1 writes it."""
    strategy = obj["spec"].get("updateStrategy") or {}
    nested = api_version.endswith("v1beta1")
    if nested == ("rollingUpdate" in strategy) or not strategy:
        return {**obj, "apiVersion": api_version}
    kind = strategy.get("type", "")
    if nested:
        rolling = {name: v for name, v in strategy.items() if name in _FLAT}
        if kind not in ("OnDelete", ""):
            rolling["podUpdatePolicy"] = kind
        roll = "OnDelete" if kind == "OnDelete" else "RollingUpdate"
        shaped: JSON = {"type": roll, "rollingUpdate": rolling}
    else:
        rolling = dict(strategy.get("rollingUpdate") or {})
        policy = rolling.pop("podUpdatePolicy", "ReCreate")
        shaped = {"type": "OnDelete" if kind == "OnDelete" else policy, **rolling}
    return {**obj, "apiVersion": api_version, "spec": {**obj["spec"], "updateStrategy": shaped}}
