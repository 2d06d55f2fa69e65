"""What undoing would delete: first installs, and what was added beside what stood before. Asked
once a release, of all its units together.

Objects that hold data are asked about on their own, and only when the rest is to go. Deletes
nothing itself: a unit's `undo` lets the driver do so.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace

from bot.cluster.one_way import holds_data
from bot.core import added, installs
from bot.core.decisions import open_decision, void
from bot.core.messages_undo import UNITS_CHANGED, asks_data, asks_undo
from bot.core.turn import Turn
from bot.model.leftover import Fate
from bot.model.plan import ApprovalAsk, ObjectRef
from bot.model.state import Decision, DecisionStatus, UnitPhase

KINDS = ("undo", "undo-data")
ADDED = "added"
"""Subject of the question about what was added; that about first installs has none."""
KEPT = {"undo": "keep", "undo-data": "keep-data"}
"""Decision → what a no leaves among the overrides of a unit."""


def wanted(t: Turn, name: str) -> str:
    """What has to be decided of a unit that goes back: `undo`, `undo-data`, or "" (nothing)."""
    u = t.unit(name)
    if u.state.phase is not UnitPhase.ROLLING_BACK:
        return ""
    if not t.is_first_install(u):
        return "undo" if any(one.fate is Fate.OPEN for one in u.state.added) else ""
    if "keep" in u.state.overrides:
        return ""
    if not u.state.undo:
        return "undo" if _installed(t, name) else ""
    decided = u.state.undo_data or "keep-data" in u.state.overrides
    return "" if decided or not _data_of(t, name) else "undo-data"


def ask(t: Turn) -> None:
    """One open decision a kind, about exactly the first installs that still want it."""
    for what in KINDS:
        _keep_asked(t, what, "")


def ask_added(t: Turn) -> None:
    """One open decision about what was added, of all units where it waits for an answer."""
    _keep_asked(t, "undo", ADDED)


def _keep_asked(t: Turn, what: str, subject: str) -> None:
    names = _wanting(t, what, subject)
    stamp = _stamp(names)
    standing = _open(t, what, subject)
    if standing is not None and standing.shown == stamp:
        return
    if standing is not None:
        void(t, standing, UNITS_CHANGED)
    if names:
        roles = ("operator", "approver") if what == "undo" else ("approver", "admin")
        asked = ApprovalAsk(when=what, roles=roles, count=1)
        question = _question(t, what, subject, names)
        open_decision(t, what, subject, asked, asked=question, seen=stamp)


def _wanting(t: Turn, what: str, subject: str) -> list[str]:
    beside = subject == ADDED
    return [
        unit.unit
        for unit in t.s.plan.units
        if bool(t.units[unit.unit].added) == beside and wanted(t, unit.unit) == what
    ]


def decide(t: Turn, decision: Decision, *, delete: bool, by: str) -> None:
    """A yes or a no, for every unit that it was asked of."""
    for name in _wanting(t, decision.what, decision.subject):
        state = replace(t.units[name], look_at=t.s.now)
        if decision.subject == ADDED:
            before, state = state, added.answered(state, delete=delete, by=by)
            new = [one for one in state.added if one not in before.added]
            added.tell_kept(t, name, new, actor=by)
        elif not delete:
            state = replace(state, overrides=(*state.overrides, KEPT[decision.what]))
        elif decision.what == "undo":
            state = replace(state, undo=True)
        else:
            state = replace(state, undo_data=True)
        t.put(state)


def is_stale(t: Turn, decision: Decision) -> bool:
    """Whether it was asked of other units than those that want it now."""
    names = _wanting(t, decision.what, decision.subject)
    return decision.what in KINDS and decision.shown != _stamp(names)


def _open(t: Turn, what: str, subject: str) -> Decision | None:
    found = [
        decision
        for decision in t.decisions.values()
        if (decision.what, decision.subject) == (what, subject)
        and decision.status is DecisionStatus.OPEN
    ]
    return max(found, key=lambda decision: decision.number) if found else None


def _stamp(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]


def _question(t: Turn, what: str, subject: str, names: list[str]) -> str:
    objects: dict[str, None] = {}
    for name in names:
        if what == "undo-data":
            objects |= dict.fromkeys(_data_of(t, name))
            continue
        if subject == ADDED:
            beside = t.units[name].added
            objects |= dict.fromkeys(o.ref.short for o in beside if o.fate is Fate.OPEN)
            continue
        refs = _installed(t, name)
        plain = [ref.short for ref in refs if not holds_data(ref)]
        objects |= dict.fromkeys(plain or [ref.short for ref in refs])
    if what == "undo-data":
        return asks_data(names, list(objects))
    return asks_undo(names, list(objects), beside=subject == ADDED)


def _data_of(t: Turn, name: str) -> list[str]:
    """Objects of a unit that hold data, and that the release created."""
    return [ref.short for ref in _installed(t, name) if holds_data(ref)]


def _installed(t: Turn, name: str) -> list[ObjectRef]:
    """What a yes would delete of a first install, as far as that is known without a look."""
    u = t.unit(name)
    stays = installs.unasked(t.s, t.state, t.units, u)
    return [ref for ref in installs.created(u) if ref not in stays]
