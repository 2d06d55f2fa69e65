"""A release as people see it: everything that a card, a thread or a status line is made from.

Reads the board; changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from bot.core.board import Active, Board, skipped
from bot.core.forecast_live import ends, holds_of
from bot.core.gates_rolling import still_converged
from bot.core.lifecycle import explain
from bot.core.situation import calendar_unit
from bot.core.turn import Turn
from bot.core.way_back import back_by
from bot.model.gate import ReleaseView, Waiting
from bot.model.state import DecisionStatus, ReleasePhase


def view_of(
    board: Board, active: Active, now: datetime, *, waiting: tuple[Waiting, ...] | None = None
) -> ReleaseView:
    """The release at `now`. `waiting`: the first closed gates, worked out here when not given."""
    s = board.situation(active, now)
    t = Turn(s)
    if waiting is None:
        waiting = () if active.state.phase.ended else _with_last_look(active, explain(s))
    next_open, next_close = _times(board, active, now)
    owners = [owner for component in active.index.plan.components for owner in component.owners]
    held = holds_of(board, active)
    return ReleaseView(
        now=now,
        plan=active.index.plan,
        state=active.state,
        units=active.units,
        holds=held,
        decisions=tuple(decision for _, decision in sorted(active.decisions.items())),
        waiting=waiting,
        next_open=next_open,
        next_close=next_close,
        ends=back_by(t)
        if active.state.phase is ReleasePhase.ROLLING_BACK
        else ends(board, active, now, held),
        owed=(*skipped(active.units), *board.rules.late(active.index.plan)),
        channel=board.rules.directory.channel(owners),
        zone=_zone(board, active, now),
        deciders={
            decision.id: t.deciders(decision)
            for decision in active.decisions.values()
            if decision.status is DecisionStatus.OPEN
        },
        needs={decision.id: t.need(decision) for decision in active.decisions.values()},
    )


def _with_last_look(active: Active, found: tuple[Waiting, ...]) -> tuple[Waiting, ...]:
    """What only a look at the cluster can say, as the last one said it."""
    last = [line for line in active.waiting if line.gate == still_converged.__name__]
    told = {line.unit for line in last}
    return (*last, *(line for line in found if line.unit not in told))


def _zone(board: Board, active: Active, now: datetime) -> str:
    """People read times as the windows are written that the release waits for."""
    s = board.situation(active, now)
    for unit in active.index.plan.units[:1]:
        return board.rules.calendar.zone(calendar_unit(s, unit))
    return "UTC"


def _times(board: Board, active: Active, now: datetime) -> tuple[datetime | None, datetime | None]:
    """(next opening, next close) for the first unit that has not ended."""
    if active.state.phase not in (ReleasePhase.SCHEDULED, ReleasePhase.PROGRESSING):
        return None, None
    for unit in active.index.plan.units:
        if not active.units[unit.unit].phase.ended:
            s = board.situation(active, now)
            opening = board.rules.calendar.ask(calendar_unit(s, unit), now)
            return opening.next_open, opening.next_close if opening.open else None
    return None, None
