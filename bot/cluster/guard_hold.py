"""Keeps back the writes that the guard does not let go, and takes out of a goal what is left alone.

Forward a write that changes a blocked field, or one that nobody said yes to, keeps back all writes
of its unit. On the way back only what an API server refuses is kept back, and only that object.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.cluster.fields import Path, put
from bot.cluster.goal import Goal, Mode, Progress
from bot.cluster.guard import Guarded, deletion, is_scaled, judge, left_alone
from bot.cluster.guard_rules import Act
from bot.cluster.json_patch import operated
from bot.cluster.kinds import WorkloadKind, row_for, row_of
from bot.cluster.marks import OWNER_PATH
from bot.cluster.merge import merge3, merge_patch
from bot.cluster.merge_table import fields_of_kind
from bot.cluster.stage import in_hand
from bot.cluster.strategic import strategic_patch
from bot.model.effects import PatchType, Purpose, Write
from bot.model.plan import JSON, ObjectRef
from bot.model.seen import UnitSeen

WAITING = "guarded"


def after(write: Write, live: JSON) -> JSON:
    """What the object would be after a patch. ValueError: no server would take it."""
    match write.patch_type:
        case PatchType.JSON:
            return operated(live, write.body or [])
        case PatchType.STRATEGIC:
            fields = fields_of_kind(write.ref.api_version, write.ref.kind)
            return (
                merge_patch(live, write.body)
                if fields is None
                else (strategic_patch(live, write.body, fields))
            )
        case PatchType.MERGE:
            return merge_patch(live, write.body)


def as_left(goal: Goal, seen: UnitSeen | None) -> Goal:
    """The goal with what is in the cluster in every field that is left alone."""
    if seen is None or not seen.reachable:
        return goal
    lists = goal.allowed.lists
    targets = [obj for _, obj in goal.objects]
    objects, last, before = list(goal.objects), dict(goal.last), dict(goal.before)
    touched = False
    for place, (ref, target) in enumerate(goal.objects):
        there = seen.objects.get(ref.key)
        live = there.live if there else None
        scaled = live is not None and is_scaled(ref, live, targets)
        if live is None or not (scaled or lists.ignore):
            continue  # Nothing of it is left alone, as is most often so.
        touched = True
        objects[place] = (ref, left_alone(lists, ref, target, live, scaled=scaled))
        for kept in (last, before):
            if (old := kept.get(ref.key)) is not None:
                kept[ref.key] = left_alone(lists, ref, old, live, scaled=scaled)
    return replace(goal, objects=tuple(objects), last=last, before=before) if touched else goal


def ahead(goal: Goal, seen: UnitSeen) -> tuple[Guarded, ...]:
    """What the guard says of all that the release would change in a unit, before it begins.

    What a batch of ours has left in a workload is no change of the release.
    """
    found: list[Guarded] = []
    targets = [obj for _, obj in goal.objects]
    for ref, target in goal.objects:
        there = seen.objects.get(ref.key)
        live = there.live if there else None
        if live is None:
            continue
        changes = merge3(goal.last.get(ref.key), live, target)
        if changes is None:
            continue
        row = _row(goal, ref, target)
        scaled = is_scaled(ref, live, targets)
        made = put(changes.result, OWNER_PATH, goal.owner) if goal.owner else changes.result
        said = judge(goal.allowed.lists, ref, live, made, scaled=scaled)
        found += _not_of_the_batch(said, row, live, in_hand(row, live) if row else ())
    return tuple(one for one in found if one.act is not Act.IGNORE)


def kept_back(goal: Goal, seen: UnitSeen, progress: Progress) -> Progress:
    """The same progress without the writes that may not leave."""
    if goal.mode is Mode.STOP or not progress.writes:
        return progress
    said = {id(w): _said_of(goal, seen, w) for w in progress.writes}
    held = [one for found in said.values() for one in found]
    if not held:
        return progress
    writes: tuple[Write, ...] = ()
    if goal.mode is Mode.RESTORE:
        writes = tuple(write for write in progress.writes if not said[id(write)])
    return replace(
        progress,
        writes=writes,
        converged=False,
        waiting=WAITING,
        detail={"object": held[0].ref.short, "changes": [one.shown() for one in held]},
        guarded=tuple(held),
    )


def _said_of(goal: Goal, seen: UnitSeen, write: Write) -> tuple[Guarded, ...]:
    allowed = goal.allowed
    there = seen.objects.get(write.ref.key)
    live = there.live if there else None
    if live is None or write.purpose is Purpose.STOP:
        return ()
    if write.verb == "delete":
        found = deletion(write.ref, live) if write.purpose.forward else None
        return (found,) if found else ()
    if write.verb != "patch":
        return ()
    targets = [obj for _, obj in goal.objects]
    scaled = is_scaled(write.ref, live, targets)
    try:
        made = after(write, live)
    except ValueError:
        return ()  # made for another object than this one: its server will not take it either
    said = judge(allowed.lists, write.ref, live, made, scaled=scaled)
    if not write.purpose.forward:
        return tuple(one for one in said if one.refused)
    row = _row(goal, write.ref, dict(goal.objects).get(write.ref))
    said = tuple(_not_of_the_batch(said, row, live, row.own if row else ()))
    return tuple(one for one in said if one.mark not in allowed.granted or one.act is Act.BLOCK)


def _row(goal: Goal, ref: ObjectRef, target: JSON | None) -> WorkloadKind | None:
    if target is None or row_of(ref, goal.rows) is None:
        return None
    return row_for(ref, target, goal.before.get(ref.key), rows=goal.rows, by_node=goal.by_node)


def _not_of_the_batch(
    said: Iterable[Guarded], row: WorkloadKind | None, live: JSON, own: Iterable[Path]
) -> Iterable[Guarded]:
    """Without the fields by which batches are made: they come and go with every batch."""
    if row is None:
        return said
    gates = [path for path in (row.partition, row.paused) if path is not None]
    roots = [".".join(path) for path in (*gates, *own)]
    if row.sharding is not None:
        roots.append(_route(row.sharding.route))
    return [one for one in said if not any(_within(one.path, root) for root in roots)]


def _route(route: tuple[str | int, ...]) -> str:
    names: list[str] = []
    for part in route:
        if isinstance(part, int):
            break
        names.append(part)
    return ".".join(names)


def _within(path: str, root: str) -> bool:
    return path == root or path.startswith((f"{root}.", f"{root}["))
