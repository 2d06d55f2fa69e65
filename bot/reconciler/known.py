"""What the store adds to a plan: applied versions, running releases, blocks. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.core.board import AHEAD, Board
from bot.core.plan_shown import Known
from bot.model.state import Applied, ReleasePhase, ReleaseState, UnitPhase
from bot.ports import Store


class AppliedRows(Mapping[str, Applied]):
    """Applied specs by unit, read one by one when they are asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getitem__(self, unit: str) -> Applied:
        row = self._store.get(Applied, unit)
        if row is None:
            raise KeyError(unit)
        found: Applied = row
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(row.unit for row in self._store.rows(Applied))

    def __len__(self) -> int:
        return len(self._store.rows(Applied))


def known(store: Store, board: Board) -> Known:
    """What the store adds to a plan."""
    running = {
        name: active.index.plan
        for name, active in board.releases.items()
        if active.state.phase in AHEAD and not active.unplanned
    }
    broken = {
        name: tuple(
            unit
            for unit, row in board.releases[name].units.items()
            if row.phase is UnitPhase.FAILED or (row.began and not row.phase.ended)
        )
        for name in running
    }
    return Known(
        applied=AppliedRows(store),
        running=running,
        broken=broken,
        blocked=board.rules.blocked,
        blob=store.blob,
        taken=lambda name: taken(store, board, name),
        ran=lambda name: _ran(store, board, name),
    )


def taken(store: Store, board: Board, name: str) -> bool:
    """Whether a release of this name has come to main before: a name is unique for ever."""
    state = _state(store, board, name)
    return state is not None and state.phase is not ReleasePhase.PROPOSED


def _ran(store: Store, board: Board, name: str) -> bool:
    state = _state(store, board, name)
    never = (ReleasePhase.PROPOSED, ReleasePhase.BEFORE_US)
    return state is not None and state.phase not in never


def _state(store: Store, board: Board, name: str) -> ReleaseState | None:
    active = board.releases.get(name)
    found: ReleaseState | None = active.state if active else store.get(ReleaseState, name)
    return found
