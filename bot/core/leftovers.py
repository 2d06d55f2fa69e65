"""What left the template: found at first contact, deleted in a step of its own, or kept and told.

A unit that has succeeded goes through one more batch for it, by all its gates, once a yes stands.
Asks nobody itself (`leftovers_asked` does), and names no write: the driver does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.cluster.goal import Mode
from bot.cluster.kinds import row_of
from bot.cluster.leftovers import goes, in_order, no_more_rendered, stays
from bot.core import siblings
from bot.core.goals import brought_by, leaving_one, says
from bot.core.leftovers_rows import write_down
from bot.core.situation import PlanIndex, Unit
from bot.core.turn import Turn
from bot.model.leftover import LEFTOVERS, Fate, Leftover
from bot.model.plan import JSON, ObjectRef, UnitPlan
from bot.model.seen import UnitSeen
from bot.model.state import Applied, DecisionStatus, ReleasePhase, UnitPhase, UnitState

FORWARD = (ReleasePhase.SCHEDULED, ReleasePhase.PROGRESSING)


def candidates(
    index: PlanIndex, applied: Mapping[str, Applied], plan: UnitPlan
) -> dict[ObjectRef, str]:
    """What was applied to a unit and is rendered no more → its digest, by what the store has.

    What units of a cluster had together is with the last of them: before that one has come, others
    may still use it. The older versions of a sharded operator are the way back: they are sent to
    sleep by its row, never deleted.
    """
    if index.component(plan).task:
        return {}
    own, common = applied.get(plan.unit), _together(applied, plan)
    had = {**own.leftovers, **own.objects} if own is not None else {}
    had = {key: digest for key, digest in had.items() if key not in common}
    peers = index.locks[plan.lock]
    if peers[-1] == plan.unit:
        had |= common
    units = [index.units[name] for name in peers]
    rendered = [one.ref for unit in units for one in (*unit.objects, *unit.undo)]
    found = no_more_rendered(had, rendered)
    rows = (row_of(ref, index.rows) for ref in rendered)
    asleep = {row.sharding.shards for row in rows if row is not None and row.sharding is not None}
    return {ref: d for ref, d in found.items() if (ref.api_version, ref.kind) not in asleep}


def _together(applied: Mapping[str, Applied], plan: UnitPlan) -> dict[str, str]:
    """What units of its cluster had together, by the row of their lock."""
    row = applied.get(plan.lock) if plan.lock != plan.unit else None
    return {**row.leftovers, **row.objects} if row is not None else {}


def to_see(
    index: PlanIndex, applied: Mapping[str, Applied], plan: UnitPlan, state: UnitState
) -> tuple[ObjectRef, ...]:
    """The leftovers of a unit that a look has to show now: none while it rolls out."""
    if state.before is None:
        return tuple(candidates(index, applied, plan))
    if state.leaving or state.phase is UnitPhase.ROLLING_BACK:
        return tuple(one.ref for one in state.leftovers if one.fate in (Fate.LEAVING, Fate.DELETED))
    return ()


def note(t: Turn, u: Unit, seen: UnitSeen) -> None:
    """First contact: what stands there and is rendered no more. What is never deleted is kept and
    told at once, so that nobody is asked about it.
    """
    stood, common = siblings.stood(t.s, u.plan), _together(t.s.applied, u.plan)
    found: list[Leftover] = []
    blobs: dict[ObjectRef, JSON] = {}
    for ref, digest in candidates(t.s.index, t.s.applied, u.plan).items():
        there = seen.objects.get(ref.key)
        if there is None or there.live is None or goes(there.live):
            continue
        blobs[ref] = t.s.blobs.get(digest)
        uid = str((there.live.get("metadata") or {}).get("uid", ""))
        one = Leftover(
            ref=ref,
            digest=digest,
            uid=uid,
            older=ref.key not in stood.objects,
            shared=ref.key in common,
        )
        found.append(_judged(t, u, one, there.live, seen))
    if not found:
        return
    order = in_order({ref: obj for ref, obj in blobs.items() if obj is not None})
    found.sort(key=lambda one: order.index(one.ref) if one.ref in order else len(order))
    t.put(replace(t.units[u.plan.unit], leftovers=tuple(found)))
    t.tell("leftovers.found", u.plan.unit, objects=[one.ref.short for one in found])
    _tell_kept(t, u.plan.unit, found)


def _judged(t: Turn, u: Unit, one: Leftover, live: JSON, seen: UnitSeen) -> Leftover:
    """The leftover as it is, or kept where it must not be deleted."""
    spec = t.s.blobs.get(one.digest)
    if spec is None:
        return _kept(one, "unknown")
    others = [name for name in brought_by(t.s, u.plan, one.ref) if not _comes_yet(t, u, name)]
    if others:
        ours = (name for name in others if name.startswith(f"{u.plan.lock}/"))
        return _kept(one, "rendered", next(ours, others[0]))
    if says(t.s, u, one.ref) == "keep":
        return _kept(one, "component")
    if by := _refused_before(t, u, one):
        return _kept(one, "no", by)
    code = stays(leaving_one(t.s, t.state, u, one, spec), live, seen, t.s.index.rows)
    # An edit may be taken back before the time comes.
    return one if code in ("", "edited") else _kept(one, code)


def _comes_yet(t: Turn, u: Unit, name: str) -> bool:
    """Whether another unit of the component has it only until it gets what this one has."""
    there = t.s.index.units.get(name)
    return there is not None and there.lock == u.plan.lock and not t.units[name].phase.ended


def _refused_before(t: Turn, u: Unit, one: Leftover) -> str:
    """Who said no to deleting this object, in this release or before; "" nobody."""
    rows = (t.s.applied.get(name) for name in (u.plan.unit, u.plan.lock))
    noes = (
        d.closed_by
        for d in t.decisions.values()
        if (d.what, d.status) == (LEFTOVERS, DecisionStatus.REJECTED)
        and one.mark in d.subject.split(",")
    )
    before = (row.refused.get(one.ref.key) for row in rows if row is not None)
    return next(noes, None) or next(filter(None, before), "")


def _kept(one: Leftover, why: str, detail: str = "") -> Leftover:
    return replace(one, fate=Fate.KEPT, why=why, detail=detail[:300])


def _tell_kept(t: Turn, unit: str, found: Iterable[Leftover], *, actor: str = "sluice") -> None:
    for one in found:
        if one.fate is Fate.KEPT:
            data = {"object": one.ref.short, "why": one.why, "detail": one.detail}
            t.tell("leftover.kept", unit, actor=actor, **data)


# the step


def has_yes(t: Turn, u: Unit, one: Leftover) -> bool:
    """Whether it may be deleted by what people and the component say now."""
    from_rules = says(t.s, u, one.ref)
    return from_rules == "allow" or (from_rules == "ask" and one.mark in t.marks(LEFTOVERS))


def go_on(t: Turn) -> None:
    """Units that have succeeded, and of which something may leave now, get a step for it."""
    for name, unit in list(t.units.items()):
        if unit.leftovers:
            flip(t, name)


def flip(t: Turn, name: str) -> None:
    """One more batch for a unit that is well, if something may leave."""
    unit = t.units[name]
    if unit.phase is not UnitPhase.SUCCEEDED or t.state.phase not in FORWARD:
        return
    u = t.unit(name)
    silent = any(_comes_yet(t, u, peer) for peer in t.s.index.locks[u.plan.lock] if peer != name)
    may = {
        one.ref
        for one in unit.leftovers
        if one.fate is Fate.OPEN and has_yes(t, u, one) and not (one.shared and silent)
    }
    if not may:
        return
    found = tuple(replace(o, fate=Fate.LEAVING) if o.ref in may else o for o in unit.leftovers)
    t.put(
        replace(
            unit,
            phase=UnitPhase.PENDING,
            since=t.s.now,
            leftovers=found,
            leaving=True,
            checks=(),
            deadline=None,
            look_at=None,
        )
    )
    t.forget_progress(name)


def let_be(t: Turn, name: str) -> None:
    """What the cluster refuses to delete, or does not get done in time, stays and is told: the
    version that arrived is as well as it was.
    """
    u = t.unit(name)
    if not u.state.leaving or u.state.phase is not UnitPhase.APPLYING:
        return
    late = u.state.deadline is not None and t.s.now >= u.state.deadline
    progress = t.progress(u) if u.state.refused or late else None
    if progress is None:
        return
    leaving = {one.ref: one for one in u.state.leftovers if one.fate is Fate.LEAVING}
    stuck = [step for step in progress.steps if step.waiting]
    if not stuck or any(step.ref not in leaving for step in stuck):
        return
    # The one in front only: those behind it have not been tried yet, and get their time.
    one = leaving[stuck[0].ref]
    why = "terminating" if stuck[0].detail.get("reason") == "Terminating" else "refused"
    given_up = _kept(one, why, u.state.refused or "")
    found = tuple(given_up if other is one else other for other in u.state.leftovers)
    until = t.s.now + u.component.batch_deadline
    t.put(replace(u.state, leftovers=found, refused=None, look_at=t.s.now, deadline=until))
    t.forget_progress(name)
    _tell_kept(t, name, (given_up,))


def settle(t: Turn, u: Unit) -> Unit:
    """The step is done and well: what is gone, and what stayed after all."""
    if not u.state.leaving:
        return u
    seen = t.s.seen[u.plan.unit]
    ready = {one.ref: one for one in t.goal(u, Mode.FORWARD).leaving}
    after: list[Leftover] = []
    for one in u.state.leftovers:
        there = seen.objects.get(one.ref.key)
        live = there.live if there else None
        if one.fate is not Fate.LEAVING:
            after.append(one)
        elif live is None:
            after.append(replace(one, fate=Fate.DELETED))
        elif one.ref in ready:
            after.append(_kept(one, stays(ready[one.ref], live, seen, t.s.index.rows)))
        else:
            after.append(_judged(t, u, replace(one, fate=Fate.OPEN), live, seen))
    before = {one.ref: one.fate for one in u.state.leftovers}
    t.put(replace(u.state, leftovers=tuple(after), leaving=False))
    new = [one for one in after if before[one.ref] is Fate.LEAVING]
    if gone := [one.ref.short for one in new if one.fate is Fate.DELETED]:
        t.tell("leftovers.deleted", u.plan.unit, objects=gone, by=_by(t, new))
    _tell_kept(t, u.plan.unit, new)
    return t.unit(u.plan.unit)


def _by(t: Turn, found: Iterable[Leftover]) -> list[str]:
    marks = {one.mark for one in found}
    yes = [d for d in t.said_yes(LEFTOVERS) if not marks.isdisjoint(d.subject.split(","))]
    return sorted({vote.by for decision in yes for vote in t.valid_votes(decision)})


def left_by(t: Turn, unit: UnitState, by: str, why: str) -> UnitState:
    """A unit whose step a person skipped: the version is there, and what would leave stays."""
    found = tuple(
        _kept(one, "no", by) if one.fate is Fate.LEAVING else one for one in unit.leftovers
    )
    new = [one for one in found if one not in unit.leftovers]
    _tell_kept(t, unit.unit, new, actor=by)
    after = replace(
        unit,
        phase=UnitPhase.SUCCEEDED,
        since=t.s.now,
        leftovers=found,
        leaving=False,
        in_hand=False,
        look_at=None,
        deadline=None,
    )
    write_down(t, after, {one.mark for one in new}, by, delete=False)
    return after


# what is written down of them


def told(unit: UnitState) -> dict[str, JSON]:
    """What the line of a batch says of those that leave in it."""
    names = [one.ref.short for one in unit.leftovers if one.fate is Fate.LEAVING]
    return {"leaves": names} if unit.leaving else {}


def evidence(unit: UnitState) -> tuple[JSON, ...]:
    """What a certificate says of them."""
    said = ({"object": o.ref.short, "leftover": o.fate.value, "why": o.why} for o in unit.leftovers)
    return tuple({key: value for key, value in one.items() if value} for one in said)
