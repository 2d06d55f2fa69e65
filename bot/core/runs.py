"""From lines of the audit to runs: what began, what ended, and how.

Pure: the same lines give the same rows. It follows what was recorded, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from bot.core import chain
from bot.core.messages_words import clause
from bot.model.plan import ReleasePlan
from bot.model.runs import PipelineRun, RunStatus, TaskRun
from bot.model.state import Event

Place = tuple[str, str]
"""(release, unit)."""

_ENDS: Mapping[str, RunStatus] = {
    "unit.failed": RunStatus.FAILED,
    "unit.skipped": RunStatus.CANCELLED,
    "unit.quarantined": RunStatus.CANCELLED,
    "unit.left": RunStatus.CANCELLED,
    "unit.rolled-back": RunStatus.SUCCEEDED,
}
"""Lines that end whatever runs in a unit."""

_RELEASE: Mapping[str, RunStatus] = {
    "release.began": RunStatus.RUNNING,
    "release.succeeded": RunStatus.SUCCEEDED,
    "release.rolled-back": RunStatus.FAILED,
    "release.cancelled": RunStatus.CANCELLED,
    "release.superseded": RunStatus.CANCELLED,
}
_DECIDED: Mapping[str, RunStatus] = {
    "decision.approved": RunStatus.SUCCEEDED,
    "decision.rejected": RunStatus.FAILED,
    "decision.void": RunStatus.CANCELLED,
}
_VERDICTS: Mapping[str, RunStatus] = {
    "PASSED": RunStatus.SUCCEEDED,
    "FAILED": RunStatus.FAILED,
    "INCONCLUSIVE": RunStatus.FAILED,
    "ERRORED": RunStatus.FAILED,
}


class Runs:
    """What runs now. Kept from tick to tick; the store has it after a restart."""

    def __init__(self, plan_of: Callable[[str], ReleasePlan | None]) -> None:
        self._plan_of = plan_of
        self._open: dict[Place, dict[str, TaskRun]] = {}
        self._whole: dict[str, PipelineRun] = {}

    def load(self, whole: Iterable[PipelineRun], tasks: Iterable[TaskRun]) -> None:
        """What the store has of releases that have not ended."""
        self._whole = {run.release: run for run in whole}
        for run in tasks:
            if run.completed is None:
                self._open.setdefault((run.release, run.unit), {})[run.task] = run

    def rows(self, events: Iterable[Event]) -> list[PipelineRun | TaskRun]:
        """The rows that these lines begin or end, each as it is after the last of them."""
        found: dict[str, PipelineRun | TaskRun] = {}
        for event in events:
            whole: list[PipelineRun | TaskRun] = [*self._of_release(event)]
            for row in [*whole, *self._of_unit(event)]:
                found[f"{type(row).__name__}/{row.key}"] = row
        return list(found.values())

    def _of_release(self, event: Event) -> Iterator[PipelineRun]:
        name = event.release
        if event.kind == "release.scheduled" and (plan := self._plan_of(name)) is not None:
            pipeline = (plan.spec or {}).get("pipeline") or ""
            self._whole[name] = PipelineRun(
                release=name,
                pipeline=str(pipeline),
                plan_hash=plan.plan_hash,
                status=RunStatus.PENDING,
                scheduled=event.at,
            )
            yield self._whole[name]
            return
        status, run = _RELEASE.get(event.kind), self._whole.get(name)
        if status is None or run is None:
            return
        if status is RunStatus.RUNNING:
            run = replace(run, status=status, started=run.started or event.at)
        else:
            why = clause(event.data.get("reason") or event.data.get("by") or "")
            reason = f"{event.kind.partition('.')[2]}{f': {why}' if why else ''}"
            run = replace(run, status=status, completed=event.at, reason=reason)
        self._whole[name] = run
        if run.completed is not None:
            del self._whole[name]
        yield run

    def _of_unit(self, event: Event) -> Iterator[TaskRun]:
        place = (event.release, event.unit)
        match event.kind:
            case "batch.applying":
                yield self._begin(place, event, self._what(event))
            case "batch.soaking":
                yield from self._end(place, event.at, self._what(event), RunStatus.SUCCEEDED)
                yield self._begin(place, event, "soak")
            case "check" if event.data.get("verdict") in _VERDICTS:
                run = self._begin(place, event, f"check/{event.data['name']}")
                status = _VERDICTS[event.data["verdict"]]
                why = clause(event.data.get("why"))
                yield from self._end(place, event.at, run.task, status, why)
            case chain.DONE:
                yield from self._end(place, event.at, "soak", RunStatus.SUCCEEDED)
            case "unit.rolling-back":
                yield from self._all(place, event.at, RunStatus.CANCELLED, "rolled back")
                yield self._begin(place, event, "rollback")
            case kind if kind.startswith("decision."):
                yield from self._of_decision(event)
            case kind if kind in _ENDS:
                why = clause(event.data.get("why") or event.data.get("reason"))
                yield from self._all(place, event.at, _ENDS[kind], why)
            case kind if kind in _RELEASE and kind != "release.began":
                for other in [p for p in self._open if p[0] == event.release]:
                    yield from self._all(other, event.at, RunStatus.CANCELLED, "the release ended")

    def _of_decision(self, event: Event) -> Iterator[TaskRun]:
        place = (event.release, "")
        task = f"approval/{str(event.data.get('id', '')).rpartition('#')[2]}"
        if event.kind == "decision.asked":
            yield self._begin(place, event, task)
        elif event.kind in _DECIDED:
            why = clause(event.data.get("why"))
            yield from self._end(place, event.at, task, _DECIDED[event.kind], why)

    def _what(self, event: Event) -> str:
        """`batch`, or the kind of a task."""
        plan = self._plan_of(event.release)
        name = event.unit.partition("@")[0]
        found = next((c.task for c in plan.components if c.name == name), "") if plan else ""
        return found or "batch"

    def _begin(self, place: Place, event: Event, task: str) -> TaskRun:
        run = TaskRun(
            release=event.release,
            unit=place[1],
            batch=event.batch if place[1] else 0,
            task=task,
            started=event.at,
        )
        self._open.setdefault(place, {})[task] = run
        return run

    def _end(
        self, place: Place, at: datetime, task: str, status: RunStatus, why: str = ""
    ) -> Iterator[TaskRun]:
        run = self._open.get(place, {}).pop(task, None)
        if run is not None:
            yield replace(run, status=status, completed=at, reason=why)

    def _all(self, place: Place, at: datetime, status: RunStatus, why: str) -> Iterator[TaskRun]:
        for run in self._open.pop(place, {}).values():
            yield replace(run, status=status, completed=at, reason=why)
