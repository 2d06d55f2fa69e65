"""Whether a release may end well: all units did, nothing holds it, nobody is asked any more."""

from __future__ import annotations

from bot.core.leftovers_asked import undecided
from bot.core.turn import Turn
from bot.model.state import HoldCode, UnitPhase


def held_as_a_whole(t: Turn) -> bool:
    # A snooze delays what begins: a good end is no beginning.
    holds = (hold for hold in t.holds if hold.code is not HoldCode.SNOOZED)
    return any(hold.release == t.s.name for hold in holds)


def all_good(t: Turn) -> bool:
    ended = all(unit.phase.ended for unit in t.units.values())
    if not t.units or not ended or any(unit.phase is UnitPhase.FAILED for unit in t.units.values()):
        return False
    for stage in t.s.plan.stages:
        if stage.approval is not None and stage.approval.when == "after":
            decision = t.decision_on("after-stage", stage.name)
            if decision is None or not t.granted(decision):
                return False
    return not held_as_a_whole(t) and not undecided(t)
