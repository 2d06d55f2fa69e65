"""What a release as a whole waits for, when none of its units could go on. Questions only."""

from __future__ import annotations

from bot.core import leftovers_asked
from bot.core.gates_begin import after_last
from bot.core.gates_shared import held
from bot.core.turn import Turn
from bot.model.gate import Waiting
from bot.model.state import HoldCode, ReleasePhase, UnitPhase


def whole(t: Turn) -> list[Waiting]:
    """What a release waits for that has no unit left, or none at all: a hold, or a last yes."""
    if t.state.phase is ReleasePhase.PROPOSED or t.state.phase.ended:
        return []
    back = t.state.phase is ReleasePhase.ROLLING_BACK
    idle = (UnitPhase.PENDING,) if back else ()  # what never began has nothing to go back
    if any(not (unit.phase.ended or unit.phase in idle) for unit in t.units.values()):
        return []
    holds = [hold for hold in t.holds if hold.release == t.s.name]
    holds.sort(key=lambda hold: hold.code is not HoldCode.FAILED)
    if holds:
        return [Waiting(unit="", gate="holds", wait=held(t, holds[0]))]
    if t.state.phase not in (ReleasePhase.SCHEDULED, ReleasePhase.PROGRESSING):
        return []
    asked = [after_last(t, stage) for stage in t.s.plan.stages]
    said = [Waiting(unit="", gate="approval", wait=wait) for wait in asked if wait]
    return [*said, *leftovers_asked.waits(t)][:1]
