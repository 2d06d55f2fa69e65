"""What undoing a first install leaves where it is, whatever people said: what is not its own alone.

The same questions as of what was added beside others: who else has it, whose it is, what was edited
since. Deletes and asks nothing: names what stays, and why.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.cluster.leftovers import goes, identity, not_ours_alone
from bot.core.goals import brought_by, leaving_one, says
from bot.core.siblings import Units
from bot.core.situation import Situation, Unit
from bot.model.leftover import Fate, Leftover
from bot.model.plan import JSON, ObjectRef
from bot.model.state import ReleasePhase, ReleaseState, UnitPhase, UnitState


def spared(
    s: Situation, state: ReleaseState, units: Units, u: Unit, blobs: Mapping[str, JSON]
) -> dict[ObjectRef, Leftover]:
    """What the unit created, stands, and is not deleted with it."""
    seen, found = s.seen.get(u.plan.unit), unasked(s, state, units, u)
    beside = [blobs[u.state.wanted(planned)] for planned in u.plan.objects]
    for ref, digest in created(u).items():
        there = seen.objects.get(ref.key) if seen is not None else None
        if ref in found or there is None or there.live is None or goes(there.live):
            continue
        one = Leftover(ref=ref, digest=digest, uid="")
        leaving = leaving_one(s, state, u, one, blobs[digest])
        if code := not_ours_alone(leaving, there.live, s.index.rows, beside):
            found[ref] = _kept(ref, digest, code)
    return found


def unasked(s: Situation, state: ReleaseState, units: Units, u: Unit) -> dict[ObjectRef, Leftover]:
    """Those of them that nobody needs to be asked about: the component keeps them, or others of
    the cluster have them too.
    """
    found: dict[ObjectRef, Leftover] = {}
    for ref, digest in created(u).items():
        if says(s, u, ref) == "keep":
            found[ref] = _kept(ref, digest, "component")
            continue
        others = brought_by(s, u.plan, ref)
        if having := [name for name in others if _has_it(s, state, units, u, name, ref)]:
            found[ref] = _kept(ref, digest, "rendered", having[0])
    return found


def created(u: Unit) -> dict[ObjectRef, str]:
    """What was not there at first contact → the digest of what was applied."""
    new = {before.ref for before in u.state.before or () if before.digest is None}
    return {one.ref: u.state.wanted(one) for one in u.plan.objects if one.ref in new}


def _has_it(
    s: Situation, state: ReleaseState, units: Units, u: Unit, name: str, ref: ObjectRef
) -> bool:
    """Whether another unit has the object now, or comes to have it. One of this release that is
    back, or goes nowhere any more, has what it had before.
    """
    peer = units.get(name)
    if peer is None:
        return True
    if peer.began is None:
        before = identity(ref) in s.brought.get(u.plan.unit, {}).get(name, ())
        back = state.phase is ReleasePhase.ROLLING_BACK
        part = s.index.units[name].lock == u.plan.lock
        comes = not back and not peer.phase.ended and not part
        # A part of the same cluster that found all done by this one goes back as this one does.
        found = peer.phase is UnitPhase.SUCCEEDED and not (back and part)
        return before or comes or found
    if peer.phase is not UnitPhase.ROLLED_BACK or "keep" in peer.overrides:
        return True
    return _had_it(peer, ref)


def _had_it(peer: UnitState, ref: ObjectRef) -> bool:
    return any(one.ref == ref and one.digest is not None for one in peer.before or ())


def _kept(ref: ObjectRef, digest: str, why: str, detail: str = "") -> Leftover:
    return Leftover(ref=ref, digest=digest, uid="", fate=Fate.KEPT, why=why, detail=detail)
