"""Puts a workload back to what it was: old template and open gate in one patch, own fields with it.

A gate left set would make the old template's return do nothing, so the two never go apart.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.cluster.fields import MISSING, at, overlay, put
from bot.cluster.forward import NAMES, on_nodes, own_min_ready
from bot.cluster.goal import Goal, Step
from bot.cluster.kinds import Gate, WorkloadKind, row_for
from bot.cluster.merge import Merge
from bot.cluster.on_delete import delete_pod, next_deletes
from bot.cluster.ordinals import stuck
from bot.cluster.plain import patch
from bot.cluster.rollout import Rollout, revision_of, rollouts
from bot.cluster.settle import pending
from bot.cluster.stage import on_delete, owned, restored, whole
from bot.model.effects import Purpose, Write
from bot.model.plan import JSON, ObjectRef
from bot.model.seen import ObjectSeen


def restore_workload(
    goal: Goal, ref: ObjectRef, target: JSON, there: ObjectSeen, now: datetime
) -> Step:
    """The next step back. Converged when every pod is on the restored revision and available."""
    live, before = there.live, goal.before[ref.key]
    by_node = goal.by_node
    row = row_for(ref, target, before, rows=goal.rows, by_node=by_node)
    last = goal.last.get(ref.key)
    written = overlay(last or {}, target)
    own = whole(row, restored(row, before, written, live), live, before=before, last=last)
    ours = owned(row, written, live)
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
        strays=revision_of(row, target, there.children) if goal.strays else None,
    )
    waiting, detail = _waiting(goal, look)
    # A controller that has not seen the last step yet is no reason to take that step back.
    unfinished = not _is_back(goal, everywhere)
    writes: tuple[Write, ...] = ()
    if row.gate is Gate.DELETE and unfinished:
        # Its own strategy comes back last, else the controller would go its own way.
        changes = pending(ours, live, on_delete(row, own))
    elif by_node and unfinished:
        changes = pending(ours, live, on_nodes(look, own))
    if changes is None and waiting:
        writes = _deletes(goal, ref, look, own, now)
    if changes is not None:
        if ref.key not in goal.applied:
            changes = _without_gates(row, changes, before, live)
        writes = (patch(ref, live, changes, Purpose.RESTORE),)
        waiting, detail = "not-applied", {}
    return Step(
        ref=ref,
        writes=writes,
        waiting=waiting,
        detail=detail,
        look=look,
        unavailable=look.unavailable,
        healthy=not waiting,
    )


def _deletes(
    goal: Goal, ref: ObjectRef, look: Rollout, own: JSON, now: datetime
) -> tuple[Write, ...]:
    """Pods that the controller does not take back by itself."""
    if look.row.gate is Gate.DELETE:
        return next_deletes(goal, ref, look, own, want=look.total, purpose=Purpose.RESTORE)
    broken = stuck(look, now, restoring=True)
    return tuple(delete_pod(ref, pod, Purpose.RESTORE) for pod in broken)


def _without_gates(row: WorkloadKind, changes: Merge, before: JSON, live: JSON) -> Merge:
    """Gate fields that were not there when we came go with the patch that is due anyhow.

    Alone they are worth no patch: a default of the API server would bring them back for ever.
    """
    sent = changes.patch
    for path in (row.partition, row.paused):
        if path and at(before, path, MISSING) is MISSING and at(live, path, MISSING) is not MISSING:
            sent = put(sent, path, None)
    return replace(changes, patch=sent)


def _is_back(goal: Goal, look: Rollout) -> bool:
    good = sum(look.is_available(p) for p in look.new)
    enough = good >= look.total - goal.unavailable_before
    return bool(look.revision) and enough and not look.old and not look.leaving


def _waiting(goal: Goal, look: Rollout) -> tuple[str, dict[str, JSON]]:
    if look.lag:
        return "controller-lag", {}
    if not look.revision:
        return "other-revision", {}
    if _is_back(goal, look):
        return "", {}
    good = sum(look.is_available(p) for p in look.new)
    bad = [p for p in look.new if not look.is_available(p)]
    return "progress", {
        "good": good,
        "want": look.total,
        "old": len(look.old),
        "pods": [p.name for p in bad[:NAMES]],
        "reason": next((p.reason for p in bad if p.reason), ""),
    }
