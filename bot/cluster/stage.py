"""The object as it must be for a batch: the target with its gate set to a cumulative number.

Each way of stopping part-way is one function. Never lowers what is updated: a gate only says how
far the controller may go. What a release changes for its batches is put back by `whole`.
"""

from __future__ import annotations

from bot.cluster.fields import MISSING, Path, at, overlay, put
from bot.cluster.kinds import Gate, WorkloadKind, desired
from bot.model.plan import JSON

NEVER_AVAILABLE = 2147483646
"""minReadySeconds of a surge: new pods take traffic but never count, so no old pod goes."""

NEVER_LATE = 2147483647
"""progressDeadlineSeconds of a surge; the API server wants it larger than minReadySeconds."""


def staged(row: WorkloadKind, target: JSON, live: JSON, *, updated: int, total: int) -> JSON:
    """The target for a batch that is not the last: `updated` pods new, the others old."""
    match row.gate:
        case Gate.KEPT_OLD:
            # Nodes that left took old pods along; a node that joined has the new version.
            now = desired(row, live)
            count = min(total, now) if now else total
            assert row.partition is not None
            assert row.paused is not None
            gated = put(target, row.partition, max(0, count - updated))
            return put(gated, row.paused, False)
        case Gate.SURGE:
            return _surging(target, live, updated)
        case Gate.DELETE:
            return on_delete(row, target)


def whole(
    row: WorkloadKind, target: JSON, live: JSON, *, before: JSON | None, last: JSON | None
) -> JSON:
    """The target with nothing of a batch in it: the component's own fields, or those of before."""
    if row.partition is not None and row.paused is not None:
        for path, open_value in ((row.partition, 0), (row.paused, False)):
            there = (
                at(live, path, MISSING) is not MISSING or at(target, path, MISSING) is not MISSING
            )
            target = put(target, path, open_value if there else MISSING)
        return target
    for path in row.own:
        if at(target, path, MISSING) is MISSING and at(last, path, MISSING) is MISSING:
            foreign = at(before, path, MISSING)
            if foreign is not MISSING:
                target = put(target, path, foreign)
    return put(target, row.paused, MISSING) if row.paused else target


def stopped(row: WorkloadKind, live: JSON, *, kept_old: int) -> JSON | None:
    """The merge patch that stops what rolls; None when nothing can stop or all is stopped."""
    if row.paused is None:
        return None
    patch: JSON = {}
    if at(live, row.paused) is not True:
        patch = put(patch, row.paused, True)
    if row.partition is not None:
        have = at(live, row.partition, 0)
        if not isinstance(have, int) or have < kept_old:
            patch = put(patch, row.partition, kept_old)
    return patch or None


def owned(row: WorkloadKind, last: JSON | None, live: JSON) -> JSON:
    """What counts as applied by us: also what a batch left in the live object.

    Only while a batch's values stand there. Otherwise they are the API server's defaults, and
    taking a default away would bring it back for ever.
    """
    ours = last or {}
    for path in _in_hand(row, live):
        value = at(live, path, MISSING)
        if value is not MISSING:
            ours = overlay(ours, put({}, path, value))
    return ours


def _in_hand(row: WorkloadKind, live: JSON) -> tuple[Path, ...]:
    match row.gate:
        case Gate.SURGE:
            if surging(live):
                return row.own
            return (row.paused,) if row.paused and at(live, row.paused) else ()
        case Gate.DELETE:
            return row.own if at(live, (*row.strategy, "type")) == "OnDelete" else ()
        case Gate.KEPT_OLD:
            return ()


def surging(live: JSON) -> bool:
    """Whether a batch by surge stands in a live Deployment."""
    spec = live.get("spec") or {}
    return (
        spec.get("minReadySeconds") == NEVER_AVAILABLE
        or spec.get("progressDeadlineSeconds") == NEVER_LATE
    )


def on_delete(row: WorkloadKind, target: JSON) -> JSON:
    """The target with a controller that replaces only what is deleted."""
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
