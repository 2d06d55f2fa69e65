"""What the driver has to reach for a unit, put together from plan, state and DB spec. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.cluster.fence import numbers
from bot.cluster.goal import Goal, Leaving, Mode
from bot.cluster.guard import NOTHING_ALLOWED, Allowance
from bot.cluster.leftovers import identity
from bot.core import siblings
from bot.core.guard_lists import guard_lists
from bot.core.situation import Situation, Unit
from bot.model.leftover import Fate, Leftover
from bot.model.plan import JSON, ObjectRef, UnitPlan
from bot.model.state import ReleaseState, UnitPhase


def goal_of(
    s: Situation,
    units: siblings.Units,
    blobs: Mapping[str, JSON],
    u: Unit,
    mode: Mode,
    allowed: Allowance = NOTHING_ALLOWED,
) -> Goal:
    """The goal of a unit. `blobs`: objects by digest, those of this turn too."""
    applied = siblings.last_applied(s, u.plan)
    objects = {planned.ref: blobs[u.state.wanted(planned)] for planned in u.plan.objects}
    ours = {b.ref.key for b in u.state.before or () if b.source == "applied"}
    before = {b.ref.key: blobs[b.digest] if b.digest else None for b in u.state.before or ()}
    stood = {b.ref.key: b.digest for b in u.state.before or () if b.digest}
    if mode is Mode.RESTORE:
        # What this release deleted comes back too, as it was applied last.
        for gone in u.state.leftovers:
            if gone.fate in (Fate.LEAVING, Fate.DELETED):
                objects[gone.ref] = before[gone.ref.key] = blobs[gone.digest]
                applied = {**applied, gone.ref.key: gone.digest}
                ours.add(gone.ref.key)
                stood[gone.ref.key] = gone.digest
    back = {ref: before.get(ref.key) or obj for ref, obj in objects.items()}
    return Goal(
        mode=mode,
        objects=tuple(objects.items()),
        last=_last(u, applied, objects, blobs),
        before=before,
        applied=frozenset(ours),
        owner=u.component.name,
        adopted=frozenset(b.ref.key for b in u.state.before or () if b.source == "baseline"),
        wanted={planned.ref.key: u.state.wanted(planned) for planned in u.plan.objects},
        stood=stood,
        targets=u.state.targets,
        totals=u.state.totals,
        final=u.state.step >= len(u.component.batches) - 1,
        unavailable_before=u.state.unavailable_before,
        since=u.state.batch_began or s.now,
        undo_installs=u.state.undo,
        undo_data=u.state.undo_data,
        undo=tuple((planned.ref, blobs[planned.digest]) for planned in u.plan.undo),
        anew_above=u.state.anew_above,
        rows=s.index.rows,
        allowed=allowed,
        **siblings.goal_nodes(s, units, u.plan, mode, back if mode is Mode.RESTORE else objects),
    )


def _last(
    u: Unit, applied: Mapping[str, str], refs: Iterable[ObjectRef], blobs: Mapping[str, JSON]
) -> dict[str, JSON | None]:
    """The DB spec of each object. Of one that says that something else was applied last than the
    store has, there is none before we write it: nothing that it holds is ours to take away.
    """
    foreign = {b.ref.key for b in u.state.before or () if b.source == "foreign"}
    wanted = {planned.ref.key: u.state.wanted(planned) for planned in u.plan.objects}
    found: dict[str, JSON | None] = {}
    for key in (ref.key for ref in refs):
        digest = applied.get(key, "")
        ours = key not in foreign or digest == wanted.get(key)
        found[key] = blobs.get(digest) if ours else None
    return found


# what left the template


def says(s: Situation, u: Unit, ref: ObjectRef) -> str:
    """What the component says of deleting an object: allow | ask | keep, the stricter of what was
    planned and what main has now.
    """
    said = [u.component.guard.delete.says(ref)]
    if (now := s.rules.components.get(u.component.name)) is not None:
        said.append(guard_lists(now).delete.says(ref))
    return max(said, key=("allow", "ask", "keep").index)


def brought_by(s: Situation, plan: UnitPlan, ref: ObjectRef) -> tuple[str, ...]:
    """Other units of the cluster that bring the object now, by this plan or by what was applied."""
    wanted = identity(ref)
    found = [
        name
        for name in s.index.by_cluster.get(plan.cluster, ())
        if name != plan.unit
        and any(identity(planned.ref) == wanted for planned in s.index.units[name].objects)
    ]
    rows = s.brought.get(plan.unit, {})
    found += [name for name, brought in rows.items() if wanted in brought]
    return tuple(dict.fromkeys(found))


def leaving_one(s: Situation, state: ReleaseState, u: Unit, one: Leftover, spec: JSON) -> Leaving:
    """A leftover as the driver judges it."""
    return Leaving(
        ref=one.ref,
        spec=spec,
        uid=one.uid,
        component=u.component.name,
        # Its next write, of whatever number: what this plan wrote is older than that.
        fence=(*numbers(state.fence(u.state))[:1], state.seq + 1),
        lists=u.component.guard,
    )


def leaving_of(
    s: Situation, state: ReleaseState, u: Unit, blobs: Mapping[str, JSON], yes: frozenset[str]
) -> tuple[Leaving, ...]:
    """What the step in hand may delete: only what has a yes at this moment, and nobody else
    brings.
    """
    if not (u.state.leaving and u.state.phase.rolling):
        return ()
    may = []
    for one in u.state.leftovers:
        said, spec = says(s, u, one.ref), blobs.get(one.digest)
        allowed = said == "allow" or (said == "ask" and one.mark in yes)
        if one.fate is not Fate.LEAVING or spec is None or not allowed:
            continue
        if not brought_by(s, u.plan, one.ref):
            may.append(leaving_one(s, state, u, one, spec))
    return tuple(may)


# what the way back may delete


def used_by(s: Situation, units: siblings.Units, u: Unit, ref: ObjectRef) -> list[str]:
    """Others of the cluster that have an object; of this release only those that it has come to."""
    return [name for name in brought_by(s, u.plan, ref) if _has_it(s, units, u, name)]


def _has_it(s: Situation, units: siblings.Units, u: Unit, name: str) -> bool:
    peer = units.get(name)
    if peer is None or s.index.units[name].lock != u.plan.lock:
        return True
    return peer.began is not None and peer.phase is not UnitPhase.ROLLED_BACK


def leaving_back(
    s: Situation, state: ReleaseState, units: siblings.Units, u: Unit, blobs: Mapping[str, JSON]
) -> tuple[Leaving, ...]:
    """What was added and has a yes to go, on the way back of its unit: looked at again just before
    each write.
    """
    if u.state.phase is not UnitPhase.ROLLING_BACK:
        return ()
    return tuple(
        leaving_one(s, state, u, one, blobs[one.digest])
        for one in u.state.added
        if one.fate is Fate.LEAVING
        and says(s, u, one.ref) != "keep"
        and not used_by(s, units, u, one.ref)
    )
