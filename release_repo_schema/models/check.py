"""Checks: the questions asked before and after a batch.

What is asked is said here; the asking is done elsewhere.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from release_repo_schema.models.base import Empty, KindModel, Model, exactly_one
from release_repo_schema.models.scalars import (
    DnsLabel,
    Duration,
    NonEmpty,
    Positive,
    Whole,
    refuse,
)

CHECK_KINDS = (
    "workload", "cel", "prometheus", "probe", "canaryMission", "logs", "diagnosis", "webhook",
)  # fmt: skip


class PrometheusCheck(Model):
    """A query to Prometheus."""

    address: NonEmpty = Field(description="Where Prometheus answers; may name the cluster.")
    query: NonEmpty = Field(description="The query, in PromQL.")
    secret: DnsLabel | None = Field(
        default=None, description="The name of a secret that the bot holds, never its value."
    )


class ProbeCheck(Model):
    """A black-box probe: an HTTP target, or a Job that must end well."""

    url: NonEmpty | None = Field(default=None, description="An HTTP target.")
    status: Positive = Field(default=200, description="The status that it must answer.")
    image: NonEmpty | None = Field(default=None, description="The image of a probe Job.")
    command: tuple[NonEmpty, ...] = Field(default=(), description="The command of a probe Job.")
    secret: DnsLabel | None = Field(
        default=None, description="The name of a secret, never its value."
    )


class CanaryMissionCheck(Model):
    """A probe workload that is scaled up and down."""

    image: NonEmpty = Field(description="The image of the probe workload.")
    replicas: Positive = Field(default=1, description="How far it is scaled up.")


class LogsCheck(Model):
    """A scan of the pods' logs for panics."""

    patterns: tuple[NonEmpty, ...] = Field(
        default=(), description="Texts that must not appear, added to the built-in list."
    )
    since: Duration | None = Field(default=None, description="How far back. Default: the batch.")


class DiagnosisCheck(Model):
    """A comparison: before and after, updated and not yet updated."""

    query: NonEmpty = Field(description="What is compared.")
    against: Literal["before", "notUpdated"] = Field(
        default="before", description="What it is compared with."
    )


class WebhookCheck(Model):
    """A question to a service of one's own."""

    url: NonEmpty = Field(description="Where it is asked.")
    secret: DnsLabel | None = Field(
        default=None, description="The name of a secret, never its value."
    )


class CheckSpec(Model):
    """Exactly one kind of question, and how often it is asked."""

    workload: Empty | None = Field(
        default=None, description="The health of the unit's workloads: {}."
    )
    cel: Empty | None = Field(
        default=None, description="Conditions in CEL over the unit's observed facts: {}."
    )
    prometheus: PrometheusCheck | None = Field(default=None, description="A Prometheus query.")
    probe: ProbeCheck | None = Field(default=None, description="A black-box probe.")
    canary_mission: CanaryMissionCheck | None = Field(
        default=None, description="A probe workload scaled up and down."
    )
    logs: LogsCheck | None = Field(default=None, description="A scan of logs for panics.")
    diagnosis: DiagnosisCheck | None = Field(default=None, description="A comparison.")
    webhook: WebhookCheck | None = Field(default=None, description="A service of one's own.")
    interval: Duration = Field(
        default=timedelta(seconds=30), description="Time between two samples. Default 30s."
    )
    count: Positive = Field(
        default=1, le=1000, description="How many samples are taken, at most 1000. Default 1."
    )
    success_condition: NonEmpty | None = Field(
        default=None,
        description="CEL: what holds in a good sample.",
        examples=["result[0] < 0.01"],
    )
    failure_condition: NonEmpty | None = Field(
        default=None, description="CEL: what holds in a bad sample."
    )
    failure_limit: Whole = Field(
        default=0,
        le=1000,
        description="Bad samples tolerated before the check has failed. Default 0.",
    )
    inconclusive_limit: Whole = Field(
        default=0,
        le=1000,
        description="Samples without a clear answer that are tolerated. Default 0.",
    )
    consecutive_error_limit: Whole = Field(
        default=4,
        le=1000,
        description="Samples in a row that could not be taken and are tolerated. Default 4.",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        exactly_one(self, *CHECK_KINDS)
        if self.cel is not None and not (self.success_condition or self.failure_condition):
            hint = "without one every answer would be inconclusive"
            said = "a cel check needs successCondition or failureCondition"
            refuse("missing-field", said, hint, at="cel")
        return self

    def kinds(self) -> list[str]:
        """The kinds that are written; exactly one in a valid check."""
        attributes = [
            name for name, info in type(self).model_fields.items() if info.alias in CHECK_KINDS
        ]
        written = [name for name in attributes if getattr(self, name) is not None]
        return [str(type(self).model_fields[name].alias) for name in written]

    @property
    def kind(self) -> str:
        """The one kind of question: `workload`, `cel`, …"""
        return self.kinds()[0]


class Check(KindModel):
    """A question asked before or after a batch; only a clear yes opens the gate."""

    kind: Literal["Check"] = Field(default="Check", description="Check.")
    spec: CheckSpec = Field(description="Exactly one kind of question, and how often it is asked.")
