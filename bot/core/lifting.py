"""What lifts a hold: the verb of people for each code. Lifts nothing itself."""

from __future__ import annotations

from bot.model.state import HoldCode

LIFTED_BY: dict[HoldCode, str] = {
    HoldCode.UNKNOWN_PULL: "accept",
    HoldCode.PLAN_CHANGED: "accept",
    HoldCode.REBUILT: "accept",
    HoldCode.REWRITTEN: "override",
    HoldCode.RESTORED: "override",
    HoldCode.DAMAGED: "override",
    HoldCode.REJECTED: "approve",
    HoldCode.SUPERSEDED: "rollback",
    HoldCode.ROLLED_BACK: "retry",
    HoldCode.PLAN_FAILED: "cancel",
}
"""The verb that lifts a hold, or ends what it holds; `resume` for every other."""
