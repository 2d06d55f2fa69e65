"""The verb override: I have seen it and go on. What no look can judge is never overridden.

Checks, evidence and blocks by one admin; windows and freezes by two. Never lifts what
is not closed.
"""

from __future__ import annotations

from dataclasses import replace

from bot.core.commands import Ask, Outcome
from bot.core.commands_drift import drifted
from bot.core.commands_steer import failure_holds, lift
from bot.core.decisions import OVERRIDE_LASTS, keep_asking, live, open_decision
from bot.core.drifting import OVERWRITE
from bot.core.gates_begin import (
    concurrency,
    not_blocked,
    releasable,
    seen_block,
    seen_evidence,
    window,
)
from bot.core.gates_rolling import reversible, rollback_window
from bot.core.gates_shared import frozen
from bot.core.messages_refusal import Refusal, done, refusal
from bot.core.messages_why import headline
from bot.core.scope import release_named
from bot.core.turn import LIFTED_BY, Turn
from bot.model.gate import Wait
from bot.model.plan import ApprovalAsk
from bot.model.state import DecisionStatus, Hold, ReleasePhase, UnitPhase, Vote
from checks.verdict import Verdict


def override(ask: Ask) -> Outcome:
    """I have seen it and go on: checks, evidence, blocks; windows and freezes with two people."""
    if ask.command.gate == "window":
        return _override_window(ask)
    stuck = [
        h
        for h in ask.board.holds.values()
        if h.scope == ask.scope and LIFTED_BY.get(h.code) == "override"
    ]
    if stuck and not ask.command.gate:
        return _override_holds(ask, stuck)
    narrow = release_named(ask.scope) is not None or "@" in ask.scope
    if not narrow and not ask.command.gate:
        why = "for more than one release, name --gate check, evidence, blocked or irreversible"
        return Outcome(refused=refusal("not-understood", text=ask.command.text, why=why))
    outcome = Outcome()
    what: list[str] = []
    full: list[Wait] = []
    taken = 0
    for active, units in ask.board.reached(ask.scope):
        back = active.state.phase is ReleasePhase.ROLLING_BACK
        if active.state.phase is ReleasePhase.PROPOSED or (
            back and ask.command.gate != "irreversible"
        ):
            continue
        t = ask.turn(active)
        # Places that this very command gave to units of other releases are taken too.
        t.in_flight += taken
        before = t.in_flight
        hit: list[str] = []
        for name in units:
            said = _override_unit(ask, t, name, full)
            hit += [name] if said else []
            what += said
        taken += t.in_flight - before
        if hit:
            outcome.step(t)
            lift(ask, outcome, failure_holds(ask, active, hit))
    if not what:
        return Outcome(refused=_no_place(ask, full[0]) if full else _nothing_to_override(ask))
    outcome.text = done(
        "override", scope=ask.scope, what=sorted(set(what)), reason=ask.command.reason, by=ask.by
    )
    outcome.body = {"scope": ask.scope, "overridden": sorted(set(what))}
    return outcome


def _nothing_to_override(ask: Ask) -> Refusal:
    """Without a gate named, what failed without a check is meant: that is a fact, no opinion."""
    failed = any(
        active.units[name].phase is UnitPhase.FAILED
        for active, units in ask.board.reached(ask.scope)
        for name in units
    )
    if failed and not ask.command.gate:
        return refusal("override-never", scope=ask.scope, gate="convergence")
    return refusal("nothing-to-override", scope=ask.scope, gate=ask.command.gate)


def _no_place(ask: Ask, wait: Wait) -> Refusal:
    """What rolls on takes its place again, and there is none: the limits are not overridden."""
    return refusal("no-place", scope=ask.scope, why=headline(wait))


def _override_holds(ask: Ask, holds: list[Hold]) -> Outcome:
    """What only an admin lifts, and nothing else beside it."""
    outcome = Outcome()
    lift(ask, outcome, holds)
    what = sorted({hold.code.value for hold in holds})
    outcome.text = done(
        "override", scope=ask.scope, what=what, reason=ask.command.reason, by=ask.by
    )
    outcome.body = {"scope": ask.scope, "overridden": what}
    return outcome


def _override_unit(ask: Ask, t: Turn, name: str, full: list[Wait]) -> list[str]:
    """What of one unit is overridden: the checks that said no, or the evidence or block that is
    closed. `full` takes why a unit could not roll on.
    """
    unit, gate = t.units[name], ask.command.gate
    said: list[str] = []
    no = [
        r
        for r in unit.checks
        if r.verdict not in (Verdict.PASSED, Verdict.PENDING)
        and not r.overridden_by
        and not unit.back
        and unit.phase is not UnitPhase.SKIPPED  # left out: `retry` brings it in again
    ]
    if no and gate in ("", "check"):
        checks = tuple(replace(r, overridden_by=ask.by) if r in no else r for r in unit.checks)
        back = unit.phase
        if unit.phase is UnitPhase.FAILED:
            # What we stopped in the cluster has to converge again before anything is certified.
            after = UnitPhase.APPLYING if unit.halted else UnitPhase.VERIFYING
            back = UnitPhase.PENDING if no[0].when == "before" else after
        if back is UnitPhase.APPLYING and (wait := concurrency(t, t.unit(name))) is not None:
            full.append(wait)
            return []
        t.put(
            replace(
                unit,
                checks=checks,
                phase=back,
                failure=None,
                halted=False,
                # What goes on rolling takes its place again: others wait for it.
                in_hand=unit.in_hand or back is UnitPhase.APPLYING,
                look_at=ask.now,
                since=ask.now,
            )
        )
        said += [f"check {run.name}" for run in no]
    elif gate == "drift" and drifted(unit):
        answer = f"{OVERWRITE}:{unit.drift_mark}"
        t.put(replace(unit, overrides=(*unit.overrides, answer), look_at=None))
        said.append("drift")
    elif (
        unit.phase is UnitPhase.PENDING
        and (closed := {"evidence": releasable, "blocked": not_blocked}.get(gate))
        and (wait := closed(t, t.unit(name))) is not None
    ):
        # Of a block that is named later, and of a proof that fails later, nobody has seen anything.
        seen = {"blocked": seen_block, "evidence": seen_evidence}[gate](wait)
        t.put(replace(unit, overrides=(*unit.overrides, seen)))
        said.append(gate)
    elif (
        gate == "irreversible"
        and unit.phase is UnitPhase.ROLLING_BACK
        and reversible(t, t.unit(name)) is not None
    ):
        t.put(replace(unit, overrides=(*unit.overrides, gate), look_at=ask.now))
        said.append(gate)
    if said:
        t.tell("override", name, actor=ask.by, what=said, reason=ask.command.reason)
    return said


def _override_window(ask: Ask) -> Outcome:
    """The first admin asks, the second one decides; it holds for four hours."""
    reached = [
        (ask.turn(active), units)
        for active, units in ask.board.reached(ask.scope)
        if active.state.phase is not ReleasePhase.PROPOSED
    ]
    if not reached:
        return Outcome(refused=refusal("unknown-scope", scope=ask.scope))
    stopped = [t for t, units in reached if any(_outside_windows(t, name) for name in units)]
    if not stopped:
        return Outcome(refused=refusal("nothing-to-override", scope=ask.scope, gate="window"))
    for t in stopped:
        authors, _ = t.s.rules.directory.authors(t.s.plan.authors)
        if ask.by in authors:
            able = ask.board.rules.directory.deciders(
                ("admin",), authors=t.s.plan.authors, voted=()
            )
            return Outcome(refused=refusal("author", by=ask.by, who=able))
    outcome = Outcome()
    for t in stopped:
        decision = live(t, "override-window", ask.scope)
        if decision is None or decision.status is not DecisionStatus.OPEN:
            if (few := _too_few(ask, t)) is not None:
                return Outcome(refused=few)
            decision = open_decision(t, "override-window", ask.scope, _TWO)
        if any(vote.by == ask.by for vote in decision.votes):
            others = t.deciders(decision)
            return Outcome(refused=refusal("needs-second-person", by=ask.by, who=others))
        voted = replace(decision, votes=(*decision.votes, Vote(by=ask.by, at=ask.now)))
        t.decisions[decision.number] = voted
        have = len(t.valid_votes(voted))
        t.tell(
            "override",
            actor=ask.by,
            what=["window"],
            reason=ask.command.reason,
            scope=ask.scope,
            have=have,
            count=decision.count,
        )
        keep_asking(t)
        outcome.step(t)
        outcome.body = {"decision": decision.id, "have": have, "count": decision.count}
        outcome.text = done("approve", id=decision.id, have=have, count=decision.count, by=ask.by)
    return outcome


_TWO = ApprovalAsk(when="override-window", roles=("admin",), count=2, expires=OVERRIDE_LASTS)


def _too_few(ask: Ask, t: Turn) -> Refusal | None:
    """Nobody opens a decision that the admins of now can never close."""
    able = ask.board.rules.directory.deciders(_TWO.roles, authors=t.s.plan.authors, voted=())
    if len(able) >= _TWO.count:
        return None
    asked = f"an override of windows of {ask.scope}"
    return refusal("quorum-impossible", id=asked, count=_TWO.count, able=len(able), who=able)


def _outside_windows(t: Turn, name: str) -> bool:
    """Whether a window or a freeze stands in the way of the unit now."""
    unit = t.unit(name)
    gate = rollback_window if unit.state.phase is UnitPhase.ROLLING_BACK else window
    return not unit.state.phase.ended and bool(gate(t, unit) or frozen(t, unit))
