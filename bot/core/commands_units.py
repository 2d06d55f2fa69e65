"""Verbs for what went wrong: skip, retry, rollback.

Each answers with an `Outcome`; permission has been checked before.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core import endings
from bot.core.board import Active
from bot.core.commands import Ask, Outcome
from bot.core.commands_steer import failure_holds, lift
from bot.core.messages_refusal import done, refusal
from bot.core.turn import Turn
from bot.model.state import ReleasePhase, UnitPhase, UnitState


def skip(ask: Ask) -> Outcome:
    """Leave one unit out; it is listed as owed."""
    found = _the_unit(ask)
    if found is None:
        return Outcome(refused=refusal("unknown-unit", unit=ask.scope))
    active, unit = found
    if unit.phase in (UnitPhase.SUCCEEDED, UnitPhase.SKIPPED) or (
        unit.phase is UnitPhase.ROLLED_BACK and not unit.failure
    ):
        return Outcome(refused=refusal("already-done", unit=ask.scope, verb=unit.phase.value))
    moves = unit.phase.rolling or unit.phase is UnitPhase.ROLLING_BACK
    if moves and unit.unreachable_since is None:
        return Outcome(refused=refusal("in-flight", unit=ask.scope))
    t = ask.turn(active)
    t.put(_left_out(unit, ask.now))
    t.tell("unit.skipped", unit.unit, actor=ask.by, reason=ask.command.reason)
    outcome = Outcome()
    outcome.step(t)
    lift(ask, outcome, failure_holds(ask, active, [unit.unit]))
    outcome.text = done("skip", unit=unit.unit, reason=ask.command.reason, by=ask.by)
    outcome.body = {"release": t.s.name, "unit": unit.unit, "phase": UnitPhase.SKIPPED.value}
    return outcome


def _left_out(unit: UnitState, now: datetime) -> UnitState:
    if unit.phase is UnitPhase.ROLLED_BACK:
        # Nothing of it is left in the cluster: who tries it again begins with its first batch.
        return UnitState(release=unit.release, unit=unit.unit, phase=UnitPhase.SKIPPED, since=now)
    return replace(
        unit, phase=UnitPhase.SKIPPED, since=now, look_at=None, deadline=None, in_hand=False
    )


RETRIABLE = (UnitPhase.FAILED, UnitPhase.QUARANTINED, UnitPhase.SKIPPED)
RETRIED = (
    ReleasePhase.SCHEDULED,
    ReleasePhase.PROGRESSING,
    ReleasePhase.ROLLING_BACK,
    ReleasePhase.SUCCEEDED,
)
"""Phases of a release whose units can be tried again: what was taken back, cancelled or replaced
never goes forward again."""


def retry(ask: Ask) -> Outcome:
    """Begin the failed batch again, by all its gates; with the same plan."""
    outcome = Outcome()
    names: list[str] = []
    for active, units in ask.board.reached(ask.scope):
        if active.state.phase not in RETRIED:
            continue
        again = [n for n in units if _retriable(active, n)]
        if "@" not in ask.scope:
            again = [n for n in again if active.units[n].phase is not UnitPhase.SKIPPED]
        if not again:
            continue
        if later := _replaced_by(ask, active, again):
            return Outcome(refused=refusal("replaced", release=active.state.release, by=later))
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


def _retriable(active: Active, name: str) -> bool:
    """What did not come to a good end, and that the release still wants."""
    unit = active.units[name]
    if active.state.phase is ReleasePhase.ROLLING_BACK:
        return unit.began is not None and (
            unit.phase is UnitPhase.FAILED or (unit.back and unit.phase is UnitPhase.SKIPPED)
        )
    failed_and_back = unit.phase is UnitPhase.ROLLED_BACK and unit.failure is not None
    return unit.phase in RETRIABLE or failed_and_back


def _again(t: Turn, name: str, by: str) -> None:
    unit = t.units[name]
    t.tell("unit.retry", name, actor=by)
    if t.state.phase is ReleasePhase.ROLLING_BACK or unit.back:
        endings.take_back(t, name, by=by, reason=t.state.outcome or unit.failure or "")
        return
    if unit.phase is UnitPhase.ROLLED_BACK:
        t.put(UnitState(release=unit.release, unit=name, since=t.s.now))
        return
    fresh = replace(
        unit,
        phase=UnitPhase.PENDING,
        since=t.s.now,
        failure=None,
        refused=None,
        checks=(),
        deadline=None,
        stopped_since=None,
        unreachable_since=None,
        look_at=None,
        in_hand=False,
    )
    if unit.batch > unit.done:
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
        if active.state.phase is ReleasePhase.PROPOSED:
            continue
        touched = [n for n in units if _can_be_taken_back(active, n)]
        every = "@" not in ask.scope and len(units) == len(active.units)
        if active.state.phase is ReleasePhase.SUPERSEDED:
            # What has been taken over is the newer one's; the rest was left where it stood.
            left = [n for n in touched if not _replaced_by(ask, active, [n])]
            touched, units = left or touched, left or units
        if not touched:
            continue
        if later := _replaced_by(ask, active, touched):
            return Outcome(refused=refusal("replaced", release=active.state.release, by=later))
        t = ask.turn(active)
        whole = every or active.state.phase in (ReleasePhase.SUPERSEDED, ReleasePhase.ROLLED_BACK)
        if whole:
            t.state = replace(t.state, ended=None)
            count += endings.roll_back(
                t, by=ask.by, reason=ask.command.reason, only=touched, sticks=every
            )
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
        if any(
            active.units[name].phase is UnitPhase.ROLLING_BACK
            for active, units in ask.board.reached(ask.scope)
            for name in units
        ):
            code = "going-back"
        return Outcome(refused=refusal(code, release=ask.scope, scope=ask.scope, verb="rollback"))
    outcome.text = done(
        "rollback", scope=ask.scope, units=count, reason=ask.command.reason, by=ask.by
    )
    outcome.body = {"scope": ask.scope, "releases": releases, "units": count}
    return outcome


def _can_be_taken_back(active: Active, name: str) -> bool:
    """What it touched; of a release that went back as a whole, what was left out on the way."""
    unit = active.units[name]
    if active.state.phase is ReleasePhase.ROLLED_BACK and not unit.back:
        return False
    return unit.began is not None and unit.phase in endings.TOUCHED


def _replaced_by(ask: Ask, active: Active, units: list[str]) -> str:
    """A later release that has written one of the units, or has it in hand; "" when none has."""
    position = active.state.position
    for name in units:
        lock = active.index.units[name].lock
        for claim in ask.board.claims.get(lock, {}).values():
            other = ask.board.releases[claim.release]
            theirs = [other.units[unit] for unit in other.index.locks[lock]]
            left = all(u.began is None or u.phase is UnitPhase.ROLLED_BACK for u in theirs)
            if claim.position > position and not left:
                return claim.release
        applied = ask.board.applied.get(name)
        if applied is None or applied.release == active.state.release:
            continue
        if int(applied.fence.partition(".")[0]) > position:
            return applied.release
    return ""


def _the_unit(ask: Ask) -> tuple[Active, UnitState] | None:
    for active, units in ask.board.reached(ask.scope):
        if "@" in ask.scope and active.state.phase is not ReleasePhase.PROPOSED:
            return active, active.units[units[0]]
    return None
