"""Releases that have ended leave the board, those that go back with their revert proposed first.

Never ends a release, and writes to no cluster.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.core.board import Active, Board
from bot.model.state import Hold
from bot.ports import GitHost, PortError
from bot.reconciler.ledger import Ledger, Versions
from bot.reconciler.planner import Planner
from bot.reconciler.revert import propose_revert
from bot.reconciler.wired import Ports, Ticked

log = logging.getLogger(__name__)
REVERT_AGAIN = timedelta(minutes=1)


def put_away(
    ports: Ports, planner: Planner, board: Board, ledger: Ledger, ticked: Ticked
) -> list[Active]:
    """Releases that ended leave the board; what goes back gets its revert proposed first."""
    gone: list[Active] = []
    for name, active in list(board.releases.items()):
        reverted = _reverted(ports.git, planner, active, ledger, ticked)
        if not active.state.phase.ended:
            continue
        if not reverted:
            active.wake = ticked.at + REVERT_AGAIN  # nothing else of it is due any more
            continue
        for hold in [h for h in board.holds.values() if h.release == name]:
            del board.holds[hold.id]
            ledger.drop(Hold, hold.id)
        board.remove(name)
        gone.append(active)
    return gone


def forget(board: Board, versions: Versions, gone: Sequence[Active]) -> None:
    """What only releases that left were remembered for; the store has it all."""
    if not gone:
        return
    left = board.releases.values()
    kept = {key for active in left for key in _remembered(active)}
    for active in gone:
        for key in {*_remembered(active)} - kept:
            board.applied.pop(key, None)
        versions.forget_rows(active.state, *active.units.values())
        versions.forget_rows(*active.decisions.values())


def _reverted(
    git: GitHost, planner: Planner, active: Active, ledger: Ledger, ticked: Ticked
) -> bool:
    """The revert is proposed when the rollback begins; False while Git does not take it."""
    state = active.state
    if not state.sticks or state.revert is not None:
        return True
    try:
        opened = propose_revert(git, planner, active.index.plan, state, ticked.at)
    except PortError as error:
        ticked.problems.append(error.why)
        log.warning("the revert of %s cannot be proposed: %s", state.release, error.why)
        return False
    active.state = replace(state, revert=opened)
    ledger.put(active.state)
    return True


def _remembered(active: Active) -> Iterator[str]:
    """Keys of what was applied that deciding on the release may ask for."""
    yield from active.units
    yield from active.index.locks
    yield from active.index.leans_on
