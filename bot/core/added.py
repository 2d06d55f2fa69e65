"""What a release added beside what stood before: found when the way back has put that back.

The workload goes back first and at once; what was added is asked about afterwards, and deleted as
what left the template is. Asks nobody itself (`undo` does), and names no write: the driver does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.cluster.kinds import row_of
from bot.cluster.leftovers import goes, stays
from bot.cluster.one_way import holds_data
from bot.cluster.render import apply_order, ref_of
from bot.core import installs
from bot.core.adopting import UNRECORDED
from bot.core.goals import leaving_one, says, used_by
from bot.core.leftovers_rows import row_now
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.leftover import Fate, Leftover
from bot.model.plan import JSON, ObjectRef
from bot.model.state import UnitPhase, UnitState

LATER = frozenset({"handed-over", "rendered"})
"""Why something stays for now only: the next release of the unit finds it again."""


def note(t: Turn, u: Unit) -> bool:
    """What the release created here and still stands, once all that was there before is back.
    Whether there is any: then it is not the end yet.
    """
    seen = t.s.seen.get(u.plan.unit)
    if u.state.added or seen is None or not _has_a_before(t, u):
        return False
    found: list[Leftover] = []
    for ref, digest in _created(t, u).items():
        there = seen.objects.get(ref.key)
        if there is None or there.live is None or goes(there.live):
            continue
        uid = str((there.live.get("metadata") or {}).get("uid", ""))
        found.append(_judged(t, u, Leftover(ref=ref, digest=digest, uid=uid), there.live))
    if not found:
        return False
    t.put(replace(u.state, added=tuple(found), look_at=t.s.now))
    t.forget_progress(u.plan.unit)
    t.tell("added.found", u.plan.unit, objects=[one.ref.short for one in found])
    tell_kept(t, u.plan.unit, found)
    return True


def _has_a_before(t: Turn, u: Unit) -> bool:
    """Older versions of a sharded operator are the way back: they sleep, with all they have."""
    rows = (row_of(planned.ref, t.s.index.rows) for planned in u.plan.objects)
    sharded = any(row is not None and row.sharding is not None for row in rows)
    return not (u.component.task or sharded or t.is_first_install(u))


def _created(t: Turn, u: Unit) -> dict[ObjectRef, str]:
    """What was not there at first contact → its digest, in the order of deleting."""
    new = {b.ref for b in u.state.before or () if b.digest is None}
    digests = {p.ref: u.state.wanted(p) for p in u.plan.objects if p.ref in new}
    order = apply_order([t.s.blobs[digest] for digest in digests.values()])
    return {ref: digests[ref] for ref in map(ref_of, reversed(order)) if ref in digests}


def _judged(t: Turn, u: Unit, one: Leftover, live: JSON) -> Leftover:
    if others := used_by(t.s, t.units, u, one.ref):
        return kept(one, "rendered", others[0])
    said = says(t.s, u, one.ref)
    if said == "keep":
        return kept(one, "component")
    seen, rows = t.s.seen[u.plan.unit], t.s.index.rows
    judged = leaving_one(t.s, t.state, u, one, t.s.blobs[one.digest])
    if code := stays(judged, live, seen, rows):
        return kept(one, code)
    lost = any(b.ref == one.ref and b.source == UNRECORDED for b in u.state.before or ())
    return replace(one, fate=Fate.LEAVING) if said == "allow" and not lost else one


def answered(unit: UnitState, *, delete: bool, by: str) -> UnitState:
    """After a yes, or after a no."""
    after = tuple(
        one
        if one.fate is not Fate.OPEN
        else replace(one, fate=Fate.LEAVING)
        if delete
        else kept(one, "no", by)
        for one in unit.added
    )
    return replace(unit, added=after)


def hand_over(t: Turn, u: Unit) -> bool:
    """A newer release waits for the unit, and only the answer is missing: it goes first, and asks
    itself about what it does not render. Whether it was so.
    """
    claims = t.s.claims.get(u.plan.lock, ())
    newer = [one.release for one in claims if one.position > t.state.position]
    remembered = any(b.source == "applied" for b in u.state.before or ())
    if not newer or not remembered or all(one.fate is not Fate.OPEN for one in u.state.added):
        return False
    after = tuple(
        kept(one, "handed-over", newer[0]) if one.fate is Fate.OPEN else one
        for one in u.state.added
    )
    t.put(replace(u.state, added=after, look_at=t.s.now))
    t.forget_progress(u.plan.unit)
    tell_kept(t, u.plan.unit, (one for one in after if one not in u.state.added))
    return True


def let_be(t: Turn, name: str) -> None:
    """What the cluster refuses to delete, or does not get done in time, stays and is told: what
    stood before is back all the same.
    """
    u = t.unit(name)
    if not u.state.added or u.state.phase is not UnitPhase.ROLLING_BACK:
        return
    late = u.state.deadline is not None and t.s.now >= u.state.deadline
    progress = t.progress(u) if u.state.refused or late else None
    stuck = [step for step in progress.steps if step.waiting] if progress is not None else []
    leaving = {one.ref: one for one in u.state.added if one.fate is Fate.LEAVING}
    if not stuck or any(step.ref not in leaving for step in stuck):
        return
    # The one in front only: those behind it have not been tried yet, and get their time.
    one = leaving[stuck[0].ref]
    why = "terminating" if stuck[0].detail.get("reason") == "Terminating" else "refused"
    given_up = kept(one, why, u.state.refused or "")
    after = tuple(given_up if other is one else other for other in u.state.added)
    until = t.s.now + u.component.batch_deadline
    t.put(replace(u.state, added=after, refused=None, look_at=t.s.now, deadline=until))
    t.forget_progress(name)
    tell_kept(t, name, (given_up,))


def settle(t: Turn, u: Unit) -> Unit:
    """The way back is at its end: what is gone, and what stayed after all."""
    seen, after = t.s.seen.get(u.plan.unit), []
    for one in u.state.added:
        there = seen.objects.get(one.ref.key) if seen is not None else None
        if one.fate is not Fate.LEAVING or seen is None:
            after.append(one)
        elif there is None or there.live is None:
            after.append(replace(one, fate=Fate.DELETED))
        else:
            judged = _judged(t, u, replace(one, fate=Fate.OPEN), there.live)
            after.append(judged if judged.fate is Fate.KEPT else kept(one, "refused"))
    new = [one for one in after if one not in u.state.added]
    if gone := [one.ref.short for one in new if one.fate is Fate.DELETED]:
        t.tell("added.deleted", u.plan.unit, objects=gone)
    tell_kept(t, u.plan.unit, new)
    t.put(replace(u.state, added=tuple(after)))
    return t.unit(u.plan.unit)


def tell_spared(t: Turn, u: Unit) -> None:
    """What stays of a first install that was deleted."""
    found = installs.spared(t.s, t.state, t.units, u, t.s.blobs)
    data = u.state.undo_data
    tell_kept(t, u.plan.unit, (one for ref, one in found.items() if data or not holds_data(ref)))


def rows(t: Turn, u: Unit) -> tuple[dict[str, str], dict[str, str]]:
    """What the unit's row says of it: those that the next release finds again, and who said no."""
    stay = [one for one in u.state.added if one.fate is Fate.KEPT]
    row = row_now(t, u.plan.unit)
    refused = dict(row.refused) if row is not None else {}
    refused |= {one.ref.key: one.detail for one in stay if one.why == "no"}
    return {one.ref.key: one.digest for one in stay if one.why in LATER}, refused


def kept(one: Leftover, why: str, detail: str = "") -> Leftover:
    return replace(one, fate=Fate.KEPT, why=why, detail=detail[:300])


def tell_kept(t: Turn, unit: str, found: Iterable[Leftover], *, actor: str = "sluice") -> None:
    for one in found:
        if one.fate is Fate.KEPT:
            data = {"object": one.ref.short, "why": one.why, "detail": one.detail}
            t.tell("leftover.kept", unit, actor=actor, **data)
