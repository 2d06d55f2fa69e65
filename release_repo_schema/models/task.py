"""Tasks: what a stage does in each cluster that is no component, a Job or a call.

What is done is said here; doing it, and undoing it, happens elsewhere.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from release_repo_schema.models.base import KindModel, Model, exactly_one
from release_repo_schema.models.component import OnFailure
from release_repo_schema.models.scalars import DnsLabel, Duration, NonEmpty, Whole, refuse


class JobTask(Model):
    """A Kubernetes Job. Its texts are rendered once, with version, cluster and unit."""

    image: NonEmpty = Field(description="The image.", examples=["registry.local/ops-tools:1.4"])
    command: tuple[NonEmpty, ...] = Field(default=(), description="The command.")
    args: tuple[str, ...] = Field(default=(), description="Its arguments.")
    env: dict[str, str] = Field(
        default_factory=dict, description="Environment. Values are text: quote numbers."
    )
    namespace: DnsLabel = Field(
        default="default", description="The namespace that it runs in. Default default."
    )
    service_account: DnsLabel | None = Field(
        default=None, description="The ServiceAccount that it runs as."
    )
    retries: Whole = Field(
        default=0, le=20, description="How often a failed pod is tried again. Default 0."
    )


class WebhookTask(Model):
    """A call over HTTP: POST, with a key that is the same for the same call again."""

    url: NonEmpty = Field(
        description="Where; may name the cluster. Its host must be in the bot's own configuration.",
        examples=["https://ops.example.com/drain/{{ cluster.name }}"],
    )
    body: dict[str, Any] = Field(
        default_factory=dict, description="What is sent, as JSON. Texts are rendered once."
    )
    secret: DnsLabel | None = Field(
        default=None,
        description="The name of a secret that the bot holds, sent as a bearer token.",
    )


class Undo(Model):
    """What takes a task back: exactly one of the fields."""

    job: JobTask | None = Field(default=None, description="A Kubernetes Job.")
    webhook: WebhookTask | None = Field(default=None, description="A call over HTTP.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        exactly_one(self, "job", "webhook")
        return self


class TaskSpec(Model):
    """Exactly one kind of work, how long it takes, and what takes it back."""

    owners: tuple[DnsLabel, ...] = Field(
        default=(), description="Teams or members of people.yaml.", examples=[["network"]]
    )
    job: JobTask | None = Field(default=None, description="A Kubernetes Job in each cluster.")
    webhook: WebhookTask | None = Field(default=None, description="A call for each cluster.")
    undo: Undo | None = Field(
        default=None, description="What takes it back. Without it a rollback leaves it as it is."
    )
    takes: Duration = Field(
        default=timedelta(minutes=5),
        description="Expected time, for forecast and window fit. Default 5m.",
    )
    deadline: Duration = Field(
        default=timedelta(minutes=20),
        description="What has not ended well by then has failed. Default 20m.",
    )
    soak: Duration = Field(
        default=timedelta(), description="Silence after it has ended well. Default 0s."
    )
    checks: tuple[DnsLabel, ...] = Field(
        default=(), description="Checks that must pass after it, kinds that need no workload."
    )
    on_failure: OnFailure = Field(
        default="hold",
        description="What its failure does: hold, rollbackUnit, rollbackRelease. Default hold.",
    )

    @model_validator(mode="after")
    def _one(self) -> Self:
        exactly_one(self, "job", "webhook")
        if self.undo is not None and (self.undo.job is None) != (self.job is None):
            said = "expected `undo` to be of the same kind as the task"
            refuse("undo-kind", said, "a job is undone by a job, a webhook by a webhook", at="undo")
        return self

    @property
    def does(self) -> Literal["job", "webhook"]:
        """Which kind of work it is."""
        return "job" if self.job is not None else "webhook"


class Task(KindModel):
    """Work in each cluster of a stage that is no component: planned, gated and undone like one."""

    kind: Literal["Task"] = Field(default="Task", description="Task.")
    spec: TaskSpec = Field(description="Exactly one kind of work, and what takes it back.")
