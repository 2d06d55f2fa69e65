"""Blocks that rollbacks left in the store, and the same blocks in main's policy.

Once main has one, main is where it stands: who takes it out there by a pull request lets the
content go forward again. Until then the store alone keeps it. Never unblocks by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.core.board import Board
from bot.model.state import Blocked
from bot.reconciler.ledger import Ledger
from release_repo_schema.models.policy import Blocked as Entry


def hand_over(board: Board, ledger: Ledger) -> None:
    """Remember which blocks main has; forget those that it had and has no more."""
    kept: list[Blocked] = []
    for row in board.rules.blocked:
        on_main = _on_main(row, board.rules.policy.spec.blocked)
        if row.on_main and not on_main:
            ledger.drop(Blocked, row.key)
            continue
        if on_main and not row.on_main:
            row = replace(row, on_main=True)
            ledger.put(row)
        kept.append(row)
    board.rules = replace(board.rules, blocked=tuple(kept))


def _on_main(row: Blocked, entries: Iterable[Entry]) -> bool:
    return any(
        (entry.component, entry.version, entry.content or "")
        == (row.component, row.version, row.content)
        for entry in entries
    )
