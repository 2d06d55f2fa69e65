"""How an operator is released namespace by namespace: the part of a workload kind that says so.

Paths and selectors; nothing here knows a cluster.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from release_repo_schema.models.base import Model, Selector
from release_repo_schema.models.paths import FieldPath
from release_repo_schema.models.scalars import Labels, NonEmpty, Plain, found, refuse


def _list_path(value: object) -> tuple[str | int, ...]:
    parts: list[object] = []
    if isinstance(value, str):
        parts = list(value.split("."))
    elif isinstance(value, list | tuple):
        parts = list(value)
    read: list[str | int] = []
    for part in parts:
        if isinstance(part, int) and not isinstance(part, bool) and part >= 0:
            read.append(part)
        elif isinstance(part, Plain) and re.fullmatch(r"0|[1-9][0-9]{0,3}", part):
            read.append(int(part))
        elif isinstance(part, str) and part:
            read.append(str(part))
    if len(read) < 2 or len(read) < len(parts) or read[0] != "spec" or isinstance(read[-1], int):
        said = f"expected the way to a list in the spec, found {found(value)}"
        hint = "names, and numbers into lists: [spec, limits, 0, selector, values]"
        refuse("wrong-path", said, hint)
    return tuple(read)


_LIST_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"^spec(\.[^.]+)+$"},
        {
            "type": "array",
            "items": {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]},
            "minItems": 2,
        },
    ]
}
ListPath = Annotated[
    tuple[str | int, ...], BeforeValidator(_list_path), WithJsonSchema(_LIST_SCHEMA)
]
"""Where a list in an object lives: names, and numbers into the lists on the way."""


def _some(value: tuple[Any, ...]) -> tuple[Any, ...]:
    if not value:
        said = "expected at least one kind, found an empty list"
        refuse("empty-list", said, "without one nothing proves that a namespace is reconciled")
    return value


class Resource(Model):
    """A kind that the operator reconciles."""

    api_version: NonEmpty = Field(description="Its apiVersion.", examples=["example.com/v1"])
    kind: NonEmpty = Field(description="Its kind.", examples=["Tenant"])


class Shards(Model):
    """The workloads that run the operator's versions, one a version."""

    api_version: NonEmpty = Field(description="Their apiVersion.", examples=["apps/v1"])
    kind: NonEmpty = Field(description="Their kind.", examples=["Deployment"])
    match_labels: Labels = Field(
        description="Labels that the workloads of every version have; they stand in the namespace "
        "of the routing object.",
        examples=[{"app": "tenant-operator"}],
    )
    identity: FieldPath = Field(
        description="Where such a workload holds the name of its version, as manager gives it.",
        examples=["metadata.labels.version"],
    )


class ShardedOperator(Model):
    """The target routes namespaces to one version of an operator: they move batch by batch."""

    namespaces: Selector = Field(
        default_factory=Selector,
        description="The namespaces that the operator serves, by their labels and names. "
        "Default: every one.",
    )
    list: ListPath = Field(
        description="Where the target lists namespaces by name; numbers lead through lists.",
        examples=[["spec", "limits", 0, "selector", "values"]],
    )
    means: Literal["keptOld", "updated"] = Field(
        description="What is listed. keptOld: namespaces that keep the old version, so that an "
        "empty list gives all to the new one; updated: namespaces that have the new version."
    )
    open: tuple[NonEmpty, ...] | None = Field(
        default=None,
        description="What the list holds when every namespace has the new version. "
        "Default: nothing with keptOld; with updated the names of all.",
        examples=[["*"]],
    )
    manager: FieldPath = Field(
        description="Where the target names the version that it routes to. It is the name by "
        "which that version writes (its user agent, the manager in managedFields), and differs "
        "from version to version.",
        examples=["spec.configuration.restConfigOverrides.userAgentOrPrefix"],
    )
    resources: Annotated[tuple[Resource, ...], AfterValidator(_some)] = Field(
        description="What the operator reconciles: a namespace is done when every such object in "
        "it was written by the new version since it moved.",
    )
    reconciled_by: FieldPath | None = Field(
        default=None,
        description="Where such an object says which version reconciled it last, for operators "
        "that do not write when nothing differs. Default: its managedFields.",
        examples=["status.reconciledBy"],
    )
    shards: Shards | None = Field(
        default=None,
        description="The workloads of the operator's versions: the old one goes to no replicas "
        "when its last namespace has moved, and comes back first in a rollback.",
    )
