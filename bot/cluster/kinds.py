"""The table of workload kinds: one row a kind tells where its fields live and what they mean.

Our plans store cumulative updated numbers; a row's `gate` says how the number is converted. A kind
without a row is a plain object. Never reads a cluster and never decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from bot.cluster.fields import MISSING, Path, at, first_at
from bot.model.plan import JSON, ObjectRef


class Gate(StrEnum):
    """How a kind stops part-way: what the number that opens it means."""

    KEPT_OLD = "kept-old"
    """`partition` counts the pods that keep the old version."""
    ORDINAL = "ordinal-floor"
    """`partition` is the first position that is updated; those below it keep the old version."""
    UPDATED = "updated"
    """`partition` counts the pods that get the new version."""
    SURGE = "surge"
    """New pods beside all old ones: maxSurge is the number; new pods never count as available."""
    DELETE = "delete"
    """OnDelete: the controller replaces only the pods that we delete."""
    NAMESPACES = "namespaces"
    """A list in the object says which namespaces the new version serves, or the old one keeps."""
    WHOLE = "whole"
    """It cannot stop part-way: all at once, in the last batch."""

    @property
    def numbered(self) -> bool:
        """Whether a number in the object says how far its controller may go."""
        return self in (Gate.KEPT_OLD, Gate.ORDINAL, Gate.UPDATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharding:
    """How an operator's namespaces are given to one of its versions, and how that is proved."""

    namespaces: JSON
    """A selector, in the file's own field names, of those that the operator serves."""
    route: tuple[str | int, ...]
    """Where the object lists namespaces; numbers lead through lists."""
    keeps: bool
    """The list names those that keep the old version; else those that have the new one."""
    opened: tuple[str, ...] | None = None
    """What the list holds when every namespace has the new version; None: as the names say."""
    manager: Path
    """The name of the version that the object routes to, as it writes itself into what it does."""
    resources: tuple[tuple[str, str], ...]
    """(apiVersion, kind) of the objects that it reconciles."""
    reconciled_by: Path | None = None
    """Where such an object says who reconciled it last; None: its managed fields do."""
    shards: tuple[str, str] | None = None
    """(apiVersion, kind) of the workloads that run its versions, beside the object."""
    shard_labels: Mapping[str, str] = field(default_factory=dict)
    identity: Path = ()
    """Where such a workload holds the name of its version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadKind:
    """One row. Paths are where the field lives in the object; None: the kind has no such field."""

    api_version: str
    kind: str
    gate: Gate
    counts: str
    """What a percentage is of: pods | nodes."""
    desired: tuple[Path, ...]
    """How many pods there should be; the first path that is there."""
    revision: tuple[Path, ...]
    """Where the status tells the hash of the newest template; empty: its children tell."""
    revision_label: str
    """Label of a pod (and ReplicaSet, ControllerRevision) that holds its revision. Of rows that
    count nodes by what they report: annotation of the node, before the component's name. Empty:
    its pods are not seen, the counts of its status tell."""
    strategy: Path
    keeps_strategy: bool = False
    """Its server fills the strategy in, also beside OnDelete: only `type` is changed for that."""
    deletable: bool = True
    """Its controller knows `type: OnDelete` and replaces only the pods that are deleted."""
    replicas_default: int | None = 1
    """How many pods its API server makes of a spec that does not say; None: nobody knows."""
    partition: Path | None = None
    open_value: JSON = 0
    """What `partition` holds when nothing is kept back; None: the field is not there."""
    paused: Path | None = None
    max_unavailable: Path | None = None
    selector: Path = ("spec", "selector")
    node_selector: Path | None = None
    """Which nodes take part in the update, where the kind can choose."""
    template: Path = ("spec", "template")
    generation: Path = ("metadata", "generation")
    observed: Path = ("status", "observedGeneration")
    min_ready: Path = ("spec", "minReadySeconds")
    unordered: Path | None = None
    """Where this is set, `partition` counts pods and is no position."""
    in_order: Path | None = None
    """Unless this says Parallel, a pod that is not ready keeps its controller from going on."""
    component: Path | None = None
    """Its members are nodes, not pods: the name by which a node reports the version it has."""
    updated_count: Path | None = None
    sharding: Sharding | None = None
    """Its members are namespaces, and the object says which version serves them."""
    ready_count: Path | None = None
    """Where the status counts pods, for rows whose pods are not seen."""
    own: tuple[Path, ...] = ()
    """Fields that a release changes for its batches and puts back at the end and in a rollback."""


Rows = Mapping[tuple[str, str], WorkloadKind]
"""Rows by (apiVersion, kind)."""

_STRATEGY: Path = ("spec", "updateStrategy")
_ROLLING: Path = (*_STRATEGY, "rollingUpdate")


def _daemon_set(api_version: str) -> WorkloadKind:
    """OpenKruise's DaemonSet. v1alpha1 calls updateRevision daemonSetHash: both are read."""
    return WorkloadKind(
        api_version=api_version,
        kind="DaemonSet",
        gate=Gate.KEPT_OLD,
        counts="nodes",
        desired=(("status", "desiredNumberScheduled"),),
        revision=(("status", "updateRevision"), ("status", "daemonSetHash")),
        revision_label="controller-revision-hash",
        strategy=("spec", "updateStrategy"),
        partition=(*_ROLLING, "partition"),
        paused=(*_ROLLING, "paused"),
        max_unavailable=(*_ROLLING, "maxUnavailable"),
        node_selector=(*_ROLLING, "selector"),
    )


def _stateful_set(api_version: str, *, kruise: bool) -> WorkloadKind:
    """Both updated from the last position down; the number is of positions, not of ordinals."""
    return WorkloadKind(
        api_version=api_version,
        kind="StatefulSet",
        gate=Gate.ORDINAL,
        counts="pods",
        desired=(("spec", "replicas"),),
        revision=(("status", "updateRevision"),),
        revision_label="controller-revision-hash",
        strategy=_STRATEGY,
        partition=(*_ROLLING, "partition"),
        paused=(*_ROLLING, "paused") if kruise else None,
        max_unavailable=(*_ROLLING, "maxUnavailable"),
        min_ready=(*_ROLLING, "minReadySeconds") if kruise else ("spec", "minReadySeconds"),
        unordered=(*_ROLLING, "unorderedUpdate") if kruise else None,
        in_order=("spec", "podManagementPolicy"),
    )


def _clone_set(api_version: str, rolling: Path) -> WorkloadKind:
    """OpenKruise's CloneSet. v1alpha1 has the fields flat under updateStrategy."""
    return WorkloadKind(
        api_version=api_version,
        kind="CloneSet",
        gate=Gate.KEPT_OLD,
        counts="pods",
        desired=(("spec", "replicas"),),
        revision=(("status", "updateRevision"),),
        revision_label="controller-revision-hash",
        strategy=_STRATEGY,
        keeps_strategy=True,
        partition=(*rolling, "partition"),
        paused=(*rolling, "paused"),
        max_unavailable=(*rolling, "maxUnavailable"),
    )


KINDS: tuple[WorkloadKind, ...] = (
    WorkloadKind(
        api_version="apps/v1",
        kind="Deployment",
        gate=Gate.SURGE,
        counts="pods",
        desired=(("spec", "replicas"),),
        revision=(),
        revision_label="pod-template-hash",
        strategy=("spec", "strategy"),
        paused=("spec", "paused"),
        max_unavailable=("spec", "strategy", "rollingUpdate", "maxUnavailable"),
        own=(
            ("spec", "minReadySeconds"),
            ("spec", "progressDeadlineSeconds"),
            ("spec", "strategy"),
            ("spec", "paused"),
        ),
    ),
    _daemon_set("apps.kruise.io/v1beta1"),
    _daemon_set("apps.kruise.io/v1alpha1"),
    WorkloadKind(
        api_version="apps/v1",
        kind="DaemonSet",
        gate=Gate.DELETE,
        counts="nodes",
        desired=(("status", "desiredNumberScheduled"),),
        revision=(),
        revision_label="controller-revision-hash",
        strategy=("spec", "updateStrategy"),
        max_unavailable=(*_ROLLING, "maxUnavailable"),
        own=(("spec", "updateStrategy"),),
    ),
    _stateful_set("apps/v1", kruise=False),
    _stateful_set("apps.kruise.io/v1beta1", kruise=True),
    _clone_set("apps.kruise.io/v1beta1", _ROLLING),
    _clone_set("apps.kruise.io/v1alpha1", _STRATEGY),
    WorkloadKind(
        api_version="kubenode.alibabacloud.com/v1",
        kind="MachineComponentSet",
        gate=Gate.KEPT_OLD,
        counts="nodes",
        desired=(("status", "desiredNodes"),),
        revision=(("spec", "version"),),
        revision_label="kubenode.alibabacloud.com/",
        strategy=("spec",),
        partition=("spec", "partition"),
        paused=("spec", "pause"),
        max_unavailable=("spec", "maxUnavailable"),
        node_selector=("spec", "selector"),
        template=("spec", "version"),
        component=("spec", "componentName"),
        own=(("spec", "selector"),),
    ),
)

BUILT_IN: Rows = MappingProxyType({(row.api_version, row.kind): row for row in KINDS})
"""The rows that every release repo has."""

_NO_WORKLOADS = frozenset(
    {("batch/v1", "Job"), ("v1", "PodTemplate"), ("bitnami.com/v1alpha1", "SealedSecret")}
)
"""Kinds with a template that nothing keeps running."""


def kind_of(api_version: str, kind: str, rows: Rows = BUILT_IN) -> WorkloadKind | None:
    """The row of a kind; None: a plain object, converged when it is applied."""
    return rows.get((api_version, kind))


def row_of(ref: ObjectRef, rows: Rows = BUILT_IN) -> WorkloadKind | None:
    return rows.get((ref.api_version, ref.kind))


def row_for(
    ref: ObjectRef, *objects: JSON | None, rows: Rows = BUILT_IN, by_node: bool = False
) -> WorkloadKind:
    """The row by which a workload is rolled, as its specs have it.

    Where one of them says OnDelete, or only the pods of some nodes are to go: by deletion.
    """
    row = rows[ref.api_version, ref.kind]
    if row.gate.numbered and row.component is None and row.deletable:
        told = (*row.strategy, "type")
        if any(at(obj, told) == "OnDelete" for obj in objects):
            return by_deletion(row)
        if by_node and row.counts == "nodes":
            return by_deletion(row)
    if row.unordered is not None and at(objects[0], row.unordered) is not None:
        return _by_count(row)
    return row


@cache
def by_deletion(row: WorkloadKind) -> WorkloadKind:
    """The same row, moved by our deletions."""
    own = (*row.strategy, "type") if row.keeps_strategy else row.strategy
    return replace(row, gate=Gate.DELETE, partition=None, paused=None, own=(own,))


@cache
def _by_count(row: WorkloadKind) -> WorkloadKind:
    return replace(row, gate=Gate.KEPT_OLD)


def desired(row: WorkloadKind, live: JSON) -> int | None:
    """How many pods the live object asks for; None while its controller has not said."""
    found = first_at(live, row.desired)
    if found is None and row.counts == "pods":
        return row.replicas_default
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def stops_part_way(obj: JSON, rows: Rows = BUILT_IN) -> bool:
    """Whether it can stand between two versions: Recreate and plain objects cannot."""
    row = _row_in(obj, rows)
    if row is None or row.gate is Gate.WHOLE:
        return False
    return not (row.gate is Gate.SURGE and at(obj, (*row.strategy, "type")) == "Recreate")


def chooses_nodes(obj: JSON, rows: Rows = BUILT_IN) -> bool:
    """Whether only the pods of some nodes can be released: units of scope node and node set."""
    row = _row_in(obj, rows)
    if row is None or row.counts != "nodes" or not row.deletable:
        return False
    return row.gate is Gate.DELETE or row.gate.numbered


def guess_total(obj: JSON, nodes: int | None, rows: Rows = BUILT_IN) -> int | None:
    """What a workload will count before a cluster has said: replicas, or nodes if known."""
    row = _row_in(obj, rows)
    if row is None or row.sharding is not None:
        return None
    if row.counts == "nodes":
        return nodes
    return desired(row, obj)


def unknown_workload(obj: JSON, rows: Rows = BUILT_IN) -> bool:
    """Whether it looks like a workload and has no row.

    It would be applied at once, to all its pods, and taken for done: people must know before.
    """
    if not isinstance(obj, dict) or _row_in(obj, rows) is not None:
        return False
    if (obj.get("apiVersion"), obj.get("kind")) in _NO_WORKLOADS:
        return False
    has_template = isinstance(at(obj, ("spec", "template")), dict)
    return has_template or at(obj, ("spec", "replicas"), MISSING) is not MISSING


def _row_in(obj: JSON, rows: Rows) -> WorkloadKind | None:
    return kind_of(str(obj.get("apiVersion", "")), str(obj.get("kind", "")), rows)
