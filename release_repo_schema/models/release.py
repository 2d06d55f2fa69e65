"""What is asked: pipelines and releases.

The order is said here; which unit goes when is planned elsewhere.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from release_repo_schema.models.base import KindModel, Model, Selector
from release_repo_schema.models.component import increasing
from release_repo_schema.models.scalars import (
    DnsLabel,
    Duration,
    Flag,
    LocalTime,
    NonEmpty,
    Positive,
    Share,
    Step,
    Version,
    Weight,
    Whole,
    refuse,
)

Role = Literal["operator", "approver", "admin"]
DEFAULT_WAVES: tuple[int | str, ...] = (1, "5%", "20%", "50%", "100%")
"""The waves of a stage of more than 10 units that writes none."""


def _roles(values: tuple[Role, ...]) -> tuple[Role, ...]:
    if not values:
        refuse("empty-list", "expected at least one role, found an empty list")
    return values


Roles = Annotated[tuple[Role, ...], AfterValidator(_roles)]


def _waves(steps: tuple[int | str, ...]) -> tuple[int | str, ...]:
    if not steps:
        refuse("empty-list", "expected at least one wave, found an empty list", "leave it out")
    if isinstance(steps[-1], str) and steps[-1] != "100%":
        said = f"expected the last wave to reach every unit, found {steps[-1]}"
        refuse("last-not-100", said, "waves are cumulative: end with 100%", at=str(len(steps) - 1))
    return increasing(steps)


Waves = Annotated[tuple[Step, ...], AfterValidator(_waves)]


class StageApproval(Model):
    """People asked around a stage."""

    when: Literal["before", "after", "eachWave"] = Field(
        default="before",
        description="before or after the stage, or before each wave. Default before.",
    )
    roles: Roles = Field(default=("approver",), description="Who may approve. Default [approver].")
    count: Positive = Field(default=1, description="How many people must approve. Default 1.")


class StageRollback(Model):
    """How a stage goes back."""

    max_concurrency: Step = Field(
        default=100,
        description="Units on their way back at once, a number or a percentage of the stage. "
        "No forward limit stops a rollback. Default 100.",
        examples=["50%"],
    )


class StageTasks(Model):
    """Tasks of a stage, by name, each in its place in every cluster of it."""

    before: tuple[DnsLabel, ...] = Field(
        default=(),
        description="Tasks before the components, one after another.",
        examples=[["drain-cache"]],
    )
    after: tuple[DnsLabel, ...] = Field(
        default=(), description="Tasks after the components, one after another."
    )

    @property
    def names(self) -> tuple[str, ...]:
        """All of them, in their order."""
        return (*self.before, *self.after)


class Stage(Model):
    """Units of one kind of risk."""

    name: DnsLabel = Field(description="The stage's name.", examples=["production"])
    units: Selector = Field(
        description="Which units it takes; a unit belongs to the first stage that selects it."
    )
    max_concurrency: Step | None = Field(
        default=None,
        description="Units at once, a number or a percentage of the stage. "
        "Default: the whole wave.",
    )
    max_failures: Whole = Field(
        default=0, description="Failed units tolerated before the stage holds. Default 0."
    )
    max_unreachable: Share | None = Field(
        default=None,
        description="Units that may be left out because their cluster does not answer, a number or "
        "a percentage of the stage, rounded down; beyond it people are asked. "
        "Default 10%, at least 1.",
    )
    order: Literal["score", "name", "listed"] = Field(
        default="score",
        description="Order inside the stage: by score (low risk first), by name, "
        "or as listed in units.names. Default score.",
    )
    waves: Waves | None = Field(
        default=None,
        description="Cumulative units; a wave begins when the one before has ended well. "
        "Default [1, 5%, 20%, 50%, 100%] when the stage has more than 10 units, else one wave.",
        examples=[[1, "5%", "20%", "50%", "100%"]],
    )
    spread: tuple[NonEmpty, ...] = Field(
        default=(),
        description="Labels: no two units with the same value of one of them in one wave.",
        examples=[["haPair"]],
    )
    coverage: tuple[NonEmpty, ...] = Field(
        default=(),
        description="Labels of which the early waves try every value, one unit each; "
        "only with order score.",
        examples=[["kernel", "size"]],
    )
    soak: Duration | None = Field(
        default=None,
        description="Silence after a unit's last batch; may widen, never narrow, "
        "what components and policy ask.",
    )
    approval: StageApproval | None = Field(
        default=None, description="People asked before, after, or before each wave."
    )
    rollback: StageRollback = Field(
        default=StageRollback(), description="How the stage goes back: how many units at once."
    )
    tasks: StageTasks = Field(
        default=StageTasks(),
        description="Tasks that every cluster of the stage gets, before and after the components.",
    )


def _stages(stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
    if not stages:
        refuse("empty-list", "expected at least one stage, found an empty list")
    seen: set[str] = set()
    for k, stage in enumerate(stages):
        if stage.name in seen:
            refuse("duplicate-name", f"the stage {stage.name} is there twice", at=f"{k}/name")
        if stage.coverage and stage.order != "score":
            said = f"`coverage` moves units, and order {stage.order} is written by hand"
            refuse(
                "coverage-by-hand",
                said,
                "use order score, or list early what is to be tried early",
                at=f"{k}/coverage",
            )
        seen.add(stage.name)
    return stages


Stages = Annotated[tuple[Stage, ...], AfterValidator(_stages)]


class PipelineSpec(Model):
    """Stages in order, and the weights of a unit's score."""

    stages: Stages = Field(
        description="Stages in order; a unit belongs to the first stage that selects it."
    )
    weights: dict[str, Weight] = Field(
        default_factory=dict,
        description="Weight of each label in a unit's score, for order: score.",
        examples=[{"environment": 100, "size": 5}],
    )


class Pipeline(KindModel):
    """The order in which the fleet gets a release."""

    kind: Literal["Pipeline"] = Field(default="Pipeline", description="Pipeline.")
    spec: PipelineSpec = Field(description="Stages in order, and the weights of the score.")


class ReleaseComponent(Model):
    """A component and the version it shall have."""

    name: DnsLabel = Field(description="The component.", examples=["node-agent"])
    version: Version = Field(description="The version, a valid image tag.", examples=["2.5.0"])


class NotBefore(Model):
    """A local moment."""

    at: LocalTime = Field(description="Local date and time.", examples=["2026-11-24T09:00"])
    zone: NonEmpty = Field(description="Its IANA zone.", examples=["Europe/Berlin"])


class ReleaseSpec(Model):
    """Components to versions, the order, and the reason."""

    components: tuple[ReleaseComponent, ...] = Field(
        default=(),
        description="Components and the versions they shall have. May be left out where the "
        "stages hold tasks.",
    )
    pipeline: DnsLabel | None = Field(
        default=None, description="The Pipeline that gives the order; or write stages out."
    )
    stages: Stages | None = Field(
        default=None, description="Stages written out here instead of a pipeline."
    )
    units: Selector = Field(
        default=Selector(), description="Narrows the fleet. Default: every unit."
    )
    reason: str = Field(
        default="",
        description="Why: shown to everybody who is asked.",
        examples=["Fixes the conntrack leak (INC-1234)"],
    )
    not_before: NotBefore | None = Field(
        default=None, description="No batch begins before this local moment."
    )
    expires: Duration = Field(
        default=timedelta(days=14),
        description="Without a first write by then: a hold. Default 14d.",
    )
    supersedes: tuple[DnsLabel, ...] = Field(
        default=(), description="Running releases that this one replaces."
    )
    allow_downgrade: Flag = Field(
        default=False, description="Whether a lower version than the running one is meant."
    )
    late_joiners: Literal["ignore", "join"] = Field(
        default="ignore",
        description="Clusters that appear while it runs: ignore (listed as owed) or join. "
        "Default ignore.",
    )
    baseline: Flag = Field(
        default=False,
        description="true: brings the selected clusters to the versions certified for their "
        "group; components may then be left out. Default false.",
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.pipeline is None) == (self.stages is None):
            both = "both are" if self.pipeline is not None else "neither is"
            refuse("exactly-one", f"expected either pipeline or stages, {both} written")
        # What a named pipeline holds is only known with the other files: a rule judges that.
        tasks = self.stages is None or any(stage.tasks.names for stage in self.stages)
        if not self.components and not self.baseline and not tasks:
            refuse("missing-field", "expected `components`: at least one name and version")
        return self


class Release(KindModel):
    """What a merged pull request asks: components to versions, in an order."""

    kind: Literal["Release"] = Field(default="Release", description="Release.")
    spec: ReleaseSpec = Field(description="Components to versions, the order, and the reason.")
