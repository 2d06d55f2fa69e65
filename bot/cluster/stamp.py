"""Owner and digest on the writes that bring an object to a spec. Rides on writes that are made
anyway and never makes one: an object that has the target gets no call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from bot.cluster.fields import MISSING, Path, at, put
from bot.cluster.goal import Goal, Step
from bot.cluster.marks import APPLIED_PATH, LABELS, OWNER_PATH, text_at
from bot.model.effects import PatchType, Purpose, Write
from bot.model.plan import JSON
from bot.model.seen import UnitSeen


def stamped(goal: Goal, seen: UnitSeen, step: Step) -> Step:
    """The step with both on each of its writes that leads to a spec: forward to the new one, on the
    way back to what stood. A stop leads to none.
    """
    if not step.writes:
        return step
    return replace(step, writes=tuple(_stamped(goal, seen, write) for write in step.writes))


def _stamped(goal: Goal, seen: UnitSeen, write: Write) -> Write:
    digests = goal.stood if write.purpose is Purpose.RESTORE else goal.wanted
    digest = digests.get(write.ref.key)
    if digest is None or write.verb == "delete" or write.purpose is Purpose.STOP:
        return write
    there = seen.objects.get(write.ref.key)
    live: JSON = (there.live if there is not None else None) or {}
    nobodys = write.purpose is Purpose.RESTORE and write.ref.key in goal.adopted
    owner = "" if nobodys else goal.owner
    body = _without_wiping(write, live) if owner else write.body
    due = {path: text for path, text in ((OWNER_PATH, owner), (APPLIED_PATH, digest))
           if text_at(live, path) != text}  # fmt: skip
    if body is not write.body:
        due[OWNER_PATH] = owner
    if not due:
        return write
    if write.patch_type is PatchType.JSON:
        return replace(write, body=[*(body or []), *_steps(live, due)])
    for path, text in due.items():
        # To take away what a whole object does not have is to leave it out.
        body = put(body, path, text or (None if write.verb == "patch" else MISSING))
    return replace(write, body=body)


def _without_wiping(write: Write, live: JSON) -> JSON:
    """A patch that takes all labels away, with each of them by name: ours comes beside it."""
    if write.verb != "patch" or not isinstance(write.body, dict):
        return write.body
    if at(write.body, LABELS, MISSING) is not None:
        return write.body
    return put(write.body, LABELS, dict.fromkeys(at(live, LABELS) or {}))


def _steps(live: JSON, due: Mapping[Path, str]) -> Iterator[JSON]:
    """The same for a patch of steps: a step into a map that is not there would lose the patch."""
    for path, text in due.items():
        root, name = path[:2], str(path[2])
        pointer = "/".join(("", *root, name.replace("~", "~0").replace("/", "~1")))
        if not text:
            yield {"op": "remove", "path": pointer}
        elif isinstance(at(live, root, MISSING), dict):
            yield {"op": "add", "path": pointer, "value": text}
        else:
            yield {"op": "add", "path": "/".join(("", *root)), "value": {name: text}}
