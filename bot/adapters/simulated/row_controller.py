"""A controller for a custom resource, as its row describes it: for kinds that a release repo adds.

Rolls as carefully as the row can say: a little at a time, never more than its number lets go. Knows
no kind of its own, and is no model of how a real operator of that kind behaves.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.adapters.simulated.pods import Pod
from bot.adapters.simulated.revisions import RevisionRules, current_of, note_current
from bot.adapters.simulated.workload import Revision, Workload, scaled, template_hash
from bot.cluster.fields import MISSING, Path, at, put
from bot.cluster.kinds import Gate, WorkloadKind
from bot.cluster.ordinals import ordinal_of
from bot.model.plan import JSON, ObjectRef
from bot.ports import Refused


class RowController(RevisionRules):
    def __init__(self, row: WorkloadKind) -> None:
        self.row = row
        self.label = row.revision_label or "controller-revision-hash"

    # what its API server would refuse

    def accepted(self, ref: ObjectRef, obj: JSON) -> JSON:
        """The object, or Refused where it lacks what the row says that it has."""
        if not isinstance(obj.get("spec"), dict):
            raise Refused(f"{ref.short}: spec: Required value")
        if at(obj, self.row.template, MISSING) in (MISSING, None):
            raise Refused(f"{ref.short}: {'.'.join(self.row.template)}: Required value")
        for path in (self.row.desired[0], self.row.partition):
            value = at(obj, path) if path and path[0] == "spec" else None
            if isinstance(value, bool) or not isinstance(value, int | str | None):
                raise Refused(f"{ref.short}: {'.'.join(path or ())}: must be a number")
        return obj

    # what makes a revision

    def template_of(self, spec: JSON) -> JSON:
        """The pods that it makes: its own template, or one of the images that it names."""
        written = at({"spec": spec}, self.row.template)
        if isinstance(written, dict) and isinstance(written.get("spec"), dict):
            return written
        images = [*_images(written)] or [str(written)]
        containers = [{"name": f"c{n}", "image": image} for n, image in enumerate(images)]
        labels = at(spec, ("selector", "matchLabels")) or {}
        return {"metadata": {"labels": labels}, "spec": {"containers": containers}}

    def revision_of(self, w: Workload, spec: JSON) -> str:
        return f"{w.name}-{template_hash(at({'spec': spec}, self.row.template))}"

    def min_ready(self, w: Workload) -> int:
        found = self._field(w, self.row.min_ready)
        return found if isinstance(found, int) else 0

    # one round

    def sync(self, w: Workload, t: int) -> None:
        new = w.revision(t)
        assert new is not None
        if self.row.counts == "nodes":
            self._on_every_node(w, new, t)
        elif self.row.gate is Gate.ORDINAL:
            self._numbered(w, new, t)
        else:
            self._scaled(w, new, t)
        standing = _standing(w)
        serving = sum(self._serves(w, p, t) for p in standing)
        budget = self._limit(w) + serving - self._wanted(w)
        for pod in self._may_go(w, new, standing, t):
            if self._serves(w, pod, t):
                budget -= 1
                if budget < 0:
                    return
            pod.delete(t)

    def _on_every_node(self, w: Workload, new: Revision, t: int) -> None:
        """Like a DaemonSet: a node without a pod gets the newest, whatever the number says."""
        there = {p.node for p in w.pods.values()}
        for node in w.place.nodes:
            if node not in there:
                w.start(new, node, t)
        for pod in w.pods.values():
            if pod.node not in w.place.nodes:
                pod.delete(t)

    def _numbered(self, w: Workload, new: Revision, t: int) -> None:
        floor, current = self._number(w) or 0, current_of(w, new)
        for ordinal in range(self._wanted(w)):
            name = f"{w.name}-{ordinal}"
            if name not in w.pods:
                w.start(current if ordinal < floor else new, self._node(w), t, name=name)
        for pod in _standing(w):
            if ordinal_of(pod.name) >= self._wanted(w):
                pod.delete(t)

    def _scaled(self, w: Workload, new: Revision, t: int) -> None:
        wanted, standing = self._wanted(w), _standing(w)
        old, current = sum(p.rev != new.hash for p in standing), current_of(w, new)
        for number in range(wanted - len(standing)):
            kept = old + number < self._kept(w)
            w.start(current if kept else new, self._node(w), t)
        worth = sorted(standing, key=lambda p: (p.is_ready(t), p.rev != new.hash, p.name))
        for pod in worth[: max(0, len(standing) - wanted)]:
            pod.delete(t)

    def _may_go(self, w: Workload, new: Revision, standing: list[Pod], t: int) -> list[Pod]:
        """Old pods that the gate lets go, those that do not serve first."""
        if self._on_delete(w) or self._paused(w):
            return []
        old = sorted(
            (p for p in standing if p.rev != new.hash),
            key=lambda p: (not self._serves(w, p, t), p.node, ordinal_of(p.name), p.name),
            reverse=True,
        )
        if self.row.gate is Gate.ORDINAL:
            floor = self._number(w) or 0
            return [p for p in old if ordinal_of(p.name) >= floor]
        return old[: max(0, len(old) - self._kept(w))]

    def _kept(self, w: Workload) -> int:
        """How many keep the old version; what is no number keeps none back."""
        number = self._number(w)
        if number is None or self._on_delete(w):
            return 0
        wanted = self._wanted(w)
        kept = wanted - number if self.row.gate is Gate.UPDATED else number
        return max(0, min(wanted, kept))

    # where the row says that it stands

    def _field(self, w: Workload, path: Path | None) -> JSON:
        return at({"spec": w.seen}, path) if path else None

    def _number(self, w: Workload) -> int | None:
        if not self.row.gate.numbered:
            return None
        written = self._field(w, self.row.partition)
        if isinstance(written, str) and written.endswith("%"):
            return scaled(written, self._wanted(w), up=True)
        return written if isinstance(written, int) else None

    def _wanted(self, w: Workload) -> int:
        if self.row.counts == "nodes":
            return len(w.place.nodes)
        written = self._field(w, self.row.desired[0])
        return written if isinstance(written, int) else 1

    def _limit(self, w: Workload) -> int:
        written = self._field(w, self.row.max_unavailable)
        return max(1, scaled(1 if written is None else written, self._wanted(w), up=True))

    def _on_delete(self, w: Workload) -> bool:
        return self.row.deletable and self._field(w, (*self.row.strategy, "type")) == "OnDelete"

    def _paused(self, w: Workload) -> bool:
        return self._field(w, self.row.paused) is True

    def _serves(self, w: Workload, pod: Pod, t: int) -> bool:
        return pod.is_ready(t) and pod.is_available(t, self.min_ready(w))

    def _node(self, w: Workload) -> str:
        return min(w.place.nodes, key=w.place.load_of, default="")

    def status(self, w: Workload, t: int) -> JSON:
        """The counts where the row looks for them."""
        new = w.current.hash if w.current else ""
        standing = _standing(w)
        updated = sum(p.rev == new for p in standing)
        serving = sum(self._serves(w, p, t) for p in standing)
        current = note_current(w, done=updated == serving == self._wanted(w))
        told: JSON = {"status": {"currentRevision": current}}
        told = put(told, self.row.observed, w.observed)
        counts = ((self.row.updated_count, updated), (self.row.ready_count, serving))
        revisions = [(path, new) for path in self.row.revision]
        desired = [(path, self._wanted(w)) for path in self.row.desired]
        for path, value in (*counts, *revisions, *desired):
            if path is not None and path[0] == "status":
                told = put(told, path, value)
        return told["status"]


def _standing(w: Workload) -> list[Pod]:
    return [p for p in w.pods.values() if not p.deleting]


def _images(written: JSON) -> Iterator[str]:
    """Every image that stands somewhere in a template that is no pod template."""
    if isinstance(written, dict):
        for name, value in written.items():
            if name == "image" and isinstance(value, str):
                yield value
            else:
                yield from _images(value)
    elif isinstance(written, list):
        for value in written:
            yield from _images(value)
