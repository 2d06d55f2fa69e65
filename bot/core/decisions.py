"""What is asked of people, when, and what makes an answer void.

A decision binds to the plan's hash and to the verdicts that were shown with it. Never counts votes
of people who may not vote (`Votes.valid_votes` does), never acts on a yes (the gate `approval`
does).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from bot.core.guard_lists import GUARD
from bot.core.messages_asks import asks
from bot.core.messages_void import IN_ORDER, TAKEN_BACK, TOO_OLD, plan_changed, verdicts_changed
from bot.core.scope import first_covering
from bot.core.situation import covered
from bot.core.turn import Turn
from bot.model.leftover import LEFTOVERS, Fate
from bot.model.plan import JSON, ApprovalAsk
from bot.model.state import Decision, DecisionStatus, HoldCode, ReleasePhase, UnitPhase
from checks.verdict import Verdict

LIVE = (DecisionStatus.OPEN, DecisionStatus.APPROVED, DecisionStatus.REJECTED)
OVERRIDE_LASTS = timedelta(hours=4)
"""How long an override of windows and freezes holds."""


def due(t: Turn) -> Iterator[tuple[str, str, ApprovalAsk]]:
    """What has to be asked now: of the wave in front, and of stages that have ended."""
    fronts = t.fronts.all()
    if t.state.phase is ReleasePhase.PROPOSED or (
        t.state.phase is ReleasePhase.SCHEDULED and (fronts or not t.units)
    ):
        yield from t.required(0, 0)
        return
    if t.state.phase not in (ReleasePhase.SCHEDULED, ReleasePhase.PROGRESSING):
        return
    if fronts:
        asked = [one for place in fronts for one in t.required(*place)]
        yield from {(what, subject): (what, subject, ask) for what, subject, ask in asked}.values()
        return
    # Of every stage, not the last alone: what came after one may have been left out.
    for stage in t.s.plan.stages:
        if (ask := stage.approval) is not None and ask.when == "after":
            yield "after-stage", stage.name, ask


def keep_asking(t: Turn) -> None:
    """Open what is due, void what no longer holds, and record who was heard."""
    for what, subject, ask in due(t):
        found = live(t, what, subject)
        if found is not None and (why := _void(t, found)):
            void(t, found, why, *_changes(t, found))
            found = None
        if found is None:
            if not _snoozed(t):
                open_decision(t, what, subject, ask)
        elif what == "release" and not _used(t, found):
            # The policy of now may ask for other roles and a shorter time than the plan did.
            asked = (ask.roles, ask.count, ask.expires)
            if (found.roles, found.count, found.expires) != asked:
                t.decisions[found.number] = replace(
                    found, roles=ask.roles, count=ask.count, expires=ask.expires
                )
    _reopen(t)
    for decision in list(t.decisions.values()):
        if decision.status is DecisionStatus.OPEN and t.granted(decision):
            t.decisions[decision.number] = replace(
                decision, status=DecisionStatus.APPROVED, closed=t.s.now
            )
            t.tell(
                "decision.approved",
                id=decision.id,
                by=[vote.by for vote in t.valid_votes(decision)],
            )


def _snoozed(t: Turn) -> bool:
    """Whether somebody put off all that would begin next: then nobody is asked about it either."""
    snoozes = [hold.scope for hold in t.holds if hold.code is HoldCode.SNOOZED]
    if not snoozes or not t.s.index.waves:
        return False
    fronts = t.fronts.all() or {t.s.index.waves[-1]: list(t.s.index.waves_of)}
    plans = (
        t.s.index.units[name]
        for (stage, wave), components in fronts.items()
        for name in t.s.plan.stages[stage].waves[wave]
        if t.s.index.units[name].component in components
    )
    units = (covered(t.s, plan) for plan in plans)
    return all(first_covering(snoozes, unit) is not None for unit in units)


def _reopen(t: Turn) -> None:
    """A yes that nothing began on and that is no yes any more is asked for again: who gave it lost
    the role or became an author, or more people are needed now.
    """
    for decision in list(t.decisions.values()):
        if (
            decision.status is not DecisionStatus.APPROVED
            or decision.what not in ("release", "stage", "wave", "after-stage", GUARD, LEFTOVERS)
            or _used(t, decision)
            or t.granted(decision)
        ):
            continue
        opened = replace(decision, status=DecisionStatus.OPEN, closed=None, closed_by=None)
        t.decisions[decision.number] = opened
        t.tell(
            "decision.reopened",
            id=decision.id,
            have=len(t.valid_votes(opened)),
            count=t.need(opened),
            who=list(t.deciders(opened)),
        )


def live(t: Turn, what: str, subject: str) -> Decision | None:
    """The newest decision on it that is not void."""
    found = [
        decision
        for decision in t.decisions.values()
        if (decision.what, decision.subject) == (what, subject) and decision.status in LIVE
    ]
    return max(found, key=lambda decision: decision.number) if found else None


def open_decision(
    t: Turn, what: str, subject: str, ask: ApprovalAsk, *, asked: str = "", seen: str | None = None
) -> Decision:
    """Ask people. The number is the next one of the release, for ever its own. `asked`, `seen`: the
    question and what it binds to, where they are more than what and subject say.
    """
    number = t.state.decisions + 1
    t.state = replace(t.state, decisions=number)
    decision = Decision(
        release=t.s.name,
        number=number,
        what=what,
        subject=subject,
        asks=asked or asks(t.s.plan, what, subject),
        roles=ask.roles,
        count=ask.count,
        plan_hash=t.s.plan.plan_hash,
        shown=shown(t) if seen is None else seen,
        red=red(t) if seen is None else (),
        at=t.s.now,
        expires=ask.expires,
    )
    t.decisions[number] = decision
    t.tell(
        "decision.asked",
        id=decision.id,
        asks=decision.asks,
        roles=list(ask.roles),
        count=t.need(decision),
        who=list(t.deciders(decision)),
    )
    return decision


def void(t: Turn, decision: Decision, why: str, *changes: JSON) -> None:
    """What was said no longer counts, because what it was said of has changed."""
    t.decisions[decision.number] = replace(
        decision, status=DecisionStatus.VOID, closed=t.s.now, reason=why
    )
    more: dict[str, JSON] = {"changes": list(changes)} if changes else {}
    t.tell("decision.void", actor="sluice", id=decision.id, why=why, **more)


def shown(t: Turn) -> str:
    """Digest of everything that is not green: what a person has seen when they said yes. "" = all
    green.
    """
    found = [list(entry) for entry in red(t)]
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16] if found else ""


def red(t: Turn) -> tuple[tuple[str, ...], ...]:
    """Everything that is not green: units that failed or were left out, checks that said no."""
    found: list[tuple[str, ...]] = []
    for name, unit in sorted(t.units.items()):
        if unit.phase in (UnitPhase.FAILED, UnitPhase.SKIPPED, UnitPhase.QUARANTINED):
            found.append((name, unit.phase.value))
        found.extend(
            (name, run.when, run.name, run.verdict.name)
            for run in unit.checks
            if run.verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE)
        )
    return tuple(found)


def _changes(t: Turn, decision: Decision) -> list[JSON]:
    """Which unit's verdict has changed since it was asked, from what to what."""
    before = {entry[:-1]: entry[-1] for entry in decision.red}
    after = {entry[:-1]: entry[-1] for entry in red(t)}
    return [
        {
            "unit": key[0],
            "when": key[1] if len(key) > 1 else "",
            "check": key[2] if len(key) > 2 else "",
            "from": before.get(key, IN_ORDER),
            "to": after.get(key) or _now(t, key),
        }
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _now(t: Turn, key: tuple[str, ...]) -> str:
    """What is in the place of a verdict that nobody has to look at any more."""
    unit = t.units.get(key[0])
    if unit is None:
        return IN_ORDER
    if len(key) == 1:
        return unit.phase.value
    verdicts = (run.verdict.name for run in unit.checks if (run.when, run.name) == key[1:])
    return next(verdicts, IN_ORDER)


def _void(t: Turn, decision: Decision) -> str:
    """Why the decision no longer holds; "" while it does. One that was used up holds for good."""
    if decision.status is DecisionStatus.REJECTED or _used(t, decision):
        return ""
    if decision.plan_hash != t.s.plan.plan_hash:
        return plan_changed(decision.differs)
    if decision.shown != shown(t):
        return verdicts_changed(_changes(t, decision))
    if decision.expires is not None:
        since = decision.closed or decision.at
        if decision.status is DecisionStatus.APPROVED and t.s.now >= since + decision.expires:
            return TOO_OLD
    return ""


def used(t: Turn) -> set[int]:
    """Numbers of the decisions on stages and waves that something began on."""
    return {
        decision.number
        for decision in t.decisions.values()
        if decision.what in ("stage", "wave")
        and decision.status is DecisionStatus.APPROVED
        and _used(t, decision)
    }


def ask_again(t: Turn, before: set[int]) -> None:
    """All that began on a yes went back, and begins anew: it was said before anybody knew why."""
    for number in sorted(before - used(t)):
        void(t, t.decisions[number], TAKEN_BACK)


def _used(t: Turn, decision: Decision) -> bool:
    """Whether something began on the strength of it."""
    if decision.what == "release":
        return t.state.began is not None
    if decision.what == GUARD:
        marks = set(decision.subject.split(","))
        return any(u.began and not marks.isdisjoint(u.guard_marks) for u in t.units.values())
    if decision.what == LEFTOVERS:
        marks = set(decision.subject.split(","))
        ended = (Fate.LEAVING, Fate.DELETED)
        return any(
            one.fate in ended and one.mark in marks for u in t.units.values() for one in u.leftovers
        )
    stage_name, _, wave = decision.subject.rpartition("/")
    for index, stage in enumerate(t.s.plan.stages):
        names: list[str] = []
        if decision.what == "stage" and stage.name == decision.subject:
            names = [name for one in stage.waves for name in one]
        elif decision.what == "wave" and stage.name == stage_name:
            names = list(stage.waves[int(wave) - 1])
        elif decision.what == "after-stage" and stage.name == decision.subject:
            names = [
                n for later in t.s.plan.stages[index + 1 :] for one in later.waves for n in one
            ]
        if any(t.units[name].began for name in names):
            return True
    return False
