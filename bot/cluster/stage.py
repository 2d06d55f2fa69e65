"""The object as it must be for a batch: the target with its gate set to a cumulative number.

Each way of stopping part-way is one function. Never lowers what is updated: a gate only says how
far the controller may go. What a release changes for its batches is put back by `whole`.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.cluster.fields import MISSING, Path, at, overlay, put
from bot.cluster.kinds import Gate, WorkloadKind, desired
from bot.model.plan import JSON

NEVER_AVAILABLE = 2147483646
"""minReadySeconds of a surge: new pods take traffic but never count, so no old pod goes."""

NEVER_LATE = 2147483647
"""progressDeadlineSeconds of a surge; the API server wants it larger than minReadySeconds."""

HOSTNAME = "kubernetes.io/hostname"
"""The label by which one node is chosen."""


def staged(row: WorkloadKind, target: JSON, live: JSON, *, updated: int, total: int) -> JSON:
    """The target for a batch that is not the last: `updated` pods new, the others old."""
    match row.gate:
        case Gate.KEPT_OLD | Gate.ORDINAL | Gate.UPDATED:
            return _gated(row, target, live, updated=updated, total=total)
        case Gate.SURGE:
            return _surging(target, live, updated)
        case Gate.DELETE:
            return on_delete(row, target)
        case Gate.WHOLE | Gate.NAMESPACES:
            return target


def whole(
    row: WorkloadKind, target: JSON, live: JSON, *, before: JSON | None, last: JSON | None
) -> JSON:
    """The target with nothing of a batch in it: the component's own fields, or those of before."""
    for path in row.own:
        if at(target, path, MISSING) is MISSING and at(last, path, MISSING) is MISSING:
            foreign = at(before, path, MISSING)
            if foreign is not MISSING:
                target = put(target, path, foreign)
    if not row.gate.numbered:
        return put(target, row.paused, MISSING) if row.paused else target
    if row.partition is not None:
        gate = row.partition
        there = at(live, gate, MISSING) is not MISSING or at(target, gate, MISSING) is not MISSING
        opened = there and row.open_value is not None
        target = put(target, gate, row.open_value if opened else MISSING)
    return _going(row, target, live)


def _going(row: WorkloadKind, target: JSON, live: JSON) -> JSON:
    """Not paused. A server may keep no `false`: where nothing stands there, nothing is written."""
    if row.paused is None:
        return target
    return put(target, row.paused, MISSING if at(live, row.paused) is None else False)


def stopped(row: WorkloadKind, live: JSON, *, keep: int) -> JSON | None:
    """The merge patch that stops what rolls; None when nothing can stop or all is stopped.

    `keep`: the number at which nothing more rolls, in the row's own meaning.
    """
    patch: JSON = {}
    if row.paused is not None and at(live, row.paused) is not True:
        patch = put(patch, row.paused, True)
    if row.partition is not None:
        have = at(live, row.partition, row.open_value)
        if not isinstance(have, int):
            closer = True
        elif row.gate is Gate.UPDATED:
            closer = keep < have
        else:
            closer = keep > have
        if closer:
            patch = put(patch, row.partition, keep)
    return patch or None


def closes(row: WorkloadKind, patch: JSON, live: JSON) -> bool:
    """Whether a patch lets fewer pods roll than the live object does, and starts nothing."""
    if row.partition is None or at(patch, row.template, MISSING) is not MISSING:
        return False
    if row.paused is not None and at(patch, row.paused, MISSING) is not MISSING:
        return False
    number, have = at(patch, row.partition), at(live, row.partition, row.open_value)
    if not isinstance(number, int):
        return False
    if not isinstance(have, int):
        return True
    return number < have if row.gate is Gate.UPDATED else number > have


def owned(row: WorkloadKind, last: JSON | None, live: JSON) -> JSON:
    """What counts as applied by us: also what a batch left in the live object.

    Only while a batch's values stand there. Otherwise they are the API server's defaults, and
    taking a default away would bring it back for ever.
    """
    ours = last or {}
    for path in in_hand(row, live):
        value = at(live, path, MISSING)
        if value is not MISSING:
            ours = overlay(ours, put({}, path, value))
    return ours


def in_hand(row: WorkloadKind, live: JSON) -> tuple[Path, ...]:
    match row.gate:
        case Gate.SURGE:
            if surging(live):
                return row.own
            return (row.paused,) if row.paused and at(live, row.paused) else ()
        case Gate.DELETE:
            return row.own if at(live, (*row.strategy, "type")) == "OnDelete" else ()
        case Gate.KEPT_OLD | Gate.ORDINAL | Gate.UPDATED:
            left = () if row.open_value is not None or row.partition is None else (row.partition,)
            return left + (row.own if narrowed_by(row, live) else ())
        case Gate.WHOLE | Gate.NAMESPACES:
            return ()


def surging(live: JSON) -> bool:
    """Whether a batch by surge stands in a live Deployment."""
    spec = live.get("spec") or {}
    return (
        spec.get("minReadySeconds") == NEVER_AVAILABLE
        or spec.get("progressDeadlineSeconds") == NEVER_LATE
    )


def narrowed(row: WorkloadKind, obj: JSON, hostnames: Iterable[str]) -> JSON:
    """The object with its own choice of nodes, and of those only the named ones."""
    assert row.node_selector is not None
    chosen = at(obj, row.node_selector) or {}
    only = {"key": HOSTNAME, "operator": "In", "values": sorted(hostnames)}
    asked = [*(chosen.get("matchExpressions") or ()), only]
    return put(obj, row.node_selector, {**chosen, "matchExpressions": asked})


def narrowed_by(row: WorkloadKind, live: JSON) -> bool:
    """Whether a live object's choice of nodes names some of them one by one."""
    chosen = at(live, row.node_selector) if row.node_selector else None
    asked = at(chosen, ("matchExpressions",)) or ()
    return any(one.get("key") == HOSTNAME for one in asked)


def on_delete(row: WorkloadKind, target: JSON) -> JSON:
    """The target with a controller that replaces only what is deleted."""
    if row.keeps_strategy:
        return put(target, (*row.strategy, "type"), "OnDelete")
    return put(target, row.strategy, {"type": "OnDelete", "rollingUpdate": None})


def restored(row: WorkloadKind | None, before: JSON, ours: JSON, live: JSON) -> JSON:
    """What a rollback asks for: `before` where we wrote or took away; a workload's template whole.

    Fields that only others write (an autoscaler's replicas) stay as they are now.
    """
    wanted = _projected(before, ours, live)
    wanted |= {name: before[name] for name in ("apiVersion", "kind") if name in before}
    wanted["metadata"] = {**wanted.get("metadata", {}), **_identity(before)}
    if row is not None:
        for path in (row.template, *row.own):
            wanted = put(wanted, path, at(before, path, MISSING))
    return wanted


def _identity(obj: JSON) -> JSON:
    return {
        name: obj["metadata"][name] for name in ("name", "namespace") if name in obj["metadata"]
    }


def _projected(value: JSON, shape: JSON, live: JSON) -> JSON:
    """The value's fields that are in the shape, or that are gone from the live object."""
    if not isinstance(value, dict) or not isinstance(shape, dict):
        return value
    there = live if isinstance(live, dict) else {}
    return {
        name: _projected(v, shape[name], there.get(name)) if name in shape else v
        for name, v in value.items()
        if name in shape or name not in there
    }


def _gated(row: WorkloadKind, target: JSON, live: JSON, *, updated: int, total: int) -> JSON:
    # Nodes that left took old pods along; a node that joined has the new version.
    now = desired(row, live) if row.component is None else None
    count = min(total, now) if now else total
    assert row.partition is not None
    number = updated if row.gate is Gate.UPDATED else max(0, count - updated)
    gated = put(target, row.partition, number)
    replicas = row.desired[0]
    if replicas[0] == "spec" and at(target, replicas, MISSING) is not MISSING:
        # The number was counted with the pods that are there: the last batch brings a scale.
        gated = put(gated, replicas, at(live, replicas, 1))
    return _going(row, gated, live)


def _surging(target: JSON, live: JSON, updated: int) -> JSON:
    spec = dict(target["spec"])
    spec["minReadySeconds"] = NEVER_AVAILABLE
    spec["progressDeadlineSeconds"] = NEVER_LATE
    spec["strategy"] = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": max(1, updated), "maxUnavailable": 0},
    }
    spec.pop("paused", None)
    if "replicas" in spec:
        # A scale in the middle would spread over both ReplicaSets: the last batch brings it.
        spec["replicas"] = at(live, ("spec", "replicas"), 1)
    return {**target, "spec": spec}
