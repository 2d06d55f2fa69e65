"""Looks at the units that releases ask for, with all that deciding on them needs beside it.

What an object says was applied to it last is fetched here too, where the store knows that spec.
Never decides, never writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.cluster.marks import stamp_of
from bot.cluster.render import digest
from bot.core.board import Active, Board
from bot.model.seen import UnitSeen
from bot.ports import Store
from bot.reconciler.loading import answered_calls, to_look_at
from bot.reconciler.looking import Looked, look
from bot.reconciler.wired import Ports


def look_for(
    ports: Ports, board: Board, wanted: Sequence[tuple[Active, Iterable[str]]], now: datetime
) -> Looked:
    """What is seen of them now."""
    units, rows_of, beside = to_look_at(ports.store, board, wanted)
    calls = answered_calls(board, units)
    looked = look(ports.fleet, ports.lanes, units, now, calls, rows_of, beside)
    _fetch_stamped(ports.store, board, looked.seen.values())
    return looked


def _fetch_stamped(store: Store, board: Board, seen: Iterable[UnitSeen]) -> None:
    """Specs that objects say were applied to them last. What the store has is ours, whatever its
    row says: the answer to a write may have been lost.
    """
    for unit in seen:
        for there in unit.objects.values():
            stamp = stamp_of(there.live) if there.live is not None else ""
            if stamp and stamp not in board.blobs:
                blob = store.blob(stamp)
                if blob is not None and digest(blob) == stamp:
                    board.blobs[stamp] = blob
