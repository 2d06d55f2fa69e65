"""Which pods of an OnDelete workload go next: few at a time, in a fixed order. Never sends."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil

from bot.cluster.fields import at
from bot.cluster.goal import Goal
from bot.cluster.ordinals import ordinal_of
from bot.cluster.plain import delete
from bot.cluster.pods import Pod
from bot.cluster.rollout import Rollout
from bot.model.effects import Purpose, Write
from bot.model.plan import JSON, ObjectRef


def next_deletes(
    goal: Goal, ref: ObjectRef, look: Rollout, own: JSON, *, want: int, purpose: Purpose
) -> tuple[Write, ...]:
    """Deletions of old pods towards `want` new ones, at most maxUnavailable under way at once."""
    if look.lag or not look.revision:
        return ()
    standing = [p for p in look.old if look.is_available(p)]
    broken = [p for p in look.old if not look.is_available(p)]
    good = look.good(goal.since) if purpose.forward else _available(look)
    missing = max(0, look.total - len(good) - len(standing))
    budget = max(0, _max_unavailable(look, own) - max(0, missing - goal.unavailable_before))
    if not purpose.forward:
        # What does not serve costs nothing to replace, and is what the rollback is for.
        doomed = [*_in_order(look, broken), *_in_order(look, standing)[:budget]]
    elif len(broken) > goal.unavailable_before:
        return ()
    else:
        begun = look.total - len(look.old)
        doomed = _in_order(look, look.old)[: min(budget, max(0, want - begun))]
    return tuple(delete_pod(ref, pod, purpose) for pod in doomed)


def _available(look: Rollout) -> tuple[Pod, ...]:
    return tuple(p for p in look.new if look.is_available(p))


def _in_order(look: Rollout, pods: Iterable[Pod]) -> list[Pod]:
    """By node name, from the end: the same order as OpenKruise, so that kinds behave alike.

    Numbered pods by their number, from the end, as their controllers do.
    """
    if look.row.in_order is not None:
        return sorted(pods, key=lambda p: ordinal_of(p.name), reverse=True)
    return sorted(pods, key=lambda p: (p.node, p.name), reverse=True)


def delete_pod(ref: ObjectRef, pod: Pod, purpose: Purpose) -> Write:
    """This very pod, not a later one of its name."""
    pod_ref = ObjectRef("v1", "Pod", ref.namespace, pod.name)
    return delete(pod_ref, pod.raw, purpose)


def _max_unavailable(look: Rollout, own: JSON) -> int:
    """The workload's own limit: a number or a percentage (rounded up), 1 when it says nothing."""
    path = look.row.max_unavailable
    limit = at(own, path, 1) if path else 1
    if isinstance(limit, str):
        text = limit.removesuffix("%")
        limit = ceil(look.total * int(text) / 100) if text.isdigit() else 1
    return max(1, limit)
