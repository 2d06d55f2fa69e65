"""What undoing first installs would delete: asked once a release, of all its units together.

Objects that hold data are asked about on their own, and only when the rest is to go. Deletes
nothing itself: a unit's `undo` lets the driver do so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from bot.cluster.one_way import holds_data
from bot.core.decisions import open_decision, void
from bot.core.messages_undo import UNITS_CHANGED, asks_data, asks_undo
from bot.core.turn import Turn
from bot.model.plan import ApprovalAsk
from bot.model.state import Decision, DecisionStatus, UnitPhase

KINDS = ("undo", "undo-data")
KEPT = {"undo": "keep", "undo-data": "keep-data"}
"""Decision → what a no leaves among the overrides of a unit."""


def wanted(t: Turn, name: str) -> str:
    """What has to be decided of a unit that goes back: `undo`, `undo-data`, or "" (nothing)."""
    u = t.unit(name)
    if u.state.phase is not UnitPhase.ROLLING_BACK or not t.is_first_install(u):
        return ""
    if "keep" in u.state.overrides:
        return ""
    if not u.state.undo:
        return "undo"
    decided = u.state.undo_data or "keep-data" in u.state.overrides
    return "" if decided or not _data_of(t, name) else "undo-data"


def ask(t: Turn) -> None:
    """One open decision a kind, about exactly the units that still want it."""
    for what in KINDS:
        names = [unit.unit for unit in t.s.plan.units if wanted(t, unit.unit) == what]
        stamp = _stamp(names)
        standing = _open(t, what)
        if standing is not None and standing.shown == stamp:
            continue
        if standing is not None:
            void(t, standing, UNITS_CHANGED)
        if names:
            roles = ("operator", "approver") if what == "undo" else ("approver", "admin")
            asked = ApprovalAsk(when=what, roles=roles, count=1)
            open_decision(t, what, "", asked, asked=_question(t, what, names), seen=stamp)


def decide(t: Turn, decision: Decision, *, delete: bool) -> None:
    """A yes or a no, for every unit that it was asked of."""
    for unit in t.s.plan.units:
        if wanted(t, unit.unit) != decision.what:
            continue
        state = replace(t.units[unit.unit], look_at=t.s.now)
        if not delete:
            state = replace(state, overrides=(*state.overrides, KEPT[decision.what]))
        elif decision.what == "undo":
            state = replace(state, undo=True)
        else:
            state = replace(state, undo_data=True)
        t.put(state)


def is_stale(t: Turn, decision: Decision) -> bool:
    """Whether it was asked of other units than those that want it now."""
    names = [u.unit for u in t.s.plan.units if wanted(t, u.unit) == decision.what]
    return decision.what in KINDS and decision.shown != _stamp(names)


def _open(t: Turn, what: str) -> Decision | None:
    found = [
        decision
        for decision in t.decisions.values()
        if decision.what == what and decision.status is DecisionStatus.OPEN
    ]
    return max(found, key=lambda decision: decision.number) if found else None


def _stamp(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _question(t: Turn, what: str, names: list[str]) -> str:
    objects: dict[str, None] = {}
    for name in names:
        if what == "undo-data":
            objects |= dict.fromkeys(_data_of(t, name))
            continue
        planned = t.s.index.units[name].objects
        objects |= dict.fromkeys(o.ref.short for o in planned if not holds_data(o.ref))
    return (asks_undo if what == "undo" else asks_data)(names, list(objects))


def _data_of(t: Turn, name: str) -> list[str]:
    """Objects of a unit that hold data, and that the release created."""
    created = {b.ref for b in t.units[name].before or () if b.digest is None}
    planned = t.s.index.units[name].objects
    return [o.ref.short for o in planned if holds_data(o.ref) and o.ref in created]
