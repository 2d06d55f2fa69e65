"""The Deployment controller, in its own arithmetic: surge, minAvailable, minReadySeconds, deadline.

Works on the spec it has observed. Never moves a pod outside the rules of the real one.
"""

from __future__ import annotations

from bot.adapters.simulated.pods import NEVER, Pod
from bot.adapters.simulated.revisions import RevisionRules
from bot.adapters.simulated.workload import Revision, Workload, condition, scaled
from bot.model.plan import JSON

NO_DEADLINE = 2147483647
ROUNDS = 200
"""More rounds than one moment can need; a guard against rules that chase each other."""


class DeploymentController(RevisionRules):
    label = "pod-template-hash"
    owns_by_revision = True

    def sync(self, w: Workload, t: int) -> None:
        """Rounds until nothing moves any more at this moment."""
        for _ in range(ROUNDS):
            if not (_round(w, t) | _reconcile_pods(w, t)):
                return

    def next_after(self, w: Workload, t: int) -> int:
        ready_after = {r.hash: r.min_ready for r in w.revisions}
        soonest = min((p.next_after(t, ready_after[p.rev]) for p in w.pods.values()), default=NEVER)
        late = w.memory.get("progress", 0) + _deadline(w)
        return min(soonest, late) if late > t and not _complete(w) else soonest

    def status(self, w: Workload, t: int) -> JSON:
        standing = [p for p in w.pods.values() if not p.deleting]
        new = w.current.hash if w.current else ""
        ready_after = {r.hash: r.min_ready for r in w.revisions}
        counts = {
            "replicas": len(standing),
            "updatedReplicas": sum(p.rev == new for p in standing),
            "readyReplicas": sum(p.is_ready(t) for p in standing),
            "availableReplicas": sum(p.is_available(t, ready_after[p.rev]) for p in standing),
        }
        asked = sum(r.replicas for r in w.revisions)
        counts["unavailableReplicas"] = max(0, asked - counts["availableReplicas"])
        _note_progress(w, counts, t)
        for name, count in counts.items():
            w.memory[name] = count
        enough = counts["availableReplicas"] >= _replicas(w) - _limits(w)[1]
        reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
        since = w.memory["progress"]
        return {
            "observedGeneration": w.observed,
            **{name: count for name, count in counts.items() if count},
            "terminatingReplicas": len(w.pods) - len(standing),
            "conditions": [
                condition("Available", enough, reason, since),
                *([_progressing(w, t, since)] if _has_deadline(w) else ()),
            ],
        }

    def notes(self, w: Workload) -> dict[str, str]:
        number = w.current.number if w.current else 0
        return {"deployment.kubernetes.io/revision": str(number)} if number else {}

    def show_revision(self, w: Workload, revision: Revision, t: int) -> JSON:
        pods = [p for p in w.pods.values() if p.rev == revision.hash and not p.deleting]
        ready = sum(p.is_ready(t) for p in pods)
        available = sum(p.is_available(t, revision.min_ready) for p in pods)
        shown_as = (
            revision.replicas,
            revision.min_ready,
            revision.number,
            len(pods),
            ready,
            available,
        )
        if revision.shown is None or revision.shown_as != shown_as:
            metadata = w.revision_metadata(revision)
            metadata["annotations"] = {"deployment.kubernetes.io/revision": str(revision.number)}
            template = revision.template
            labelled = {**(template.get("metadata") or {}), "labels": metadata["labels"]}
            revision.shown_as = shown_as
            revision.shown = {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "metadata": metadata,
                "spec": {
                    "replicas": revision.replicas,
                    "minReadySeconds": revision.min_ready,
                    "selector": {"matchLabels": metadata["labels"]},
                    "template": {**template, "metadata": labelled},
                },
                "status": {
                    "replicas": len(pods),
                    "readyReplicas": ready,
                    "availableReplicas": available,
                },
            }
        return revision.shown


def _replicas(w: Workload) -> int:
    return int(w.seen.get("replicas", 1))


def _deadline(w: Workload) -> int:
    seconds = int(w.seen.get("progressDeadlineSeconds", 600))
    return NEVER if seconds == NO_DEADLINE or w.seen.get("paused") else seconds


def _limits(w: Workload) -> tuple[int, int]:
    """(maxSurge, maxUnavailable) in pods: the one rounded up, the other down, never both 0."""
    if (w.seen.get("strategy") or {}).get("type") == "Recreate":
        return 0, _replicas(w)
    rolling = (w.seen.get("strategy") or {}).get("rollingUpdate") or {}
    surge = scaled(rolling.get("maxSurge", "25%"), _replicas(w), up=True)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), _replicas(w), up=False)
    return (surge, 1) if surge == 0 and unavailable == 0 else (surge, unavailable)


def _complete(w: Workload) -> bool:
    m = w.memory
    return (
        m.get("updatedReplicas") == m.get("replicas") == m.get("availableReplicas") == _replicas(w)
    )


def _note_progress(w: Workload, counts: dict[str, int], t: int) -> None:
    m = w.memory
    old_before = m.get("replicas", 0) - m.get("updatedReplicas", 0)
    old_now = counts["replicas"] - counts["updatedReplicas"]
    more = any(
        counts[name] > m.get(name, 0)
        for name in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    generation = w.observed != m.get("generation", 0)
    if more or old_now < old_before or generation or "progress" not in m:
        m["progress"] = t
    m["generation"] = w.observed


def _has_deadline(w: Workload) -> bool:
    """The largest number there is means none, and then nothing is said of progress."""
    return int(w.seen.get("progressDeadlineSeconds", 600)) < NO_DEADLINE


def _progressing(w: Workload, t: int, since: int) -> JSON:
    if w.seen.get("paused"):
        return condition("Progressing", None, "DeploymentPaused", since)
    if _complete(w):
        return condition("Progressing", True, "NewReplicaSetAvailable", since)
    if t >= since + _deadline(w):
        return condition("Progressing", False, "ProgressDeadlineExceeded", since)
    return condition("Progressing", True, "ReplicaSetUpdated", since)


def _round(w: Workload, t: int) -> bool:
    """One pass over the ReplicaSets; whether it changed a number."""
    replicas = _replicas(w)
    before = [(r.hash, r.replicas) for r in w.revisions]
    if w.seen.get("paused") or w.memory.get("desired", replicas) != replicas:
        w.revision(t, make=False)
        _scale(w, replicas)
    else:
        new = w.revision(t)
        assert new is not None
        new.min_ready = int(w.seen.get("minReadySeconds", 0))
        if (w.seen.get("strategy") or {}).get("type") == "Recreate":
            _recreate(w, new, replicas)
        else:
            _roll(w, new, replicas, t)
    w.memory["desired"] = replicas
    return before != [(r.hash, r.replicas) for r in w.revisions]


def _roll(w: Workload, new: Revision, replicas: int, t: int) -> None:
    surge, unavailable = _limits(w)
    asked = sum(r.replicas for r in w.revisions)
    if new.replicas > replicas:
        new.replicas = replicas
        return
    if new.replicas < replicas and asked < replicas + surge:
        new.replicas += min(replicas + surge - asked, replicas - new.replicas)
        return
    olds = sorted((r for r in w.revisions if r is not new and r.replicas), key=lambda r: r.created)
    least = replicas - unavailable
    room = asked - least - (new.replicas - _available(w, new, t))
    if not olds or room <= 0:
        return
    for old in olds:  # first what does not serve anyway
        useless = min(room, old.replicas - _available(w, old, t))
        if useless > 0:
            old.replicas -= useless
            return
    spare = sum(_available(w, r, t) for r in w.revisions) - least
    for old in olds:
        fewer = min(spare, old.replicas)
        if fewer > 0:
            old.replicas -= fewer
            spare -= fewer


def _recreate(w: Workload, new: Revision, replicas: int) -> None:
    olds = [r for r in w.revisions if r is not new]
    if any(r.replicas for r in olds):
        for old in olds:
            old.replicas = 0
    elif not any(p.rev != new.hash for p in w.pods.values()):
        new.replicas = replicas


def _scale(w: Workload, replicas: int) -> None:
    """A change of replicas alone: one ReplicaSet takes all, several share in proportion."""
    active = [r for r in w.revisions if r.replicas]
    if len(active) <= 1:
        only = active[0] if active else w.current
        if only is not None:
            only.replicas = replicas
        return
    allowed = replicas + _limits(w)[0]
    asked = sum(r.replicas for r in active)
    missing = allowed - asked
    if missing == 0 or w.memory.get("desired", replicas) == replicas:
        return
    active.sort(key=lambda r: (r.replicas, r.created), reverse=True)
    left = missing
    for revision in active:
        share = round(revision.replicas * missing / asked)
        share = min(share, left) if missing > 0 else max(share, left)
        revision.replicas += share
        left -= share
    active[0].replicas = max(0, active[0].replicas + left)


def _available(w: Workload, revision: Revision, t: int) -> int:
    return sum(
        p.rev == revision.hash and p.is_available(t, revision.min_ready) for p in w.pods.values()
    )


def _reconcile_pods(w: Workload, t: int) -> bool:
    """What the ReplicaSet controller does: as many pods as each one asks for."""
    moved = False
    for revision in w.revisions:
        pods = [p for p in w.pods.values() if p.rev == revision.hash and not p.deleting]
        for _ in range(revision.replicas - len(pods)):
            node = min(w.place.nodes, key=w.place.load_of, default="")
            w.start(revision, node, t)
            moved = True
        for pod in sorted(pods, key=lambda p: _worth(p, t))[
            : max(0, len(pods) - revision.replicas)
        ]:
            pod.delete(t)
            moved = True
    return moved


def _worth(pod: Pod, t: int) -> tuple[bool, int, str]:
    """Not ready goes first, then the youngest."""
    return (pod.is_ready(t), -pod.created, pod.name)
