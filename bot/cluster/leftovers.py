"""Objects that left the template: which of them may be deleted, and the next deletion.

One object at a time, the workloads first, and only the very object that was seen. Never asks
people, and deletes nothing itself: it names the write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from bot.cluster.drift import edits
from bot.cluster.fence import fence_of
from bot.cluster.fields import at
from bot.cluster.goal import Goal, Leaving, Mode, Step
from bot.cluster.guard import deletion, is_scaled, left_alone
from bot.cluster.guard_rules import deletion_reason
from bot.cluster.kinds import Rows, row_of
from bot.cluster.marks import OWNER
from bot.cluster.plain import delete_seen
from bot.cluster.render import apply_order, ref_of
from bot.model.effects import Purpose
from bot.model.plan import JSON, GuardLists, ObjectRef
from bot.model.seen import ObjectSeen, UnitSeen

KEEP = "helm.sh/resource-policy"


Identity = tuple[str, str, str, str]


def identity(ref: ObjectRef) -> Identity:
    """What stays the same when an object is only rendered in another version of its API."""
    group = ref.api_version.rpartition("/")[0]
    return group, ref.kind, ref.namespace, ref.name


def ref_of_key(key: str) -> ObjectRef:
    """The object that a row knows by its key."""
    return ObjectRef(*key.rsplit("/", 3))


def no_more_rendered(
    applied: Mapping[str, str], rendered: Iterable[ObjectRef]
) -> dict[ObjectRef, str]:
    """What was applied and is not among the rendered objects → its digest."""
    there = {identity(ref) for ref in rendered}
    found = ((ref_of_key(key), digest) for key, digest in applied.items())
    return {ref: digest for ref, digest in found if identity(ref) not in there}


def in_order(refs: Mapping[ObjectRef, JSON]) -> list[ObjectRef]:
    """The order of deleting: that of applying, turned round."""
    return [ref_of(obj) for obj in reversed(apply_order(refs.values()))]


def stays(one: Leaving, live: JSON, seen: UnitSeen, rows: Rows) -> str:
    """Why an object that stands must not be deleted, as a code; "" when it may be.

    guarded | policy | not-ours | newer | another | same | edited.
    """
    if deletion(one.ref, live) is not None:
        return "guarded"
    code = not_ours_alone(one, live, rows)
    same = code in ("", "edited") and _also_rendered(one, at(live, ("metadata", "uid")), seen)
    return "same" if same else code


def not_ours_alone(one: Leaving, live: JSON, rows: Rows, beside: Iterable[JSON] = ()) -> str:
    """The same, as far as the object itself tells; of data, too. `beside`: what was applied with
    it, an autoscaler perhaps.
    """
    if kept_by_policy(one.spec) or kept_by_policy(live):
        return "policy"
    meta = live.get("metadata") or {}
    owner = (meta.get("labels") or {}).get(OWNER, one.component)
    if not fence_of(live) or owner != one.component:
        return "not-ours"
    if fence_of(live) > one.fence:
        return "newer"
    if one.uid and meta.get("uid") != one.uid:
        return "another"
    row = row_of(one.ref, rows)
    scaled = is_scaled(one.ref, live, beside)
    spec = left_alone(one.lists, one.ref, one.spec, live, scaled=scaled)
    return "edited" if edits(spec, live, spec, row, begun=True) else ""


def kept_by_policy(obj: JSON) -> bool:
    """Whether the object itself says that nobody deletes it with its release."""
    return str((at(obj, ("metadata", "annotations")) or {}).get(KEEP, "")).lower() == "keep"


def goes(live: JSON) -> bool:
    """Whether it has been deleted already, and something holds it up."""
    return bool(at(live, ("metadata", "deletionTimestamp")))


def leave(goal: Goal, seen: UnitSeen, *, held: bool) -> Iterator[Step]:
    """The deletions, one at a time: a pause is heard between two. `held`: what is rendered has not
    all arrived, so nothing leaves.
    """
    for one in goal.leaving:
        there = seen.objects.get(one.ref.key)
        if there is None:
            yield Step(ref=one.ref, waiting="progress", detail={"reason": "not seen yet"})
            held = True
            continue
        step = _leave(goal, one, there, seen, held=held)
        held = held or bool(step.waiting)
        yield step


def _leave(goal: Goal, one: Leaving, there: ObjectSeen, seen: UnitSeen, *, held: bool) -> Step:
    if there.live is None:
        return Step(ref=one.ref)
    if goes(there.live):
        return Step(ref=one.ref, waiting="progress", detail={"reason": "Terminating"})
    if stays(one, there.live, seen, goal.rows):
        return Step(ref=one.ref)
    purpose = Purpose.RESTORE if goal.mode is Mode.RESTORE else Purpose.FORWARD
    writes = () if held else (delete_seen(one.ref, there.live, purpose),)
    return Step(ref=one.ref, writes=writes, waiting="not-applied")


def _also_rendered(one: Leaving, uid: str | None, seen: UnitSeen) -> bool:
    """Whether the API serves a rendered object under this name too: another group of one kind."""
    others = (there.live for key, there in seen.objects.items() if key != one.ref.key)
    return any(uid and at(live, ("metadata", "uid")) == uid for live in others if live)


def planned(ref: ObjectRef, spec: JSON | None, lists: GuardLists) -> tuple[str, str]:
    """(allow | ask | keep, why) of an object that a plan renders no more, as far as files tell."""
    if reason := deletion_reason(ref):
        return "keep", reason
    if spec is not None and kept_by_policy(spec):
        return "keep", "policy"
    said = lists.delete.says(ref)
    return said, "component" if said == "keep" else ""
