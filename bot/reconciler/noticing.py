"""Notices what changed in Git: pull requests that opened, moved or closed; commits that came to
main.

Looks at what is, never at how it was told. Walks main's first-parent commits one by one; decides
nothing about clusters.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.core.board import AHEAD, Active, Board
from bot.core.messages_notice import NAME_TAKEN, Said
from bot.core.messages_notice import hold_reason as say
from bot.core.plan import Origin, unplanned
from bot.core.plan_shown import PullPlan
from bot.core.situation import PlanIndex
from bot.model.plan import JSON, PlannedRelease
from bot.model.state import (
    Event,
    HoldCode,
    Pull,
    ReleasePhase,
    ReleaseState,
    UnitState,
)
from bot.ports import GitHost, MainCommit, PullSeen, Rewritten, Store
from bot.reconciler.binding import bound
from bot.reconciler.blocks import hand_over
from bot.reconciler.known import known
from bot.reconciler.ledger import Ledger
from bot.reconciler.loading import fetch_needed
from bot.reconciler.noticing_holds import lift_hold, set_hold
from bot.reconciler.noticing_pulls import PullNoticer, drop_others, opener
from bot.reconciler.planner import Planner
from bot.reconciler.rules import connections, rules_of
from release_repo_schema.findings import Finding
from release_repo_schema.models import parse_duration

log = logging.getLogger(__name__)
MAIN, GOOD, REWRITTEN, BROKEN = "main", "rules", "rewritten", "broken"
"""Marks of the store: the commit processed last, the last one whose rules are good, that an admin
took a rewritten main, and the first mistake of a main that does not lint.
"""
EXPIRES = timedelta(days=14)


@dataclass(slots=True)
class Noticed:
    """What a tick noticed, beside the rows: whether the rules are new, and pulls to show."""

    rules: bool = False
    pulls: list[tuple[Pull, PullPlan]] = field(default_factory=list)


class Noticer:
    """Remembers only what saves work; what must not be forgotten is in the store."""

    def __init__(self, git: GitHost, planner: Planner, store: Store, board: Board) -> None:
        self._git = git
        self._planner = planner
        self._store = store
        self._board = board
        self._pulls = PullNoticer(git, planner, store, board, store.mark(MAIN))
        self._shown: tuple[str, tuple[PullSeen, ...]] | None = None

    def start(self, now: datetime, ledger: Ledger, *, since: str | None = None) -> None:
        """With an empty store the present head is the starting line (contract §4).

        With one that knows where it was, nobody is asked: what runs goes on while Git is away.
        """
        if since is None and self._store.mark(MAIN) is not None:
            return
        head = self._git.head()
        if head is None:
            return
        if since is not None:
            ledger.marks[MAIN] = self._git.commit(since).id
        else:
            ledger.marks[MAIN] = head
            commit = self._git.commit(head)
            for name in sorted(self._planner.load(head).releases):
                ledger.put(
                    ReleaseState(
                        release=name,
                        phase=ReleasePhase.BEFORE_US,
                        since=now,
                        ended=now,
                        plan_hash="",
                        commit=head,
                        position=commit.position,
                    )
                )

    def notice(self, now: datetime, ledger: Ledger) -> Noticed:
        """One look at the Git host. Raises PortError when it cannot be asked."""
        noticed = Noticed()
        head = self._git.head()
        if head is None:
            return noticed
        seen = self._git.pulls()
        processed = ledger.marks.get(MAIN) or self._store.mark(MAIN)
        if self._shown != (head, seen):
            # Open pull requests first: a merge is only known by a pull request that was seen.
            self._pulls.opened(processed or head, seen, now, ledger, noticed.pulls)
        if processed != head and processed is not None:
            noticed.rules = self._walk(processed, head, now, ledger)
        if self._shown != (head, seen):
            self._pulls.opened(head, seen, now, ledger, noticed.pulls)
            self._pulls.closed(seen, head, now, ledger)
            self._shown = (head, seen)
        return noticed

    def set_rules(self, head: str, now: datetime, ledger: Ledger) -> tuple[str, tuple[JSON, ...]]:
        """Take the rules of a commit when it lints, else those of the last good one. (commit,
        connections).
        """
        errors = [
            f
            # What runs is judged by its gates: a block of it must not make the rules look bad.
            for f in self._planner.lint(head, now=now, active=())
            if f.level == "error"
        ]
        good = head if not errors else (self._store.mark(GOOD) or head)
        broken = None
        if errors:
            broken = first_of(errors)
        else:
            ledger.marks[GOOD] = head
        repo = self._planner.load(good)
        self._board.rules = rules_of(
            repo,
            good,
            self._planner.calendar(repo),
            stops=self._board.stops.values(),
            blocked=self._board.rules.blocked,
            broken=broken,
        )
        hand_over(self._board, ledger)
        self._tell_of_main(broken, head, now, ledger)
        self._hold_for_main(broken, now, ledger)
        self._board.wake_all()
        return good, connections(repo)

    # main

    def after_rewrite(self, head: str, now: datetime, ledger: Ledger) -> None:
        """An admin took main as it is now: releases whose file is gone from it went with it."""
        standing = self._planner.load(head).releases
        for name, active in list(self._board.releases.items()):
            if active.state.phase in AHEAD and name not in standing:
                self._removed(name, now, ledger)

    def _walk(self, since: str, head: str, now: datetime, ledger: Ledger) -> bool:
        """Commit by commit; False when main no longer contains what was processed last."""
        try:
            commits = self._git.walk(since, head)
        except Rewritten as rewritten:
            set_hold(
                self._board, ledger, "main/rewritten", "all", HoldCode.REWRITTEN, rewritten.why, now
            )
            return False
        for commit in commits:
            self._process(commit, now, ledger)
            ledger.marks[MAIN] = commit.id
        self._plan_held(head, now, ledger)
        self._pulls.settled()
        return True

    def _process(self, commit: MainCommit, now: datetime, ledger: Ledger) -> None:
        pull = self._pulls.of_commit(commit)
        authors = sorted(self._authors(commit, pull))
        merged = self._planner.merge(
            commit.id,
            now=now,
            known=known(self._store, self._board),
            pull=pull.id if pull else None,
            authors=authors,
        )
        for planned in merged.releases:
            if not self._again(planned.plan.release, commit, now, ledger):
                self._admit(planned, pull, now, ledger)
        for name, findings in sorted(merged.failed.items()):
            if self._again(name, commit, now, ledger):
                continue
            origin = Origin(
                commit=commit.id,
                position=commit.position,
                pull=pull.id if pull else None,
                authors=tuple(authors),
            )
            self._not_planned(name, origin, findings, now, ledger)
        for name in merged.edited:
            active = self._board.releases.get(name)
            if active is None or active.unplanned:
                continue
            if merged.specs[name] == active.index.plan.spec:
                lift_hold(self._board, f"{name}/edited", name, now, ledger)
            else:
                set_hold(
                    self._board,
                    ledger,
                    f"{name}/edited",
                    name,
                    HoldCode.EDITED,
                    say(Said.EDITED),
                    now,
                )
        for name in merged.removed:
            self._removed(name, now, ledger)
        if pull is not None:
            self._pulls.merged(pull, ledger)

    def _again(self, name: str, commit: MainCommit, now: datetime, ledger: Ledger) -> bool:
        """A name that was on main before brings nothing: the record of that release stays."""
        if not self._pulls.taken(name):
            return False
        data = {"commit": commit.id, "why": NAME_TAKEN.replace("{name}", name)}
        ledger.events.append(Event(at=now, kind="release.name-taken", release=name, data=data))
        return True

    def _authors(self, commit: MainCommit, pull: Pull | None) -> set[str]:
        """Authors and committers of the pull request, and who opened it; who merely merges it adds
        nothing. Everybody of the commits that came, when they are no known pull request as it is.
        """
        known = {*pull.authors, *opener(pull)} if pull else set()
        before = commit.parents[0] if commit.parents else None
        if pull is not None and before is not None:
            merged = self._git.merged(before, pull.head)
            if not merged.conflicts and merged.tree_id == commit.tree:
                return known
        if before is None:
            return known | set(commit.authors)
        return known | set(self._git.authors(before, commit.id))

    def _admit(
        self, planned: PlannedRelease, pull: Pull | None, now: datetime, ledger: Ledger
    ) -> None:
        plan = planned.plan
        before = self._board.releases.get(plan.release)
        expires = (plan.spec or {}).get("expires")
        state = ReleaseState(
            release=plan.release,
            phase=ReleasePhase.SCHEDULED,
            since=now,
            plan_hash=plan.plan_hash,
            commit=plan.commit,
            position=plan.position,
            pull=plan.pull,
            authors=plan.authors,
            merged=now,
            expires=now + (parse_duration(expires) if expires else EXPIRES),
            decisions=before.state.decisions if before else 0,
        )
        units = {
            unit.unit: UnitState(
                release=plan.release,
                unit=unit.unit,
                since=now,
                batches=planned.batches.get(unit.unit, 0),
            )
            for unit in plan.units
        }
        active = Active(
            index=PlanIndex(plan),
            state=state,
            units=units,
            decisions=bound(before, plan),
        )
        self._board.remove(plan.release)
        self._board.add(active)
        fetch_needed(self._store, self._board, active)
        drop_others(before, plan, ledger)
        ledger.put(plan, state, *units.values())
        ledger.blobs.update(planned.blobs)
        self._board.blobs.update(planned.blobs)
        ledger.events.append(
            Event(
                at=now,
                kind="release.scheduled",
                release=plan.release,
                data={"commit": plan.commit, "planHash": plan.plan_hash, "pull": plan.pull},
            )
        )
        if pull is None or plan.release not in pull.plans:
            set_hold(
                self._board,
                ledger,
                f"{plan.release}/unknown-pull",
                plan.release,
                HoldCode.UNKNOWN_PULL,
                say(Said.UNKNOWN_PULL),
                now,
            )

    def _not_planned(
        self,
        name: str,
        origin: Origin,
        findings: Sequence[Finding],
        now: datetime,
        ledger: Ledger,
    ) -> None:
        """It stands on the board without units, held, until a later main lets it be planned."""
        plan = unplanned(name, origin)
        state = ReleaseState(
            release=name,
            phase=ReleasePhase.SCHEDULED,
            since=now,
            plan_hash="",
            commit=origin.commit,
            position=origin.position,
            pull=origin.pull,
            authors=origin.authors,
            merged=now,
        )
        self._board.remove(name)
        self._board.add(Active(index=PlanIndex(plan), state=state, units={}))
        ledger.put(plan, state)
        why = say(Said.NOT_PLANNED, why=first_of(findings))
        set_hold(self._board, ledger, f"{name}/not-planned", name, HoldCode.PLAN_FAILED, why, now)

    def _plan_held(self, head: str, now: datetime, ledger: Ledger) -> None:
        """Releases that could not be planned when they came are planned from what main is now."""
        for name, active in list(self._board.releases.items()):
            if not active.unplanned or active.state.phase not in AHEAD:
                continue
            if active.state.plan_hash:
                continue  # its plan is missing from the store: what it did cannot be planned anew
            facts = known(self._store, self._board)
            planned = self._planner.later(head, active.index.plan, now=now, known=facts)
            if not isinstance(planned, PlannedRelease):
                continue
            lift_hold(self._board, f"{name}/not-planned", name, now, ledger)
            self._admit(planned, self._pulls.known(planned.plan.pull), now, ledger)

    def _removed(self, name: str, now: datetime, ledger: Ledger) -> None:
        active = self._board.releases.get(name)
        if active is None or active.state.phase not in AHEAD:
            return
        if active.state.phase is ReleasePhase.ROLLING_BACK:
            # Its revert was merged while it still goes back: main says already what it will be.
            return
        if any(unit.began for unit in active.units.values()):
            set_hold(
                self._board,
                ledger,
                f"{name}/deleted",
                name,
                HoldCode.DELETED,
                say(Said.DELETED),
                now,
            )
            return
        reason = say(Said.TAKEN_AWAY)
        active.state = replace(
            active.state, phase=ReleasePhase.CANCELLED, since=now, ended=now, outcome=reason
        )
        ledger.put(active.state)
        ledger.events.append(
            Event(at=now, kind="release.cancelled", release=name, data={"reason": reason})
        )
        self._board.account(active)

    def _tell_of_main(self, broken: str | None, head: str, now: datetime, ledger: Ledger) -> None:
        """Into the record when main breaks or is good again, whether a release is open or not."""
        if broken == self._store.mark(BROKEN):
            return
        ledger.marks[BROKEN] = broken
        # What breaks is logged as the tick's problem, at a restart too; here only what mends.
        if not broken:
            log.info("main lints again: the rules of %s hold", head)
        kind, data = ("main.broken", {"why": broken}) if broken else ("main.mended", {})
        ledger.events.append(Event(at=now, kind=kind, data={**data, "commit": head}))

    def _hold_for_main(self, broken: str | None, now: datetime, ledger: Ledger) -> None:
        """While main does not lint, releases that have not begun hold; they go on by themselves
        after.
        """
        for name, active in self._board.releases.items():
            hold_id = f"{name}/main-broken"
            begun = active.state.phase is not ReleasePhase.SCHEDULED or active.state.began
            waits = not begun and not active.unplanned
            if broken and waits:
                reason = say(Said.MAIN_BROKEN, why=broken)
                set_hold(self._board, ledger, hold_id, name, HoldCode.PLAN_FAILED, reason, now)
            elif not broken:
                lift_hold(self._board, hold_id, name, now, ledger)


def first_of(findings: Sequence[Finding]) -> str:
    """The first mistake, with its place; "" when there is none."""
    return next((f"{f.path}:{f.line or 1}: {f.message}" for f in findings), "")
