"""WorkloadKind: how a custom resource stops part-way, told as data, so that it can be released.

Paths and what the numbers mean; whether they fit each other is asked by a rule, and whether the
objects have them by the plan.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from release_repo_schema.models.base import KindModel, Model
from release_repo_schema.models.paths import FieldPath
from release_repo_schema.models.scalars import Flag, NonEmpty, Plain, found, refuse
from release_repo_schema.models.sharded_operator import ShardedOperator

BUILT_IN_KINDS = frozenset(
    {
        ("apps/v1", "Deployment"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "StatefulSet"),
        ("apps.kruise.io/v1beta1", "DaemonSet"),
        ("apps.kruise.io/v1alpha1", "DaemonSet"),
        ("apps.kruise.io/v1beta1", "StatefulSet"),
        ("apps.kruise.io/v1beta1", "CloneSet"),
        ("apps.kruise.io/v1alpha1", "CloneSet"),
        ("kubenode.alibabacloud.com/v1", "MachineComponentSet"),
    }
)
"""(apiVersion, kind) of the rows that every release repo has."""


def _open(value: object) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, Plain) and re.fullmatch(r"0|[1-9][0-9]{0,8}", value):
        return int(value)
    if isinstance(value, str) and value:
        return str(value)
    refuse("wrong-type", f"expected a number or a text, found {found(value)}")


OpenValue = Annotated[
    int | str,
    BeforeValidator(_open),
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
]


class Target(Model):
    """The kind that a row is about."""

    api_version: NonEmpty = Field(
        description="The apiVersion of the custom resource, with its group.",
        examples=["example.com/v1"],
    )
    kind: NonEmpty = Field(description="Its kind.", examples=["Widget"])


class Partition(Model):
    """The number by which its controller is stopped part-way."""

    path: FieldPath = Field(
        description="Where the number stands.", examples=["spec.updateStrategy.partition"]
    )
    means: Literal["keptOld", "updated", "ordinalFloor"] = Field(
        description="What it counts. keptOld: pods that keep the old version; updated: pods that "
        "get the new one; ordinalFloor: pods at this position and above get the new one."
    )
    open: OpenValue | None = Field(
        default=None,
        description="What it holds when nothing is kept back. "
        "Default: 0; with updated the field is taken away.",
    )


class WorkloadKindSpec(Model):
    """Where the fields of a custom resource live, and what they mean."""

    target: Target = Field(description="The kind that this row is about.")
    counts: Literal["pods", "nodes"] = Field(
        default="pods", description="What a percentage of a batch is of. Default pods."
    )
    replicas: FieldPath | None = Field(
        default=None,
        description="How many pods (or nodes) there should be. Required, unless it is a "
        "shardedOperator.",
        examples=["spec.replicas", "status.desiredNumberScheduled"],
    )
    template: FieldPath = Field(
        default=("spec", "template"),
        description="What makes a new version when it changes. Default: spec.template.",
    )
    strategy: FieldPath = Field(
        default=("spec", "updateStrategy"),
        description="Where `type: OnDelete` is written, with onDelete. "
        "Default: spec.updateStrategy.",
    )
    partition: Partition | None = Field(
        default=None,
        description="The number by which it stops part-way. Without it, and without onDelete, "
        "all pods go at once, in the last batch.",
    )
    paused: FieldPath | None = Field(
        default=None, description="Where `true` stops its controller in the middle of a roll."
    )
    max_unavailable: FieldPath | None = Field(
        default=None,
        description="How many may be unavailable at once: the limit of our own deletions.",
    )
    min_ready_seconds: FieldPath = Field(
        default=("spec", "minReadySeconds"),
        description="How long a pod must have been ready to count as available. "
        "Default: spec.minReadySeconds.",
    )
    observed_generation: FieldPath | None = Field(
        default=None,
        description="The generation that its controller has seen: before that its status proves "
        "nothing. Required, unless it is a shardedOperator.",
        examples=["status.observedGeneration"],
    )
    update_revision: FieldPath | None = Field(
        default=None,
        description="The revision of the newest template, as the label podLabel of pods has it. "
        "Needed with podLabel.",
        examples=["status.updateRevision"],
    )
    pod_label: NonEmpty | None = Field(
        default=None,
        description="The label of a pod that holds its revision: with it a batch is proved pod by "
        "pod. The pods are found by their owner references.",
        examples=["controller-revision-hash"],
    )
    updated: FieldPath | None = Field(
        default=None,
        description="How many are on the newest version, where no podLabel tells.",
        examples=["status.updatedReplicas"],
    )
    ready: FieldPath | None = Field(
        default=None,
        description="How many are ready, where no podLabel tells; what is not ready is taken for "
        "new.",
        examples=["status.readyReplicas"],
    )
    on_delete: Flag = Field(
        default=False,
        description="Whether its strategy knows `type: OnDelete`: the controller then replaces "
        "only the pods that are deleted. Needed for units of node sets and nodes, and enough to "
        "stop part-way without a partition. Default: false.",
    )
    sharded_operator: ShardedOperator | None = Field(
        default=None,
        description="The target routes namespaces to a version of an operator, and they move "
        "batch by batch. Written instead of every field but target.",
    )


class WorkloadKind(KindModel):
    """A custom resource of your own that can be released in batches."""

    kind: Literal["WorkloadKind"] = Field(default="WorkloadKind", description="WorkloadKind.")
    spec: WorkloadKindSpec = Field(
        description="Where the fields of a custom resource live, and what they mean."
    )

    @property
    def target(self) -> tuple[str, str]:
        """(apiVersion, kind) of what it is about."""
        return self.spec.target.api_version, self.spec.target.kind

    def row(self) -> Mapping[str, Any]:
        """The spec as JSON in the file's own field names: what a plan freezes."""
        written: dict[str, Any] = self.spec.model_dump(
            mode="json", by_alias=True, exclude_none=True
        )
        sharded = self.spec.sharded_operator
        if sharded is not None:
            # A selector that says nothing is written {}: it refuses lists that are empty.
            selector = sharded.namespaces.model_dump(
                mode="json", by_alias=True, exclude_defaults=True
            )
            written = {"target": written["target"], "shardedOperator": written["shardedOperator"]}
            written["shardedOperator"]["namespaces"] = selector
        return written
