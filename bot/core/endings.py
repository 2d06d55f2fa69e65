"""How units and releases end: failed, quarantined, taken back, succeeded, expired.

Called by the lifecycle and by commands. Never starts anything forward.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bot.cluster.fence import numbers
from bot.core import siblings
from bot.core.fronts import obstacle
from bot.core.good_end import all_good, held_as_a_whole
from bot.core.messages_endings import (
    TAKEN_OVER,
    component_went_back,
    expired,
    goes_back_with,
    needs_what_is_not_there,
    revert_branch,
    stopped,
)
from bot.core.messages_undo import not_by_itself, once_only
from bot.core.ours import ours
from bot.core.pace import LOOK_EVERY
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.record import FAILED
from bot.model.state import Blocked, Hold, HoldCode, ReleasePhase, Tally, UnitPhase, UnitState

TOUCHED = (
    UnitPhase.PENDING,
    UnitPhase.APPLYING,
    UnitPhase.SOAKING,
    UnitPhase.VERIFYING,
    UnitPhase.SUCCEEDED,
    UnitPhase.FAILED,
    UnitPhase.SKIPPED,
    UnitPhase.QUARANTINED,
)
"""Phases from which a unit that began can be taken back."""


def fail(t: Turn, u: Unit, why: str) -> None:
    """A gate said stop: the unit failed, and what its component and its stage say follows."""
    rolling_back = u.state.phase is UnitPhase.ROLLING_BACK
    stays = "" if rolling_back else _stays(u, why)
    t.put(
        replace(
            u.state,
            phase=UnitPhase.FAILED,
            since=t.s.now,
            failure=stays or why,
            look_at=None if u.state.began is None or rolling_back else t.s.now,
            deadline=None,
            in_hand=False,
        )
    )
    t.tell("unit.failed", u.plan.unit, why=stays or why)
    t.puts.append(Tally(what=FAILED, release=t.s.name, unit=u.plan.unit, at=t.s.now))
    if rolling_back or stays:
        _hold_failed(t, u, stays or why)
        return
    match u.component.on_failure:
        case "rollbackUnit" if u.state.began:
            t.put(replace(t.units[u.plan.unit], back_once=True))
            take_back(t, u.plan.unit, by="sluice", reason=why)
        case "rollbackRelease" if u.state.began:
            roll_back(t, by="sluice", reason=why)
            return
        case _:
            pass
    if len(t.failures.of(u.plan.stage, u.plan.component)) > u.stage.max_failures:
        _hold_failed(t, u, why)


def _stays(u: Unit, why: str) -> str:
    """Why a unit that its component would take back is not: once by itself is enough, and what
    cannot simply be put back is for people. "" where it may go, or would not.
    """
    if u.component.on_failure != "rollbackUnit" or u.state.began is None:
        return ""
    if u.state.one_way:
        return not_by_itself(why, u.state.one_way)
    return once_only(why) if u.state.back_once else ""


def _hold_failed(t: Turn, u: Unit, why: str) -> None:
    t.hold(
        Hold(
            id=f"{t.s.name}/failed/{u.plan.unit}",
            # What does not depend on it goes on.
            scope=f"component:{u.plan.component}" if t.s.index.several else t.s.name,
            code=HoldCode.FAILED,
            reason=stopped(u.plan.unit, why),
            by="sluice",
            at=t.s.now,
            release=t.s.name,
        ),
        unit=u.plan.unit,
        who=list(t.who("retry")),
    )


def quarantine(t: Turn, u: Unit, error: str) -> None:
    """A cluster that did not answer in time leaves the wave, is listed, and is owed a catch-up."""
    again = t.s.now + LOOK_EVERY[UnitPhase.QUARANTINED]
    t.put(replace(u.state, phase=UnitPhase.QUARANTINED, since=t.s.now, look_at=again))
    t.tell("unit.quarantined", u.plan.unit, error=error)


def come_back(t: Turn, u: Unit) -> None:
    """A quarantined cluster answers again: the unit catches up with the same plan."""
    t.put(
        replace(
            u.state, phase=UnitPhase.PENDING, since=t.s.now, unreachable_since=None, look_at=None
        )
    )
    t.tell("unit.back", u.plan.unit)


def take_back(t: Turn, name: str, *, by: str, reason: str) -> bool:
    """Send one unit back to what it ran before; False when the release never touched it."""
    if not _can_go_back(t.units[name]):
        return False
    for sibling in reversed(siblings.group(t.s, name)):
        # An object goes back as a whole: none of those who share it can stay.
        if _can_go_back(t.units[sibling]):
            _send_back(t, sibling, by=by, reason=reason)
    for other in reversed(t.s.index.needing(t.s.index.units[name])):
        # What was brought on top of it does not stay without it, unless it is a newer release's.
        if ours(t, other):
            take_back(t, other, by=by, reason=goes_back_with(name, reason))
    return True


def _send_back(t: Turn, name: str, *, by: str, reason: str) -> None:
    unit = t.units[name]
    if not unit.back:
        unit = _undecided(unit)
    _go_above(t, name)
    t.put(
        replace(
            unit,
            phase=UnitPhase.ROLLING_BACK,
            since=t.s.now,
            back=True,
            fenced=False,
            in_hand=False,
            look_at=t.s.now,
            batch_began=None,
            deadline=None,
            stopped_since=None,
            soak_until=None,
            unreachable_since=None,
        )
    )
    t.forget_progress(name)
    t.tell("unit.rolling-back", name, actor=by, reason=reason)


def roll_back(
    t: Turn,
    *,
    by: str,
    reason: str,
    only: Collection[str] | None = None,
    sticks: bool = True,
) -> int:
    """Send the whole release back (or what is still its own), newest first. How many go back.

    It sticks from now on: a cluster that does not answer must not keep the content from its block.
    """
    t.state = replace(
        t.state,
        phase=ReleasePhase.ROLLING_BACK,
        since=t.s.now,
        outcome=reason,
        sticks=t.state.sticks or sticks,
    )
    if t.state.sticks:
        t.puts += _blocks(t)
    names = [unit.unit for unit in reversed(t.s.plan.units)]
    # By itself it takes back nothing that a newer release has written since.
    wanted = [n for n in names if (ours(t, n) if only is None else n in only)]
    mine = [n for n in wanted if _can_go_back(t.units[n])]
    t.tell("release.rolling-back", actor=by, reason=reason, by=by, units=len(mine))
    for name in names:
        if name not in wanted and t.units[name].in_hand:
            _left_to_newer(t, name)
    for name in mine:
        take_back(t, name, by=by, reason=reason)
    return len(mine)


def _left_to_newer(t: Turn, name: str) -> None:
    """What rolled there when a newer release took over stands: it is that one's now."""
    unit = replace(t.units[name], phase=UnitPhase.SKIPPED, since=t.s.now, in_hand=False)
    t.put(replace(unit, look_at=None, deadline=None))
    t.tell("unit.skipped", name, reason=TAKEN_OVER)


def _can_go_back(unit: UnitState) -> bool:
    return unit.began is not None and unit.phase in TOUCHED


def _go_above(t: Turn, name: str) -> None:
    """A newer release may have written there and gone back: the fences of the way back lie above.

    No higher than that, or a release that was merged in between could write there no more.
    """
    plan = t.s.index.units[name]
    rows = (t.s.applied.get(key) for key in (name, plan.lock))
    fences = [numbers(row.fence) for row in rows if row is not None]
    position, seq = (*max(fences, default=()), 0, 0)[:2]
    if position > t.state.position:
        t.state = replace(
            t.state,
            fence_position=max(t.state.fence_position, position),
            seq=max(t.state.seq, seq),
        )


def _undecided(unit: UnitState) -> UnitState:
    """What was said of an earlier rollback of a first install does not count for this one."""
    said = ("keep", "keep-data", "irreversible")
    overrides = tuple(gate for gate in unit.overrides if gate not in said)
    return replace(unit, undo=False, undo_data=False, overrides=overrides, added=())


def expire(t: Turn) -> None:
    """Without a first write by its time, a release is held."""
    if (
        t.state.phase is ReleasePhase.SCHEDULED
        and t.state.expires is not None
        and t.s.now >= t.state.expires
        and t.state.began is None
    ):
        t.hold(
            Hold(
                id=f"{t.s.name}/expired",
                scope=t.s.name,
                code=HoldCode.EXPIRED,
                reason=expired(t.state.expires),
                by="sluice",
                at=t.s.now,
                release=t.s.name,
            ),
            who=list(t.who("resume")),
        )


def start(t: Turn) -> None:
    """The first unit begins: so does the release."""
    if t.state.phase is ReleasePhase.SCHEDULED:
        t.state = replace(t.state, phase=ReleasePhase.PROGRESSING, since=t.s.now, began=t.s.now)
        t.tell("release.began")


def finish(t: Turn) -> None:
    """The release's own phase, from where its units stand."""
    units = t.units.values()
    began = [unit.began for unit in units if unit.began is not None]
    if began or any(unit.phase is UnitPhase.SUCCEEDED for unit in units):
        start(t)
    if t.state.phase is ReleasePhase.ROLLING_BACK:
        if not any(_goes_back(unit) for unit in units):
            _rolled_back(t)
    elif t.state.phase in (ReleasePhase.PROGRESSING, ReleasePhase.SCHEDULED):
        if t.state.superseded_by and all(_stands(unit) for unit in units):
            _superseded(t)
        elif all_good(t):
            _succeeded(t)
        elif all(t.fronts.settled(name) for name in t.units):
            _hold_for_tolerated(t)
            _leave_out(t)
            if all_good(t):
                _succeeded(t)


def _goes_back(unit: UnitState) -> bool:
    """Still on its way back, or failed there. What failed forward and was not sent back belongs to
    a newer release now.
    """
    return unit.phase is UnitPhase.ROLLING_BACK or (
        unit.phase is UnitPhase.FAILED and unit.began is not None and unit.back
    )


def _hold_for_tolerated(t: Turn) -> None:
    """All that could go has gone. A stage may tolerate failures; a release does not end on them."""
    for name, unit in t.units.items():
        if unit.phase is UnitPhase.FAILED:
            _hold_failed(t, t.unit(name), unit.failure or "")


def _leave_out(t: Turn) -> None:
    """All has ended but what waits for units that were taken back or never answered: those end
    with them, and the release does not wait for ever.
    """
    if held_as_a_whole(t):
        return
    for unit in t.s.plan.units:
        ahead = obstacle(t.s.index, t.units, unit)
        if t.units[unit.unit].phase.ended or ahead is None:
            continue
        if ahead.root.phase is UnitPhase.QUARANTINED:
            quarantine(t, t.unit(unit.unit), "")
        elif ahead.root.phase in (UnitPhase.ROLLED_BACK, UnitPhase.SKIPPED):
            state = t.units[unit.unit]
            t.put(replace(state, phase=UnitPhase.SKIPPED, since=t.s.now, look_at=None))
            t.tell("unit.skipped", unit.unit, reason=needs_what_is_not_there(ahead.root.unit))


def _succeeded(t: Turn) -> None:
    t.state = replace(t.state, phase=ReleasePhase.SUCCEEDED, since=t.s.now, ended=t.s.now)
    phases = [unit.phase for unit in t.units.values()]
    t.tell(
        "release.succeeded",
        units=phases.count(UnitPhase.SUCCEEDED),
        skipped=phases.count(UnitPhase.SKIPPED) + phases.count(UnitPhase.ROLLED_BACK),
        owed=phases.count(UnitPhase.QUARANTINED),
    )


def _stands(unit: UnitState) -> bool:
    """Nothing of the unit rolls in its cluster any more, or nobody can tell: fences protect what
    the successor writes.
    """
    return (
        unit.phase not in (UnitPhase.APPLYING, UnitPhase.ROLLING_BACK)
        or unit.look_at is None
        or unit.unreachable_since is not None
    )


def _superseded(t: Turn) -> None:
    t.state = replace(t.state, phase=ReleasePhase.SUPERSEDED, since=t.s.now, ended=t.s.now)
    t.tell("release.superseded", by=t.state.superseded_by)


def component_back(t: Turn, component: str, touched: list[str], *, by: str, reason: str) -> None:
    """Send one component of several back, with what depends on it: what has not begun of them does
    not begin, and the component's content is blocked as that of a whole release would be.
    """
    if t.state.phase.ended:
        t.state = replace(t.state, phase=ReleasePhase.PROGRESSING, since=t.s.now, ended=None)
    t.puts += [row for row in _blocks(t, reason) if row.component == component]
    for name in reversed(touched):
        take_back(t, name, by=by, reason=reason)
    components = (component, *t.s.index.downstream[component])
    for unit in t.s.plan.units:
        state = t.units[unit.unit]
        if unit.component in components and state.began is None and not state.phase.ended:
            t.put(replace(state, phase=UnitPhase.SKIPPED, since=t.s.now, look_at=None))
            t.tell("unit.skipped", unit.unit, actor=by, reason=component_went_back(component))


def _blocks(t: Turn, reason: str = "") -> list[Blocked]:
    """It sticks: the content is blocked, the version only if the release changed it."""
    return [
        Blocked(
            component=component.name,
            version=component.version,
            content="" if component.version_changed else component.content,
            reason=reason or t.state.outcome,
            release=t.s.name,
            at=t.s.now,
        )
        for component in t.s.plan.components
        # A task that was taken back may be done again.
        if not component.task
    ]


def _rolled_back(t: Turn) -> None:
    blocked = [f"{row.component} {row.version}" for row in _blocks(t)] if t.state.sticks else []
    branch = revert_branch(t.s.name) if t.state.sticks else ""
    t.state = replace(t.state, phase=ReleasePhase.ROLLED_BACK, since=t.s.now, ended=t.s.now)
    units = sum(unit.phase is UnitPhase.ROLLED_BACK for unit in t.units.values())
    t.tell("release.rolled-back", units=units, branch=branch, blocked=blocked)
