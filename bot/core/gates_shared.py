"""What gates have in common: their type, the wish to look first, and how checks answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bot.core.scope import covers
from bot.core.situation import Unit, covered
from bot.core.turn import Turn
from bot.model.gate import Stop, Wait
from bot.model.state import Hold
from checks.verdict import Verdict

Gate = Callable[[Turn, Unit], Wait | None]
UNREACHABLE_FOR = timedelta(minutes=15)
"""How long a cluster may be unreachable before a unit that has not begun is quarantined."""

ENOUGH = {Verdict.PASSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look(Wait):
    """Not known yet: the cluster must be asked in this tick."""


LOOK = Look(code="not-due")


def held(t: Turn, hold: Hold) -> Wait:
    """What a hold says to whatever it reaches."""
    return Wait(
        code="held",
        facts={
            "scope": hold.scope,
            "reason": hold.reason,
            "by": hold.by,
            "at": hold.at,
            "code": hold.code.value,
            "until": hold.until,
        },
        until=hold.until,
        who=t.who_lifts(hold),
    )


def frozen(t: Turn, u: Unit) -> Wait | None:
    """What an emergency freeze says to whatever it reaches; None when none does."""
    what = covered(t.s, u.plan)
    for stop in t.s.stops:
        if covers(stop.scope, what) and stop.until > t.s.now and not t.window_overridden(u.plan):
            return Wait(
                code="held",
                facts={
                    "scope": stop.scope,
                    "reason": stop.reason,
                    "by": stop.by,
                    "at": stop.at,
                    "code": "freeze",
                },
                until=stop.until,
                who=t.who("unfreeze"),
            )
    return None


def ask_checks(t: Turn, u: Unit, when: str) -> Wait | None:
    """The first check of the batch in hand that has not clearly said yes."""
    for run in t.runs(u, when):
        if run.verdict in ENOUGH or run.overridden_by:
            continue
        facts = {"name": run.name, "when": when, "verdict": run.verdict.name, "why": run.why}
        if run.verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE):
            return Stop(code="check", facts=facts, who=t.who("override"))
        if when == "after" and u.state.deadline is not None and t.s.now >= u.state.deadline:
            return Stop(code="check", facts=facts, who=t.who("retry"))
        return Wait(code="check", facts=facts, until=t.next_measurement(u, run))
    return None


def as_last_seen(u: Unit, code: str) -> Wait:
    """How far the unit was when it was seen last."""
    facts = {
        "updated": u.state.updated,
        "wanted": sum(u.state.targets.values()) or u.state.total,
        "total": u.state.total,
        "waiting": "progress",
        "detail": {},
        **({"task": u.component.task} if u.component.task else {}),
    }
    return Wait(code=code, facts=facts)
