"""Verbs of people who decide: approve, reject, accept.

A vote binds to the plan, the decision and the verdicts shown. No author approves, one person is
one vote.
"""

from __future__ import annotations

from dataclasses import replace

from bot.core import leftovers_asked, undo
from bot.core.board import Active
from bot.core.commands import Ask, Outcome, Verb, owners_of
from bot.core.commands_drift import accept_edits
from bot.core.commands_override import override
from bot.core.commands_rollback import rollback
from bot.core.commands_snooze import snooze
from bot.core.commands_steer import (
    cancel,
    freeze,
    lift,
    pause,
    resume,
    unfreeze,
)
from bot.core.commands_units import retry, skip
from bot.core.messages_refusal import Refusal, done, refusal
from bot.core.messages_undo import UNITS_CHANGED
from bot.core.turn import LIFTED_BY, Turn
from bot.model.leftover import LEFTOVERS
from bot.model.state import (
    Decision,
    DecisionStatus,
    Hold,
    HoldCode,
    UnitPhase,
    Vote,
)


def approve(ask: Ask) -> Outcome:
    """One person's yes to one decision."""
    found = _decision(ask, (DecisionStatus.OPEN, DecisionStatus.REJECTED))
    if isinstance(found, Refusal):
        return Outcome(refused=found)
    active, decision = found
    t = ask.turn(active)
    if refused := _may_not_vote(ask, t, decision):
        return Outcome(refused=refused)
    # A rejection was the last word; who says yes now begins the count again.
    earlier = decision.votes if decision.status is DecisionStatus.OPEN else ()
    voted = replace(
        decision, status=DecisionStatus.OPEN, votes=(*earlier, Vote(by=ask.by, at=ask.now))
    )
    t.decisions[decision.number] = voted
    have, need = len(t.valid_votes(voted)), t.need(voted)
    t.tell("decision.vote", actor=ask.by, id=decision.id, have=have, count=need)
    outcome = Outcome()
    if have >= need:
        t.decisions[decision.number] = replace(
            voted, status=DecisionStatus.APPROVED, closed=ask.now, closed_by=ask.by
        )
        t.tell(
            "decision.approved",
            actor=ask.by,
            id=decision.id,
            by=[v.by for v in t.valid_votes(voted)],
        )
        if decision.what in undo.KINDS:
            undo.decide(t, decision, delete=True, by=ask.by)
        if decision.what == LEFTOVERS:
            leftovers_asked.decide(t, decision, delete=True, by=ask.by)
    outcome.step(t)
    rejected = [
        h
        for h in ask.board.holds.values()
        if h.id == f"{decision.release}/rejected/{decision.number}"
    ]
    lift(ask, outcome, rejected)
    outcome.text = done("approve", id=decision.id, have=have, count=need, by=ask.by)
    outcome.body = {"decision": decision.id, "have": have, "count": need, "approved": have >= need}
    return outcome


def reject(ask: Ask) -> Outcome:
    """One person's no: the release is held, or what was asked for is not granted."""
    found = _decision(ask, (DecisionStatus.OPEN,))
    if isinstance(found, Refusal):
        return Outcome(refused=found)
    active, decision = found
    t = ask.turn(active)
    directory = ask.board.rules.directory
    if not directory.roles(ask.by) & set(decision.roles):
        return Outcome(refused=_role(ask, t, decision))
    t.decisions[decision.number] = replace(
        decision,
        status=DecisionStatus.REJECTED,
        closed=ask.now,
        closed_by=ask.by,
        reason=ask.command.reason,
    )
    kind = {"what": decision.what, "subject": decision.subject}
    t.tell("decision.rejected", actor=ask.by, id=decision.id, reason=ask.command.reason, **kind)
    if decision.what in undo.KINDS:
        if undo.is_stale(t, decision):
            return Outcome(refused=refusal("stale", id=decision.id, why=UNITS_CHANGED))
        undo.decide(t, decision, delete=False, by=ask.by)
    elif decision.what == LEFTOVERS:
        leftovers_asked.decide(t, decision, delete=False, by=ask.by)
    elif decision.what != "override-window":
        t.hold(
            Hold(
                id=f"{decision.release}/rejected/{decision.number}",
                scope=decision.release,
                code=HoldCode.REJECTED,
                reason=ask.command.reason,
                by=ask.by,
                at=ask.now,
                release=decision.release,
            )
        )
    outcome = Outcome()
    outcome.step(t)
    outcome.text = done("reject", id=decision.id, reason=ask.command.reason, by=ask.by, **kind)
    outcome.body = {"decision": decision.id, "rejected": True}
    return outcome


def accept(ask: Ask) -> Outcome:
    """Take a release as it came to main, or a cluster as it is now."""
    kind, _, cluster = ask.scope.partition(":")
    if kind == "cluster" and cluster:
        return _accept_cluster(ask, cluster)
    holds = [
        hold
        for hold in ask.board.holds.values()
        if hold.release == ask.scope and LIFTED_BY.get(hold.code) == "accept"
    ]
    if not holds:
        return accept_edits(ask) or Outcome(
            refused=refusal("not-held", scope=ask.scope, verb="accept")
        )
    active = ask.board.releases[ask.scope]
    authors, _ = ask.board.rules.directory.authors(active.state.authors)
    if ask.by in authors:
        return Outcome(refused=refusal("author", by=ask.by, who=_others(ask, authors)))
    outcome = Outcome()
    lift(ask, outcome, holds)
    outcome.text = done("accept", release=ask.scope, by=ask.by)
    outcome.body = {"release": ask.scope, "lifted": [hold.id for hold in holds]}
    return outcome


def _accept_cluster(ask: Ask, cluster: str) -> Outcome:
    if cluster not in ask.board.clusters:
        return Outcome(refused=refusal("unknown-scope", scope=ask.scope))
    outcome = Outcome(forget=[cluster])
    for active, units in ask.board.reached(ask.scope):
        t = ask.turn(active)
        for name in units:
            # The time that the batch in hand has begins when the cluster is looked at again.
            if t.units[name].phase.rolling or t.units[name].phase is UnitPhase.ROLLING_BACK:
                t.put(replace(t.units[name], deadline=None, look_at=ask.now))
        t.tell("cluster.accepted", actor=ask.by, cluster=cluster)
        outcome.step(t)
    outcome.text = done("accept", scope=ask.scope, by=ask.by)
    outcome.body = {"cluster": cluster}
    return outcome


def _decision(ask: Ask, statuses: tuple[DecisionStatus, ...]) -> tuple[Active, Decision] | Refusal:
    active = ask.board.releases.get(ask.scope)
    if active is None:
        return refusal("unknown-release", release=ask.scope)
    number = ask.command.number
    if number is not None:
        decision = active.decisions.get(number)
        if decision is None:
            known = [d.id for d in active.decisions.values() if d.status is DecisionStatus.OPEN]
            return refusal("unknown-decision", id=f"{ask.scope}#{number}", known=known)
        if decision.status is DecisionStatus.VOID:
            return refusal("void", id=decision.id, why=decision.reason)
        if decision.status not in statuses:
            return refusal(
                "already-done", id=decision.id, by=decision.closed_by, at=decision.closed
            )
        return active, decision
    decided = [d for d in active.decisions.values() if d.status in statuses]
    open_ones = [d for d in decided if d.status is DecisionStatus.OPEN] or decided
    if not open_ones:
        return refusal("nothing-open", release=ask.scope)
    if len(open_ones) > 1:
        return refusal("several-open", ids=[d.id for d in open_ones], release=ask.scope)
    return active, open_ones[0]


def _may_not_vote(ask: Ask, t: Turn, decision: Decision) -> Refusal | None:
    if decision.what in undo.KINDS and undo.is_stale(t, decision):
        return refusal("stale", id=decision.id, why=UNITS_CHANGED)
    directory = ask.board.rules.directory
    authors, _ = directory.authors(t.s.plan.authors)
    if ask.by in authors:
        return refusal("author", by=ask.by, who=t.deciders(decision))
    if not directory.roles(ask.by) & set(decision.roles):
        return _role(ask, t, decision)
    if decision.status is DecisionStatus.OPEN and any(vote.by == ask.by for vote in decision.votes):
        return refusal("already-done", id=decision.id, by=ask.by)
    return None


def _role(ask: Ask, t: Turn, decision: Decision) -> Refusal:
    has = sorted(ask.board.rules.directory.roles(ask.by))
    return refusal(
        "role",
        by=ask.by,
        verb=ask.command.verb,
        needs=decision.roles,
        has=has,
        who=t.deciders(decision),
    )


def _others(ask: Ask, authors: frozenset[str]) -> tuple[str, ...]:
    owners = {owner for own in owners_of(ask.board, ask.scope) for owner in own}
    able = ask.board.rules.directory.who_may("accept", owners)
    return tuple(name for name in able if name not in authors)


VERBS: dict[str, Verb] = {
    "approve": approve,
    "reject": reject,
    "accept": accept,
    "override": override,
    "pause": pause,
    "resume": resume,
    "freeze": freeze,
    "unfreeze": unfreeze,
    "snooze": snooze,
    "cancel": cancel,
    "skip": skip,
    "retry": retry,
    "rollback": rollback,
}
"""Every verb that changes something, by its word."""
