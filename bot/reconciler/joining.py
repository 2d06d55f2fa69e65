"""Follows the fleet of main while releases run: clusters that join them, leave them, come back.

A cluster that joins is planned from the release's own commit; connection, values and labels of it
are the release's or, where that has none, those of main. Moves no unit that is there.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from bot.core.additions import amended, same_definition
from bot.core.board import Active, Board
from bot.core.commands import Outcome
from bot.core.commands_units import try_again
from bot.core.lifecycle import close
from bot.core.situation import PlanIndex
from bot.core.turn import Turn
from bot.model.state import Event, Hold, ReleasePhase, UnitPhase, UnitState
from bot.reconciler.inbox import apply
from bot.reconciler.ledger import Ledger
from bot.reconciler.planner import Planner
from release_repo_schema.repo import Repo
from release_repo_schema.tree import Entry, Tree

log = logging.getLogger(__name__)
JOINED = (ReleasePhase.SCHEDULED, ReleasePhase.PROGRESSING)
LEFT = (*JOINED, ReleasePhase.ROLLING_BACK)
_OVER = (UnitPhase.SUCCEEDED, UnitPhase.SKIPPED, UnitPhase.ROLLED_BACK)


def follow_fleet(board: Board, planner: Planner, now: datetime, ledger: Ledger) -> None:
    """After the rules of main were set: who joined, left or came back."""
    for active in list(board.releases.values()):
        if not active.unplanned and active.state.phase in LEFT:
            _leave(board, active, now, ledger)
    for active in list(board.releases.values()):
        wanted = (active.index.plan.spec or {}).get("lateJoiners") == "join"
        if wanted and not active.unplanned and active.state.phase in JOINED:
            _join(board, planner, active, now, ledger)


def _join(board: Board, planner: Planner, active: Active, now: datetime, ledger: Ledger) -> None:
    plan, rules = active.index.plan, board.rules
    here = {unit.cluster for unit in plan.units}
    late = {unit.partition("@")[2].partition("/")[0] for unit in rules.late(plan)} - here
    if not late or active.state.superseded_by:
        return
    repo = with_clusters(planner.load(plan.commit), planner.load(rules.commit), late)
    planned = planner.anew(repo, plan) if plan.release in repo.releases else None
    if planned is None or not same_definition(plan, planned.plan):
        log.warning("%s cannot be planned for %s as it was frozen", plan.release, sorted(late))
        return
    grown = amended(plan, planned.plan, late, now, rules.commit)
    if grown is None:
        return
    addition = grown.additions[-1]
    fresh = {name: UnitState(release=plan.release, unit=name, since=now) for name in addition.units}
    board.remove(plan.release)
    units = {unit.unit: fresh.get(unit.unit) or active.units[unit.unit] for unit in grown.units}
    board.add(replace(active, index=PlanIndex(grown), units=units, dirty=True))
    needed = {o.digest for unit in grown.units if unit.unit in fresh for o in unit.objects}
    blobs = {digest: blob for digest, blob in planned.blobs.items() if digest in needed}
    board.blobs.update(blobs)
    ledger.put(grown, *fresh.values())
    ledger.blobs.update(blobs)
    told = {"digest": addition.digest, "units": list(addition.units), "commit": addition.commit}
    ledger.events.append(Event(at=now, kind="release.amended", release=plan.release, data=told))


def _leave(board: Board, active: Active, now: datetime, ledger: Ledger) -> None:
    """Units of clusters that main has no more are left, and come back with them."""
    there = board.rules.clusters
    if not there:
        return
    plans = active.index.units
    gone = [n for n, u in active.units.items() if plans[n].cluster not in there and not _over(u)]
    back = [n for n, u in active.units.items() if u.left and plans[n].cluster in there]
    if not gone and not back:
        return
    t = Turn(board.situation(active, now))
    for name in gone:
        unit = t.units[name]
        going_back = unit.back or unit.phase is UnitPhase.ROLLING_BACK
        t.put(
            replace(
                unit,
                phase=UnitPhase.SKIPPED,
                since=now,
                left=True,
                back=going_back,
                in_hand=False,
                look_at=None,
                deadline=None,
            )
        )
        t.tell("unit.left", name, cluster=plans[name].cluster)
    for name in back:
        t.put(replace(t.units[name], left=False))
        if t.state.phase is not ReleasePhase.ROLLING_BACK or t.units[name].back:
            try_again(t, name, "sluice")
    held = {f"{t.s.name}/failed/{name}" for name in gone}
    lifted: list[Hold] = [hold for hold in board.holds.values() if hold.id in held]
    apply(Outcome(steps={t.s.name: close(t)}, lifted=lifted), board, ledger)


def _over(unit: UnitState) -> bool:
    return unit.phase in _OVER


def with_clusters(repo: Repo, main: Repo, names: set[str]) -> Repo:
    """The repo of a release with clusters that came later: they, their groups and their values
    as main has them; everything that the release has is its own.
    """
    new = {name: main.clusters[name] for name in names if name in main.clusters}
    asked = {one.spec.group for one in new.values()} - repo.groups.keys()
    groups = {name: main.groups[name] for name in asked & main.groups.keys()}
    scopes = {f"clusters/{name}" for name in new} | {f"groups/{group}" for group in groups}
    values = {component: dict(layers) for component, layers in repo.values.items()}
    paths = dict(repo.values_paths)
    added: dict[str, Entry] = {}
    for component, layers in main.values.items():
        for scope in scopes & layers.keys() - values.get(component, {}).keys():
            values.setdefault(component, {})[scope] = layers[scope]
            path = main.values_paths[component, scope]
            paths[component, scope] = path
            added[path] = main.tree.entries()[path]
    return replace(
        repo,
        tree=_Joined(repo.tree, main.tree, added),
        clusters={**repo.clusters, **{n: repo.clusters.get(n) or one for n, one in new.items()}},
        groups={**repo.groups, **groups},
        values=values,
        values_paths=paths,
        _labels={},
    )


class _Joined:
    """A tree with some files of another laid beside its own."""

    def __init__(self, tree: Tree, other: Tree, added: Mapping[str, Entry]) -> None:
        self._tree, self._other, self._added = tree, other, added
        self._entries = {**added, **tree.entries()}

    def entries(self) -> Mapping[str, Entry]:
        return self._entries

    def read(self, path: str) -> bytes:
        own = path in self._tree.entries()
        return self._tree.read(path) if own else self._other.read(path)
