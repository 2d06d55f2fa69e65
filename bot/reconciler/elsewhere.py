"""Whether another process on the same store has taken main further than this one's board, or has
stopped something.

Asks the store for two marks and for what holds; changes nothing.
"""

from __future__ import annotations

from bot.core.board import Board
from bot.model.state import Hold
from bot.ports import Store
from bot.reconciler.noticing import BROKEN, GOOD


def moved_elsewhere(store: Store, board: Board) -> bool:
    """Its rules, and what it planned, are in the store and not on the board: by old rules nobody
    may go on. What another process stopped is stopped for this one, too.
    """
    if any(hold.id not in board.holds for hold in store.rows(Hold, live=True)):
        return True
    rules = board.rules
    good = store.mark(GOOD)
    return good not in (None, rules.commit) or (store.mark(BROKEN) or None) != rules.broken
