"""Ends snoozes when their time has come. Sets none."""

from __future__ import annotations

from datetime import datetime

from bot.core.board import Board
from bot.model.state import DecisionStatus, Event, Hold, HoldCode
from bot.reconciler.ledger import Ledger


def next_end(board: Board) -> datetime | None:
    """When the first snooze is over."""
    return min((hold.until for hold in board.holds.values() if hold.until), default=None)


def end_snoozes(board: Board, now: datetime, ledger: Ledger) -> None:
    """Let go of what was snoozed until now; who was not asked meanwhile is asked again."""
    over = [hold for hold in board.holds.values() if hold.until is not None and hold.until <= now]
    for hold in over:
        for active, _ in board.reached(hold.scope):
            waiting = [
                one.id for one in active.decisions.values() if one.status is DecisionStatus.OPEN
            ]
            told = {"scope": hold.scope, "code": HoldCode.SNOOZED.value, "decisions": waiting}
            name = active.state.release
            ledger.events.append(Event(at=now, kind="hold.lifted", release=name, data=told))
        del board.holds[hold.id]
        ledger.drop(Hold, hold.id)
    if over:
        board.wake_all()
