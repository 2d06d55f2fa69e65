"""Runs, in Tekton's words: a PipelineRun a release, a TaskRun for each step of it.

What the audit and a resume speak of. Facts with a begin and an end; nothing here decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RunStatus(StrEnum):
    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    """A person, or another step, ended it: a pause does not, a rollback and a skip do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineRun:
    """One release on its way through its stages. `pipeline`: "" where the stages are its own."""

    release: str
    pipeline: str
    plan_hash: str
    status: RunStatus
    scheduled: datetime
    started: datetime | None = None
    completed: datetime | None = None
    reason: str = ""

    @property
    def key(self) -> str:
        return self.release


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """One step: a batch, a soak, a check, an approval, a rollback, a job, a webhook."""

    release: str
    unit: str
    """"" for an approval: it is of the release."""
    batch: int
    task: str
    """batch | soak | rollback | job | webhook | check/NAME | approval/NUMBER."""
    started: datetime
    status: RunStatus = RunStatus.RUNNING
    completed: datetime | None = None
    reason: str = ""

    @property
    def key(self) -> str:
        """Tried again, it is another run: the time at which it began tells them apart."""
        place = f"{self.release}/{self.unit}/{self.batch}/{self.task}"
        return f"{place}/{self.started.isoformat()}"
