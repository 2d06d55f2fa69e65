"""The forecast of a release that runs: from where it stands, as if what stops it were lifted now.

Reads the board. Other releases count roughly: a unit that another one has is free when that one's
own forecast says so, and what that one waits for in turn is not followed further.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.board import AHEAD, Active, Board, Reckoned
from bot.core.forecast import Forecast, forecast
from bot.core.situation import reaches
from bot.model.state import (
    Decision,
    DecisionStatus,
    Hold,
    ReleasePhase,
    UnitPhase,
    UnitState,
)

_DAY, _AGAIN = timedelta(days=1), timedelta(minutes=10)
_FORWARD = (ReleasePhase.SCHEDULED, ReleasePhase.PROGRESSING)
_NOT_ON_IT = (
    UnitPhase.SKIPPED,
    UnitPhase.QUARANTINED,
    UnitPhase.ROLLING_BACK,
    UnitPhase.ROLLED_BACK,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What a running release would do from now on, and what that leaves out of account."""

    forecast: Forecast
    holds: tuple[Hold, ...] = ()
    """What stops it; the forecast is reckoned as if they were lifted now."""
    decisions: tuple[Decision, ...] = ()
    """What people are asked; reckoned as answered yes now."""
    behind: Mapping[str, datetime | None]
    """Other releases that have units of it first → when they would have left them; None: never."""
    without: frozenset[str] = frozenset()
    """Units that will not be on the new version, as it stands."""


def live(board: Board, active: Active, now: datetime) -> Live:
    """The forecast of one release on the board."""
    free, behind = _free(board, active, now)
    rules = board.rules
    told = forecast(
        active.index.plan,
        rules.calendar,
        rules.policy,
        now,
        progress=active.units,
        free=free,
        begun=_begun(board, active, now),
    )
    return Live(
        forecast=told,
        holds=holds_of(board, active),
        decisions=tuple(
            one for _, one in sorted(active.decisions.items()) if one.status is DecisionStatus.OPEN
        ),
        behind=behind,
        without=frozenset(name for name, unit in active.units.items() if _left_out(unit)),
    )


def holds_of(board: Board, active: Active) -> tuple[Hold, ...]:
    """Every hold that reaches the release, or some unit of it."""
    name, units = active.state.release, active.index.plan.units
    # Asked first: with many releases held, most holds are another release's.
    near = [hold for hold in board.holds.values() if hold.release in (None, name)]
    return tuple(
        hold
        for hold in near
        if hold.scope == name
        or any(reaches(hold, active.index.covered(name, unit)) for unit in units)
    )


def ends(board: Board, active: Active, now: datetime, holds: tuple[Hold, ...]) -> datetime | None:
    """When the release ends by its forecast; None where nobody can say, or while it is held.

    Reckoned again only when a wave, a hold, a decision or a rule has changed, and every ten
    minutes at most: what it costs does not grow with the ticks.
    """
    if active.state.phase not in _FORWARD or active.unplanned or holds:
        return None
    plan, units = active.index.plan, active.units
    waves = [wave for stage in plan.stages for wave in stage.waves]
    complete = next(
        (k for k, wave in enumerate(waves) if not all(units[n].phase.ended for n in wave)),
        len(waves),
    )
    asked = tuple(n for n, one in active.decisions.items() if one.status is DecisionStatus.OPEN)
    rests_on = (active.state.phase, complete, asked, id(board.rules.calendar), board.rules.commit)
    last = active.reckoned
    if last is None or last.rests_on != rests_on or now - last.at >= _AGAIN:
        last = Reckoned(live(board, active, now).forecast.end, now, rests_on)
        active.reckoned = last
    return last.ends


def _left_out(unit: UnitState) -> bool:
    failed_back = unit.phase is UnitPhase.FAILED and unit.back
    return unit.phase in _NOT_ON_IT or failed_back or (unit.phase.ended and unit.began is None)


def _free(
    board: Board, active: Active, now: datetime
) -> tuple[dict[str, datetime], dict[str, datetime | None]]:
    """Unit → when others will have left it, and the releases that come before this one."""
    name, units = active.state.release, active.index.units
    owners: dict[str, list[str]] = {}
    for unit in active.index.plan.units:
        for owner, claim in board.claims.get(unit.lock, {}).items():
            first = claim.in_flight or claim.position < active.state.position
            if owner != name and first and active.units[unit.unit].began is None:
                owners.setdefault(owner, []).append(unit.unit)
    free: dict[str, datetime] = {}
    behind: dict[str, datetime | None] = {}
    for owner, waiting in sorted(owners.items()):
        other = board.releases.get(owner)
        if other is None or other.state.phase not in AHEAD or owner in _replaced(active):
            continue
        rules = board.rules
        ahead = forecast(other.index.plan, rules.calendar, rules.policy, now, progress=other.units)
        # It has a unit until it has ended as a whole: it may still take it back.
        behind[owner] = ahead.end
        if ahead.end is not None:
            for unit_name in waiting:
                free[unit_name] = max(free.get(unit_name, now), ahead.end)
    return {unit: at for unit, at in free.items() if unit in units}, behind


def _replaced(active: Active) -> tuple[str, ...]:
    return tuple((active.index.plan.spec or {}).get("supersedes") or ())


def _begun(board: Board, active: Active, now: datetime) -> list[datetime]:
    """When units of other releases that still run began, as far as the last day counts."""
    return [
        unit.began
        for other in board.releases.values()
        if other is not active
        for unit in other.units.values()
        if unit.began is not None and unit.began > now - _DAY
    ]
