"""Verbs that stop and let go: pause, resume, freeze, unfreeze, cancel; and how holds are lifted.

Each answers with an `Outcome`; permission has been checked before.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.core.board import Active
from bot.core.commands import Ask, Outcome
from bot.core.gates_risk import ruled
from bot.core.grammar import moment
from bot.core.lifecycle import Step, close
from bot.core.messages_refusal import done, refusal
from bot.core.scope import release_named
from bot.core.situation import reaches
from bot.core.turn import LIFTED_BY
from bot.model.state import EmergencyStop, Hold, HoldCode, ReleasePhase, UnitPhase, UnitState

FREEZE_MOST = timedelta(days=400)
"""As far as the calendar is asked; a longer freeze belongs into calendar/."""


_BY_SCOPE = (HoldCode.PAUSED, HoldCode.SNOOZED)
"""Holds that people set on a scope, and that only exactly this scope lifts."""


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
        release=release_named(scope),
    )
    outcome = Outcome(holds=[hold])
    _wake_rolling(ask, outcome, scope)
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
        if hold.scope == scope or (hold.release == scope and hold.code not in _BY_SCOPE)
    ]
    if not mine:
        others = sorted({hold.scope for hold in ask.board.holds.values()})
        stops = sorted({stop.scope for stop in ask.board.stops.values()})
        return Outcome(
            refused=refusal("not-held", scope=scope, verb="resume", others=others, frozen=stops)
        )
    liftable = [hold for hold in mine if hold.code not in LIFTED_BY]
    still = [hold for hold in liftable if _still(ask, hold)]
    lifted = [hold for hold in liftable if hold not in still]
    if not lifted:
        blocking = (still or mine)[0]
        if blocking.code is HoldCode.RISK:
            return Outcome(refused=refusal("rule-holds", scope=scope, why=blocking.reason))
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
    if until is None:
        return Outcome(refused=refusal("bad-time", text=ask.command.until))
    if until <= ask.now:
        why = "it is not in the future"
        return Outcome(refused=refusal("bad-time", text=until, limit=why))
    if until - ask.now > FREEZE_MOST:
        why = f"a freeze lasts {FREEZE_MOST.days} days at most"
        return Outcome(refused=refusal("bad-time", text=until, limit=why))
    stop = EmergencyStop(
        id=f"freeze/{ask.scope}",
        scope=ask.scope,
        reason=ask.command.reason,
        by=ask.by,
        at=ask.now,
        until=until,
    )
    outcome = Outcome(stops=[stop])
    _wake_rolling(ask, outcome, ask.scope)
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
    _wake_rolling(ask, outcome, ask.scope)
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


def _holding(ask: Ask, active: Active) -> list[Hold]:
    return [
        hold
        for hold in ask.board.holds.values()
        if any(
            reaches(hold, active.index.covered(active.state.release, u))
            for u in active.index.plan.units
        )
    ]


def _still(ask: Ask, hold: Hold) -> bool:
    """Whether what made the hold would make it again at once."""
    if hold.code is HoldCode.FAILED:
        return _still_failed(ask, hold)
    active = ask.board.releases.get(hold.release or "")
    return hold.code is HoldCode.RISK and active is not None and ruled(ask.turn(active), hold)


def _still_failed(ask: Ask, hold: Hold) -> bool:
    """Whether the stage would stop again at once."""
    active = ask.board.releases.get(hold.release or "")
    if active is None:
        return False
    t = ask.turn(active)
    components = [c for c in t.s.index.waves_of if hold.scope in (t.s.name, f"component:{c}")]
    over = any(
        len(t.failures.of(index, component)) > stage.max_failures
        for index, stage in enumerate(t.s.plan.stages)
        for component in components
    )
    return over or all(t.fronts.settled(name) for name in t.units)


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
        reached = [hold.release] if hold.release else _reached(ask, hold.scope)
        for name in reached or [""]:
            outcome.events.append(
                ask.event("hold.lifted", release=name, scope=hold.scope, code=hold.code.value)
            )
        # What depends on a component that failed was stopped with it.
        _wake_rolling(ask, outcome, hold.release or hold.scope)
        if hold.code is HoldCode.EXPIRED and hold.release in ask.board.releases:
            step = _step(ask, outcome, ask.board.releases[hold.release])
            outcome.steps[hold.release] = replace(step, state=replace(step.state, expires=None))


def _reached(ask: Ask, scope: str) -> list[str]:
    return [active.state.release for active, _ in ask.board.reached(scope)]


def _wake_rolling(ask: Ask, outcome: Outcome, scope: str) -> None:
    """Look at what rolls in the scope at once."""
    for active, units in ask.board.reached(scope):
        woken: dict[str, UnitState] = {}
        known = outcome.steps.get(active.state.release)
        for name in units:
            unit = (known.units.get(name) if known else None) or active.units[name]
            if unit.phase is UnitPhase.APPLYING:
                woken[name] = replace(unit, look_at=ask.now)
        if woken:
            step = known or _step(ask, outcome, active)
            outcome.steps[active.state.release] = replace(step, units={**step.units, **woken})


def _step(ask: Ask, outcome: Outcome, active: Active) -> Step:
    """What already follows for a release, or a step in which nothing has changed yet."""
    return outcome.steps.get(active.state.release) or close(ask.turn(active))
