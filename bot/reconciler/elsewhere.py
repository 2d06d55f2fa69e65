"""Whether another process on the same store has taken anything further than this one's board.

Asks the store for two marks and for the number of lines; changes nothing.
"""

from __future__ import annotations

from bot.core.board import Board
from bot.ports import Store
from bot.reconciler.noticing import BROKEN, GOOD


def moved_elsewhere(store: Store, board: Board, read: int) -> bool:
    """Its rules, and what it planned, stopped, ended or brought back, are in the store and not on
    the board: by old rules and old rows nobody may go on. `read`: the line of the audit up to which
    this process knows them all. Whatever moves is told there, in the same transaction.
    """
    if store.event_count() != read:
        return True
    rules = board.rules
    good = store.mark(GOOD)
    return good not in (None, rules.commit) or (store.mark(BROKEN) or None) != rules.broken
