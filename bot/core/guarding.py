"""The guard before and in a batch: the gate that stops or asks, and what follows from it.

A blocked change closes the gate, and nobody overrides it. A change that is asked about is one
question for all units in which it is the same; a yes is to this change, and to no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from bot.cluster.goal import Mode
from bot.cluster.guard import Guarded
from bot.cluster.guard_hold import ahead
from bot.cluster.guard_rules import Act
from bot.core import messages_guard as say
from bot.core.decisions import open_decision, void
from bot.core.guard_lists import ASK, GUARD
from bot.core.pace import LOOK_EVERY
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.gate import Stop, Wait
from bot.model.plan import JSON
from bot.model.state import Decision, DecisionStatus, UnitPhase

SHOWN = 20
"""As many changes as are remembered to be shown."""
_STANDS = (DecisionStatus.OPEN, DecisionStatus.APPROVED, DecisionStatus.REJECTED)


def guard(t: Turn, u: Unit) -> Wait | None:
    """Nothing that is guarded would change in the unit, or somebody said yes to it."""
    found = _found(t, u)
    if found is None:
        return _closed(t, u, u.state.guarded, u.state.guard_marks)
    return _closed(t, u, _shown(found), _marks(found))


def unguarded(t: Turn, u: Unit) -> Wait | None:
    """No write of the batch in hand is kept back: what the cluster has may have changed since."""
    found = _found(t, u)
    if found is None:
        wait = _closed(t, u, u.state.guarded, u.state.guard_marks)
    else:
        wait = _closed(t, u, _shown(found), _marks(found))
    late = u.state.deadline is not None and t.s.now >= u.state.deadline
    if wait is not None and wait.code == "guarded" and late:
        return Stop(code=wait.code, facts=wait.facts, who=wait.who)
    return wait


def ask(t: Turn, u: Unit) -> None:
    """Tell once what is guarded, ask once about the same change, and look again later."""
    found = _found(t, u)
    if found is None:
        return
    shown = _shown(found)
    if shown != u.state.guarded and _blocks(shown):
        blocked = [one for one in shown if one["act"] == Act.BLOCK.value]
        t.tell("unit.guarded", u.plan.unit, changes=blocked, who=list(t.who("skip")))
    again = t.s.now + LOOK_EVERY[u.state.phase]
    began = u.state.guard_marks if u.state.began is not None else ()
    marks = tuple(dict.fromkeys((*began, *_marks(found))))
    t.put(replace(u.state, guarded=shown, guard_marks=marks, look_at=again))
    _forget(t)
    if not _blocks(shown):
        _open(t, u, found)


def settle(t: Turn, u: Unit) -> Unit:
    """The batch begins: what had a yes goes into the record, what is no change is forgotten."""
    found = _found(t, u) or ()
    marks = _marks(found)
    for decision in t.said_yes(GUARD):
        mine = [one for one in found if one.mark in decision.subject.split(",")]
        new = [one for one in mine if u.state.began is None or one.mark not in u.state.guard_marks]
        if new:
            by = [vote.by for vote in t.valid_votes(decision)]
            t.tell("guard.granted", u.plan.unit, id=decision.id, changes=list(_shown(new)), by=by)
    state = u.state
    if state.guarded or state.guard_marks or marks:
        began = state.guard_marks if state.began is not None else ()
        kept = tuple(dict.fromkeys((*began, *marks)))
        t.put(replace(state, guarded=(), guard_marks=kept))
        _forget(t)
    return t.unit(u.plan.unit)


def _found(t: Turn, u: Unit) -> tuple[Guarded, ...] | None:
    """What the guard says now; None where the cluster was not seen."""
    seen = t.s.seen.get(u.plan.unit)
    if seen is None or not seen.reachable:
        return None
    if u.state.phase is UnitPhase.PENDING:
        return ahead(t.goal(u, Mode.FORWARD), seen)
    progress = t.progress(u)
    return None if progress is None else progress.guarded


def _closed(t: Turn, u: Unit, shown: Sequence[JSON], marks: Sequence[str]) -> Wait | None:
    facts = {"unit": u.plan.unit, "cluster": u.plan.cluster}
    if _blocks(shown):
        blocked = [one for one in shown if one["act"] == Act.BLOCK.value]
        source = t.s.rules.source("Component", u.component.name)
        if all(one["builtIn"] for one in blocked):
            source = None
        return Wait(
            code="guarded",
            facts=facts | {"changes": blocked},
            who=t.who("skip"),
            source=source,
        )
    granted = t.marks(GUARD)
    missing = [mark for mark in marks if mark not in granted]
    if not missing or not shown:
        return None
    decision = _asked(t, missing)
    return Wait(
        code="guard-asks",
        facts=facts
        | {
            "changes": list(shown),
            "id": decision.id if decision else "",
            "rejected": decision is not None and decision.status is DecisionStatus.REJECTED,
        },
        who=t.deciders(decision) if decision else (),
    )


def _open(t: Turn, u: Unit, found: Sequence[Guarded]) -> None:
    """One question about what nobody has been asked about yet."""
    missing = [mark for mark in _marks(found) if mark not in t.marks(GUARD)]
    asked = {mark for one in _standing(t) for mark in one.subject.split(",")}
    new = [mark for mark in missing if mark not in asked]
    if not new:
        return
    changes = [one for one in found if one.mark in new]
    question = say.asks(u.plan.unit, _shown(changes))
    open_decision(t, GUARD, ",".join(new), ASK, asked=question, seen=_stamp(new))


def _forget(t: Turn) -> None:
    """What was asked about a change that no unit makes any more is void."""
    wanted = {mark for unit in t.units.values() for mark in unit.guard_marks}
    for decision in _standing(t):
        if decision.plan_hash != t.s.plan.plan_hash:
            void(t, decision, say.PLAN_CHANGED)
        elif decision.status is not DecisionStatus.REJECTED and not (
            set(decision.subject.split(",")) <= wanted
        ):
            void(t, decision, say.CHANGE_CHANGED)


def _standing(t: Turn) -> list[Decision]:
    return [one for one in t.decisions.values() if one.what == GUARD and one.status in _STANDS]


def _asked(t: Turn, missing: Sequence[str]) -> Decision | None:
    """The question that one of these changes waits for."""
    found = [one for one in _standing(t) if not set(missing).isdisjoint(one.subject.split(","))]
    return min(found, key=lambda one: one.number) if found else None


def _marks(found: Sequence[Guarded]) -> tuple[str, ...]:
    """Marks of what is asked about."""
    return tuple(sorted({one.mark for one in found if one.act is Act.ASK}))


def _shown(found: Sequence[Guarded]) -> tuple[JSON, ...]:
    """What stops first, as much as people read."""
    ordered = sorted(found, key=lambda one: one.act is not Act.BLOCK)
    return tuple(one.shown() for one in ordered[:SHOWN])


def _blocks(shown: Sequence[JSON]) -> bool:
    return any(one["act"] == Act.BLOCK.value for one in shown)


def _stamp(marks: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()[:16]
