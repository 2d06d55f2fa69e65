"""Counts one workload's rollout, pod by pod, against the revision of the template that is live.

Never trusts totals of a status that is older than the spec, and never says what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.cluster.fields import at, first_at, without_nulls
from bot.cluster.kinds import Gate, WorkloadKind, desired
from bot.cluster.members import by_status, members
from bot.cluster.pods import Pod
from bot.model.plan import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """What a workload's pods show. `revision`: of the live template, "" while nobody knows it.

    While the controller lags, a revision that its template proves is known all the same.
    """

    row: WorkloadKind
    live: JSON
    lag: bool
    """Its controller has not yet seen the spec."""
    revision: str
    total: int
    pods: tuple[Pod, ...]
    available: frozenset[str]
    """Names of pods that have been ready for the workload's own minReadySeconds."""

    @property
    def new(self) -> tuple[Pod, ...]:
        """Pods on the live template's revision, not on their way out."""
        if not self.revision:
            return ()
        return tuple(p for p in self.pods if self._is_new(p) and not p.deleting)

    @property
    def old(self) -> tuple[Pod, ...]:
        """Pods on any other revision, not on their way out."""
        return tuple(p for p in self.pods if not self._is_new(p) and not p.deleting)

    def _is_new(self, pod: Pod) -> bool:
        if not self.revision or not pod.revision:
            return False
        return same_revision(self.row, self.revision, pod)

    def is_available(self, pod: Pod) -> bool:
        return pod.name in self.available

    @property
    def leaving(self) -> bool:
        """Whether pods of another revision are still on their way out."""
        return any(p.deleting and not self._is_new(p) for p in self.pods)

    @property
    def unavailable(self) -> int:
        """Pods that should be available and are not."""
        return max(0, self.total - len(self.available))

    @property
    def old_unavailable(self) -> int:
        """Old pods that are not available, and places without any pod."""
        standing = len(self.new) + len(self.old)
        missing = max(0, self.total - standing)
        return missing + sum(not self.is_available(p) for p in self.old)

    def good(self, since: datetime) -> tuple[Pod, ...]:
        """New pods that count: available, of the wanted digests, without a restart since then."""
        return tuple(
            p
            for p in self.new
            if self.is_available(p) and p.runs_digests() and not p.restarted_since(since)
        )


def rollout(
    row: WorkloadKind,
    live: JSON,
    children: tuple[JSON, ...],
    *,
    ours: bool,
    min_ready: int,
    now: datetime,
    own: JSON | None = None,
    nodes: frozenset[str] | None = None,
) -> Rollout:
    """`ours`: the live template is the wanted one; else every pod is an old one.

    `own`: the object with its own fields, none of a batch. `nodes`: only what is on these counts.
    """
    uncounted = row.component is None and desired(row, live) is None
    lag = uncounted or at(live, row.observed, 0) < at(live, row.generation, 0)
    revision = _revision(row, live, children, lag=lag) if ours else ""
    pods = members(row, live, children, live if own is None else own, nodes)
    total = desired(row, live) or 0
    if row.component is not None:
        total = len(pods)
    elif nodes is not None:
        # Also where its pod is just being replaced.
        total = len(nodes)
    if not row.revision_label:
        pods = by_status(row, live, total=total, revision=revision)
    return Rollout(
        row=row,
        live=live,
        lag=lag,
        revision=revision,
        total=total,
        pods=pods,
        available=frozenset(p.name for p in pods if p.available(now, min_ready)),
    )


def rollouts(
    row: WorkloadKind,
    live: JSON,
    children: tuple[JSON, ...],
    *,
    ours: bool,
    min_ready: int,
    now: datetime,
    own: JSON,
    nodes: frozenset[str] | None,
    strays: str | None = None,
) -> tuple[Rollout, Rollout]:
    """(everywhere, on these nodes): the same twice where no nodes are named. `strays`: and wherever
    else an old pod is of that revision, of any where it is "".
    """

    def on(where: frozenset[str] | None) -> Rollout:
        return rollout(
            row, live, children, ours=ours, min_ready=min_ready, now=now, own=own, nodes=where
        )

    everywhere = on(None)
    if nodes is None:
        return everywhere, everywhere
    if strays is not None and everywhere.revision and not everywhere.lag:
        nodes |= {p.node for p in everywhere.old if not strays or same_revision(row, strays, p)}
    return everywhere, on(nodes)


def revision_of(row: WorkloadKind, obj: JSON, children: tuple[JSON, ...]) -> str | None:
    """The revision that pods of this very template have; None when nothing carries it."""
    template = at(obj, row.template)
    if row.component is not None:
        return str(template) if template else None
    stored = [c for c in children if c.get("kind") == "ControllerRevision"]
    for one in sorted(stored, key=lambda c: int(c.get("revision", 0)), reverse=True):
        if _within(without_nulls(template), _stored_template(one)):
            label = at(one, ("metadata", "labels", row.revision_label), "")
            return str(label or one["metadata"]["name"])
    return None


def _within(asked: JSON, have: JSON) -> bool:
    """Whether all that is asked stands there; servers add defaults of their own."""
    if isinstance(asked, dict):
        return isinstance(have, dict) and all(
            name in have and _within(value, have[name]) for name, value in asked.items()
        )
    if isinstance(asked, list):
        return (
            isinstance(have, list)
            and len(asked) == len(have)
            and all(_within(one, other) for one, other in zip(asked, have, strict=True))
        )
    return bool(asked == have)


def same_revision(row: WorkloadKind, revision: str, pod: Pod) -> bool:
    """By name of the revision, or by its hash alone: labels of pods may hold either."""
    if row.component is not None:
        return revision == pod.revision
    return revision == pod.revision or revision.endswith(f"-{pod.revision}")


def _revision(row: WorkloadKind, live: JSON, children: tuple[JSON, ...], *, lag: bool) -> str:
    """The hash by which pods of the live template are known; "" when nothing carries it yet."""
    if row.revision and not lag:
        return str(first_at(live, row.revision, ""))
    if not row.revision_label and not row.revision:
        # Nobody names a revision: what it has observed is all that can be said.
        return "" if lag else f"generation {at(live, row.observed)}"
    template = without_nulls(at(live, row.template))
    if row.gate is Gate.SURGE:
        for child in children:
            if child.get("kind") == "ReplicaSet" and _template_of(child, row) == template:
                return str(at(child, ("metadata", "labels", row.revision_label), ""))
        return ""
    stored = [c for c in children if c.get("kind") == "ControllerRevision"]
    newest = max(stored, key=lambda c: int(c.get("revision", 0)), default=None)
    if newest is None or _stored_template(newest) != template:
        return ""
    label = at(newest, ("metadata", "labels", row.revision_label), "")
    return str(label or newest["metadata"]["name"])


def _template_of(replica_set: JSON, row: WorkloadKind) -> JSON:
    """A ReplicaSet's template without the label that the Deployment controller added."""
    template = without_nulls(at(replica_set, ("spec", "template")))
    labels = at(template, ("metadata", "labels"), {})
    own = {name: text for name, text in labels.items() if name != row.revision_label}
    return {**template, "metadata": {**template["metadata"], "labels": own}}


def _stored_template(revision: JSON) -> JSON:
    template = without_nulls(at(revision, ("data", "spec", "template"), {}))
    return {name: value for name, value in template.items() if name != "$patch"}
