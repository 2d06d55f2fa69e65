"""The level-triggered driver of one unit: what is wanted + what is seen → what to write next.

Asked again after every look, so a lost answer is nothing special: the next look gives no write
or the right one. Never remembers, never reads a clock, never waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from bot.cluster.facts import facts
from bot.cluster.fields import overlay
from bot.cluster.forward import forward, rolled_out
from bot.cluster.goal import Goal, Mode, Progress, Step
from bot.cluster.guard_hold import kept_back
from bot.cluster.kinds import BUILT_IN, Rows, desired, guess_total, row_of, stops_part_way
from bot.cluster.leftovers import goes, leave
from bot.cluster.merge import baseline
from bot.cluster.one_way import holds_data
from bot.cluster.plain import create, delete_seen, patch
from bot.cluster.render import group_kind
from bot.cluster.restore import restore_workload
from bot.cluster.rollout import Rollout
from bot.cluster.served import not_served, taken_up, waits_for_kind
from bot.cluster.settle import pending
from bot.cluster.sharding import served
from bot.cluster.shards import all_moved, forward_shards, restore_shards
from bot.cluster.stage import restored
from bot.cluster.stamp import stamped
from bot.cluster.stop import stop
from bot.cluster.tasks import is_task, run, take_back
from bot.model.effects import Purpose, Write
from bot.model.plan import JSON, ObjectRef
from bot.model.seen import ObjectSeen, UnitSeen

__all__ = [
    "Goal",
    "Mode",
    "Progress",
    "baseline",
    "counted",
    "drive",
    "facts",
    "guess_total",
    "stops_part_way",
    "total_of",
    "up_to_date",
]


def drive(goal: Goal, seen: UnitSeen, now: datetime) -> Progress:
    """What to send next and how far the unit is."""
    if not seen.reachable:
        return Progress(waiting="unreachable", detail={"error": seen.error})
    task = any(is_task(obj) for _, obj in goal.objects)
    match goal.mode:
        case Mode.FORWARD if task:
            steps = run(goal, goal.objects, seen)
        case Mode.RESTORE if task:
            steps = take_back(goal, seen)
        case Mode.FORWARD:
            steps = _forward(goal, seen, now)
            steps += leave(goal, seen, held=any(step.waiting for step in steps))
        case Mode.STOP:
            steps = [stop(goal, ref, target, _seen(seen, ref), now) for ref, target in goal.objects]
        case Mode.RESTORE:
            steps = _restore(goal, seen, now)
    if not task:
        steps = [stamped(goal, seen, step) for step in steps]
    return kept_back(goal, seen, _progress(goal, steps))


def total_of(ref_key: str, seen: UnitSeen, rows: Rows = BUILT_IN) -> int | None:
    """What a live workload counts now; None: not a workload, not there, or not known."""
    there = seen.objects.get(ref_key)
    if there is None or there.live is None:
        return None
    row = row_of(there.ref, rows)
    if row is not None and row.sharding is not None:
        return len(served(row.sharding, there.children))
    return desired(row, there.live) if row else None


def counted(objects: Iterable[tuple[ObjectRef, JSON]], rows: Rows) -> list[ObjectRef]:
    """The objects whose members a unit's counts are of: where namespaces move, only those."""
    refs = [ref for ref, _ in objects]
    return [ref for ref in refs if _moves_namespaces(ref, rows)] or refs


def _noun(goal: Goal, step: Step) -> str:
    """What its members are, where they are no pods."""
    row = row_of(step.ref, goal.rows)
    if row is None or (row.sharding is None and row.component is None):
        return ""
    return "namespace" if row.sharding is not None else "node"


def _moves_namespaces(ref: ObjectRef, rows: Rows) -> bool:
    row = row_of(ref, rows)
    return row is not None and row.sharding is not None


def up_to_date(
    objects: tuple[tuple[ObjectRef, JSON], ...],
    last: Mapping[str, JSON | None],
    seen: UnitSeen,
    *,
    rows: Rows = BUILT_IN,
    nodes: frozenset[str] | None = None,
    places: Mapping[str, frozenset[str]] | None = None,
) -> bool:
    """Whether the cluster already has the target, fully rolled out: nothing is to be done."""
    if not seen.reachable:
        return False
    goal = Goal(
        mode=Mode.FORWARD,
        objects=objects,
        last=last,
        final=True,
        since=seen.at,
        rows=rows,
        nodes=nodes,
        places=places or {},
    )
    for ref, target in objects:
        there = _seen(seen, ref)
        if there.live is None:
            return False
        if row_of(ref, rows) is None:
            if pending(last.get(ref.key), there.live, target) is not None:
                return False
            continue
        arrived = all_moved if _moves_namespaces(ref, rows) else rolled_out
        if not arrived(goal, ref, target, there, seen.at):
            return False
    return True


def _seen(seen: UnitSeen, ref: ObjectRef) -> ObjectSeen:
    return seen.objects.get(ref.key) or ObjectSeen(ref=ref, live=None)


def _in_order(goal: Goal) -> list[tuple[ObjectRef, JSON]]:
    """Plain objects before workloads, each in the plan's order; what routes to them last."""

    def rank(pair: tuple[ObjectRef, JSON]) -> int:
        return (row_of(pair[0], goal.rows) is not None) + _moves_namespaces(pair[0], goal.rows)

    return sorted(goal.objects, key=rank)


def _forward(goal: Goal, seen: UnitSeen, now: datetime) -> list[Step]:
    """Batch k of each workload in turn: the next one waits until this one has converged."""
    steps: list[Step] = []
    held = False
    missing = not_served(goal.objects, seen)
    for ref, target in _in_order(goal):
        there = _seen(seen, ref)
        if row_of(ref, goal.rows) is None:
            steps.append(_apply(goal, ref, target, there, missing))
            continue
        go_on = forward_shards if _moves_namespaces(ref, goal.rows) else forward
        step = go_on(goal, ref, target, there, now, may_write=not held)
        held = held or bool(step.waiting)
        steps.append(step)
    return steps


def _apply(
    goal: Goal,
    ref: ObjectRef,
    target: JSON,
    there: ObjectSeen,
    missing: Mapping[tuple[str, str], ObjectRef],
) -> Step:
    if group_kind(target) in missing:
        return waits_for_kind(ref, missing[group_kind(target)])
    if there.live is None:
        return Step(ref=ref, writes=(create(ref, target, Purpose.FORWARD),), waiting="not-applied")
    changes = pending(goal.last.get(ref.key), there.live, target)
    if changes is None:
        return taken_up(ref, there.live)
    return Step(
        ref=ref, writes=(patch(ref, there.live, changes, Purpose.FORWARD),), waiting="not-applied"
    )


def _restore(goal: Goal, seen: UnitSeen, now: datetime) -> list[Step]:
    """What stood before comes back in order; what was created goes last, newest first."""
    ordered = _in_order(goal)
    steps = [
        _put_back(goal, ref, target, _seen(seen, ref), now)
        for ref, target in ordered
        if goal.before.get(ref.key) is not None
    ]
    created = [ref for ref, _ in reversed(ordered) if goal.before.get(ref.key) is None]
    if any(step.waiting and _moves_namespaces(step.ref, goal.rows) for step in steps):
        # Until its namespaces are served by the version before, the new one keeps all it has.
        return steps + [Step(ref=ref) for ref in created]
    steps += [_undo(goal, ref, _seen(seen, ref)) for ref in created]
    return [*steps, *leave(goal, seen, held=any(step.waiting for step in steps))]


def _put_back(goal: Goal, ref: ObjectRef, target: JSON, there: ObjectSeen, now: datetime) -> Step:
    before = goal.before[ref.key]
    if there.live is None:
        return Step(ref=ref, writes=(create(ref, before, Purpose.RESTORE),), waiting="not-applied")
    if goes(there.live):
        # Deleted, and not gone yet: it has to be gone before it can come again.
        return Step(ref=ref, waiting="progress", detail={"reason": "Terminating"})
    if _moves_namespaces(ref, goal.rows):
        return restore_shards(goal, ref, target, there, now)
    if row_of(ref, goal.rows) is not None:
        return restore_workload(goal, ref, target, there, now)
    ours = overlay(goal.last.get(ref.key) or {}, target)
    changes = pending(ours, there.live, restored(None, before, ours, there.live))
    if changes is None:
        return Step(ref=ref)
    return Step(
        ref=ref, writes=(patch(ref, there.live, changes, Purpose.RESTORE),), waiting="not-applied"
    )


def _undo(goal: Goal, ref: ObjectRef, there: ObjectSeen) -> Step:
    """A first install: deleted when a person said so and nobody else has to do with it by now,
    else it stays.
    """
    if there.live is None or not goal.undo_installs or ref.key in goal.spared:
        return Step(ref=ref)
    if holds_data(ref) and not goal.undo_data:
        return Step(ref=ref)
    if goes(there.live):
        return Step(ref=ref, waiting="progress", detail={"reason": "Terminating"})
    return Step(
        ref=ref, writes=(delete_seen(ref, there.live, Purpose.RESTORE),), waiting="not-applied"
    )


def _progress(goal: Goal, steps: list[Step]) -> Progress:
    told = {ref.key for ref in counted(goal.objects, goal.rows)}
    looks: list[tuple[Step, Rollout]] = [
        (s, s.look) for s in steps if s.look is not None and s.ref.key in told
    ]
    first = next((s for s in steps if s.waiting), None)
    writes: tuple[Write, ...] = tuple(w for s in steps for w in s.writes)
    leak = sum(int(s.detail.get("leak", 0)) for s, _ in looks)
    detail = dict(first.detail) | {"object": first.ref.short} if first else {}
    if first is not None and (noun := _noun(goal, first)):
        detail["noun"] = noun
    return Progress(
        writes=writes,
        converged=first is None and not writes,
        waiting=first.waiting if first else "",
        detail=detail | ({"leak": leak} if leak else {}),
        updated=sum(len(look.new) for _, look in looks),
        total=sum(look.total for _, look in looks),
        unavailable=sum(s.unavailable for s, _ in looks),
        pods=(
            *(p.evidence() for _, look in looks for p in look.good(goal.since)),
            *(one for step in steps for one in step.evidence),
        ),
        healthy=all(s.healthy for s in steps),
        failed=next((s.failed for s in steps if s.failed), None),
        everywhere=all(s.everywhere for s in steps),
        steps=tuple(steps),
    )
