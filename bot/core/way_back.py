"""The way back: how many units go at once, what a unit does that waits, and when all will be back.

Decides no end. A rollback has a limit of its own; no forward limit stops it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from math import ceil

from bot.cluster.goal import Mode
from bot.core import added, undo
from bot.core.gates_rolling import moves_back, reversible, undo_decided
from bot.core.pace import LOOK_EVERY, UNREACHABLE_EVERY
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.gate import Wait
from bot.model.leftover import Fate
from bot.model.state import UnitPhase, UnitState

ON_ITS_WAY = ("reachable", "restored")
"""Gates that a unit is at while it moves; at every other one it stands."""


def rollback_limit(t: Turn, u: Unit) -> Wait | None:
    """No more units of the stage go back at once than its `rollback.maxConcurrency` says."""
    if u.state.unreachable_since is not None:
        return None  # it is only asked whether it answers: that takes nobody's place
    taken = _places(t).setdefault(u.plan.stage, set())
    if u.plan.unit in taken:
        return None
    if len(taken) >= u.stage.back_at_once:
        facts = {"limit": u.stage.back_at_once, "going": len(taken), "stage": u.stage.name}
        return Wait(code="rollback-limit", facts=facts)
    taken.add(u.plan.unit)
    return None


def _places(t: Turn) -> dict[int, set[str]]:
    if t.places_back is None:
        t.places_back = {stage: set() for stage in range(len(t.s.plan.stages))}
        for name, unit in t.units.items():
            if unit.moves_back:
                t.places_back[t.s.index.units[name].stage].add(name)
    return t.places_back


def stands(t: Turn, u: Unit, gate: str) -> bool:
    """What follows for a unit on its way back that a gate holds up; False where it only moves.

    It gives up its place and its time: both are given anew when the gate opens.
    """
    state = u.state
    if gate == "restored" and state.look_at is None and u.plan.unit not in t.s.seen:
        t.put(replace(state, look_at=t.s.now))
        t.asks.add(u.plan.unit)
        return True
    if gate in ON_ITS_WAY:
        return False
    if gate == "undo_decided":
        if state.added:
            if added.hand_over(t, u):
                return True
        else:
            undo.ask(t)
    if gate == "reversible" and _stops(t, u):
        return True
    if state.deadline is not None or state.look_at is not None:
        t.put(replace(state, deadline=None, look_at=None))
    return True


def _stops(t: Turn, u: Unit) -> bool:
    """What waits for an admin's word does not go on rolling forward meanwhile. False when nothing
    is left to be seen.
    """
    name, state = u.plan.unit, u.state
    if not t.look_is_due(u):
        return False
    if name not in t.s.seen:
        t.asks.add(name)
        return True
    progress = t.progress(u, Mode.STOP)
    again = t.s.now + UNREACHABLE_EVERY
    if progress is not None and not t.is_another(u):
        t.writes += [(name, write) for write in progress.writes]
        again = t.s.now + LOOK_EVERY[UnitPhase.ROLLING_BACK]
    if progress is not None and not progress.writes and not t.is_another(u):
        return False
    t.put(replace(state, deadline=None, look_at=again))
    return True


def freed(t: Turn) -> bool:
    """Whether a place became free or a newer unit is back, and somebody waits for that: those who
    were asked earlier in this turn are asked again.
    """
    left = any(
        old.phase is UnitPhase.ROLLING_BACK and (not _moves(unit) and _moves(old))
        for name, unit in t.units.items()
        if unit is not (old := t.s.units[name])
    )
    return left and any(unit.phase is UnitPhase.ROLLING_BACK for unit in t.units.values())


def _moves(unit: UnitState) -> bool:
    asked = any(one.fate is Fate.OPEN for one in unit.added)
    back = unit.phase is UnitPhase.ROLLING_BACK and unit.unreachable_since is None
    return back and not asked


def ask_about_added(t: Turn) -> None:
    """What was added is asked about when all that can go back by itself is back: once."""
    if not any(one.fate is Fate.OPEN for unit in t.units.values() for one in unit.added):
        return
    if not any(_moves_by_itself(t, name) for name in t.units):
        undo.ask_added(t)


def _moves_by_itself(t: Turn, name: str) -> bool:
    return t.units[name].phase is UnitPhase.ROLLING_BACK and moves_back(t, t.unit(name))


def back_by(t: Turn) -> datetime | None:
    """When all that moves will be back, as far as `batchTakes` tells; None where nothing moves."""
    waves: dict[tuple[int, int], list[str]] = {}
    for name, unit in t.units.items():
        if unit.phase is UnitPhase.ROLLING_BACK and unit.unreachable_since is None:
            if undo_decided(t, t.unit(name)) or reversible(t, t.unit(name)):
                continue
            plan = t.s.index.units[name]
            waves.setdefault((plan.stage, plan.wave), []).append(name)
    at = t.s.now
    for (stage, _), names in waves.items():
        rounds = ceil(len(names) / t.s.plan.stages[stage].back_at_once)
        at += rounds * max(t.unit(name).component.batch_takes for name in names)
    return at if waves else None
