"""Brings one workload to the batch in hand: gate, deletions, and whether the batch is done.

Done is proved pod by pod against the revision of our template. Never starts while old pods are
unavailable, never lowers what is updated.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.cluster.fields import MISSING, at
from bot.cluster.goal import Goal, Step
from bot.cluster.kinds import Gate, WorkloadKind, row_for, stops_part_way
from bot.cluster.members import labels_of
from bot.cluster.merge import Merge
from bot.cluster.on_delete import delete_pod, next_deletes
from bot.cluster.ordinals import stuck
from bot.cluster.plain import create, patch
from bot.cluster.rollout import Rollout, rollouts
from bot.cluster.settle import pending
from bot.cluster.stage import (
    HOSTNAME,
    closes,
    narrowed,
    on_delete,
    owned,
    staged,
    surging,
    whole,
)
from bot.model.effects import Purpose, Write
from bot.model.plan import JSON, ObjectRef
from bot.model.seen import ObjectSeen

NAMES = 10
"""How many pods a fact names."""
NOT_MADE = ("ReplicaFailure", "FailedScale", "FailedUpdate")
"""Conditions by which controllers tell that pods are missing because they may not be made."""


def forward(
    goal: Goal, ref: ObjectRef, target: JSON, there: ObjectSeen, now: datetime, *, may_write: bool
) -> Step:
    """The next step of one workload towards the batch in hand."""
    live = there.live
    if live is None:
        created = (create(ref, target, Purpose.FORWARD),) if may_write else ()
        return Step(ref=ref, writes=created, waiting="not-applied", healthy=False)
    full = goal.final or _install(goal, ref)
    changes, look, own, everywhere = _look(goal, ref, target, there, now, full=full)
    if not full and not stops_part_way(own, goal.rows):
        return Step(
            ref=ref, look=look, unavailable=look.unavailable
        )  # all at once, in the last batch
    want = look.total if full else min(goal.targets.get(ref.key, 0), look.total)
    unavailable = _unavailable(look, full=full)
    if changes is not None:
        step = _apply(goal, ref, look, changes, now, may_write=may_write)
        healthy = _healthy(goal, ref, look, want)
        return replace(
            step,
            look=look,
            want=want,
            unavailable=unavailable,
            healthy=healthy,
            everywhere=everywhere,
        )
    writes: tuple[Write, ...] = ()
    if may_write:
        writes = _deletes(goal, ref, look, own, want, now)
    waiting, detail = waits_for(goal, look, want=want, full=full, unavailable=unavailable)
    return Step(
        ref=ref,
        writes=writes,
        waiting=waiting or ("progress" if writes else ""),
        detail=detail,
        look=look,
        want=want,
        unavailable=unavailable,
        healthy=_healthy(goal, ref, look, want),
        failed=_failed(look),
        everywhere=everywhere,
    )


def _deletes(
    goal: Goal, ref: ObjectRef, look: Rollout, own: JSON, want: int, now: datetime
) -> tuple[Write, ...]:
    """Pods that the controller does not replace by itself."""
    if look.row.gate is Gate.DELETE:
        return next_deletes(goal, ref, look, own, want=want, purpose=Purpose.FORWARD)
    broken = stuck(look, now, restoring=False)
    return tuple(delete_pod(ref, pod, Purpose.FORWARD) for pod in broken)


def rolled_out(goal: Goal, ref: ObjectRef, target: JSON, there: ObjectSeen, now: datetime) -> bool:
    """Whether a live workload is the target, with every pod on it and available."""
    changes, look, _, _ = _look(goal, ref, target, there, now, full=True)
    if changes is not None or look.lag or not look.revision or look.old or look.leaving:
        return False
    return sum(look.is_available(p) for p in look.new) >= look.total


def _look(
    goal: Goal, ref: ObjectRef, target: JSON, there: ObjectSeen, now: datetime, *, full: bool
) -> tuple[Merge | None, Rollout, JSON, bool]:
    """The patch that is missing, the rollout as it stands, the target with its own fields, and
    whether all of the cluster has it.
    """
    by_node = goal.by_node
    row = row_for(ref, target, goal.before.get(ref.key), rows=goal.rows, by_node=by_node)
    live = there.live
    last = goal.last.get(ref.key)
    ours = owned(row, last, live)
    own = whole(row, target, live, before=found(goal, ref), last=last)
    changes = pending(ours, live, own)
    applied = changes is None or at(changes.patch, row.template, MISSING) is MISSING
    min_ready = own_min_ready(row, own, live)
    everywhere, look = rollouts(
        row,
        live,
        there.children,
        ours=applied,
        min_ready=min_ready,
        now=now,
        own=own,
        nodes=goal.nodes_of(ref),
        strays="" if goal.strays and full else None,
    )
    arrived = not by_node or _all_new(goal, everywhere)
    batch = own
    if not full:
        total = goal.totals.get(ref.key, look.total)
        updated = goal.targets.get(ref.key, 0)
        if row.component is not None:
            total = min(total, look.total)  # nodes that left took the old version along
        batch = staged(row, own, live, updated=updated, total=total)
    elif row.gate is Gate.DELETE and not _install(goal, ref) and not _all_new(goal, everywhere):
        # With its own strategy the controller would go on by itself: that comes back last.
        batch = on_delete(row, own)
    if by_node and not (full and arrived):
        batch = on_nodes(look, batch)
    return (changes if batch is own else pending(ours, live, batch)), look, own, arrived


def own_min_ready(row: WorkloadKind, own: JSON, live: JSON) -> int:
    """The component's own minReadySeconds, also while a batch has another one in its place."""
    found = at(own, row.min_ready)
    if found is None and not surging(live):
        found = at(live, row.min_ready)
    return found if isinstance(found, int) else 0


def on_nodes(look: Rollout, obj: JSON) -> JSON:
    """The object for the nodes that are looked at, where the kind has a choice of nodes."""
    row = look.row
    if row.node_selector is None or row.gate is Gate.DELETE:
        return obj
    return narrowed(row, obj, (str(labels_of(p.raw).get(HOSTNAME, p.node)) for p in look.pods))


def _all_new(goal: Goal, look: Rollout) -> bool:
    """By its pods, not by its status: a controller that has not seen the last step yet is no reason
    to take that step back.
    """
    new = sum(look.is_available(p) for p in look.new)
    enough = new >= look.total - goal.unavailable_before
    return bool(look.revision) and not look.old and enough


def _install(goal: Goal, ref: ObjectRef) -> bool:
    """Nothing was there before this release: no old pod to go slowly for."""
    return ref.key in goal.before and goal.before[ref.key] is None


def found(goal: Goal, ref: ObjectRef) -> JSON | None:
    """What others had written before the release; None where all that was there is ours."""
    return None if ref.key in goal.applied else goal.before.get(ref.key)


def _apply(
    goal: Goal, ref: ObjectRef, look: Rollout, changes: Merge, now: datetime, *, may_write: bool
) -> Step:
    """One patch for template and gate: between two there would be a moment without a gate."""
    writes: tuple[Write, ...] = ()
    waiting, detail = "not-applied", {}
    bad = [p for p in look.old if not look.is_available(p)]
    coming_back = any(p.may_come_back(now) for p in bad)
    too_many = look.old_unavailable > goal.unavailable_before
    safe = _install(goal, ref) or closes(look.row, changes.patch, look.live)
    if (coming_back or too_many) and not safe:
        # Controllers replace unavailable old pods without counting them: the batch would be larger.
        waiting = "old-unavailable"
        detail = {
            "unavailable": look.old_unavailable,
            "pods": [p.name for p in bad[:NAMES]],
            "reason": next((p.reason for p in bad if p.reason), ""),
        }
    elif may_write:
        paused = look.row.paused is not None and at(look.live, look.row.paused) is True
        purpose = Purpose.GO_ON if paused else Purpose.FORWARD
        writes = (patch(ref, look.live, changes, purpose),)
    return Step(ref=ref, writes=writes, waiting=waiting, detail=detail)


def _unavailable(look: Rollout, *, full: bool) -> int:
    """Pods that should serve and do not. In a surge: old pods, whatever the new ones do."""
    if look.row.gate is Gate.SURGE and not full and look.revision:
        return max(0, look.total - sum(look.is_available(p) for p in look.old))
    return look.unavailable


def waits_for(
    goal: Goal, look: Rollout, *, want: int, full: bool, unavailable: int
) -> tuple[str, dict[str, JSON]]:
    """The first condition of "done" that does not hold, with its facts; "" when all do."""
    if look.lag:
        return "controller-lag", {}
    if not look.revision:
        return "other-revision", {}
    good = look.good(goal.since)
    names = {p.name for p in good}
    bad = [p for p in look.new if p.name not in names]
    facts: dict[str, JSON] = {
        "good": len(good),
        "want": want,
        "pods": [p.name for p in bad[:NAMES]],
        "reason": next((p.reason for p in bad if p.reason), "") or _not_made(look),
    }
    if not full and len(look.new) > want:
        facts["leak"] = len(look.new) - want
    if len(good) < want or (full and (look.old or look.leaving)):
        return "progress", facts | {"old": len(look.old)}
    if unavailable > goal.unavailable_before:
        broken = [p for p in look.pods if not p.deleting and not look.is_available(p)]
        return "collateral", facts | {
            "unavailable": unavailable,
            "pods": [p.name for p in broken[:NAMES]],
            "reason": next((p.reason for p in broken if p.reason), ""),
        }
    return "", facts


def _healthy(goal: Goal, ref: ObjectRef, look: Rollout, want: int) -> bool:
    """Whether what the batch brought still stands. Nodes that left took their pods with them.

    A spec that somebody else scaled a moment ago is no illness: only pods tell.
    """
    counted = goal.totals.get(ref.key, look.total)
    # What joined the nodes meanwhile is not what the batch brought.
    want = min(want, counted) if goal.by_node else want
    gone = max(0, counted - look.total)
    still = min(want, max(1, want - gone))
    broken = sum(not look.is_available(p) for p in look.old)
    return (
        len(look.good(goal.since)) >= still
        and broken <= goal.unavailable_before
        and not any(p.restarted_since(goal.since) for p in look.new)
    )


def _not_made(look: Rollout) -> str:
    """Why its controller makes no pods, in its server's words: a quota, a policy."""
    for condition in at(look.live, ("status", "conditions"), ()):
        if condition.get("type") in NOT_MADE and condition.get("status") == "True":
            return str(condition.get("message") or condition.get("reason") or "")
    return ""


def _failed(look: Rollout) -> str | None:
    """A verdict of the controller itself on this very spec."""
    if look.lag or not look.revision:
        return None
    for condition in at(look.live, ("status", "conditions"), ()):
        if (
            condition.get("reason") == "ProgressDeadlineExceeded"
            and condition.get("status") == "False"
        ):
            return "progress-deadline-exceeded"
    return None
