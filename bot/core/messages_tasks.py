"""What people read of tasks: a Job that runs, a call that waits for its answer, what undoes them.

Words only; whether a task is done is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.messages_words import clause, sentence
from bot.model.plan import ComponentPlan

Facts = Mapping[str, Any]
_RUNS = {"job": "The job runs", "webhook": "The call waits for its answer"}
_LATE = {
    "job": "the job did not end in time",
    "webhook": "the call was not answered in time",
}


def named(component: ComponentPlan, between: str = " ") -> str:
    """`node-agent 2.5.0`, or `task drain-cache`: what a task says has no version that says much."""
    if component.task:
        return f"task {component.name}"
    return f"{component.name}{between}{component.version}"


def runs(facts: Facts) -> str:
    """`The job runs.`"""
    return sentence(_RUNS.get(str(facts.get("task")), "The task runs"))


def failed(facts: Facts) -> str:
    """Why a task failed, as a clause."""
    said = clause(facts.get("failed"))
    if said:
        return f"the {facts.get('task')} failed: {said}"
    return _LATE.get(str(facts.get("task")), "the task did not end in time")


def undoing(facts: Facts) -> str:
    """`What undoes it runs.`"""
    return sentence("What undoes it runs")


def begins(unit: str) -> str:
    return f"{unit}: begins."


def succeeded(unit: str) -> str:
    return f"{unit}: done."


def undone(unit: str, *, undo: bool) -> str:
    """How a task stands after a rollback."""
    return f"{unit}: undone." if undo else f"{unit}: left as it is, it has no undo."
