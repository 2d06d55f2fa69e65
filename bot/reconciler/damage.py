"""A store whose rows do not fit together holds everything: what is known may not be what is.

A row that cannot be read at all never comes this far: then no tick comes to its end, and nothing is
written. Mends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.board import Board
from bot.core.messages_store import damaged_rows
from bot.model.state import Event, Hold, HoldCode
from bot.reconciler.ledger import Ledger

HOLD = "store/damaged"


def hold_damaged(board: Board, now: datetime, ledger: Ledger) -> None:
    """Hold everything while the board was read from rows that do not fit; let go when they do."""
    before = board.holds.get(HOLD)
    if not board.flaws:
        if before is not None:
            del board.holds[HOLD]
            ledger.drop(Hold, HOLD)
            _tell(board, "hold.lifted", {"scope": "all", "code": before.code.value}, now, ledger)
        return
    reason = damaged_rows(board.flaws)
    if before is not None and before.reason == reason:
        return
    hold = Hold(id=HOLD, scope="all", code=HoldCode.DAMAGED, reason=reason, by="sluice", at=now)
    hold = replace(hold, at=before.at) if before else hold
    board.holds[HOLD] = hold
    ledger.put(hold)
    told = {"scope": "all", "code": hold.code.value, "reason": reason, "finish_batch": False}
    _tell(board, "hold.set", told, now, ledger)


def _tell(
    board: Board, kind: str, data: Mapping[str, object], now: datetime, ledger: Ledger
) -> None:
    for name in sorted(board.releases) or [""]:
        ledger.events.append(Event(at=now, kind=kind, release=name, data=data))
