"""Verbs that stop and let go: pause, resume, freeze, unfreeze, cancel, skip, retry, rollback.

Each answers with an `Outcome`; permission has been checked before.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core import endings
from bot.core.board import Active
from bot.core.commands import Ask, Outcome
from bot.core.grammar import moment
from bot.core.lifecycle import Step, close
from bot.core.messages_refusal import done, refusal
from bot.core.scope import Covered, covers, is_release
from bot.core.situation import failures
from bot.core.turn import LIFTED_BY, Turn
from bot.model.state import EmergencyStop, Hold, HoldCode, ReleasePhase, UnitPhase, UnitState


def pause(ask: Ask) -> Outcome:
    """From the moment it is recorded no forward write begins; what rolls is stopped too."""
    command, scope = ask.command, ask.scope
    id_ = f"pause/{scope}"
    known = ask.board.holds.get(id_)
    if known is not None and (command.finish_batch or not known.finish_batch):
        return Outcome(refused=refusal("already-done", scope=scope, by=known.by, at=known.at))
    hold = Hold(
        id=id_,
        scope=scope,
        code=HoldCode.PAUSED,
        reason=command.reason,
        by=ask.by,
        at=ask.now,
        finish_batch=command.finish_batch,
        release=scope if is_release(scope) else None,
    )
    outcome = Outcome(holds=[hold])
    _wake_rolling(ask, outcome, scope, timedelta())
    reached = [active.state.release for active, _ in ask.board.reached(scope)]
    for name in reached or [""]:
        outcome.events.append(
            ask.event(
                "hold.set",
                release=name,
                scope=scope,
                code=hold.code.value,
                reason=hold.reason,
                finish_batch=hold.finish_batch,
                in_flight=list(ask.board.on_wire),
            )
        )
    outcome.body = {
        "scope": scope,
        "at": ask.now.isoformat().replace("+00:00", "Z"),
        "onTheWire": list(ask.board.on_wire),
        "releases": reached,
    }
    outcome.text = done(
        "pause",
        scope=scope,
        by=ask.by,
        at=ask.now,
        calls=list(ask.board.on_wire),
        finish_batch=command.finish_batch,
    )
    return outcome


def resume(ask: Ask) -> Outcome:
    """Lift the holds of exactly this scope that resuming may lift. Never an override."""
    scope = ask.scope
    mine = [
        hold
        for hold in ask.board.holds.values()
        if hold.scope == scope or (hold.release == scope and is_release(scope))
    ]
    if not mine:
        others = [h.scope for a, _ in ask.board.reached(scope) for h in _holding(ask, a)]
        return Outcome(
            refused=refusal("not-held", scope=scope, verb="resume", others=sorted(set(others)))
        )
    liftable = [hold for hold in mine if hold.code not in LIFTED_BY]
    still = [hold for hold in liftable if hold.code is HoldCode.FAILED and _still_failed(ask, hold)]
    lifted = [hold for hold in liftable if hold not in still]
    if not lifted:
        blocking = (still or mine)[0]
        verb = LIFTED_BY.get(blocking.code, "retry")
        who = ask.board.rules.directory.who_may(verb)
        return Outcome(
            refused=refusal("still-held", scope=scope, why=blocking.reason, verb=verb, who=who)
        )
    outcome = Outcome(lifted=lifted)
    lift(ask, outcome, lifted)
    outcome.body = {"scope": scope, "lifted": [hold.id for hold in lifted]}
    left = [
        hold.scope
        for a, _ in ask.board.reached(scope)
        for hold in _holding(ask, a)
        if hold not in lifted
    ]
    outcome.text = done("resume", scope=scope, by=ask.by, left=sorted(set(left)))
    return outcome


def freeze(ask: Ask) -> Outcome:
    """An emergency freeze, kept until it is lifted or over."""
    until = moment(ask.command.until, ask.now)
    if until is None or until <= ask.now:
        why = "it is not in the future" if until else ""
        return Outcome(refused=refusal("bad-time", text=ask.command.until, why=why))
    stop = EmergencyStop(
        id=f"freeze/{ask.scope}",
        scope=ask.scope,
        reason=ask.command.reason,
        by=ask.by,
        at=ask.now,
        until=until,
    )
    outcome = Outcome(stops=[stop])
    _wake_rolling(ask, outcome, ask.scope, timedelta())
    for name in [active.state.release for active, _ in ask.board.reached(ask.scope)] or [""]:
        outcome.events.append(
            ask.event("freeze.set", release=name, scope=ask.scope, until=until, reason=stop.reason)
        )
    outcome.body = {"scope": ask.scope, "until": until.isoformat().replace("+00:00", "Z")}
    outcome.text = done("freeze", scope=ask.scope, until=until, reason=stop.reason, by=ask.by)
    return outcome


def unfreeze(ask: Ask) -> Outcome:
    stop = ask.board.stops.get(f"freeze/{ask.scope}")
    if stop is None:
        known = sorted(stop.scope for stop in ask.board.stops.values())
        return Outcome(refused=refusal("not-held", scope=ask.scope, verb="unfreeze", others=known))
    outcome = Outcome(unfrozen=[stop])
    _wake_rolling(ask, outcome, ask.scope, ask.now - stop.at)
    for name in [active.state.release for active, _ in ask.board.reached(ask.scope)] or [""]:
        outcome.events.append(ask.event("freeze.lifted", release=name, scope=ask.scope))
    outcome.body = {"scope": ask.scope}
    outcome.text = done("unfreeze", scope=ask.scope, by=ask.by)
    return outcome


def cancel(ask: Ask) -> Outcome:
    """End a release that has written nothing."""
    active = ask.board.releases.get(ask.scope)
    if active is None:
        return Outcome(refused=refusal("unknown-release", release=ask.scope))
    if active.state.phase is ReleasePhase.PROPOSED:
        return Outcome(refused=refusal("not-before-merge", release=ask.scope, verb="cancel"))
    if active.state.phase.ended:
        return Outcome(refused=refusal("ended", release=ask.scope, phase=active.state.phase.value))
    if any(unit.began for unit in active.units.values()):
        return Outcome(refused=refusal("begun", release=ask.scope))
    t = ask.turn(active)
    t.state = replace(
        t.state,
        phase=ReleasePhase.CANCELLED,
        since=ask.now,
        ended=ask.now,
        outcome=ask.command.reason,
    )
    t.tell("release.cancelled", actor=ask.by, reason=ask.command.reason)
    outcome = Outcome(lifted=[h for h in ask.board.holds.values() if h.release == ask.scope])
    outcome.step(t)
    outcome.text = done("cancel", release=ask.scope, reason=ask.command.reason, by=ask.by)
    outcome.body = {"release": ask.scope, "phase": ReleasePhase.CANCELLED.value}
    return outcome


def skip(ask: Ask) -> Outcome:
    """Leave one unit out; it is listed as owed."""
    found = _the_unit(ask)
    if found is None:
        return Outcome(refused=refusal("unknown-unit", unit=ask.scope))
    active, unit = found
    if unit.phase in (UnitPhase.SUCCEEDED, UnitPhase.SKIPPED, UnitPhase.ROLLED_BACK):
        return Outcome(refused=refusal("already-done", unit=ask.scope, verb=unit.phase.value))
    if unit.phase.rolling or unit.phase is UnitPhase.ROLLING_BACK:
        return Outcome(refused=refusal("in-flight", unit=ask.scope))
    t = ask.turn(active)
    t.put(replace(unit, phase=UnitPhase.SKIPPED, since=ask.now, look_at=None, deadline=None))
    t.tell("unit.skipped", unit.unit, actor=ask.by, reason=ask.command.reason)
    outcome = Outcome()
    outcome.step(t)
    lift(ask, outcome, failure_holds(ask, active, [unit.unit]))
    outcome.text = done("skip", unit=unit.unit, reason=ask.command.reason, by=ask.by)
    outcome.body = {"release": t.s.name, "unit": unit.unit, "phase": UnitPhase.SKIPPED.value}
    return outcome


RETRIABLE = (UnitPhase.FAILED, UnitPhase.QUARANTINED, UnitPhase.SKIPPED)


def retry(ask: Ask) -> Outcome:
    """Begin the failed batch again, by all its gates; with the same plan."""
    outcome = Outcome()
    names: list[str] = []
    for active, units in ask.board.reached(ask.scope):
        if active.state.phase is ReleasePhase.PROPOSED:
            continue
        again = [n for n in units if active.units[n].phase in RETRIABLE]
        if "@" not in ask.scope:
            again = [n for n in again if active.units[n].phase is not UnitPhase.SKIPPED]
        if not again:
            continue
        t = ask.turn(active)
        if t.state.phase.ended:
            t.state = replace(t.state, phase=ReleasePhase.PROGRESSING, since=ask.now, ended=None)
        for name in again:
            _again(t, name, ask.by)
        outcome.step(t)
        lift(ask, outcome, failure_holds(ask, active, again))
        names += again
    if not names:
        return Outcome(refused=refusal("not-failed", scope=ask.scope, verb="retry"))
    outcome.text = done("retry", scope=ask.scope, units=names, by=ask.by)
    outcome.body = {"scope": ask.scope, "units": names}
    return outcome


def _again(t: Turn, name: str, by: str) -> None:
    unit = t.units[name]
    t.tell("unit.retry", name, actor=by)
    if t.state.phase is ReleasePhase.ROLLING_BACK:
        endings.take_back(t, name, by=by, reason=t.state.outcome)
        return
    fresh = replace(
        unit,
        phase=UnitPhase.PENDING,
        since=t.s.now,
        failure=None,
        refused=None,
        checks=(),
        deadline=None,
        unreachable_since=None,
        look_at=None,
    )
    if unit.phase is UnitPhase.FAILED and unit.batch_began is not None and unit.step >= 0:
        # The targets are worked out anew: what is already updated is never lowered by the driver.
        fresh = replace(
            fresh, batch=unit.batch - 1, step=unit.step - 1, targets={}, batch_began=None
        )
    t.put(fresh)


def rollback(ask: Ask) -> Outcome:
    """A release backwards: newest first, without waiting for Allow windows, and it sticks."""
    outcome = Outcome()
    count, releases = 0, []
    for active, units in ask.board.reached(ask.scope):
        if active.state.phase in (
            ReleasePhase.PROPOSED,
            ReleasePhase.ROLLED_BACK,
            ReleasePhase.SUPERSEDED,
        ):
            continue
        touched = [
            n for n in units if active.units[n].began and active.units[n].phase in endings.TOUCHED
        ]
        if not touched:
            continue
        if later := _replaced_by(ask, active, touched):
            return Outcome(refused=refusal("replaced", release=active.state.release, by=later))
        t = ask.turn(active)
        whole = len(units) == len(active.index.plan.units)
        if whole:
            t.state = replace(t.state, ended=None)
            count += endings.roll_back(t, by=ask.by, reason=ask.command.reason)
        else:
            if t.state.phase.ended:
                t.state = replace(
                    t.state, phase=ReleasePhase.PROGRESSING, since=ask.now, ended=None
                )
            count += sum(
                endings.take_back(t, name, by=ask.by, reason=ask.command.reason)
                for name in reversed(touched)
            )
        outcome.step(t)
        releases.append(active.state.release)
        lift(ask, outcome, failure_holds(ask, active, touched if not whole else None))
    if not releases:
        phases = [a.state.phase for a, _ in ask.board.reached(ask.scope)]
        code = "ended" if phases and all(phase.ended for phase in phases) else "not-begun"
        return Outcome(refused=refusal(code, release=ask.scope, scope=ask.scope, verb="rollback"))
    outcome.text = done(
        "rollback", scope=ask.scope, units=count, reason=ask.command.reason, by=ask.by
    )
    outcome.body = {"scope": ask.scope, "releases": releases, "units": count}
    return outcome


def _replaced_by(ask: Ask, active: Active, units: list[str]) -> str:
    """A later release that has already written one of the units; "" when none has."""
    for name in units:
        applied = ask.board.applied.get(name)
        unit = active.units[name]
        if (
            unit.phase is UnitPhase.SUCCEEDED
            and applied
            and applied.release != active.state.release
        ):
            return applied.release
    return ""


def _the_unit(ask: Ask) -> tuple[Active, UnitState] | None:
    for active, units in ask.board.reached(ask.scope):
        if "@" in ask.scope and active.state.phase is not ReleasePhase.PROPOSED:
            return active, active.units[units[0]]
    return None


def _holding(ask: Ask, active: Active) -> list[Hold]:
    return [
        hold
        for hold in ask.board.holds.values()
        if any(
            covers(hold.scope, Covered(active.state.release, u.unit, u.component, u.labels))
            for u in active.index.plan.units
        )
    ]


def _still_failed(ask: Ask, hold: Hold) -> bool:
    """Whether the stage would stop again at once."""
    active = ask.board.releases.get(hold.release or "")
    if active is None:
        return False
    t = ask.turn(active)
    return any(
        len(failures(t.s, t.units, index)) > stage.max_failures
        for index, stage in enumerate(t.s.plan.stages)
    )


def failure_holds(ask: Ask, active: Active, units: list[str] | None) -> list[Hold]:
    """Holds that failures of these units made; None: of any unit of the release."""
    name = active.state.release
    wanted = None if units is None else {f"{name}/failed/{unit}" for unit in units}
    return [
        hold
        for hold in ask.board.holds.values()
        if hold.release == name
        and hold.code in (HoldCode.FAILED, HoldCode.REJECTED)
        and (wanted is None or hold.id in wanted)
    ]


def lift(ask: Ask, outcome: Outcome, holds: list[Hold]) -> None:
    """Let go of holds: what they stopped is looked at again, what they were made for is
    forgotten.
    """
    for hold in holds:
        if hold not in outcome.lifted:
            outcome.lifted.append(hold)
        for name in [active.state.release for active, _ in ask.board.reached(hold.scope)] or [""]:
            outcome.events.append(
                ask.event("hold.lifted", release=name, scope=hold.scope, code=hold.code.value)
            )
        _wake_rolling(ask, outcome, hold.scope, ask.now - hold.at)
        if hold.code is HoldCode.EXPIRED and hold.release in ask.board.releases:
            step = _step(ask, outcome, ask.board.releases[hold.release])
            outcome.steps[hold.release] = replace(step, state=replace(step.state, expires=None))


def _wake_rolling(ask: Ask, outcome: Outcome, scope: str, held_for: timedelta) -> None:
    """Look at what rolls in the scope at once; its deadline moves on by the time it was held."""
    for active, units in ask.board.reached(scope):
        woken: dict[str, UnitState] = {}
        known = outcome.steps.get(active.state.release)
        for name in units:
            unit = (known.units.get(name) if known else None) or active.units[name]
            if unit.phase is UnitPhase.APPLYING:
                deadline = unit.deadline + held_for if unit.deadline else None
                woken[name] = replace(unit, look_at=ask.now, deadline=deadline)
        if woken:
            step = known or _step(ask, outcome, active)
            outcome.steps[active.state.release] = replace(step, units={**step.units, **woken})


def _step(ask: Ask, outcome: Outcome, active: Active) -> Step:
    """What already follows for a release, or a step in which nothing has changed yet."""
    return outcome.steps.get(active.state.release) or close(ask.turn(active))
