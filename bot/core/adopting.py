"""First contact with the objects of a unit: what a rollback would restore, and whose it is.

The store has what we applied last, the object has the digest of it. Where the two disagree the
object is believed as far as a newer fence vouches for it: another store wrote it, or ours was put
back. Then it is adopted like one that was never ours: the live object is the baseline, and nothing
is taken from it because an old row had it. A digest without such a fence was written by hand.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from bot.cluster.fence import fence_of, numbers
from bot.cluster.marks import owner_of, stamp_of
from bot.cluster.merge import baseline
from bot.cluster.render import digest
from bot.core import siblings
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.plan import JSON, ObjectRef, PlannedObject
from bot.model.seen import UnitSeen
from bot.model.state import Before, UnitPhase

FOREIGN = "foreign"
"""Source of a Before: live, and applied last by somebody whom this store does not know."""
UNRECORDED = "unrecorded"
"""Source of a Before: live, and ours, and unknown to the store. What people said of it is lost: it
is asked about again, whatever the component allows.
"""


class Because(StrEnum):
    """Why store and object disagree on what was applied last."""

    ANOTHER_STORE = "another-store"
    """It was written after all that our row knows of."""
    NO_RECORD = "no-record"
    """We have no row of it: the store was lost, or another one released it before."""
    BY_HAND = "by-hand"
    """The digest was changed by somebody who is no Sluice: what we applied last stands."""


def first_contact(t: Turn, u: Unit, seen: UnitSeen) -> tuple[Before, ...]:
    """What a rollback restores: what we applied last, else what is live, else that nothing was
    there. Tells where store and cluster disagree.
    """
    stood = siblings.stood(t.s, u.plan)
    # What a sibling found before it wrote is what was there before the release.
    first = {} if stood.sure else siblings.before_siblings(t.s, t.units, u.plan)
    # What stands only until somebody has said what becomes of it is no part of what stood before.
    nobodys = stood.half_way | siblings.left_over(t.s, u.plan)
    found: list[Before] = []
    told: list[JSON] = []
    for planned in u.plan.objects:
        there = seen.objects.get(planned.ref.key)
        live = there.live if there else None
        known = stood.objects.get(planned.ref.key)
        if planned.ref.key in first:
            found.append(first[planned.ref.key])
            continue
        if live is None or (known is None and planned.ref.key in nobodys):
            found.append(Before(ref=planned.ref, digest=None, source="absent"))
            continue
        if known is None and _unrecorded(t, u, seen, live):
            found.append(Before(ref=planned.ref, digest=None, source=UNRECORDED))
            continue
        why = disagrees(t, u, planned, live, known)
        if why is not None:
            told.append(_told(planned, live, known, why))
        if known is not None and why is not Because.ANOTHER_STORE:
            source = "applied" if stood.revision else "baseline"
            found.append(Before(ref=planned.ref, digest=known, source=source))
            continue
        was = baseline(live)
        t.blobs[digest(was)] = was
        source = "baseline" if known is None else FOREIGN
        found.append(Before(ref=planned.ref, digest=digest(was), source=source))
    if told:
        t.tell("unit.disagreed", u.plan.unit, objects=told)
    t.put(
        replace(
            u.state,
            before=tuple(found),
            before_revision=stood.revision or None,
            before_release=stood.release or None,
        )
    )
    return tuple(found)


def _unrecorded(t: Turn, u: Unit, seen: UnitSeen, live: JSON) -> bool:
    """Whether the object came with a write of ours that the store does not know of, into a unit
    that runs what the store says: a release added it and went back, and the store is an older copy.
    """
    had = {one.ref for one in u.plan.objects if one.ref.key in siblings.stood(t.s, u.plan).objects}
    if u.plan.nodes is not None or not had or strangers(t, u, seen):
        return False
    return owner_of(live) == u.component.name and fence_of(live) > _fence(t, u)


def met_later(t: Turn, name: str) -> None:
    """Somebody created an object that was not there at first contact, before our own write came to
    it: it is adopted as it is, and no rollback deletes it. What we create carries our fence.
    """
    u, seen = t.unit(name), t.s.seen.get(name)
    if u.state.phase is not UnitPhase.APPLYING or u.component.task or not (seen and seen.reachable):
        return
    found: list[Before] = []
    for before in u.state.before or ():
        there = seen.objects.get(before.ref.key) if before.digest is None else None
        live = there.live if there else None
        if live is None or fence_of(live):
            found.append(before)
            continue
        was = baseline(live)
        t.blobs[digest(was)] = was
        found.append(Before(ref=before.ref, digest=digest(was), source="baseline"))
        t.tell("object.met", name, object=before.ref.short)
    if tuple(found) != (u.state.before or ()):
        t.put(replace(u.state, before=tuple(found)))
        t.forget_progress(name)


def disagrees(
    t: Turn, u: Unit, planned: PlannedObject, live: JSON, known: str | None
) -> Because | None:
    """Whether the object says that a spec was applied last which the store has never seen. What
    parts of a cluster share is written by several, and judged by none.
    """
    stamp = stamp_of(live)
    ours = {known, planned.digest, u.state.wanted(planned), ""}
    if u.plan.nodes is not None or stamp in ours or stamp in t.blobs or stamp in t.s.blobs:
        return None
    if known is None:
        return Because.NO_RECORD
    return Because.ANOTHER_STORE if fence_of(live) > _fence(t, u) else Because.BY_HAND


def strangers(t: Turn, u: Unit, seen: UnitSeen) -> dict[ObjectRef, str]:
    """Objects of a unit that another store wrote last → the fence of its write."""
    applied = siblings.last_applied(t.s, u.plan)
    found: dict[ObjectRef, str] = {}
    for planned in u.plan.objects:
        there = seen.objects.get(planned.ref.key)
        live, known = there.live if there else None, applied.get(planned.ref.key)
        if live is None or known is None:
            continue
        if disagrees(t, u, planned, live, known) is Because.ANOTHER_STORE:
            found[planned.ref] = _fence_text(live)
    return found


def _fence(t: Turn, u: Unit) -> tuple[int, ...]:
    """The newest write to the unit that the store has brought to an end."""
    rows = (t.s.applied.get(key) for key in (u.plan.unit, u.plan.lock))
    return max((numbers(row.fence) for row in rows if row is not None), default=())


def _fence_text(live: JSON) -> str:
    return ".".join(map(str, fence_of(live)))


def _told(planned: PlannedObject, live: JSON, known: str | None, why: Because) -> dict[str, JSON]:
    """The disagreement as it is remembered: digests and fence, never a spec."""
    return {
        "object": planned.ref.short,
        "why": why.value,
        "applied": stamp_of(live),
        "known": known,
        "fence": _fence_text(live),
        "owner": owner_of(live),
    }
