"""Tasks in a cluster: a Job that must end well, a call that must be answered.

Level-triggered like everything here: asked again after every look. Never patches a Job, which
cannot be changed; one that failed before the batch began is taken away and made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.cluster.fields import at
from bot.cluster.goal import Goal, Step
from bot.cluster.plain import create, delete
from bot.model.effects import Purpose
from bot.model.plan import JSON, ObjectRef, PlannedObject
from bot.model.seen import ObjectSeen, UnitSeen

TASK_LABEL = "sluice/task"
UNDO = "-undo"
"""End of the name of what takes a task back."""
WEBHOOK_API, WEBHOOK_KIND = "sluice/v1", "Webhook"


def is_task(obj: JSON) -> bool:
    """Whether an object is the work of a task, no object of a component."""
    return bool(at(obj, ("metadata", "labels", TASK_LABEL)))


def is_call(ref: ObjectRef) -> bool:
    """Whether it is a call over HTTP: no cluster has such an object."""
    return (ref.api_version, ref.kind) == (WEBHOOK_API, WEBHOOK_KIND)


def split(
    objects: Sequence[PlannedObject],
) -> tuple[tuple[PlannedObject, ...], tuple[PlannedObject, ...]]:
    """(what does a task, what takes it back) of all its objects."""
    there = tuple(one for one in objects if not one.ref.name.endswith(UNDO))
    back = tuple(one for one in objects if one.ref.name.endswith(UNDO))
    return there, back


def run(goal: Goal, pairs: Iterable[tuple[ObjectRef, JSON]], seen: UnitSeen) -> list[Step]:
    """The steps of these objects, forward; of what takes them back on the way back."""
    return [_forward(goal, ref, obj, _there(seen, ref), Purpose.FORWARD) for ref, obj in pairs]


def take_back(goal: Goal, seen: UnitSeen) -> list[Step]:
    """What takes a task back is run like the task; without an undo nothing is done."""
    return [_forward(goal, ref, obj, _there(seen, ref), Purpose.RESTORE) for ref, obj in goal.undo]


def answered(planned: PlannedObject, obj: JSON) -> JSON:
    """A call as the look shows it once it was answered."""
    return {**obj, "status": {"answered": True, "digest": planned.digest}}


def _there(seen: UnitSeen, ref: ObjectRef) -> ObjectSeen:
    return seen.objects.get(ref.key) or ObjectSeen(ref=ref, live=None)


def _forward(goal: Goal, ref: ObjectRef, obj: JSON, there: ObjectSeen, purpose: Purpose) -> Step:
    live = there.live
    if live is None:
        return Step(ref=ref, writes=(create(ref, obj, purpose),), waiting="not-applied")
    if is_call(ref):
        return Step(ref=ref, evidence=({"webhook": ref.name, "url": at(obj, ("spec", "url"))},))
    if at(live, ("metadata", "deletionTimestamp")):
        return Step(ref=ref, waiting="progress", detail={"reason": "Terminating"})
    if (why := _condition(live, "Failed")) is not None:
        if _made_before(live, goal.since):
            return Step(ref=ref, writes=(delete(ref, live, purpose),), waiting="progress")
        return Step(ref=ref, waiting="progress", failed=why or "Failed")
    if _condition(live, "Complete") is not None:
        ended = at(live, ("status", "completionTime"))
        return Step(ref=ref, evidence=({"job": ref.short, "completed": ended},))
    return Step(ref=ref, waiting="progress", detail={"reason": "Running"})


def _condition(live: JSON, name: str) -> str | None:
    """The reason of a condition that is true; None when it is not."""
    for condition in at(live, ("status", "conditions")) or ():
        if condition.get("type") == name and condition.get("status") == "True":
            said = (condition.get("reason"), condition.get("message"))
            return ": ".join(str(one) for one in said if one)
    return None


def _made_before(live: JSON, moment: datetime) -> bool:
    made = at(live, ("metadata", "creationTimestamp"))
    return bool(made) and datetime.fromisoformat(str(made)) < moment.replace(microsecond=0)
