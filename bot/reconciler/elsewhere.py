"""Whether another process on the same store has taken main further than this one's board.

Asks the store for two marks; changes nothing.
"""

from __future__ import annotations

from bot.core.board import Board
from bot.ports import Store
from bot.reconciler.noticing import BROKEN, GOOD


def moved_elsewhere(store: Store, board: Board) -> bool:
    """Its rules, and what it planned, are in the store and not on the board: by old rules nobody
    may go on.
    """
    rules = board.rules
    good = store.mark(GOOD)
    return good not in (None, rules.commit) or (store.mark(BROKEN) or None) != rules.broken
