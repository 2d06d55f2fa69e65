"""What a rehearsal starts from: main before the release, the merge that brings it, what runs now.

Reads the real repo and the real store; changes neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core import messages_rehearsal as say
from bot.core.exposure import ASSUMED
from bot.core.plan_shown import Known
from bot.model.state import (
    Applied,
    Blocked,
    EmergencyStop,
    Hold,
    ReleaseState,
    UnitState,
)
from bot.ports import Changes, GitHost, Store
from bot.reconciler.known import AppliedRows
from bot.reconciler.planner_caches import Repos
from bot.rehearse.git import LessTree, RehearsedGit, Side
from release_repo_schema.findings import Finding
from release_repo_schema.repo import Repo
from release_repo_schema.rules.change import new_releases

_FAR_BACK = 200
"""Commits of main that are searched for the one that brought a Release file."""


class CannotRehearse(Exception):
    """Nothing can be rehearsed, and the text says why."""


@dataclass
class UnknownRelease(CannotRehearse):
    """`release` None: none was named, and the commit brings none."""

    release: str | None
    known: tuple[str, ...]


@dataclass
class NotPlanned(CannotRehearse):
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class Scene:
    """Both states of main, and what the store knows."""

    git: RehearsedGit
    before: Side
    after: Side
    repo: Repo
    """The release repo as it is before the merge."""
    releases: tuple[str, ...]
    """All that the merge brings, the one that was asked for among them."""
    known: Known
    store: Store | None
    first: Changes
    notes: list[str] = field(default_factory=list)
    assumed: dict[str, int] = field(default_factory=dict)
    """Cluster → nodes that its copy has, where nobody knows how many there are."""

    counted: Mapping[str, int] | None = None
    """Cluster → the most that a workload of ours was counted to have there, once asked."""

    def nodes(self, cluster: str) -> int:
        """How many nodes the copy of a cluster gets that is not simulated."""
        if cluster not in self.assumed:
            if self.counted is None:
                self.counted = self._counted()
            seen = self.counted.get(cluster)
            if seen:
                return seen
            self.assumed[cluster] = ASSUMED
        return self.assumed[cluster]

    def _counted(self) -> Mapping[str, int]:
        if self.store is None:
            return {}
        found: dict[str, int] = {}
        for row in self.store.rows(Applied):
            state: UnitState | None = self.store.get(UnitState, f"{row.release}/{row.unit}")
            cluster = row.unit.partition("@")[2].partition("/")[0]
            if state is not None:
                found[cluster] = max(found.get(cluster, 0), *state.totals.values(), 0)
        return found


def scene(
    git: GitHost, head: str, release: str | None, store: Store | None, now: datetime
) -> Scene:
    """From the real repo at a commit. `release` None: what that commit brings to main."""
    main = git.head()
    if main is None:
        raise CannotRehearse("the release repo has no branch main")
    repos = Repos(git)
    standing = repos.at(main)
    tried = git.merged(main, head)
    brought: tuple[str, ...] = ()
    if tried.tree is not None:
        brought = tuple(sorted(new_releases(standing, repos.of_tree(tried.tree_id, tried.tree))))
    elif release is None or release not in standing.releases:
        raise CannotRehearse(
            f"main and the commit both changed {', '.join(tried.conflicts)}; rebase it first"
        )
    at = git.commit(main)
    if tried.tree is not None and brought and (release is None or release in brought):
        before = Side(commit=main, tree_id=at.tree, tree=git.tree(main), position=at.position)
        after = Side(
            commit=head if head != main else f"{main}+",
            tree_id=tried.tree_id,
            tree=tried.tree,
            position=at.position + 1,
        )
        authors = set(git.authors(main, head))
        repo = standing
    elif release is not None and release in standing.releases:
        path = standing.documents["Release", release].file.path
        less = LessTree(git.tree(main), [path])
        before = Side(commit=f"{main}-", tree_id=f"{at.tree}-", tree=less, position=at.position)
        after = Side(commit=main, tree_id=at.tree, tree=git.tree(main), position=at.position + 1)
        authors = _authors(git, store, main, release, path)
        repo = repos.of_tree(before.tree_id, less)
        brought = tuple(sorted(set(standing.releases) - set(repo.releases)))
    else:
        raise UnknownRelease(release, tuple(sorted({*standing.releases, *brought})))
    rehearsed = RehearsedGit(
        before,
        after,
        authors=authors,
        pull=f"pr/{release or brought[0]}",
        title=f"Release {', '.join(brought)}",
        at=now,
    )
    found = Scene(
        git=rehearsed,
        before=before,
        after=after,
        repo=repo,
        releases=brought,
        known=_known(store),
        store=store,
        first=_first(store, now),
    )
    found.notes += _notes(store, brought, release)
    return found


def _known(store: Store | None) -> Known:
    if store is None:
        return Known()
    return Known(applied=AppliedRows(store), blocked=store.rows(Blocked), blob=store.blob)


def _first(store: Store | None, now: datetime) -> Changes:
    """What of the store stops a release whatever it is: blocks and emergency freezes."""
    if store is None:
        return Changes()
    stops = [stop for stop in store.rows(EmergencyStop) if stop.until > now]
    return Changes(puts=(*store.rows(Blocked), *stops))


def _notes(store: Store | None, brought: tuple[str, ...], release: str | None) -> list[str]:
    told = [say.comes_along([one for one in brought if one != release])] if release else []
    told = told if len(brought) > 1 else []
    if store is None:
        return told
    for hold in store.rows(Hold, live=True):
        if hold.release is None:
            told.append(say.ignored_hold(hold.scope, hold.by))
    states = [state for state in store.rows(ReleaseState, live=True) if not state.phase.ended]
    running = [state.release for state in states if state.merged is not None]
    told += [say.runs_already(name) for name in brought if name in running]
    if others := sorted(set(running) - set(brought)):
        told.append(say.others_run(others))
    return told


def _authors(git: GitHost, store: Store | None, main: str, release: str, path: str) -> set[str]:
    """Who wrote a Release that stands on main: as the store has it, else by the commit of its
    file.
    """
    state: ReleaseState | None = store.get(ReleaseState, release) if store is not None else None
    if state is not None and state.authors:
        return set(state.authors)
    for commit in reversed(git.walk(None, main)[-_FAR_BACK:]):
        if git.changed(commit.id).get(path, ("", None))[0] is None:
            return set(
                git.authors(commit.parents[0], commit.id) if commit.parents else commit.authors
            )
    return set()
