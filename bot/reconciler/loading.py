"""From the store to the board: everything that is live, when the bot starts or a question is asked.

Reads only. What has ended is not read, except a release that is named.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from bot.cluster.kinds import Rows
from bot.cluster.leftovers import identity, ref_of_key
from bot.cluster.render import digest as digest_of
from bot.cluster.tasks import answered, is_call
from bot.core.board import Active, Board
from bot.core.leftovers import to_see
from bot.core.messages_store import LOST_ROW, damaged_object
from bot.core.plan import Origin, unplanned
from bot.core.runs import Runs
from bot.core.situation import PlanIndex, Rules
from bot.core.soundness import flaws
from bot.core.tallies import Tallies
from bot.model.plan import JSON, ObjectRef, ReleasePlan, UnitPlan
from bot.model.runs import PipelineRun, TaskRun
from bot.model.state import (
    Applied,
    Blocked,
    ClusterSeen,
    Decision,
    EmergencyStop,
    Hold,
    ReleasePhase,
    ReleaseState,
    Tally,
    UnitPhase,
    UnitState,
)
from bot.ports import Store, StoreLocked
from bot.reconciler.ledger import Versions
from bot.reconciler.looking import Beside

P = ParamSpec("P")
T = TypeVar("T")


def all_stays(load: Callable[P, T]) -> Callable[P, T]:
    """Loads without collecting meanwhile: of many thousand rows all stay, and looking again and
    again for those that do not takes longer than reading them.
    """

    @wraps(load)
    def loading(*args: P.args, **named: P.kwargs) -> T:
        was = gc.isenabled()
        gc.disable()
        try:
            return load(*args, **named)
        finally:
            if was:
                gc.enable()

    return loading


def load_board(store: Store, rules: Rules, versions: Versions, now: datetime) -> Board:
    """The board as the store has it. Units that roll are looked at again at once."""
    board = Board(rules=replace(rules, blocked=store.rows(Blocked)))
    board.holds = {hold.id: hold for hold in store.rows(Hold, live=True)}
    board.stops = {stop.id: stop for stop in store.rows(EmergencyStop)}
    board.clusters = {seen.cluster: seen for seen in store.rows(ClusterSeen)}
    board.tally = Tallies.of(store.rows(Tally))
    plans = {plan.release: plan for plan in store.rows(ReleasePlan, live=True)}
    units: dict[str, dict[str, UnitState]] = {}
    for unit in store.rows(UnitState, live=True):
        versions.learn(unit)
        units.setdefault(unit.release, {})[unit.unit] = awake(unit, now)
    decisions: dict[str, dict[int, Decision]] = {}
    for decision in store.rows(Decision, live=True):
        versions.learn(decision)
        decisions.setdefault(decision.release, {})[decision.number] = decision
    for state in store.rows(ReleaseState, live=True):
        versions.learn(state)
        if state.phase.ended:
            # Its revert could not be proposed yet: it stays on the board until that is done.
            active = load_release(store, versions, state.release, now)
            if active is not None:
                board.add(active)
            continue
        plan = plans.get(state.release)
        rows = units.get(state.release, {})
        board.flaws += tuple(flaws(state, plan, rows))
        if plan is None and state.phase is ReleasePhase.PROPOSED:
            continue
        plan = plan or unplanned(
            state.release, Origin(commit=state.commit, position=state.position)
        )
        lost = {unit.unit for unit in plan.units} - rows.keys()
        rows |= {unit: _lost(state.release, unit, now) for unit in lost}
        board.add(
            Active(
                index=PlanIndex(plan),
                state=state,
                units={unit.unit: rows[unit.unit] for unit in plan.units},
                decisions=decisions.get(state.release, {}),
            )
        )
    for active in board.releases.values():
        fetch_needed(store, board, active)
    return board


def _lost(release: str, unit: str, now: datetime) -> UnitState:
    """In the place of a row that is missing: it keeps its place, and nothing goes on from it."""
    return UnitState(
        release=release, unit=unit, phase=UnitPhase.FAILED, since=now, failure=LOST_ROW
    )


def load_runs(store: Store, board: Board) -> Runs:
    """What runs now, of the releases on the board."""

    def plan_of(release: str) -> ReleasePlan | None:
        active = board.releases.get(release)
        return active.index.plan if active is not None else None

    runs = Runs(plan_of)
    runs.load(store.rows(PipelineRun, live=True), store.rows(TaskRun, open=True))
    return runs


def load_release(store: Store, versions: Versions, name: str, now: datetime) -> Active | None:
    """One release, ended or not; None when the store does not know it or its plan."""
    state = store.get(ReleaseState, name)
    plan = store.get(ReleasePlan, name)
    if state is None or plan is None:
        return None
    units = store.rows(UnitState, parent=name)
    decisions = store.rows(Decision, parent=name)
    for row in (state, *units, *decisions):
        versions.learn(row)
    index = PlanIndex(plan)
    return Active(
        index=index,
        state=state,
        units={unit.unit: awake(unit, now) for unit in units if unit.unit in index.units},
        decisions={decision.number: decision for decision in decisions},
    )


def awake(unit: UnitState, now: datetime) -> UnitState:
    """When it is looked at next is not kept in the store: after a start, at once.

    A deadline that passed while nobody looked says nothing: the batch is given its time again.
    """
    rolling = unit.phase.rolling or unit.phase in (
        UnitPhase.ROLLING_BACK,
        UnitPhase.QUARANTINED,
    )
    stop = unit.phase is UnitPhase.FAILED and unit.began is not None
    late = unit.deadline is not None and unit.deadline <= now
    look_at = now if rolling or stop else None
    if look_at == unit.look_at and not late:
        return unit
    return replace(unit, look_at=look_at, deadline=None if late else unit.deadline)


def fetch_needed(store: Store, board: Board, active: Active) -> None:
    """What stands of components that its units depend on and other releases bring."""
    for lock in active.index.leans_on:
        if lock not in board.applied and (applied := store.get(Applied, lock)) is not None:
            board.applied[lock] = applied


def fetch_applied(store: Store, board: Board, active: Active) -> None:
    """What stands of all that the release touched: what a newer one wrote there never goes back
    with it.
    """
    if active.applied_known:
        return
    active.applied_known = True
    plans = active.index.units
    touched = (plans[name] for name, unit in active.units.items() if unit.began is not None)
    for key in {key for plan in touched for key in (plan.unit, plan.lock)} - board.applied.keys():
        applied = store.get(Applied, key)
        if applied is not None:
            board.applied[key] = applied


def fetch_rows(store: Store, board: Board, active: Active) -> None:
    """What stands of all its units: what is said of objects is written down in each row."""
    for key in dict.fromkeys((*active.units, *active.index.locks)):
        if key not in board.applied and (applied := store.get(Applied, key)) is not None:
            board.applied[key] = applied


def fetch(store: Store, board: Board, active: Active, unit: str) -> None:
    """What deciding on a unit needs beside its rows: its objects, what was before, what was
    applied. Raises StoreLocked where an object is missing or is not what it was.
    """
    plan = active.index.units[unit]
    needed = {planned.digest for planned in (*plan.objects, *plan.undo)}
    for name in active.index.sharing.get(unit, (unit,)):
        needed |= {b.digest for b in active.units[name].before or () if b.digest}
    needed |= set(active.units[unit].adopted.values())
    digests = needed | {one.digest for one in active.units[unit].leftovers}
    for key in {unit, plan.lock}:
        if key not in board.applied:
            applied = store.get(Applied, key)
            if applied is not None:
                board.applied[key] = applied
        row = board.applied.get(key)
        if row is not None:
            digests |= {*row.objects.values(), *row.safe.values(), *row.leftovers.values()}
    for digest in sorted(digests - board.blobs.keys()):
        blob = store.blob(digest)
        if blob is None and digest not in needed:
            continue
        # What was flipped by hand or by a disk must reach no cluster.
        if blob is None or digest_of(blob) != digest:
            raise StoreLocked(damaged_object(unit, digest, missing=blob is None), "broken")
        board.blobs[digest] = blob


def answered_calls(board: Board, units: Iterable[UnitPlan]) -> dict[tuple[str, str], JSON]:
    """(unit, object key) → each call of theirs that was answered, by what was last applied."""
    return {
        (unit.unit, planned.ref.key): answered(planned, board.blobs[planned.digest])
        for unit in units
        for planned in (*unit.objects, *unit.undo)
        if is_call(planned.ref)
        and (row := board.applied.get(unit.unit)) is not None
        and row.objects.get(planned.ref.key) == planned.digest
    }


def to_look_at(
    store: Store, board: Board, wanted: Iterable[tuple[Active, Iterable[str]]]
) -> tuple[list[UnitPlan], Callable[[UnitPlan], Rows], Beside]:
    """The units that are asked for, all of them fetched, the workload kinds each goes by, and what
    is to be seen of each beside its objects.
    """
    units: dict[str, UnitPlan] = {}
    rows: dict[str, Rows] = {}
    beside: dict[str, tuple[ObjectRef, ...]] = {}
    for active, asks in wanted:
        if any(one.on_failure != "hold" for one in active.index.plan.components):
            fetch_applied(store, board, active)
        for unit in sorted(asks):
            fetch(store, board, active, unit)
            units[unit], rows[unit] = active.index.units[unit], active.index.rows
            beside[unit] = fetch_leftovers(store, board, active, unit)
    return list(units.values()), lambda unit: rows[unit.unit], lambda unit: beside[unit.unit]


def _left_out(active: Active, unit: str) -> bool:
    """Whether a release does not bring a unit anything."""
    state = active.units.get(unit)
    return state is None or state.phase in (UnitPhase.SKIPPED, UnitPhase.QUARANTINED)


def fetch_leftovers(store: Store, board: Board, active: Active, unit: str) -> tuple[ObjectRef, ...]:
    """What left the template of a unit and is to be seen now; and what else is brought there."""
    plan = active.index.units[unit]
    refs = to_see(active.index, board.applied, plan, active.units[unit])
    board.brought.pop(unit, None)
    if not refs and not (active.units[unit].added or active.units[unit].undo):
        return ()
    names = {*store.names(Applied, ending=f"@{plan.cluster}")}
    for component in board.rules.components:
        place = f"{component}@{plan.cluster}/"
        names |= {name for name in board.rules.units(component) if name.startswith(place)}
    # The row of a lock is but the sum of its units; one that has none of its own has what it says.
    brought = {
        name: row
        for name in sorted(names - {plan.unit, plan.lock})
        if (row := board.applied.get(name) or store.get(Applied, name)) is not None
    }
    lock = board.applied.get(plan.lock)
    if lock is not None:
        left_out = (n for n in names if n.startswith(f"{plan.lock}/") and _left_out(active, n))
        brought = dict.fromkeys(left_out, lock) | brought
    board.brought[unit] = {
        name: frozenset(identity(ref_of_key(key)) for key in row.objects)
        for name, row in brought.items()
        if name != plan.unit
    }
    return refs
