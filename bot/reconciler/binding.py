"""Decisions that outlive their plan: what of it has changed is written beside them.

Voids nothing: that is decided when the release is looked at next.
"""

from __future__ import annotations

from dataclasses import replace

from bot.core.board import Active
from bot.core.messages_void import plan_changes
from bot.model.plan import ReleasePlan
from bot.model.state import Decision, DecisionStatus


def bound(before: Active | None, plan: ReleasePlan) -> dict[int, Decision]:
    """The decisions of a release that has another plan now."""
    if before is None:
        return {}
    if before.state.plan_hash == plan.plan_hash:
        return before.decisions
    differs = plan_changes(before.index.plan, plan)
    return {
        number: decision
        if decision.status is DecisionStatus.VOID
        else replace(decision, differs=differs)
        for number, decision in before.decisions.items()
    }
