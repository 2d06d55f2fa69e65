"""Counts one workload's rollout, pod by pod, against the revision of the template that is live.

Never trusts totals of a status that is older than the spec, and never says what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.cluster.fields import at, first_at, without_nulls
from bot.cluster.kinds import Gate, WorkloadKind, desired
from bot.cluster.pods import Pod, pods_of
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
        return tuple(p for p in self.pods if self.revision == p.revision and not p.deleting)

    @property
    def old(self) -> tuple[Pod, ...]:
        """Pods on any other revision, not on their way out."""
        unknown = not self.revision
        return tuple(
            p for p in self.pods if (unknown or self.revision != p.revision) and not p.deleting
        )

    def is_available(self, pod: Pod) -> bool:
        return pod.name in self.available

    @property
    def leaving(self) -> bool:
        """Whether pods of another revision are still on their way out."""
        return any(p.deleting and p.revision != self.revision for p in self.pods)

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
) -> Rollout:
    """`ours`: the live template is the wanted one; else every pod is an old one."""
    pods = pods_of(children, row.revision_label)
    lag = at(live, row.observed, 0) < at(live, row.generation, 0)
    return Rollout(
        row=row,
        live=live,
        lag=lag,
        revision=_revision(row, live, children, lag=lag) if ours else "",
        total=desired(row, live) or 0,
        pods=pods,
        available=frozenset(p.name for p in pods if p.available(now, min_ready)),
    )


def _revision(row: WorkloadKind, live: JSON, children: tuple[JSON, ...], *, lag: bool) -> str:
    """The hash by which pods of the live template are known; "" when nothing carries it yet."""
    if row.revision and not lag:
        return str(first_at(live, row.revision, ""))
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
    return str(at(newest, ("metadata", "labels", row.revision_label), ""))


def _template_of(replica_set: JSON, row: WorkloadKind) -> JSON:
    """A ReplicaSet's template without the label that the Deployment controller added."""
    template = without_nulls(at(replica_set, ("spec", "template")))
    labels = at(template, ("metadata", "labels"), {})
    own = {name: text for name, text in labels.items() if name != row.revision_label}
    return {**template, "metadata": {**template["metadata"], "labels": own}}


def _stored_template(revision: JSON) -> JSON:
    template = without_nulls(at(revision, ("data", "spec", "template"), {}))
    return {name: value for name, value in template.items() if name != "$patch"}
