"""Verbs for what went wrong: skip and retry.

Each answers with an `Outcome`; permission has been checked before.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core import added, endings, leftovers, siblings, undo
from bot.core.board import Active
from bot.core.commands import Ask, Outcome
from bot.core.commands_rollback import (
    back_holds,
    cleared,
    held_back,
    replaced_by,
)
from bot.core.commands_steer import failure_holds, lift
from bot.core.decisions import ask_again, used
from bot.core.gates_rolling import not_fenced, reversible, undo_decided
from bot.core.messages_refusal import done, refusal
from bot.core.scope import is_part
from bot.core.turn import Turn
from bot.model.state import Hold, ReleasePhase, UnitPhase, UnitState


def skip(ask: Ask) -> Outcome:
    """Leave one unit out; it is listed as owed."""
    found = _the_unit(ask)
    if found is None:
        return Outcome(refused=refusal("unknown-unit", unit=ask.scope))
    active, unit = found
    if unit.phase in (UnitPhase.SUCCEEDED, UnitPhase.SKIPPED) or (
        unit.phase is UnitPhase.ROLLED_BACK
        and not unit.failure
        and unit.unit not in held_back(ask, active)
    ):
        return Outcome(refused=refusal("already-done", unit=ask.scope, verb=unit.phase.value))
    moves = unit.phase.rolling or unit.phase is UnitPhase.ROLLING_BACK
    t = ask.turn(active)
    if moves and unit.unreachable_since is None and not _awaits_a_word(t, unit):
        return Outcome(refused=refusal("in-flight", unit=ask.scope))
    if unit.leaving and not unit.phase.ended and not unit.back:
        t.put(leftovers.left_by(t, unit, ask.by, ask.command.reason))
    elif unit.added and unit.phase is UnitPhase.ROLLING_BACK:
        t.put(replace(added.answered(unit, delete=False, by=ask.by), look_at=ask.now))
        added.tell_kept(t, unit.unit, t.units[unit.unit].added, actor=ask.by)
    else:
        t.put(_left_out(unit, ask.now))
        t.tell("unit.skipped", unit.unit, actor=ask.by, reason=ask.command.reason)
    undo.ask(t)
    undo.ask_added(t)
    outcome = Outcome()
    outcome.step(t)
    lift(ask, outcome, [*failure_holds(ask, active, [unit.unit]), *cleared(ask, active, t)])
    plan = active.index.units[unit.unit]
    freed = [n for n in active.index.needing(plan) if not t.units[n].phase.ended]
    outcome.text = done(
        "skip",
        unit=unit.unit,
        reason=ask.command.reason,
        by=ask.by,
        freed=freed,
        half_way=t.units[unit.unit].began is not None and not unit.leaving,
    )
    phase = t.units[unit.unit].phase.value
    outcome.body = {"release": t.s.name, "unit": unit.unit, "phase": phase}
    return outcome


def _awaits_a_word(t: Turn, unit: UnitState) -> bool:
    """On its way back it stands until people say how: then it may as well stay as it is. Not one
    alone of those that share objects.
    """
    alone = len(siblings.group(t.s, unit.unit)) == 1
    if unit.phase is not UnitPhase.ROLLING_BACK or not alone:
        return False
    u = t.unit(unit.unit)
    return any(gate(t, u) is not None for gate in (reversible, undo_decided, not_fenced))


def _left_out(unit: UnitState, now: datetime) -> UnitState:
    if unit.phase is UnitPhase.ROLLED_BACK:
        # Nothing of it is left in the cluster: who tries it again begins with its first batch.
        return UnitState(
            release=unit.release,
            unit=unit.unit,
            phase=UnitPhase.SKIPPED,
            since=now,
            back_once=unit.back_once,
            anew_above=unit.anew_above,
        )
    return replace(
        unit, phase=UnitPhase.SKIPPED, since=now, look_at=None, deadline=None, in_hand=False
    )


RETRIABLE = (UnitPhase.FAILED, UnitPhase.QUARANTINED)
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
    failed = False
    held: Hold | None = None
    for active, units in ask.board.reached(ask.scope):
        if active.state.phase not in RETRIED:
            continue
        again = [n for n in units if _retriable(ask, active, n)]
        if not again:
            held = held or next(iter(back_holds(ask, active)), None)
            continue
        again = siblings.taken_along(active.index, active.units, again)
        if later := replaced_by(ask, active, again):
            return Outcome(refused=refusal("replaced", release=active.state.release, by=later))
        t = ask.turn(active)
        if t.state.phase.ended:
            t.state = replace(t.state, phase=ReleasePhase.PROGRESSING, since=ask.now, ended=None)
        failed |= any(active.units[name].phase is not UnitPhase.SKIPPED for name in again)
        before = used(t)
        for name in again:
            try_again(t, name, ask.by)
        ask_again(t, before)
        outcome.step(t)
        lift(ask, outcome, [*failure_holds(ask, active, again), *cleared(ask, active, t)])
        names += again
    if not names and held is not None:
        verb = f"retry {held.part}"
        return Outcome(refused=refusal("still-held", scope=ask.scope, why=held.reason, verb=verb))
    if not names:
        left = [
            name
            for active, units in ask.board.reached(ask.scope)
            if active.state.phase in RETRIED
            for name in units
            if active.units[name].phase is UnitPhase.SKIPPED and ask.scope != "all"
        ]
        why = refusal("not-failed", scope=ask.scope, verb="retry", skipped=left)
        return Outcome(refused=why)
    outcome.text = done("retry", scope=ask.scope, units=names, by=ask.by, failed=failed)
    outcome.body = {"scope": ask.scope, "units": names}
    return outcome


def _retriable(ask: Ask, active: Active, name: str) -> bool:
    """What did not come to a good end, and that the release still wants. What a person left out or
    took back is tried again only when it is named: the unit, its wave, its stage, or the scope
    that it was taken back by.
    """
    unit = active.units[name]
    if active.state.phase is ReleasePhase.ROLLING_BACK:
        return unit.began is not None and (
            unit.phase is UnitPhase.FAILED or (unit.back and unit.phase is UnitPhase.SKIPPED)
        )
    match unit.phase:
        case UnitPhase.SKIPPED:
            return "@" in ask.scope
        case UnitPhase.ROLLED_BACK:
            named = "@" in ask.scope or is_part(ask.scope) or _went_back_by(ask, active)
            return unit.failure is not None or named
        case phase:
            return phase in RETRIABLE


def _went_back_by(ask: Ask, active: Active) -> bool:
    """Whether the scope is the very one by which a share of the release was rolled back."""
    return any(hold.part == ask.scope for hold in back_holds(ask, active))


def try_again(t: Turn, name: str, by: str) -> None:
    unit = t.units[name]
    t.tell("unit.retry", name, actor=by)
    if t.state.phase is ReleasePhase.ROLLING_BACK or unit.back:
        endings.take_back(t, name, by=by, reason=t.state.outcome or unit.failure or "")
        return
    if unit.phase is UnitPhase.ROLLED_BACK:
        t.put(
            UnitState(
                release=unit.release,
                unit=name,
                since=t.s.now,
                back_once=unit.back_once,
                anew_above=unit.anew_above,
                adopted=unit.adopted,
            )
        )
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
        # A first batch may have been all there was then, and its nodes have become more since.
        step = unit.step - 1 if unit.done else -1
        fresh = replace(fresh, batch=unit.batch - 1, step=step, targets={}, batch_began=None)
    t.put(fresh)


def _the_unit(ask: Ask) -> tuple[Active, UnitState] | None:
    for active, units in ask.board.reached(ask.scope):
        if ask.scope in units and active.state.phase is not ReleasePhase.PROPOSED:
            return active, active.units[ask.scope]
    return None
