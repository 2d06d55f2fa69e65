"""What is released: components and their versions.

How a component is rendered and rolled is said here, never done here.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from release_repo_schema.models.base import KindModel, Model, VersionMetadata, exactly_one
from release_repo_schema.models.guardpath import checked_guard_path
from release_repo_schema.models.scalars import (
    Digest,
    DnsLabel,
    Duration,
    Flag,
    Folder,
    NonEmpty,
    Step,
    Version,
    percent,
    refuse,
)

Scope = Literal["cluster", "nodeSet", "namespace", "node"]
OnFailure = Literal["hold", "rollbackUnit", "rollbackRelease"]


def increasing(steps: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Refuses cumulative steps that do not grow, as far as they can be compared."""
    for k, (before, after) in enumerate(pairwise(steps)):
        left, right = percent(before), percent(after)
        smaller = (
            right <= left
            if left is not None and right is not None
            else isinstance(before, int) and isinstance(after, int) and after <= before
        )
        if smaller or before == "100%":
            said = f"expected cumulative steps that grow, found {after} after {before}"
            refuse(
                "not-increasing", said, "steps are cumulative: [1, 10%, 50%, 100%]", at=str(k + 1)
            )
    return steps


def _batches(steps: tuple[int | str, ...]) -> tuple[int | str, ...]:
    if not steps:
        refuse(
            "empty-list", "expected at least one batch, found an empty list", "[100%] is one batch"
        )
    if steps[-1] != "100%":
        said = f"expected the last batch to be 100%, found {steps[-1]}"
        refuse("last-not-100", said, "add 100%, or pods would stay behind", at=str(len(steps) - 1))
    return increasing(steps)


Batches = Annotated[tuple[Step, ...], AfterValidator(_batches)]


class Render(Model):
    """How the YAML of a unit is made: exactly one of jinja, helm and plain."""

    jinja: Folder | None = Field(
        default=None, description="A folder of sandboxed Jinja2 templates.", examples=["templates/"]
    )
    helm: Folder | None = Field(
        default=None,
        description="A folder with a Helm chart; the values of the component go over the chart's.",
        examples=["chart/"],
    )
    plain: Folder | None = Field(
        default=None,
        description="A folder of manifests taken as they are.",
        examples=["manifests/"],
    )
    namespace: DnsLabel | None = Field(
        default=None,
        description="With helm: the release's namespace, which objects get that name none. "
        "Default: the unit's own in scope namespace, else `default`.",
        examples=["infra"],
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        exactly_one(self, "jinja", "helm", "plain")
        if self.namespace is not None and self.helm is None:
            refuse(
                "only-with-helm",
                "expected `namespace` beside `helm` only",
                "templates and manifests name the namespace of each object",
                at="namespace",
            )
        return self

    @property
    def kind(self) -> str:
        """jinja | helm | plain."""
        return "helm" if self.helm else "plain" if self.plain else "jinja"

    @property
    def folder(self) -> str:
        """The folder beside component.yaml, without the closing slash."""
        return (self.jinja or self.helm or self.plain or "").rstrip("/")


class ComponentChecks(Model):
    """The checks around every batch."""

    before: tuple[DnsLabel, ...] = Field(
        default=(), description="Checks before a batch: Checks of checks/, or `workload`."
    )
    after: tuple[DnsLabel, ...] = Field(
        default=("workload",),
        description="Checks after a batch: Checks of checks/, or the built-in `workload`.",
    )


GuardPathText = Annotated[NonEmpty, AfterValidator(checked_guard_path)]


def _objects(text: str) -> str:
    if not re.fullmatch(r"[A-Z*][A-Za-z0-9*]*(?:/[a-z0-9*.:-]+)?", text):
        refuse(
            "guard-object",
            f"{text[:80]!r} is no kind of object",
            "write ConfigMap, Role/old-* or *",
        )
    return text


ObjectsText = Annotated[NonEmpty, AfterValidator(_objects)]


class GuardDelete(Model):
    """What becomes of objects that left the template. Keep is stricter than ask, ask than allow."""

    allow: tuple[ObjectsText, ...] = Field(
        default=(),
        description="Objects that are deleted unasked: a kind, or kind/name; `*` is any.",
        examples=[["ConfigMap/node-agent-*"]],
    )
    ask: tuple[ObjectsText, ...] = Field(
        default=(),
        description="Objects that an approver is asked about: all that stand in no other list.",
        examples=[["Service"]],
    )
    keep: tuple[ObjectsText, ...] = Field(
        default=(), description="Objects that are never deleted.", examples=[["Secret"]]
    )


class Guard(Model):
    """Fields that may not change, added to the built-in list; objects that may not go."""

    block: tuple[GuardPathText, ...] = Field(
        default=(),
        description="Paths that no release changes: nothing is written to a unit where one would.",
        examples=[["spec.template.spec.hostNetwork"]],
    )
    ignore: tuple[GuardPathText, ...] = Field(
        default=(),
        description="Paths that belong to others: what is in the cluster there is left as it is.",
        examples=[["spec.replicas"]],
    )
    ask: tuple[GuardPathText, ...] = Field(
        default=(),
        description="Paths whose change an approver is asked about, once for the same change.",
        examples=[["Service:spec.type"]],
    )
    delete: GuardDelete = Field(
        default=GuardDelete(),
        description="Objects that left the template. Default: an approver is asked about each.",
    )


class Releasable(Model):
    """What makes a version releasable."""

    evidence: Literal["required", "optional"] = Field(
        default="optional",
        description="required: a release needs a ComponentVersion whose evidence all passed.",
    )


class IrreversiblePair(Model):
    """Two versions between which there is no simple way back."""

    from_: NonEmpty = Field(
        description="The version that ran before, or a glob of such versions.", examples=["2.4.*"]
    )
    to: NonEmpty = Field(
        description="The version that is released, or a glob of such versions.", examples=["2.5.0"]
    )
    reason: NonEmpty = Field(description="Why: what putting the old version back would lose.")


class ComponentSpec(Model):
    """Owners, rendering, batches, checks."""

    owners: tuple[DnsLabel, ...] = Field(
        default=(), description="Teams or members of people.yaml.", examples=[["network"]]
    )
    scope: Scope = Field(default="cluster", description="What one unit is. Default cluster.")
    render: Render = Field(
        default=Render(jinja="templates/"),
        description="How its YAML is made: exactly one of the fields. Default {jinja: templates/}.",
    )
    depends_on: tuple[DnsLabel, ...] = Field(
        default=(),
        description="Components that are released before it in the same cluster, "
        "and are never in flight together with it.",
    )
    batches: Batches = Field(
        default=(1, "10%", "50%", "100%"),
        description="Cumulative pods or nodes in one unit, increasing, the last 100%. "
        "Default [1, 10%, 50%, 100%].",
    )
    batch_soak: Duration = Field(
        default=timedelta(minutes=5), description="Silence between batches. Default 5m."
    )
    soak: Duration = Field(
        default=timedelta(minutes=30),
        description="Silence after the unit's last batch. Default 30m.",
    )
    batch_takes: Duration = Field(
        default=timedelta(minutes=5),
        description="Expected time of a batch, for forecast and window fit. Default 5m.",
    )
    batch_deadline: Duration = Field(
        default=timedelta(minutes=20),
        description="A batch that has not converged by then has failed. Default 20m.",
    )
    checks: ComponentChecks = Field(
        default=ComponentChecks(),
        description="The checks around every batch. Default after: [workload].",
    )
    guard: Guard = Field(
        default=Guard(), description="Fields that may not change, added to the built-in list."
    )
    on_failure: OnFailure = Field(
        default="hold",
        description="What a failed batch does: hold, rollbackUnit, rollbackRelease. Default hold.",
    )
    releasable: Releasable = Field(
        default=Releasable(), description="What makes a version of it releasable."
    )
    irreversible: tuple[IrreversiblePair, ...] = Field(
        default=(),
        description="Pairs of versions that a rollback does not undo by itself: the unit holds, "
        "and an admin is asked.",
    )


class Component(KindModel):
    """What is released: templates, image and values, one or more workloads."""

    kind: Literal["Component"] = Field(default="Component", description="Component.")
    spec: ComponentSpec = Field(
        default_factory=ComponentSpec, description="Owners, rendering, batches, checks."
    )


class Image(Model):
    """An image by digest."""

    ref: NonEmpty = Field(
        description="The image without tag.", examples=["registry.local/node-agent"]
    )
    digest: Digest = Field(description="Its digest: sha256: and 64 hexadecimal digits.")


class Evidence(Model):
    """One proof that a version is releasable."""

    name: NonEmpty = Field(description="What was proved.", examples=["conformance"])
    passed: Flag = Field(description="Whether it held.")
    url: NonEmpty | None = Field(default=None, description="Where it can be read.")


class ComponentVersionSpec(Model):
    """Images by digest, and the evidence that the version is releasable."""

    component: DnsLabel = Field(description="The component.", examples=["node-agent"])
    version: Version = Field(description="The version, a valid image tag.", examples=["2.5.0"])
    images: dict[str, Image] = Field(
        default_factory=dict, description="Images by name, as templates see them."
    )
    evidence: tuple[Evidence, ...] = Field(
        default=(), description="Proofs that the version is releasable."
    )


class ComponentVersion(KindModel):
    """One version of a component; usually written by the component's own CI."""

    kind: Literal["ComponentVersion"] = Field(
        default="ComponentVersion", description="ComponentVersion."
    )
    metadata: VersionMetadata = Field(description="Name (may have dots), labels, annotations.")
    spec: ComponentVersionSpec = Field(description="Component, version, images, evidence.")
