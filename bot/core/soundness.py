"""Whether what is remembered of a release fits together: its plan, its hash, a row for each unit.

Tells what does not; mends nothing, and never guesses what was there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from bot.core import messages_store as say
from bot.core.additions import sound
from bot.core.plan import plan_hash
from bot.model.plan import ReleasePlan
from bot.model.state import ReleasePhase, ReleaseState


def flaws(state: ReleaseState, plan: ReleasePlan | None, units: Collection[str]) -> Iterator[str]:
    """What is wrong with the rows of a release that has been merged and has not ended."""
    if state.phase is ReleasePhase.PROPOSED or state.phase.ended:
        # What is only proposed is planned again from its pull request.
        return
    if plan is None:
        yield say.no_plan(state.release)
        return
    if plan.plan_hash != state.plan_hash or (plan.plan_hash and plan_hash(plan) != plan.plan_hash):
        yield say.other_plan(state.release)
    elif not sound(plan):
        yield say.other_addition(state.release)
    gone = sorted({unit.unit for unit in plan.units} - set(units))
    if gone:
        yield say.no_units(state.release, gone)
