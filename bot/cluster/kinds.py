"""The table of workload kinds: one row a kind tells where its fields live and what they mean.

Our plans store cumulative updated numbers; a row's `gate` says how the number is converted. A kind
without a row is a plain object. Never reads a cluster and never decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from bot.cluster.fields import Path, at, first_at
from bot.model.plan import JSON, ObjectRef


class Gate(StrEnum):
    """How a kind stops part-way: what the number that opens it means."""

    KEPT_OLD = "kept-old"
    """`partition` counts the pods that keep the old version."""
    SURGE = "surge"
    """New pods beside all old ones: maxSurge is the number; new pods never count as available."""
    DELETE = "delete"
    """OnDelete: the controller replaces only the pods that we delete."""


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
    """Label of a pod (and ReplicaSet, ControllerRevision) that holds its revision."""
    strategy: Path
    partition: Path | None = None
    paused: Path | None = None
    max_unavailable: Path | None = None
    selector: Path = ("spec", "selector")
    node_selector: Path | None = None
    """Which nodes take part in the update, where the kind can choose."""
    template: Path = ("spec", "template")
    generation: Path = ("metadata", "generation")
    observed: Path = ("status", "observedGeneration")
    min_ready: Path = ("spec", "minReadySeconds")
    own: tuple[Path, ...] = ()
    """Fields that a release changes for its batches and puts back at the end and in a rollback."""


_ROLLING: Path = ("spec", "updateStrategy", "rollingUpdate")


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
)

_BY_NAME = {(row.api_version, row.kind): row for row in KINDS}


def kind_of(api_version: str, kind: str) -> WorkloadKind | None:
    """The row of a kind; None: a plain object, converged when it is applied."""
    return _BY_NAME.get((api_version, kind))


def row_of(ref: ObjectRef) -> WorkloadKind | None:
    return _BY_NAME.get((ref.api_version, ref.kind))


def row_for(ref: ObjectRef, *objects: JSON | None) -> WorkloadKind:
    """The row by which a workload is rolled: where one of its specs says OnDelete, by deletion."""
    row = _BY_NAME[ref.api_version, ref.kind]
    if row.gate is Gate.KEPT_OLD and any(
        at(obj, (*row.strategy, "type")) == "OnDelete" for obj in objects
    ):
        return _by_deletion(row)
    return row


@cache
def _by_deletion(row: WorkloadKind) -> WorkloadKind:
    return replace(row, gate=Gate.DELETE, partition=None, paused=None, own=(row.strategy,))


def desired(row: WorkloadKind, live: JSON) -> int | None:
    """How many pods the live object asks for; None while its controller has not said."""
    found = first_at(live, row.desired)
    if found is None and row.counts == "pods":
        return 1  # the API server's default for replicas
    return found if isinstance(found, int) else None


def stops_part_way(obj: JSON) -> bool:
    """Whether it can stand between two versions: Recreate and plain objects cannot."""
    row = kind_of(str(obj.get("apiVersion", "")), str(obj.get("kind", "")))
    return row is not None and not (
        row.gate is Gate.SURGE and at(obj, (*row.strategy, "type")) == "Recreate"
    )


def guess_total(obj: JSON, nodes: int | None) -> int | None:
    """What a workload will count before a cluster has said: replicas, or nodes if known."""
    row = kind_of(str(obj.get("apiVersion", "")), str(obj.get("kind", "")))
    if row is None:
        return None
    if row.counts == "nodes":
        return nodes
    return desired(row, obj)
