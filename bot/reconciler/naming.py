"""What a command names, where the board does not have it: a release or a unit that has ended, a
name that several releases share. Reads the store; changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.core.board import Board
from bot.core.commands import near
from bot.core.grammar import Command
from bot.core.messages_refusal import Refusal, refusal
from bot.core.scope import release_named
from bot.model.state import Applied, ReleasePhase, ReleaseState, UnitPhase, UnitState
from bot.ports import Store

EARLY = ("pause", "freeze", "unfreeze", "resume", "snooze")
"""Verbs that reach a unit whichever release has it, now or later."""
MOST = 10
"""As many candidates as a person reads."""
OWED = (UnitPhase.SKIPPED, UnitPhase.QUARANTINED)


def release_of(store: Store, board: Board, command: Command) -> str:
    """The release that a scope names, or that a unit is meant of: for a rollback the one that
    is at work there or wrote there last, else the newest that has it; "" where none is.
    """
    scope = command.scope
    if (named := release_named(scope)) is not None:
        return named
    if "@" not in scope or any(scope in active.units for active in board.releases.values()):
        if command.verb == "rollback" and "@" in scope:
            return _at_work(board, scope) or _written_last(store, scope)
        return ""
    if command.verb == "rollback":
        return _written_last(store, scope)
    return _newest(store, scope)


def _at_work(board: Board, unit: str) -> str:
    """Which release has it in hand: in its first batch nothing of it counts as applied yet."""
    for name, active in board.releases.items():
        if unit in active.units and active.units[unit].in_flight:
            return name
    return ""


def _written_last(store: Store, unit: str) -> str:
    applied = store.get(Applied, unit)
    return str(applied.release) if applied is not None else ""


def _newest(store: Store, unit: str) -> str:
    keys = store.names(UnitState, ending=f"/{unit}")
    names = [key.removesuffix(f"/{unit}") for key in keys]
    states = [state for name in names if (state := store.get(ReleaseState, name)) is not None]
    merged = [state for state in states if state.phase is not ReleasePhase.PROPOSED]
    newest = max(merged, key=lambda state: (state.position, state.release), default=None)
    return newest.release if newest is not None else ""


def over(
    store: Store, board: Board, command: Command, name: str, told: Refusal | None
) -> Refusal | None:
    """The truth about what has ended, for a verb that it cannot hear any more; None else. `told`:
    what the verb itself said.
    """
    scope, active = command.scope, board.releases.get(name)
    if not name or ("@" in scope and command.verb in EARLY):
        return None
    state = active.state if active is not None else store.get(ReleaseState, name)
    if state is None or not state.phase.ended:
        return None
    if command.verb == "rollback" and state.phase is not ReleasePhase.BEFORE_US:
        said = told is not None and told.code == "ended"
        return _told(store, state, scope) if said else None
    if command.verb == "retry" and state.phase is ReleasePhase.SUCCEEDED:
        return _nothing_owed(store, state, scope) if told is not None else None
    return _told(store, state, scope)


def _nothing_owed(store: Store, state: ReleaseState, scope: str) -> Refusal | None:
    """A retry of what came to a good end."""
    rows = store.rows(UnitState, parent=state.release)
    mine = [row for row in rows if "@" not in scope or row.unit == scope]
    owed = any(row.phase in OWED or (row.failure and row.phase.ended) for row in mine)
    return None if owed else _told(store, state, scope)


def _told(store: Store, state: ReleaseState, scope: str) -> Refusal:
    rows = {row.unit: row for row in store.rows(UnitState, parent=state.release)}
    unit = rows.get(scope)
    return refusal(
        "ended",
        release=state.release,
        phase=state.phase.value,
        at=state.ended,
        why=state.outcome,
        unit=unit.unit if unit else "",
        unit_phase=unit.phase.value if unit else "",
        owed=[row.unit for row in rows.values() if row.phase in OWED],
    )


def better(store: Store, board: Board, command: Command, told: Refusal) -> Refusal:
    """A name that nothing has, held against all that there ever was: the one that comes near, or
    all that begin like it.
    """
    scope = command.scope
    if told.code == "unknown-release":
        scope = release_named(scope) or scope
        known = {*store.names(ReleaseState), *board.releases}
        shared = sorted((name for name in known if name.startswith(scope)), key=_open_first(board))
        if len(shared) > 1:
            return refusal(told.code, release=scope, candidates=shared[:MOST])
        close = shared[0] if shared else near(scope, known)
        return refusal(told.code, release=scope, near=close, candidates=())
    if told.code == "unknown-unit":
        units = {unit for active in board.releases.values() for unit in active.units}
        shared = sorted(unit for unit in units if unit.startswith(scope))
        if len(shared) > 1:
            return refusal(told.code, unit=scope, candidates=shared[:MOST])
    return told


def _open_first(board: Board) -> Callable[[str], tuple[bool, str]]:
    return lambda name: (name not in board.releases, name)
