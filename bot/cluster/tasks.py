"""Tasks in a cluster: a Job that must end well, a call that must be answered.

Level-triggered like everything here: asked again after every look. Never patches a Job, which
cannot be changed; one that failed before the batch began is taken away and made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.cluster.fence import fence_of
from bot.cluster.fields import at, put
from bot.cluster.goal import Goal, Step
from bot.cluster.plain import create, delete
from bot.model.effects import Purpose
from bot.model.plan import JSON, ObjectRef, PlannedObject
from bot.model.seen import ObjectSeen, UnitSeen

TASK_LABEL = "sluice/task"
UNDO = "-undo"
"""End of the name of what takes a task back."""
AGAIN = "sluice/again"
"""Annotation of a call that is made anew after it was taken back."""
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
    """What takes a task back is run like the task, once the task itself does not run any more;
    without an undo nothing is done.
    """
    running = [ref for ref, _ in goal.objects if _runs(ref, _there(seen, ref).live)]
    if running and goal.undo:
        detail = {"reason": "Running"}
        return [Step(ref=ref, waiting="progress", detail=detail) for ref in running]
    return [_forward(goal, ref, obj, _there(seen, ref), Purpose.RESTORE) for ref, obj in goal.undo]


def answered(planned: PlannedObject, obj: JSON) -> JSON:
    """A call as the look shows it once it was answered."""
    return {**obj, "status": {"answered": True, "digest": planned.digest}}


def call_key(cluster: str, ref: ObjectRef, obj: JSON) -> str:
    """By which a service knows the same call again; one that is made anew after it was taken back
    is another.
    """
    again = at(obj, ("metadata", "annotations", AGAIN))
    return f"{cluster}/{ref.name}" + (f"/{again}" if again else "")


def _runs(ref: ObjectRef, live: JSON | None) -> bool:
    if live is None or is_call(ref):
        return False
    return all(_condition(live, end) is None for end in ("Complete", "Failed"))


def _there(seen: UnitSeen, ref: ObjectRef) -> ObjectSeen:
    return seen.objects.get(ref.key) or ObjectSeen(ref=ref, live=None)


def _forward(goal: Goal, ref: ObjectRef, obj: JSON, there: ObjectSeen, purpose: Purpose) -> Step:
    live = there.live
    if live is None:
        if is_call(ref) and goal.anew_above:
            obj = put(obj, ("metadata", "annotations", AGAIN), str(goal.anew_above))
        return Step(ref=ref, writes=(create(ref, obj, purpose),), waiting="not-applied")
    if is_call(ref):
        return Step(ref=ref, evidence=({"webhook": ref.name, "url": at(obj, ("spec", "url"))},))
    if at(live, ("metadata", "deletionTimestamp")):
        return Step(ref=ref, waiting="progress", detail={"reason": "Terminating"})
    if _of_before(live, goal.anew_above):
        return Step(ref=ref, writes=(delete(ref, live, purpose),), waiting="progress")
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


def _of_before(live: JSON, anew_above: int) -> bool:
    """Whether it was made before the task was taken back the last time: it proves nothing now."""
    fence = fence_of(live)
    return len(fence) > 1 and fence[1] <= anew_above


def _made_before(live: JSON, moment: datetime) -> bool:
    made = at(live, ("metadata", "creationTimestamp"))
    return bool(made) and datetime.fromisoformat(str(made)) < moment.replace(microsecond=0)
