"""Stops what rolls inside a cluster, where the kind can. Never undoes, never goes on."""

from __future__ import annotations

from datetime import datetime

from bot.cluster.fields import MISSING, at
from bot.cluster.forward import found
from bot.cluster.goal import Goal, Step
from bot.cluster.kinds import Gate, row_for, row_of
from bot.cluster.ordinals import floor_of
from bot.cluster.plain import patch
from bot.cluster.rollout import Rollout, rollout
from bot.cluster.settle import pending
from bot.cluster.shards import stop_shards
from bot.cluster.stage import owned, stopped, surging, whole
from bot.model.effects import Purpose
from bot.model.plan import JSON, ObjectRef
from bot.model.seen import ObjectSeen


def stop(goal: Goal, ref: ObjectRef, target: JSON, there: ObjectSeen, now: datetime) -> Step:
    """One patch while something of ours rolls; converged when it is stopped or at rest."""
    live, before = there.live, goal.before.get(ref.key)
    known = row_of(ref, goal.rows)
    if known is None or live is None:
        return Step(ref=ref)
    if known.sharding is not None:
        return stop_shards(goal, ref, target, there)
    row = row_for(ref, target, before, rows=goal.rows, by_node=goal.by_node)
    last = goal.last.get(ref.key)
    own = whole(row, target, live, before=found(goal, ref), last=last)
    changes = pending(owned(row, last, live), live, own)
    ours = changes is None or at(changes.patch, row.template, MISSING) is MISSING
    look = rollout(
        row,
        live,
        there.children,
        ours=ours,
        min_ready=0,
        now=now,
        own=own,
        nodes=goal.nodes_of(ref),
    )
    if not ours or _at_rest(look):
        return Step(ref=ref, look=look, unavailable=look.unavailable)
    halt = stopped(row, live, keep=_keep(look))
    if halt is not None:
        write = patch(ref, live, halt, Purpose.STOP)
        return Step(ref=ref, writes=(write,), waiting="not-applied", look=look)
    return Step(ref=ref, waiting="controller-lag" if look.lag else "", look=look)


def _keep(look: Rollout) -> int:
    """The number at which nothing more rolls, in the meaning that the row gives to it."""
    match look.row.gate:
        case Gate.ORDINAL:
            return floor_of(look)
        case Gate.UPDATED:
            return len(look.new)
        case _ if look.row.counts == "pods":
            # An old pod on its way out, or just made anew, need not come back as a new one.
            return max(0, look.total - len(look.new))
        case _:
            return len(look.old)


def _at_rest(look: Rollout) -> bool:
    """Whether the controller has nothing left to do with the gate as it is."""
    if look.row.gate is Gate.DELETE:
        return True
    if look.lag or not look.revision or look.leaving:
        return False
    if look.row.gate is Gate.SURGE:
        if surging(look.live):
            path = ("spec", "strategy", "rollingUpdate", "maxSurge")
            return len(look.new) >= int(at(look.live, path, 0))
        return not look.old and len(look.new) >= look.total
    if look.row.partition is None:
        return not look.old and len(look.new) >= look.total
    number = at(look.live, look.row.partition, look.row.open_value)
    if not isinstance(number, int):
        return not look.old
    match look.row.gate:
        case Gate.ORDINAL:
            return floor_of(look) <= number
        case Gate.UPDATED:
            return len(look.new) >= min(number, look.total)
        case _:
            return len(look.old) <= number
