"""What rules of the policy stop until a person looks: a risk rule that says stop, a failure budget
that is used up.

Sets holds and nothing else; a batch that began goes on to its end.
"""

from __future__ import annotations

from bot.core.gates_risk import rule_hold
from bot.core.messages_holds import budget_spent
from bot.core.turn import Turn
from bot.model.gate import Wait
from bot.model.record import FAILED
from bot.model.state import Hold, HoldCode, Tally

BUDGET_HOLD = HoldCode.BUDGET.value


def stop_by_rule(t: Turn, wait: Wait) -> None:
    """A rule with the verdict stop holds the release: it goes on when a person resumes it."""
    if not (id_ := rule_hold(t, wait)):
        return
    t.hold(
        Hold(
            id=id_,
            scope=t.s.name,
            code=HoldCode.RISK,
            reason=f"{wait.facts['rule']}: {wait.facts['reason']}",
            by="sluice",
            at=t.s.now,
            finish_batch=True,
            release=t.s.name,
        ),
        who=list(t.who("resume")),
    )


def keep_budget(t: Turn) -> None:
    """More units failed in the last 24 hours, over all releases, than the policy of now tolerates:
    everything is held until a person resumes it.
    """
    budget = t.s.rules.policy.spec.limits.failure_budget
    if budget is None:
        return
    known = t.s.tally.rows
    here = {
        row.key
        for row in t.puts
        if isinstance(row, Tally) and row.what == FAILED and row.key not in known
    }
    failed = t.s.tally.count(FAILED, t.s.now) + len(here)
    if failed <= budget:
        return
    t.hold(
        Hold(
            id=BUDGET_HOLD,
            scope="all",
            code=HoldCode.BUDGET,
            reason=budget_spent(failed, budget),
            by="sluice",
            at=t.s.now,
            finish_batch=True,
        ),
        who=list(t.s.rules.directory.who_may("resume")),
    )
