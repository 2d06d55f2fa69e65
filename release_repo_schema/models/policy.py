"""The one Policy of a repo: approvals, floors, limits, blocks.

It says what must hold; nothing here holds anybody to it.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Literal

from pydantic import Field

from release_repo_schema.models.base import KindModel, Model, Selector
from release_repo_schema.models.release import Roles
from release_repo_schema.models.scalars import (
    Day,
    Digest,
    DnsLabel,
    Duration,
    NonEmpty,
    Positive,
    Version,
    Whole,
)


class WindowPolicy(Model):
    """What holds where no window matches."""

    when_none_matches: Literal["closed", "open"] = Field(
        default="closed",
        description="Whether batches may begin where no Allow window matches. Default closed.",
    )
    attended: Duration = Field(
        default=timedelta(minutes=30),
        description="How long people watch a batch: batchTakes plus the smaller of soak and this "
        "must fit before a window closes. Default 30m.",
    )


class ApprovalPolicy(Model):
    """People asked once, before the first write of a release."""

    components: Selector = Field(
        default=Selector(), description="For which components. Default every component."
    )
    count: Positive = Field(default=1, description="How many people must approve. Default 1.")
    roles: Roles = Field(default=("approver",), description="Who may approve. Default [approver].")
    expires: Duration = Field(
        default=timedelta(hours=24), description="How long an approval counts. Default 24h."
    )


class Floor(Model):
    """The least that is asked; below it is an error, whatever anything else says."""

    components: Selector = Field(
        default=Selector(), description="For which components. Default every component."
    )
    soak: Duration | None = Field(
        default=None, description="The shortest silence after a unit's last batch."
    )
    batch_soak: Duration | None = Field(
        default=None, description="The shortest silence between batches."
    )
    first_wave: Positive | None = Field(
        default=None, description="The most units in the first wave of a stage."
    )
    checks: tuple[DnsLabel, ...] = Field(
        default=(), description="Checks that must stand after every batch."
    )


class Limits(Model):
    """Limits over all releases."""

    units_in_flight: Positive | None = Field(
        default=None, description="Units in flight at once. Default: no limit."
    )
    units_per_day: Positive | None = Field(
        default=None,
        description="Units whose first batch began in the last 24 hours, over all releases. "
        "Default: no limit.",
    )
    failure_budget: Whole | None = Field(
        default=None,
        description="Failed units tolerated in the last 24 hours, over all releases; one more "
        "holds everything until an operator says `resume all`. Default: no limit.",
    )


class Blocked(Model):
    """A version, or one content of a component, that may not go out."""

    component: DnsLabel = Field(description="The component.")
    version: Version = Field(description="The version.")
    reason: NonEmpty = Field(description="Why.", examples=["INC-1201"])
    until: Day | None = Field(
        default=None,
        description="The day on which the block is lifted, at 00:00 UTC. Default: it stays.",
    )
    content: Digest | None = Field(
        default=None,
        description="Blocks only this content (sha256:…) of the version; written by rollbacks.",
    )

    @property
    def over(self) -> datetime | None:
        """When the block is lifted; None: it stays."""
        return None if self.until is None else datetime.combine(self.until, time(), UTC)

    def in_force(self, now: datetime) -> bool:
        """Whether the block holds at `now`."""
        return self.over is None or now < self.over


class RiskRule(Model):
    """A condition under which a release waits or stops."""

    name: DnsLabel = Field(description="The rule's name.")
    when: NonEmpty = Field(
        description="The condition, in CEL, over what docs/risk-rules.md lists.",
        examples=["release.tier == '0' && inFlight.tier0 > 0"],
    )
    verdict: Literal["wait", "stop"] = Field(
        description="wait: the unit waits while the condition is true. stop: the release is held, "
        "and goes on when a person resumes it and the condition is true no more."
    )
    reason: NonEmpty = Field(description="What people read.")


class PolicySpec(Model):
    """What must hold for every release."""

    windows: WindowPolicy = Field(
        default=WindowPolicy(), description="What holds where no window matches."
    )
    approvals: tuple[ApprovalPolicy, ...] = Field(
        default=(),
        description="Asked once, before the first write; the larger count of policy and pipeline "
        "wins.",
    )
    floors: tuple[Floor, ...] = Field(
        default=(), description="The least that is asked; below it is an error."
    )
    limits: Limits = Field(default=Limits(), description="Limits over all releases. Default none.")
    blocked: tuple[Blocked, ...] = Field(default=(), description="Versions that may not go out.")
    risk_rules: tuple[RiskRule, ...] = Field(
        default=(), description="Conditions under which a release waits or stops."
    )


class Policy(KindModel):
    """The rules of the house; one a repo."""

    kind: Literal["Policy"] = Field(default="Policy", description="Policy.")
    spec: PolicySpec = Field(
        default_factory=PolicySpec, description="What must hold for every release."
    )
