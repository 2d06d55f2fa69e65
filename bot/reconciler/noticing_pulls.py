"""Notices pull requests: those that opened, moved, closed, and which one a commit on main merged.

What an open one would release stands on the board as PROPOSED. Decides nothing about clusters.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from bot.core.board import Active, Board
from bot.core.plan_shown import PullPlan
from bot.core.situation import PlanIndex
from bot.model.plan import ReleasePlan
from bot.model.state import Decision, Event, Pull, ReleasePhase, ReleaseState, UnitState
from bot.ports import GitHost, MainCommit, PortError, PullSeen, Store
from bot.reconciler.binding import bound
from bot.reconciler.known import known, taken
from bot.reconciler.ledger import Ledger
from bot.reconciler.planner import Planner

log = logging.getLogger(__name__)


class PullNoticer:
    """Knows the pull requests that were seen; all of them are rows of the store."""

    def __init__(
        self, git: GitHost, planner: Planner, store: Store, board: Board, processed: str | None
    ) -> None:
        self._git = git
        self._planner = planner
        self._store = store
        self._board = board
        self._pulls: dict[str, Pull] = {
            pull.id: pull
            for pull in store.rows(Pull)
            if pull.state == "open" or pull.base == processed
        }
        self._gone = {pull.id for pull in self._pulls.values() if pull.state != "open"}
        """Merged or closed since the last commit was processed: that commit may still come."""

    def of_commit(self, commit: MainCommit) -> Pull | None:
        """The pull request that a commit merged: by merge, fast-forward or squash."""
        near = [
            pull
            for _, pull in sorted(self._pulls.items())
            if pull.state == "open" or pull.id in self._gone
        ]
        for pull in near:
            if pull.head in commit.parents[1:] or pull.head == commit.id:
                return pull
        for pull in near:
            if pull.state != "merged" and pull.tree == commit.tree and self._is_new(pull, commit):
                return pull
        for pull in near:
            if self._git.is_ancestor(commit.id, pull.head):
                return pull
        return None

    def _is_new(self, pull: Pull, commit: MainCommit) -> bool:
        """What main has already is not merged again by a commit with the same files."""
        return not any(self._git.is_ancestor(pull.head, parent) for parent in commit.parents[:1])

    def merged(self, pull: Pull, ledger: Ledger) -> None:
        """A commit that is processed merged it; the commits after it may be its own too."""
        self._gone.add(pull.id)
        if pull.state != "merged":
            self.keep(replace(pull, state="merged"), ledger)

    def settled(self) -> None:
        """Main has been walked: what was merged before is no candidate any more."""
        self._gone.clear()

    def known(self, id_: str | None) -> Pull | None:
        """A pull request that was seen, by its id."""
        if id_ is None:
            return None
        found: Pull | None = self._pulls.get(id_) or self._store.get(Pull, id_)
        return found

    def taken(self, name: str) -> bool:
        """Whether a release of this name has come to main before: a name is unique for ever."""
        return taken(self._store, self._board, name)

    def opened(
        self,
        base: str,
        seen: tuple[PullSeen, ...],
        now: datetime,
        ledger: Ledger,
        noticed: list[tuple[Pull, PullPlan]],
    ) -> None:
        for there in seen:
            last = self.known(there.id)
            if last and last.state == "open" and (last.head, last.base) == (there.head, base):
                continue
            try:
                if last and self._is_over(last, there, base):
                    continue
                shown = self._planner.pull(
                    base, there.head, now=now, known=known(self._store, self._board)
                )
            except PortError as error:
                log.warning("pull request %s cannot be planned: %s", there.id, error.why)
                continue
            pull = Pull(
                id=there.id,
                head=there.head,
                base=base,
                title=there.title,
                opened_by=there.opened_by,
                authors=there.authors,
                tree=shown.tree,
                plans=_shown_so_far(last, there, shown),
                errors=sum(finding.level == "error" for finding in shown.findings),
            )
            moved = last is None or last.head != there.head or dict(last.plans) != dict(pull.plans)
            self.keep(pull, ledger)
            self._proposed(pull, shown, now, ledger)
            if moved or (last and last.errors != pull.errors):
                noticed.append((pull, shown))

    def _is_over(self, last: Pull, there: PullSeen, base: str) -> bool:
        """Merged, and its branch was left standing."""
        same = last.state == "merged" and last.head == there.head
        return same and self._git.is_ancestor(there.head, base)

    def _proposed(self, pull: Pull, shown: PullPlan, now: datetime, ledger: Ledger) -> None:
        """Releases that the pull request would bring stand on the board as PROPOSED."""
        here = {r.plan.release: r.planned for r in shown.releases} if not shown.has_errors else {}
        for name, active in list(self._board.releases.items()):
            mine = active.state.phase is ReleasePhase.PROPOSED and active.state.pull == pull.id
            if mine and name not in here:
                self._forget(name, ledger)
        for name, planned in here.items():
            before = self._board.releases.get(name)
            if before is not None and before.state.phase is not ReleasePhase.PROPOSED:
                continue
            if before is not None and before.state.plan_hash == planned.plan.plan_hash:
                continue
            drop_others(before, planned.plan, ledger)
            authors = tuple(sorted({*pull.authors, *opener(pull)}))
            plan = replace(planned.plan, pull=pull.id, authors=authors)
            state = ReleaseState(
                release=name,
                phase=ReleasePhase.PROPOSED,
                since=now,
                plan_hash=plan.plan_hash,
                pull=pull.id,
                authors=authors,
                decisions=before.state.decisions if before else 0,
            )
            units = {u.unit: UnitState(release=name, unit=u.unit, since=now) for u in plan.units}
            self._board.add(
                Active(
                    index=PlanIndex(plan),
                    state=state,
                    units=units,
                    decisions=bound(before, plan),
                )
            )
            ledger.put(plan, state, *units.values())
            data = {"title": pull.title, "errors": pull.errors, "planHash": plan.plan_hash}
            ledger.events.append(Event(at=now, kind="release.proposed", release=name, data=data))

    def closed(self, seen: tuple[PullSeen, ...], head: str, now: datetime, ledger: Ledger) -> None:
        there = {pull.id for pull in seen}
        for pull in list(self._pulls.values()):
            if pull.state != "open" or pull.id in there:
                continue
            self._gone.add(pull.id)
            merged = self._git.is_ancestor(pull.head, head)
            self.keep(replace(pull, state="merged" if merged else "closed"), ledger)
            for name, active in list(self._board.releases.items()):
                if active.state.phase is ReleasePhase.PROPOSED and active.state.pull == pull.id:
                    self._forget(name, ledger)
        for id_ in self._pulls.keys() - there - self._gone:
            del self._pulls[id_]

    def _forget(self, name: str, ledger: Ledger) -> None:
        active = self._board.releases[name]
        self._board.remove(name)
        if self.taken(name):
            return
        for number in active.decisions:
            ledger.drop(Decision, f"{name}#{number}")
        for unit in active.units:
            ledger.drop(UnitState, f"{name}/{unit}")
        ledger.drop(ReleaseState, name)
        ledger.drop(ReleasePlan, name)

    def keep(self, pull: Pull, ledger: Ledger) -> None:
        self._pulls[pull.id] = pull
        ledger.put(pull)


def drop_others(before: Active | None, plan: ReleasePlan, ledger: Ledger) -> None:
    """Units that the plan had before and has no more leave no row behind."""
    kept = {unit.unit for unit in plan.units}
    for unit in before.units if before else ():
        if unit not in kept:
            ledger.drop(UnitState, f"{plan.release}/{unit}")


def _shown_so_far(last: Pull | None, there: PullSeen, shown: PullPlan) -> dict[str, str]:
    """Release → hash of the plan that people saw. A main that broke since takes none of it back."""
    if not shown.has_errors:
        return dict(shown.hashes)
    return dict(last.plans) if last is not None and last.head == there.head else {}


def opener(pull: Pull | None) -> tuple[str, ...]:
    return (pull.opened_by,) if pull and pull.opened_by else ()
