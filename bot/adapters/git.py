"""A plain Git repository as the Git host: a branch under `pr/` is an open pull request.

Merging it into main merges it, deleting the branch closes it. Reads objects, never a work tree;
runs no hook and no filter; all it ever writes is the branch of a pull request the bot proposes.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from bot.adapters.git_history import CommitSeen, History
from bot.adapters.git_mirror import Mirror, is_url
from bot.adapters.git_objects import GitObjects, GitTree, run_git
from bot.adapters.git_propose import create_branch, holds, write_commit
from bot.adapters.git_refs import OBJECT_ID, Refs, RepositoryPlace, find_repository
from bot.ports import Clock, GitError, MainCommit, MergeTry, PullSeen

PULLS = "refs/heads/pr/"
_BASE_AND_STEPS = re.compile(r"([^~^@{]*)(.*)", re.DOTALL)


class LocalGitHost:
    """GitHost on a repository of this machine, or on a mirror of a remote one kept in `cache`.

    A remote one is fetched by `fetch()`, and when it is asked while the last fetch is `fetch_every`
    ago by `clock`.
    """

    def __init__(
        self,
        location: str | os.PathLike[str],
        *,
        cache: Path | None = None,
        clock: Clock | None = None,
        fetch_every: timedelta = timedelta(seconds=30),
        credential: Callable[[], Mapping[str, str]] | None = None,
        branches: str = "pr/",
    ) -> None:
        """`credential`: environment of each command that asks the remote one; `branches`: what
        the name of a proposed branch begins with.
        """
        self._mirror: Mirror | None = None
        self._branches = branches
        if is_url(location):
            if cache is None:
                raise GitError(f"{location} is remote: a folder to keep its copy in is needed")
            self._mirror = Mirror(
                str(location), cache, clock=clock, every=fetch_every, credential=credential
            )
            location = self._mirror.folder
        self._lock = threading.RLock()
        self._location = location
        self._opened: tuple[GitObjects, History, Refs] | None = None
        self._pulls: tuple[object, tuple[PullSeen, ...]] | None = None
        if self._mirror is None:
            self._parts()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the reading process. The host may be used again."""
        with self._lock:
            opened, self._opened = self._opened, None
            if opened is not None:
                opened[0].close()

    @property
    def place(self) -> RepositoryPlace:
        """Where the repository (or the mirror of it) is."""
        return self._parts()[0].place

    def wake(self) -> None:
        """Something may be new: the next question asks the remote repository."""
        if self._mirror is not None:
            self._mirror.wake()

    def fetch(self) -> None:
        """Bring the mirror of a remote repository up to date; nothing to do for a local one."""
        if self._mirror is not None:
            with self._lock:
                self._mirror.fetch()

    def fetch_refs(self, refs: Sequence[str]) -> None:
        """These refs of the remote repository as well, which no branch may hold."""
        if self._mirror is not None:
            with self._lock:
                self._mirror.fetch_refs(refs)

    def has(self, commit: str) -> bool:
        """Whether the commit of an id can be read."""
        with self._lock:
            return self._is_commit(commit)

    def head(self, ref: str = "main") -> str | None:
        with self._lock:
            objects, _, refs = self._fresh()
            branch = refs.branch(ref)
            if branch is not None or ref == "main":
                return branch
            base, steps = _BASE_AND_STEPS.fullmatch(ref).groups()  # type: ignore[union-attr]
            name = f"{refs.resolve(base) or base}{steps}^{{commit}}"
            call = objects.git("rev-parse", "--quiet", "--verify", "--end-of-options", name)
            return call.text if call.code == 0 else None

    def pulls(self) -> tuple[PullSeen, ...]:
        with self._lock:
            _, history, refs = self._fresh()
            main = refs.resolve("main")
            branches = refs.below(PULLS)
            key = (main, tuple(branches.items()))
            if self._pulls is None or self._pulls[0] != key:
                self._pulls = (key, self._open_pulls(history, main, branches))
            return self._pulls[1]

    def walk(self, since: str | None, until: str) -> tuple[MainCommit, ...]:
        with self._lock:
            _, history, _ = self._parts()
            return history.walk(since, self._commit_id(until))

    def commit(self, commit: str) -> MainCommit:
        with self._lock:
            return self._parts()[1].commit(self._commit_id(commit))

    def tree(self, commit: str) -> GitTree:
        with self._lock:
            _, history, _ = self._parts()
            return history.tree(history.tree_of(self._commit_id(commit)))

    def merged(self, base: str, head: str) -> MergeTry:
        with self._lock:
            return self._parts()[1].merged(self._commit_id(base), self._commit_id(head))

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        with self._lock:
            history = self._parts()[1]
            return history.is_ancestor(self._commit_id(ancestor), self._commit_id(descendant))

    def authors(self, base: str, head: str) -> tuple[str, ...]:
        with self._lock:
            return self._parts()[1].authors(self._commit_id(base), self._commit_id(head))

    def changed(self, commit: str) -> Mapping[str, tuple[str | None, str | None]]:
        with self._lock:
            return self._parts()[1].changed(self._commit_id(commit))

    def proposed(self, branch: str) -> str | None:
        with self._lock:
            return branch if self.head(branch) is not None else None

    def propose(
        self,
        branch: str,
        files: Mapping[str, bytes | None],
        *,
        title: str,
        author: str,
        at: datetime,
    ) -> str:
        """The id is the branch, which gets `branches` before it where that is missing.

        Files that main holds already open nothing: what was proposed is there.
        """
        name = branch if branch.startswith(self._branches) else f"{self._branches}{branch}"
        ref = f"refs/heads/{name}"
        with self._lock:
            objects, _, refs = self._fresh()
            if not files:
                raise GitError(f"{name} would change nothing: no file is given")
            if run_git(objects.folder, "check-ref-format", ref, git_dir=objects.folder).code != 0:
                raise GitError(f"'{name}' cannot be the name of a branch")
            there = refs.value(ref)
            if there is not None:
                if holds(objects, there, files):
                    return name
                raise GitError(f"the branch {name} exists already and holds something else")
            parent = refs.resolve("main")
            if parent is None:
                raise GitError(
                    f"{objects.place.shown} has no commit on main yet, so nothing can be proposed"
                )
            made = write_commit(objects, parent, files, title=title, author=author, at=at)
            if made is not None:
                if self._mirror is not None:
                    self._mirror.push(made, ref)
                create_branch(objects, ref, made)
        return name

    def _open_pulls(
        self, history: History, main: str | None, branches: Mapping[str, str]
    ) -> tuple[PullSeen, ...]:
        heads = {ref: head for ref, head in branches.items() if self._is_commit(head)}
        if not heads:
            return ()
        limits = [*dict.fromkeys(heads.values()), *([f"^{main}"] if main else [])]
        # One call for all branches lists what main has not; a head that is not listed was merged.
        unmerged = {commit.id: commit for commit in history.log(stdin=limits)}
        return tuple(
            _pull(ref.removeprefix("refs/heads/"), unmerged[head], unmerged)
            for ref, head in sorted(heads.items())
            if head in unmerged
        )

    def _is_commit(self, head: str) -> bool:
        # A branch whose objects are missing (a half-copied repository) cannot be read as anything.
        return self._parts()[0].kind(head) == "commit"

    def _commit_id(self, name: str) -> str:
        objects, _, refs = self._parts()
        known = objects.kind(name) if OBJECT_ID.fullmatch(name) else None
        if known == "commit":
            return name
        if OBJECT_ID.fullmatch(name):
            raise GitError(f"{objects.place.shown} has no commit {name[:12]}")
        found = self.head(name)
        if found is None:
            raise GitError(f"{objects.place.shown} has no ref '{name}'{refs.did_you_mean(name)}")
        return found

    def _fresh(self) -> tuple[GitObjects, History, Refs]:
        if self._mirror is not None:
            self._mirror.fetch_when_due()
        return self._parts()

    def _parts(self) -> tuple[GitObjects, History, Refs]:
        with self._lock:
            if self._opened is None:
                if self._mirror is not None:
                    self._mirror.make_sure()
                place = find_repository(self._location)
                objects = GitObjects(place)
                self._opened = (objects, History(objects), Refs(place))
            return self._opened


def _pull(name: str, head: CommitSeen, unmerged: Mapping[str, CommitSeen]) -> PullSeen:
    seen: dict[str, CommitSeen] = {}
    pending = [head.id]
    while pending:
        commit = unmerged.get(pending.pop())
        if commit is not None and commit.id not in seen:
            seen[commit.id] = commit
            pending += commit.parents
    first = head
    while first.parents and first.parents[0] in seen:
        first = seen[first.parents[0]]
    return PullSeen(
        id=name,
        head=head.id,
        title=first.subject,
        opened_by=first.author,
        authors=tuple(sorted({mail for commit in seen.values() for mail in commit.people})),
    )
