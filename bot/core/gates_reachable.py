"""The gate `reachable`, and how many silent clusters of a stage may be left out unasked.

A cluster that fell silent before its first batch is quarantined after a while, up to what the stage
tolerates; beyond that people are asked: it may be the release that made them so. One that fell
silent after its batch began is never quarantined: it fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.core.decisions import LIVE, open_decision, void
from bot.core.gates_shared import LOOK, UNREACHABLE_FOR
from bot.core.messages_asks import MORE_SILENT
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.gate import Stop, Wait, Waiting
from bot.model.plan import ApprovalAsk, StagePlan
from bot.model.state import Decision, DecisionStatus, UnitPhase

BEYOND = "unreachable-many"
"""Code of a unit that is not quarantined because its stage has too many that do not answer."""
LEAVE_OUT = "unreachable"
"""What a decision is about that leaves them out."""
_ASK = ApprovalAsk(when=LEAVE_OUT, roles=("approver",), count=1)


def reachable(t: Turn, u: Unit) -> Wait | None:
    """The cluster answers, and is the one that it was at first contact."""
    seen = t.s.seen.get(u.plan.unit)
    since = u.state.unreachable_since
    if seen is None and t.must_look(u):
        return LOOK
    if (seen is None and since is not None) or (seen is not None and not seen.reachable):
        return _silent(t, u, since or t.s.now, seen.error if seen else "")
    if seen is None:
        return None
    if t.is_another(u):
        return Wait(code="rebuilt", facts={"cluster": u.plan.cluster}, who=t.who("accept"))
    return None


def _silent(t: Turn, u: Unit, since: datetime, error: str) -> Wait:
    facts = {"cluster": u.plan.cluster, "error": error, "since": since}
    if u.state.phase is UnitPhase.ROLLING_BACK:
        return Wait(code="unreachable", facts=facts, who=t.who("skip"))
    if u.state.began is not None:
        until = _silent_until(u, since)
        if t.s.now >= until:
            return Stop(code="unreachable", facts=facts, who=t.who("retry"))
        return Wait(code="unreachable", facts=facts, who=t.who("skip"))
    out = quarantined(t, u.plan.stage)
    most = tolerated(t, u.stage)
    # The other components of a cluster that is left out already are silent with it.
    room = len(out) < most or (t.s.index.several and u.plan.cluster in out)
    if t.s.now < since + UNREACHABLE_FOR or room or _left_out(t, u, since):
        until = since + UNREACHABLE_FOR
        return Wait(code="unreachable", facts=facts, until=until, who=t.who("skip"))
    facts |= {"stage": u.stage.name, "out": len(out), "most": most}
    asked = _asked(t, u.stage.name)
    facts |= {"id": asked.id if asked else ""}
    return Wait(code=BEYOND, facts=facts, who=t.who("skip"))


def _silent_until(u: Unit, since: datetime) -> datetime:
    """How long a batch that began is waited for in a cluster that does not answer."""
    deadline = since + u.component.batch_deadline
    if u.state.phase is UnitPhase.APPLYING and u.state.deadline is not None:
        return u.state.deadline
    return deadline


def tolerated(t: Turn, stage: StagePlan) -> int:
    """How many units of a stage (clusters, where a release has several components) may be
    quarantined without asking: a tenth, at least one.
    """
    if stage.max_unreachable is not None:
        return stage.max_unreachable
    return max(1, sum(map(t.s.index.seats, stage.waves)) // 10)


def quarantined(t: Turn, stage: int) -> set[str]:
    """Units of a stage (clusters, where a release has several components) that are left out
    because their clusters do not answer.
    """
    return {
        t.s.index.units[name].cluster if t.s.index.several else name
        for wave in t.s.plan.stages[stage].waves
        for name in wave
        if t.units[name].phase is UnitPhase.QUARANTINED
    }


def ask_for_silent(t: Turn, waiting: Sequence[Waiting]) -> None:
    """Ask once a stage whether all that do not answer may be left out; anew when more fall
    silent.
    """
    silent: dict[str, list[str]] = {}
    for line in waiting:
        if line.wait.code == BEYOND:
            silent.setdefault(str(line.wait.facts["stage"]), []).append(line.unit)
    for stage, units in silent.items():
        asked = _asked(t, stage)
        if asked is not None and set(units) <= set(_units(asked)):
            continue
        if asked is not None:
            void(t, asked, MORE_SILENT)
        open_decision(t, LEAVE_OUT, f"{stage} {','.join(sorted(units))}", _ASK)


def _asked(t: Turn, stage: str) -> Decision | None:
    """The question about a stage that is open, or was answered with no."""
    found = [
        decision
        for decision in t.decisions.values()
        if decision.what == LEAVE_OUT
        and decision.subject.partition(" ")[0] == stage
        and decision.status in LIVE
        and decision.status is not DecisionStatus.APPROVED
    ]
    return max(found, key=lambda decision: decision.number) if found else None


def _left_out(t: Turn, u: Unit, since: datetime) -> bool:
    """Whether somebody said yes to leaving it out, since it does not answer."""
    return any(
        decision.what == LEAVE_OUT
        and decision.status is DecisionStatus.APPROVED
        and u.plan.unit in _units(decision)
        and (decision.closed or decision.at) >= since
        for decision in t.decisions.values()
    )


def _units(decision: Decision) -> list[str]:
    return decision.subject.partition(" ")[2].split(",")
