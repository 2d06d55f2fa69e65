"""The verb rollback: a unit, a wave, a stage, a whole release, or whatever a scope reaches.

A whole release sticks: its content is blocked. A share of one holds the release where it stands.
Answers with an `Outcome`; permission has been checked before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bot.core import endings
from bot.core.board import Active
from bot.core.commands import Ask, Outcome
from bot.core.commands_steer import failure_holds, lift
from bot.core.messages_endings import part_back
from bot.core.messages_refusal import Refusal, done, refusal
from bot.core.scope import covers, is_part, is_share
from bot.core.turn import Turn
from bot.model.state import Hold, HoldCode, ReleasePhase, UnitPhase, UnitState


def rollback(ask: Ask) -> Outcome:
    """A release backwards: newest first, without waiting for Allow windows."""
    outcome = Outcome()
    count, releases = 0, []
    along: list[str] = []
    component = ""
    part, share = is_part(ask.scope), is_share(ask.scope)
    held, given_up = False, []
    for active, units in ask.board.reached(ask.scope):
        if active.state.phase is ReleasePhase.PROPOSED:
            continue
        touched = [n for n in units if _can_be_taken_back(active, n)]
        every = "@" not in ask.scope and not part and len(units) == len(active.units)
        if active.state.phase is ReleasePhase.SUPERSEDED:
            # What has been taken over is the newer one's; the rest was left where it stood.
            left = [n for n in touched if not replaced_by(ask, active, [n])]
            touched, units = left or touched, left or units
        if not touched and not (every and _all_is_back(active)):
            continue
        if later := replaced_by(ask, active, touched):
            return Outcome(refused=refusal("replaced", release=active.state.release, by=later))
        t = ask.turn(active)
        before = _going_back(t)
        whole = every or active.state.phase in (ReleasePhase.SUPERSEDED, ReleasePhase.ROLLED_BACK)
        given_up += [active.state.release] if every else []
        if whole:
            t.state = replace(t.state, ended=None)
            endings.roll_back(t, by=ask.by, reason=ask.command.reason, only=touched, sticks=every)
        elif component := _one_of_several(ask, active):
            endings.component_back(t, component, touched, by=ask.by, reason=ask.command.reason)
        else:
            _some_back(ask, t, touched)
            held = held or share
        went = [name for name in _going_back(t) if name not in before]
        count += len(went)
        along += [name for name in went if name not in touched]
        outcome.step(t)
        releases.append(active.state.release)
        lifted = failure_holds(ask, active, touched if not whole else None)
        lift(ask, outcome, [*lifted, *(back_holds(ask, active) if whole else ())])
    if not releases:
        return Outcome(refused=_nothing_to_take_back(ask))
    outcome.text = done(
        "rollback",
        scope=ask.scope,
        units=count,
        reason=ask.command.reason,
        by=ask.by,
        part=ask.scope if held else "",
        sticks=bool(given_up or component),
        given_up=given_up if held else (),
        along=along,
        component=component,
    )
    outcome.body = {"scope": ask.scope, "releases": releases, "units": count, "along": along}
    return outcome


def _going_back(t: Turn) -> list[str]:
    return [name for name, unit in t.units.items() if unit.phase is UnitPhase.ROLLING_BACK]


def _one_of_several(ask: Ask, active: Active) -> str:
    """The component that the scope names, where the release has others too; else ""."""
    prefix, _, name = ask.scope.partition(":")
    return name if prefix == "component" and active.index.several else ""


def _some_back(ask: Ask, t: Turn, touched: list[str]) -> None:
    """Take some units of a release back. After all but a single unit the release holds there: what
    was bad in one cluster of a group does not go on to the next.
    """
    if t.state.phase.ended:
        t.state = replace(t.state, phase=ReleasePhase.PROGRESSING, since=ask.now, ended=None)
    if is_share(ask.scope):
        t.hold(
            Hold(
                id=f"{t.s.name}/{HoldCode.ROLLED_BACK.value}/{ask.scope}",
                scope=t.s.name,
                code=HoldCode.ROLLED_BACK,
                reason=part_back(ask.scope, ask.command.reason),
                by=ask.by,
                at=ask.now,
                release=t.s.name,
            ),
            who=list(t.who("retry")),
        )
    for name in reversed(touched):
        endings.take_back(t, name, by=ask.by, reason=ask.command.reason)


def _nothing_to_take_back(ask: Ask) -> Refusal:
    reached = list(ask.board.reached(ask.scope))
    phases = [active.state.phase for active, _ in reached]
    code = "ended" if phases and all(phase.ended for phase in phases) else "not-begun"
    rows = [active.units[name] for active, units in reached for name in units]
    if any(unit.phase is UnitPhase.ROLLING_BACK for unit in rows):
        code = "going-back"
    elif any(unit.phase is UnitPhase.ROLLED_BACK for unit in rows) and code == "not-begun":
        code = "is-back"
    part = is_share(ask.scope) or "@" in ask.scope
    return refusal(code, release=ask.scope, scope=ask.scope, verb="rollback", part=part)


def _all_is_back(active: Active) -> bool:
    """Unit by unit all that it touched went back, and it stands: the release itself can still be
    given up, so that it sticks.
    """
    units = active.units.values()
    stands = not active.state.phase.ended and active.state.phase is not ReleasePhase.ROLLING_BACK
    return stands and any(unit.phase is UnitPhase.ROLLED_BACK for unit in units)


def _can_be_taken_back(active: Active, name: str) -> bool:
    """What it touched; of a release that went back as a whole, what was left out on the way."""
    unit = active.units[name]
    if active.state.phase is ReleasePhase.ROLLED_BACK and not unit.back:
        return False
    return unit.began is not None and unit.phase in endings.TOUCHED


def replaced_by(ask: Ask, active: Active, units: list[str]) -> str:
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
        for key in (name, lock) if active.index.shared[name] else (name,):
            applied = ask.board.applied.get(key)
            if applied is None or applied.release == active.state.release:
                continue
            if int(applied.fence.partition(".")[0]) > position:
                return applied.release
    return ""


def back_holds(ask: Ask, active: Active) -> list[Hold]:
    """Holds of a release that stages, waves or other shares of it left when they went back."""
    return [
        hold
        for hold in ask.board.holds.values()
        if hold.release == active.state.release and hold.code is HoldCode.ROLLED_BACK
    ]


def held_back(ask: Ask, active: Active) -> set[str]:
    """Units of the shares that were rolled back and hold the release."""
    parts = [hold.part for hold in back_holds(ask, active)]
    return {name for part in parts for name in _units_of(active, part)}


def cleared(ask: Ask, active: Active, t: Turn) -> list[Hold]:
    """Holds of which nothing is back any more: all of it was tried again or left out."""
    return [
        hold
        for hold in back_holds(ask, active)
        if not any(_is_back(t.units, name) for name in _units_of(active, hold.part))
    ]


def _is_back(units: Mapping[str, UnitState], name: str) -> bool:
    unit = units[name]
    return unit.back or unit.phase in (UnitPhase.ROLLING_BACK, UnitPhase.ROLLED_BACK)


def _units_of(active: Active, part: str) -> list[str]:
    plan, release = active.index.plan, active.state.release
    return [u.unit for u in plan.units if covers(part, active.index.covered(release, u))]
