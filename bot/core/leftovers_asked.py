"""The question about what left the template: one for a release, about all objects that stand open.

A yes is to these objects in every unit of the release, and to no other object. A no keeps them.
While nobody answers, the release goes on; only its end waits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.core import messages_leftovers as say
from bot.core.decisions import open_decision, void
from bot.core.leftovers import FORWARD, go_on, has_yes
from bot.core.leftovers_rows import write_down
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.gate import Wait, Waiting
from bot.model.leftover import LEFTOVERS, Fate, Leftover
from bot.model.plan import ApprovalAsk
from bot.model.state import Decision, DecisionStatus, UnitPhase, UnitState

ASK = ApprovalAsk(when=LEFTOVERS, roles=("approver",), count=1)


def keep(t: Turn) -> None:
    """Let go what has a yes, ask about what has none, and void what nobody asks any more."""
    if any(unit.leftovers for unit in t.units.values()):
        _hand_over(t)
        go_on(t)
    wanted = _wanted(t)
    stamp = _stamp(wanted)
    for standing_one in _open(t):
        if standing_one.shown == stamp and wanted:
            return
        void(t, standing_one, say.OBJECTS_CHANGED if wanted else say.NOTHING_LEFT)
    if wanted:
        subject = ",".join(sorted(one.mark for one in wanted.values()))
        question = say.asks([one.ref.short for one in wanted.values()])
        open_decision(t, LEFTOVERS, subject, ASK, asked=question, seen=stamp)


def undecided(t: Turn) -> bool:
    """Whether the end of the release waits for an answer."""
    return next(_undecided(t), None) is not None


def waits(t: Turn) -> list[Waiting]:
    """What the release waits for when all its units have ended."""
    if not undecided(t):
        return []
    asked = max(_open(t), key=lambda one: one.number, default=None)
    objects = dict.fromkeys(
        one.ref.short for unit in _undecided(t) for one in unit.leftovers if one.fate is Fate.OPEN
    )
    facts = {"objects": list(objects), "id": asked.id if asked else ""}
    who = t.deciders(asked) if asked else ()
    return [Waiting(unit="", gate=LEFTOVERS, wait=Wait(code=LEFTOVERS, facts=facts, who=who))]


def decide(t: Turn, decision: Decision, *, delete: bool, by: str) -> None:
    """A yes or a no, for every unit that has the objects."""
    marks = set(decision.subject.split(","))
    for name, unit in list(t.units.items()):
        found = tuple(_answered(one, marks, delete=delete, by=by) for one in unit.leftovers)
        new = [one for one in found if one not in unit.leftovers]
        if new:
            t.put(replace(unit, leftovers=found))
        write_down(t, t.units[name], marks, by, delete=delete)
        for one in new if not delete else ():
            t.tell("leftover.kept", name, actor=by, object=one.ref.short, why="no", detail=by)


def _answered(one: Leftover, marks: set[str], *, delete: bool, by: str) -> Leftover:
    if one.mark not in marks:
        return one
    if not delete and one.fate is Fate.OPEN:
        return replace(one, fate=Fate.KEPT, why="no", detail=by)
    if delete and one.fate is Fate.KEPT and one.why == "no":
        return replace(one, fate=Fate.OPEN, why="", detail="")
    return one


def _undecided(t: Turn) -> Iterator[UnitState]:
    return (
        unit
        for unit in t.units.values()
        if unit.phase is UnitPhase.SUCCEEDED
        and any(one.fate is Fate.OPEN for one in unit.leftovers)
    )


def _hand_over(t: Turn) -> None:
    """All is done but the answer, and a newer release waits for a unit: it goes first, and asks
    about the same objects itself.
    """
    if not all(unit.phase.ended for unit in t.units.values()):
        return
    for unit in list(_undecided(t)):
        claims = t.s.claims.get(t.s.index.units[unit.unit].lock, ())
        newer = [one.release for one in claims if one.position > t.state.position]
        if newer:
            break
    else:
        return
    for unit in list(_undecided(t)):
        left = tuple(
            replace(one, fate=Fate.KEPT, why="handed-over", detail=newer[0])
            if one.fate is Fate.OPEN
            else one
            for one in unit.leftovers
        )
        t.put(replace(unit, leftovers=left))
    t.tell("leftovers.handed-over", release=newer[0])


def _wanted(t: Turn) -> dict[str, Leftover]:
    """Objects about which nobody has said anything, by mark."""
    if t.state.phase not in FORWARD:
        return {}
    found: dict[str, Leftover] = {}
    for unit in t.units.values():
        if unit.leftovers and not unit.back:
            u = t.unit(unit.unit)
            for one in _silent(t, u):
                found.setdefault(one.mark, one)
    return found


def _silent(t: Turn, u: Unit) -> Iterator[Leftover]:
    return (one for one in u.state.leftovers if one.fate is Fate.OPEN and not has_yes(t, u, one))


def _open(t: Turn) -> list[Decision]:
    return [
        one
        for one in t.decisions.values()
        if one.what == LEFTOVERS and one.status is DecisionStatus.OPEN and not t.granted(one)
    ]


def _stamp(marks: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(marks)).encode()).hexdigest()[:16]
