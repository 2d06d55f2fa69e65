"""The DaemonSet controllers: the native one and OpenKruise's, which can be partitioned and paused.

Both start a pod of the newest template on every node without one, whatever partition says.
"""

from __future__ import annotations

from bot.adapters.simulated.pods import Pod
from bot.adapters.simulated.revisions import RevisionRules
from bot.adapters.simulated.workload import Revision, Workload, scaled, without_zeros
from bot.cluster.members import selects
from bot.model.plan import JSON

_KRUISE_UNSAID = frozenset({"numberAvailable", "numberUnavailable"})
_UNSAID = _KRUISE_UNSAID | {"updatedNumberScheduled"}
"""Counts that the API leaves out when they are zero."""


class DaemonSetController(RevisionRules):
    def __init__(self, *, kruise: bool) -> None:
        self.kruise = kruise

    def sync(self, w: Workload, t: int) -> None:
        new = w.revision(t)
        assert new is not None
        nodes = _nodes(w)
        on_node = _by_node(w)
        for node in nodes:
            if node not in on_node:
                w.start(new, node, t)
        for node, pods in on_node.items():
            if node not in nodes:
                for pod in pods:
                    pod.delete(t)
        strategy = w.seen.get("updateStrategy") or {}
        rolling = strategy.get("rollingUpdate") or {}
        if strategy.get("type", "RollingUpdate") == "OnDelete":
            return
        if self.kruise:
            if rolling.get("paused"):
                return
            nodes = _cut(w, new, nodes, rolling)
        _replace(w, new, nodes, rolling, t)

    def status(self, w: Workload, t: int) -> JSON:
        nodes = _nodes(w)
        min_ready = int(w.seen.get("minReadySeconds", 0))
        new = w.current.hash if w.current else ""
        scheduled = updated = ready = available = 0
        for pods in _by_node(w).values():
            oldest = min(pods, key=lambda p: p.created)
            scheduled += 1
            updated += oldest.rev == new
            ready += oldest.is_ready(t)
            available += oldest.is_available(t, min_ready)
        status: dict[str, JSON] = {
            "observedGeneration": w.observed,
            "desiredNumberScheduled": len(nodes),
            "currentNumberScheduled": scheduled,
            "updatedNumberScheduled": updated,
            "numberReady": ready,
            "numberAvailable": available,
            "numberUnavailable": len(nodes) - available,
            "numberMisscheduled": 0,
        }
        if self.kruise:
            # One controller serves both versions; the API shows the name of the version asked for.
            status["updateRevision"] = new
        return without_zeros(status, _KRUISE_UNSAID if self.kruise else _UNSAID)


def _nodes(w: Workload) -> tuple[str, ...]:
    """The nodes where it should run."""
    wanted = w.seen["template"]["spec"].get("nodeSelector")
    if not wanted:
        return w.place.nodes
    return tuple(n for n in w.place.nodes if wanted.items() <= w.place.labels_of(n).items())


def _by_node(w: Workload) -> dict[str, list[Pod]]:
    on_node: dict[str, list[Pod]] = {}
    for pod in w.pods.values():
        on_node.setdefault(pod.node, []).append(pod)
    return on_node


def _cut(w: Workload, new: Revision, nodes: tuple[str, ...], rolling: JSON) -> tuple[str, ...]:
    """OpenKruise's choice: updated and updating nodes, then by name descending, up to the cut."""
    on_node = _by_node(w)
    everywhere = sorted({*nodes, *on_node}, reverse=True)
    kept_old = scaled(rolling.get("partition"), len(nodes), up=False)
    updated, updating, rest = [], [], []
    for node in everywhere:
        pods = on_node.get(node, [])
        if any(p.rev == new.hash and not p.deleting for p in pods):
            updated.append(node)
        elif not pods or all(p.deleting for p in pods):
            updating.append(node)
        elif selects(rolling.get("selector"), w.place.labels_of(node)):
            rest.append(node)
    return tuple([*updated, *updating, *rest][: max(0, len(everywhere) - kept_old)])


def _replace(w: Workload, new: Revision, nodes: tuple[str, ...], rolling: JSON, t: int) -> None:
    """Deletes old pods: the unavailable ones in full, the others within maxUnavailable."""
    min_ready = int(w.seen.get("minReadySeconds", 0))
    on_node = _by_node(w)
    limit = scaled(rolling.get("maxUnavailable", 1), len(_nodes(w)), up=True)
    unavailable = 0
    useless: list[Pod] = []
    candidates: list[Pod] = []
    for node in nodes:
        standing = [p for p in on_node.get(node, ()) if not p.deleting]
        old = [p for p in standing if p.rev != new.hash]
        if not standing or not any(p.is_available(t, min_ready) for p in standing):
            unavailable += 1
            useless += old
        else:
            candidates += old
    for pod in useless + candidates[: max(0, limit - unavailable)]:
        pod.delete(t)
