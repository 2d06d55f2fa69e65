"""Runs as `audit` tells them: JSON, and one line each. Reads no store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bot.cli.telling import instant

if TYPE_CHECKING:
    from bot.model.runs import PipelineRun, TaskRun


def runs_json(whole: PipelineRun | None, tasks: Iterable[TaskRun]) -> dict[str, Any]:
    """`pipelineRun` and `taskRuns`, in the order in which they began."""
    ordered = sorted(tasks, key=lambda run: (run.started, run.batch, run.unit, run.task))
    return {
        "pipelineRun": _pipeline_run(whole) if whole is not None else None,
        "taskRuns": [_task_run(run) for run in ordered],
    }


def runs_lines(body: dict[str, Any]) -> list[str]:
    """A heading and a line for each step; nothing where none is known."""
    runs = body["taskRuns"]
    if not runs:
        return []
    took = [(run, f"  {run['took']}" if run["took"] else "") for run in runs]
    return ["", "Steps"] + [
        f"  {run['task']:<20} {run['status']:<9} {run['unit'] or 'the release'}{after}"
        for run, after in took
    ]


def _pipeline_run(run: PipelineRun) -> dict[str, Any]:
    return {
        "pipeline": run.pipeline,
        "planHash": run.plan_hash,
        "status": run.status.value,
        "scheduled": instant(run.scheduled),
        "started": instant(run.started) if run.started else None,
        "completed": instant(run.completed) if run.completed else None,
        "reason": run.reason,
    }


def _task_run(run: TaskRun) -> dict[str, Any]:
    from bot.core.messages_words import length

    return {
        "unit": run.unit,
        "batch": run.batch,
        "task": run.task,
        "status": run.status.value,
        "started": instant(run.started),
        "completed": instant(run.completed) if run.completed else None,
        "reason": run.reason,
        "took": length(run.completed - run.started) if run.completed else "",
    }
