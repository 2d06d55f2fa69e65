"""The verb accept for what was edited by hand: the edit is kept. Changes nothing itself."""

from __future__ import annotations

from dataclasses import replace

from bot.core import messages_drift as say
from bot.core.commands import Ask, Outcome
from bot.core.drifting import KEEP
from bot.core.messages_refusal import refusal
from bot.model.state import ReleasePhase, UnitPhase, UnitState


def drifted(unit: UnitState) -> bool:
    """Whether it waits for an answer to an edit."""
    return unit.phase is UnitPhase.PENDING and bool(unit.drift_mark)


def accept_edits(ask: Ask) -> Outcome | None:
    """Keep the edits of the units in the scope that wait for an answer; None where none does."""
    outcome, names = Outcome(), []
    for active, units in ask.board.reached(ask.scope):
        if active.state.phase is ReleasePhase.PROPOSED:
            continue
        waiting = [name for name in units if drifted(active.units[name])]
        if not waiting:
            continue
        t = ask.turn(active)
        for name in waiting:
            unit = t.units[name]
            if any(not edit.get("path") for edit in unit.drift):
                return Outcome(refused=refusal("gone", why=say.KEEPS_NOTHING, unit=name))
            answer = f"{KEEP}:{unit.drift_mark}"
            t.put(replace(unit, overrides=(*unit.overrides, answer), look_at=None))
            t.tell("unit.drift-kept", name, actor=ask.by, edits=list(unit.drift))
        outcome.step(t)
        names += waiting
    if not names:
        return None
    outcome.text = say.kept(names, ask.by)
    outcome.body = {"scope": ask.scope, "kept": names}
    return outcome
