"""What happens when every gate of a phase is open: the next phase, and what it needs to begin.

Called by the lifecycle only. Never looks past the gates, never says why something waits.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import cast

from bot.cluster.drive import up_to_date
from bot.cluster.goal import Mode
from bot.cluster.one_way import one_way
from bot.core import (
    added,
    adopting,
    chain,
    drifting,
    endings,
    guarding,
    leftovers,
    leftovers_rows,
    siblings,
)
from bot.core.batch_ahead import batch_ahead
from bot.core.batches import still_ahead
from bot.core.floors import soaks
from bot.core.messages_undo import irreversible
from bot.core.messages_undo import one_way as in_words
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.plan import JSON
from bot.model.record import BEGAN
from bot.model.seen import UnitSeen
from bot.model.state import Applied, Before, Certificate, Tally, UnitPhase, UnitState
from checks import frame

FRESH = timedelta(minutes=2)
"""Evidence from before a batch that is older than this is asked for again; what takes longer to
say all is given twice its own time.
"""


def enter_next(t: Turn, u: Unit) -> bool:
    """Go to the phase that follows; False when the cluster must be seen first."""
    match u.state.phase:
        case UnitPhase.PENDING:
            seen = t.s.seen.get(u.plan.unit)
            if seen is None or not seen.reachable:
                return False
            _begin_batch(t, u, seen)
        case UnitPhase.APPLYING:
            return _soak(t, u)
        case UnitPhase.SOAKING:
            _verify(t, u)
        case UnitPhase.VERIFYING:
            return _batch_done(t, u)
        case UnitPhase.ROLLING_BACK:
            if added.note(t, u):
                return True
            _rolled_back(t, u)
        case _:
            raise AssertionError(f"nothing follows {u.state.phase}")
    return True


def forget_old_evidence(t: Turn, name: str) -> None:
    """A check before a batch speaks of now: what it said long ago is asked again."""
    unit = t.units[name]
    kept = tuple(
        run
        for run in unit.checks
        if run.when != "before"
        or run.overridden_by
        or not run.measurements
        or t.s.now - run.measurements[-1].at < max(FRESH, 2 * frame.takes(t.definition(run.name)))
    )
    if len(kept) != len(unit.checks):
        t.put(replace(unit, checks=kept))


def _begin_batch(t: Turn, u: Unit, seen: UnitSeen) -> None:
    first = u.state.before is None
    if first:
        before = adopting.first_contact(t, u, seen)
        u = t.unit(u.plan.unit)
        version = (u.state.before_revision or "").partition("@")[0]
        t.put(replace(u.state, one_way=_one_way(t, u, before, version)))
        leftovers.note(t, t.unit(u.plan.unit), seen)
    u = drifting.settle(t, t.unit(u.plan.unit), seen, first=first)
    u = guarding.settle(t, u)
    if first and _nothing_to_do(t, u, seen):
        t.put(replace(u.state, phase=UnitPhase.SUCCEEDED, since=t.s.now, look_at=None))
        t.tell("unit.succeeded", u.plan.unit, unchanged=True)
        leftovers.flip(t, u.plan.unit)
        return
    found = batch_ahead(t, u, seen)
    totals, step = found.totals, found.step
    ahead = still_ahead(u.component.batches, totals, step, whole=found.whole)
    endings.start(t)
    progress = t.progress(u)
    state = replace(
        u.state,
        phase=UnitPhase.APPLYING,
        since=t.s.now,
        batch=u.state.batch + 1,
        batches=u.state.batch + 1 + ahead,
        step=step.index,
        targets=step.targets,
        totals=totals,
        in_hand=True,
        began=u.state.began or t.s.now,
        batch_began=t.s.now,
        deadline=t.s.now + u.component.batch_deadline,
        converged=None,
        soak_until=None,
        checks=tuple(run for run in u.state.checks if run.when == "before"),
        unavailable_before=progress.unavailable if progress else 0,
        total=sum(totals.values()),
        failure=None,
        refused=None,
        halted=False,
        stopped_since=None,
        look_at=t.s.now,
    )
    if u.state.began is None:
        t.puts.append(Tally(what=BEGAN, release=t.s.name, unit=u.plan.unit, at=t.s.now))
    t.put(state)
    t.forget_progress(u.plan.unit)
    t.tell(
        "batch.applying",
        u.plan.unit,
        targets=dict(step.targets),
        batch=state.batch,
        batches=state.batches,
        wave=u.plan.wave + 1,
        stage=u.stage.name,
        totals=dict(totals),
        **leftovers.told(state),
    )


def _one_way(t: Turn, u: Unit, found: Sequence[Before], version: str) -> tuple[str, ...]:
    """Why the unit could not simply be put back to what is there now. A version that nobody knows
    may be any.
    """
    if all(before.digest is None for before in found):
        return ()
    said = [
        irreversible(version, u.component.version, pair.reason)
        for pair in u.component.irreversible
        if not version or fnmatchcase(version, pair.before)
    ]
    blobs = ChainMap(t.blobs, cast("dict[str, JSON]", t.s.blobs))
    for before, planned in zip(found, u.plan.objects, strict=True):
        old = blobs.get(before.digest) if before.digest else None
        changed = one_way(planned.ref, old, blobs[planned.digest])
        said += [in_words(changed)] if changed else []
    return tuple(said)


def _nothing_to_do(t: Turn, u: Unit, seen: UnitSeen) -> bool:
    """Revision equal to what is live and certified: done without a write (contract §1)."""
    goal = t.goal(u, Mode.FORWARD)
    if goal.nodes == frozenset() and siblings.comes_later(t.s, t.units, u.plan.unit):
        return True  # nobody is in the set: what comes after it applies the objects
    if not siblings.is_certified(t.s, u.plan):
        return False
    last = {ref.key: obj for ref, obj in goal.objects}
    return up_to_date(
        goal.objects, last, seen, rows=goal.rows, nodes=goal.nodes, places=goal.places
    )


def _soak(t: Turn, u: Unit) -> bool:
    progress = t.progress(u)
    if progress is None:
        return False
    between, after = soaks(t.s, u)
    if u.state.leaving:
        after = between  # the long silence after the version is behind it
    until = t.s.now + (after if _final(u) else between)
    state = replace(
        u.state,
        phase=UnitPhase.SOAKING,
        since=t.s.now,
        converged=t.s.now,
        soak_until=until,
        watched=t.s.now,
        guarded=(),
        updated=progress.updated,
        total=progress.total,
        look_at=min(until, t.s.now + timedelta(seconds=30)),
    )
    t.put(state)
    if not u.state.leaving:
        _keep(t, u, _applied(t, u, certified=False))
    t.tell(
        "batch.soaking", u.plan.unit, until=until, updated=progress.updated, total=progress.total
    )
    return True


def _verify(t: Turn, u: Unit) -> None:
    t.put(
        replace(
            u.state,
            phase=UnitPhase.VERIFYING,
            since=t.s.now,
            deadline=verified_by(t, u),
            look_at=t.s.now,
        )
    )


def verified_by(t: Turn, u: Unit) -> datetime:
    """By when every check after the batch must have passed: the batch's deadline, or the time that
    the slowest of them needs.
    """
    needs = [frame.takes(t.definition(run.name)) for run in t.runs(u, "after")]
    return t.s.now + max(u.component.batch_deadline, *needs, timedelta())


def _batch_done(t: Turn, u: Unit) -> bool:
    progress = t.progress(u)
    if progress is None or not (progress.converged and progress.healthy):
        return False
    final, leaving = _final(u), u.state.leaving
    u = leftovers.settle(t, u)
    pods = (*progress.pods, *(leftovers.evidence(u.state) if final else ()))
    proof = _certificate(t, u, pods, progress.updated, progress.total, final)
    t.puts.append(proof)
    leak = progress.detail.get("leak")
    t.tell(
        chain.DONE,
        u.plan.unit,
        updated=progress.updated,
        total=progress.total,
        certificate=chain.fingerprint(proof),
        **({"leak": leak} if leak else {}),
    )
    state = replace(
        u.state,
        phase=UnitPhase.SUCCEEDED if final else UnitPhase.PENDING,
        since=t.s.now,
        done=u.state.batch,
        in_hand=u.state.in_hand and not final,
        updated=progress.updated,
        total=progress.total,
        deadline=None,
        checks=u.state.checks if final else (),
        look_at=None,
    )
    t.put(state)
    if final:
        _keep(t, u, _applied(t, u, certified=True), whole=progress.everywhere)
        if not leaving:
            t.tell("unit.succeeded", u.plan.unit)
        leftovers.flip(t, u.plan.unit)
    return True


def _final(u: Unit) -> bool:
    return u.state.step >= len(u.component.batches) - 1


def _certificate(
    t: Turn, u: Unit, pods: tuple[JSON, ...], updated: int, total: int, final: bool
) -> Certificate:
    assert u.state.converged is not None
    assert u.state.soak_until is not None
    return Certificate(
        release=t.s.name,
        unit=u.plan.unit,
        batch=u.state.batch,
        plan_hash=t.s.plan.plan_hash,
        revision=u.plan.revision,
        updated=updated,
        total=total,
        pods=pods,
        checks=u.state.checks,
        soak_from=u.state.converged,
        soak_until=u.state.soak_until,
        approvers=t.approvers(),
        at=t.s.now,
        final=final,
    )


def _applied(t: Turn, u: Unit, *, certified: bool) -> Applied:
    objects = {planned.ref.key: u.state.wanted(planned) for planned in u.plan.objects}
    return Applied(
        unit=u.plan.unit,
        version=u.component.version,
        revision=u.plan.revision,
        release=t.s.name,
        fence=t.state.fence(u.state),
        at=t.s.now,
        objects=objects,
        certified=certified,
        safe=safe_of(u.state),
        safe_revision=u.state.before_revision or "",
        safe_release=u.state.before_release or "",
        leftovers=leftovers_rows.standing(u.state),
        refused=leftovers_rows.refused(t.s.applied.get(u.plan.unit), u.state, objects),
    )


def _keep(t: Turn, u: Unit, own: Applied, *, whole: bool = False) -> None:
    """The unit's own row, and the one of what it shares."""
    shared, lock = t.s.index.shared[u.plan.unit], u.plan.lock
    known = t.s.applied.get(lock) if lock != own.unit else None
    ours = siblings.with_shared(shared, lock, known, own, whole=whole)
    after = leftovers_rows.left_together(ours or known, u.state)
    t.puts += [own] if after is None or after is known else [own, after]


def safe_of(unit: UnitState) -> dict[str, str]:
    """Object key → digest of what was there before the release."""
    return {b.ref.key: b.digest for b in unit.before or () if b.digest is not None}


def _rolled_back(t: Turn, u: Unit) -> None:
    """The unit runs again what it ran before; the DB spec says so too."""
    u = added.settle(t, u)
    before = u.state.before or ()
    kept = {b.ref.key: b.digest for b in before if b.digest is not None and b.source == "applied"}
    deleted = t.is_first_install(u) and u.state.undo
    if deleted:
        added.tell_spared(t, u)
    revision = u.state.before_revision or ""
    own: Applied | None = None
    again, older = leftovers_rows.put_back(u.state)
    standing, refused = added.rows(t, u)
    if kept or again:
        own = replace(
            _applied(t, u, certified=True),
            version=revision.partition("@")[0],
            revision=revision,
            release=u.state.before_release or t.s.name,
            objects=kept | again,
            leftovers=older | standing,
            refused=refused,
        )
        t.puts.append(own)
    elif deleted or not t.is_first_install(u):
        t.drops.append((Applied, u.plan.unit))
    known = leftovers_rows.row_now(t, u.plan.lock) if u.plan.lock != u.plan.unit else None
    there = leftovers_rows.back_together(known, u.state)
    match siblings.lock_restored(t.s, t.units, u.plan, own, there):
        case str(key):
            t.drops.append((Applied, key))
        case Applied() as row:
            t.puts.append(row)
        case None if there is not known:
            t.puts.append(there)
    t.put(
        replace(
            u.state,
            phase=UnitPhase.ROLLED_BACK,
            since=t.s.now,
            back=False,
            leftovers=(),
            leaving=False,
            added=(),
            anew_above=t.state.seq,
            look_at=None,
            deadline=None,
        )
    )
    t.tell("unit.rolled-back", u.plan.unit, deleted=deleted, revision=revision)
