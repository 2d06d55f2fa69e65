"""Moves the namespaces of a sharded operator from the old version to the new one, and back.

The routing object carries the gate: a list of namespaces. Template and list go in one patch, a
namespace counts when the version it was given to has reconciled every object in it since. What has
moved is never taken back but by a rollback.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.cluster.fields import MISSING, Path, at, overlay, put
from bot.cluster.forward import waits_for
from bot.cluster.goal import Goal, Step
from bot.cluster.kinds import Sharding, WorkloadKind
from bot.cluster.merge import Merge
from bot.cluster.plain import create, delete, patch
from bot.cluster.rollout import Rollout
from bot.cluster.settle import pending
from bot.cluster.sharding import (
    ALL,
    MOVED,
    RETIRED,
    Moves,
    last_written,
    moves_of,
    placed,
    reach,
    routed,
    served,
    shard_look,
    shard_workloads,
    version_of,
)
from bot.cluster.stage import restored
from bot.model.effects import Purpose, Write
from bot.model.plan import JSON, ObjectRef
from bot.model.seen import ObjectSeen

_NOTE: Path = ("metadata", "annotations", MOVED)


def forward_shards(
    goal: Goal, ref: ObjectRef, target: JSON, there: ObjectSeen, now: datetime, *, may_write: bool
) -> Step:
    """The next step of the batch in hand; the old version goes when all has moved."""
    row, sharding = _row(goal, ref)
    wanted = version_of(sharding, target)
    if there.live is None:
        names = served(sharding, there.children)
        body = _routing(sharding, target, names, frozenset(names), opened=True)
        made = (create(ref, body, Purpose.FORWARD),) if may_write else ()
        return Step(ref=ref, writes=made, waiting="not-applied", healthy=False)
    look = shard_look(row, there.live, there.children, wanted)
    full = goal.final or (ref.key in goal.before and goal.before[ref.key] is None)
    # Namespaces that are gone took their place in the batch along.
    gone = max(0, goal.totals.get(ref.key, look.total) - look.total)
    target_now = min(max(goal.targets.get(ref.key, 0) - gone, 0), look.total)
    want = look.total if full else target_now
    changes = _changes(goal, ref, target, there, look, want, full=full, now=now)
    healthy = len(look.good(goal.since)) >= min(want, look.total)
    if changes is not None:
        sent = (patch(ref, there.live, changes, Purpose.FORWARD),) if may_write else ()
        return Step(
            ref=ref, writes=sent, waiting="not-applied", look=look, want=want, healthy=healthy
        )
    writes: tuple[Write, ...] = ()
    detail: Mapping[str, JSON]
    waiting, detail = waits_for(goal, look, want=want, full=full, unavailable=0)
    if full and not waiting and (sharding.keeps or sharding.opened is not None):
        old = version_of(sharding, goal.before.get(ref.key))
        if old != wanted:
            writes, waiting, detail = _retire(sharding, there, old, may_write=may_write)
    return Step(
        ref=ref,
        writes=writes,
        waiting=waiting,
        detail=detail,
        look=look,
        want=want,
        healthy=healthy,
    )


def stop_shards(goal: Goal, ref: ObjectRef, target: JSON, there: ObjectSeen) -> Step:
    """Nothing rolls by itself: what has moved stays, and no further namespace moves."""
    row, sharding = _row(goal, ref)
    if there.live is None:
        return Step(ref=ref)
    wanted = version_of(sharding, target)
    return Step(ref=ref, look=shard_look(row, there.live, there.children, wanted))


def all_moved(goal: Goal, ref: ObjectRef, target: JSON, there: ObjectSeen, now: datetime) -> bool:
    """Whether the routing object is the target, with every namespace given to its version."""
    row, sharding = _row(goal, ref)
    look = shard_look(row, there.live, there.children, version_of(sharding, target))
    if not look.revision or look.old:
        return False
    return _changes(goal, ref, target, there, look, look.total, full=True, now=now) is None


def restore_shards(
    goal: Goal, ref: ObjectRef, target: JSON, there: ObjectSeen, now: datetime
) -> Step:
    """The next step back: the old version serves again, gets its namespaces, and proves it."""
    row, sharding = _row(goal, ref)
    live, before = there.live, goal.before[ref.key]
    back, forth = version_of(sharding, before), version_of(sharding, target)
    writes, waiting, detail = _recall(sharding, there, back)
    if waiting:
        return Step(ref=ref, writes=writes, waiting=waiting, detail=detail, healthy=False)
    names = served(sharding, there.children)
    noted = moves_of(live)
    if version_of(sharding, live) == forth != back:
        moving = routed(sharding, live, names)
        wrote = last_written(sharding, there.children, back, moving)
        after = {ALL: max(wrote.values())} if wrote else {}
        noted = Moves(back, dict.fromkeys(sorted(moving), _text(now)), after)
    elif noted.by != back:
        noted = Moves(back, {})
    changes = _back(goal, ref, row, target, live, note=noted.text() if noted.at else None)
    rival = forth if forth != back else ""
    asked = frozenset(noted.at)
    look = shard_look(row, live, there.children, back, asked=asked, rival=rival)
    if changes is not None:
        write = patch(ref, live, changes, Purpose.RESTORE)
        return Step(ref=ref, writes=(write,), waiting="not-applied", look=look, healthy=False)
    bad = [pod for pod in look.pods if pod.name in noted.at and not look.is_available(pod)]
    if bad:
        detail = {"good": look.total - len(bad), "want": look.total, "old": 0,
                  "pods": [pod.name for pod in bad], "reason": bad[0].reason}  # fmt: skip
        return Step(ref=ref, waiting="progress", detail=detail, look=look, healthy=False)
    gone = _created(goal, sharding, there, forth, back)
    if gone:
        return Step(ref=ref, writes=gone, waiting="progress", look=look, healthy=False)
    changes = _back(goal, ref, row, target, live, note=None)
    if changes is not None:
        write = patch(ref, live, changes, Purpose.RESTORE)
        return Step(ref=ref, writes=(write,), waiting="not-applied", look=look)
    return Step(ref=ref, look=look)


# -- what the routing object is to be


def _changes(
    goal: Goal,
    ref: ObjectRef,
    target: JSON,
    there: ObjectSeen,
    look: Rollout,
    want: int,
    *,
    full: bool,
    now: datetime,
) -> Merge | None:
    """The patch that gives `want` namespaces to the new version; None when it has them."""
    _, sharding = _row(goal, ref)
    live, wanted = look.live, version_of(sharding, target)
    names = [pod.name for pod in look.pods]
    new = [pod.name for pod in look.new]
    waiting = [name for name in names if name not in new]
    chosen = frozenset(new + waiting[: max(0, want - len(new))])
    noted = moves_of(live)
    moving = sorted(chosen.difference(new))
    known = noted if noted.by == wanted else Moves(wanted, {})
    times = {**known.at, **dict.fromkeys(moving, _text(now))}
    after = known.after
    if after is not None:
        after = {**after, **last_written(sharding, there.children, wanted, moving)}
    body = _routing(sharding, target, names, chosen, opened=full)
    if times:
        body = put(body, _NOTE, Moves(wanted, times, after).text())
    return pending(_ours(goal, ref, sharding, live), live, body)


def _routing(
    sharding: Sharding,
    target: JSON,
    names: list[str] | tuple[str, ...],
    chosen: frozenset[str],
    *,
    opened: bool,
) -> JSON:
    """The target with its list set: those that keep the old version, or those that were moved."""
    if opened and sharding.opened is not None:
        return placed(target, sharding.route, list(sharding.opened))
    listed = [name for name in names if (name in chosen) is not sharding.keeps]
    return placed(target, sharding.route, listed)


def _ours(goal: Goal, ref: ObjectRef, sharding: Sharding, live: JSON) -> JSON:
    """What we applied: the note of our moves as well."""
    ours = goal.last.get(ref.key) or {}
    note = at(live, _NOTE, MISSING)
    return ours if note is MISSING else overlay(ours, put({}, _NOTE, note))


def _back(
    goal: Goal, ref: ObjectRef, row: WorkloadKind, target: JSON, live: JSON, *, note: str | None
) -> Merge | None:
    sharding = row.sharding
    assert sharding is not None
    before = goal.before[ref.key]
    written = overlay(goal.last.get(ref.key) or {}, target)
    body = restored(row, before, written, live)
    body = placed(body, sharding.route, reach(before, sharding.route) or [])
    if note is not None:
        body = put(body, _NOTE, note)
    return pending(overlay(written, _ours(goal, ref, sharding, live)), live, body)


# -- the workloads of the versions


def _retire(
    sharding: Sharding, there: ObjectSeen, old: str, *, may_write: bool
) -> tuple[tuple[Write, ...], str, Mapping[str, JSON]]:
    """The version before has no namespace left: it goes to no replicas, the way back stays.

    Only that one: what else looks like a version of the operator is not ours to send away.
    """
    for one in shard_workloads(sharding, there.live, there.children):
        if str(at(one, sharding.identity)) != old:
            continue
        replicas = at(one, ("spec", "replicas"), 1)
        if replicas == 0:
            if at(one, ("status", "replicas"), 0):
                return (), "progress", _facts(one, "Terminating")
            continue
        body = {
            "metadata": {"annotations": {RETIRED: str(replicas)}},
            "spec": {"replicas": 0},
        }
        writes = (patch(_ref(one), one, body, Purpose.FORWARD),) if may_write else ()
        return writes, "progress", _facts(one, "Retiring")
    return (), "", {}


def _recall(
    sharding: Sharding, there: ObjectSeen, back: str
) -> tuple[tuple[Write, ...], str, Mapping[str, JSON]]:
    """The old version stands and serves before anything is given to it."""
    known = [
        one
        for one in shard_workloads(sharding, there.live, there.children)
        if str(at(one, sharding.identity)) == back
    ]
    if sharding.shards is not None and not known:
        reason = f"not there any more: nothing would serve what is given to {back}"
        return (), "progress", {"good": 0, "want": 1, "old": 1, "pods": [back], "reason": reason}
    for one in known:
        kept = (at(one, ("metadata", "annotations")) or {}).get(RETIRED)
        if kept is not None:
            number = int(kept) if str(kept).isdigit() else 1
            body = {"metadata": {"annotations": {RETIRED: None}}, "spec": {"replicas": number}}
            return (
                (patch(_ref(one), one, body, Purpose.RESTORE),),
                "progress",
                _facts(one, ""),
            )
        wanted = at(one, ("spec", "replicas"), 1)
        if at(one, ("status", "readyReplicas"), 0) < min(1, wanted):
            return (), "progress", _facts(one, "not ready yet")
    return (), "", {}


def _created(
    goal: Goal, sharding: Sharding, there: ObjectSeen, forth: str, back: str
) -> tuple[Write, ...]:
    """The new version's own workload, where this release made it: nothing is routed to it."""
    if forth == back:
        return ()
    made = {ref for ref, _ in goal.objects if goal.before.get(ref.key, {}) is None}
    return tuple(
        delete(_ref(one), one, Purpose.RESTORE)
        for one in shard_workloads(sharding, there.live, there.children)
        if str(at(one, sharding.identity)) == forth and _ref(one) in made
    )


def _facts(one: JSON, reason: str) -> Mapping[str, JSON]:
    names = [str(one["metadata"]["name"])]
    return {"good": 0, "want": 1, "old": 1, "pods": names, "reason": reason}


def _ref(obj: JSON) -> ObjectRef:
    metadata = obj["metadata"]
    return ObjectRef(
        obj["apiVersion"], obj["kind"], metadata.get("namespace", ""), metadata["name"]
    )


def _row(goal: Goal, ref: ObjectRef) -> tuple[WorkloadKind, Sharding]:
    row = goal.rows[ref.api_version, ref.kind]
    assert row.sharding is not None
    return row, row.sharding


def _text(now: datetime) -> str:
    return now.replace(microsecond=0).isoformat()
