"""Holds that the bot itself sets and lifts because of what it noticed in Git. Decides no cause."""

from __future__ import annotations

from datetime import datetime

from bot.core.board import Board
from bot.model.state import Event, Hold, HoldCode
from bot.reconciler.ledger import Ledger


def lift_hold(board: Board, hold_id: str, name: str, now: datetime, ledger: Ledger) -> None:
    """What made the bot hold a release is over."""
    if board.holds.pop(hold_id, None) is not None:
        ledger.drop(Hold, hold_id)
        ledger.events.append(Event(at=now, kind="hold.lifted", release=name, data={"scope": name}))


def set_hold(
    board: Board,
    ledger: Ledger,
    id_: str,
    scope: str,
    code: HoldCode,
    reason: str,
    now: datetime,
) -> None:
    """Set once: what stands is not said again."""
    if id_ in board.holds:
        return
    release = scope if scope in board.releases else None
    hold = Hold(id=id_, scope=scope, code=code, reason=reason, by="sluice", at=now, release=release)
    board.holds[id_] = hold
    ledger.put(hold)
    ledger.events.append(
        Event(
            at=now,
            kind="hold.set",
            release=release or "",
            data={"scope": scope, "code": code.value, "reason": reason, "finish_batch": False},
        )
    )
