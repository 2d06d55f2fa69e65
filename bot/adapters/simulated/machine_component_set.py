"""The MachineComponentSet: a version of something on the nodes themselves, a few at a time.

Our own semantics for the embedded fleet (docs/adr): a node reports the version it has in an
annotation and is not Ready while it is changed. Never touches a node that it does not select.
"""

from __future__ import annotations

from bot.adapters.simulated.pods import Pod
from bot.adapters.simulated.revisions import RevisionRules
from bot.adapters.simulated.workload import Revision, Workload, scaled
from bot.cluster.members import selects
from bot.model.plan import JSON

REPORTED = "kubenode.alibabacloud.com/"
"""Annotation of a node, before the component's name: the version it has."""


class MachineComponentSetController(RevisionRules):
    label = REPORTED
    on_nodes = True

    def template_of(self, spec: JSON) -> JSON:
        """As an image, so that faults can name it: `kubelet:1.34.2`."""
        image = f"{spec['componentName']}:{spec['version']}"
        return {"spec": {"containers": [{"name": spec["componentName"], "image": image}]}}

    def revision_of(self, w: Workload, spec: JSON) -> str:
        return str(spec["version"])

    def sync(self, w: Workload, t: int) -> None:
        new = w.revision(t)
        assert new is not None
        chosen = self._chosen(w)
        has = {p.node: p for p in w.pods.values()}
        for node in chosen:
            if node not in has:
                self._install(w, new, node, t)
        for node, pod in has.items():
            if node not in w.place.nodes:
                del w.pods[pod.name]
        if not w.seen.get("pause"):
            self._replace(w, new, chosen, t)

    def _replace(self, w: Workload, new: Revision, chosen: tuple[str, ...], t: int) -> None:
        has = {p.node: p for p in w.pods.values()}
        old = [n for n in sorted(chosen, reverse=True) if has[n].rev != new.hash]
        may = max(0, len(old) - int(w.seen.get("partition", 0)))
        limit = max(1, scaled(w.seen.get("maxUnavailable", 1), len(chosen), up=True))
        down = sum(not self._serves(w, has[n], t) for n in chosen)
        for node in sorted(old, key=lambda n: self._serves(w, has[n], t))[:may]:
            if self._serves(w, has[node], t):
                if down >= limit:
                    return
                down += 1
            self._install(w, new, node, t)

    def _install(self, w: Workload, new: Revision, node: str, t: int) -> None:
        """In place: what was there is gone at once."""
        name = f"{w.seen['componentName']}-{node}"
        w.pods.pop(name, None)
        w.start(new, node, t, name=name)

    def status(self, w: Workload, t: int) -> JSON:
        chosen = set(self._chosen(w))
        there = [p for p in w.pods.values() if p.node in chosen]
        new = w.current.hash if w.current else ""
        return {
            "observedGeneration": w.observed,
            "desiredNodes": len(chosen),
            "updatedNodes": sum(p.rev == new for p in there),
            "readyNodes": sum(p.is_ready(t) for p in there),
            "updatedReadyNodes": sum(p.rev == new and p.is_ready(t) for p in there),
        }

    def _chosen(self, w: Workload) -> tuple[str, ...]:
        selector = w.seen.get("selector")
        return tuple(n for n in w.place.nodes if selects(selector, w.place.labels_of(n)))

    def _serves(self, w: Workload, pod: Pod, t: int) -> bool:
        return pod.is_ready(t) and pod.is_available(t, self.min_ready(w))
