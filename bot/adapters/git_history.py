"""Commits: the first-parent line of main, who wrote what, what changed, what a merge would give.

Answers from objects alone and keeps what can never change; it knows no branch and no pull request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from bot.adapters.git_objects import GitObjects, GitTree, shown_path
from bot.adapters.git_refs import OBJECT_ID
from bot.ports import NO_MAIL, GitError, MainCommit, MergeTry, Rewritten

TREES_KEPT = 8
ANSWERS_KEPT = 4096
K = TypeVar("K")
V = TypeVar("V")
_TRAILERS = "%(trailers:key=Co-authored-by,valueonly,unfold,separator=%x01)"
_FIELDS = ("%H", "%P", "%T", "%ae", "%ce", "%ct", "%s", _TRAILERS)
_FORMAT = "--format=" + "%x00".join(_FIELDS)
_MAIL = re.compile(r"<([^<>]*)>\s*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSeen:
    """One commit as it stands in the repository."""

    id: str
    parents: tuple[str, ...]
    tree: str
    author: str
    committer: str
    at: datetime
    subject: str
    co_authors: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """Who wrote and committed it. One who gave no e-mail stands there as unknown."""
        mails = (self.author, self.committer, *self.co_authors)
        return tuple(dict.fromkeys(mail.strip() or NO_MAIL for mail in mails))


class History:
    """Answers about commits, each computed once."""

    def __init__(self, objects: GitObjects) -> None:
        self._objects = objects
        self._positions: dict[str, int] = {}
        self._commits: dict[str, MainCommit] = {}
        self._trees: dict[str, GitTree] = {}
        self._merges: dict[tuple[str, str], MergeTry] = {}
        self._ancestry: dict[tuple[str, str], bool] = {}

    def walk(self, since: str | None, until: str) -> tuple[MainCommit, ...]:
        self._needs_whole_history()
        if since == until:
            return ()
        if since is not None and self._objects.kind(since) != "commit":
            raise self._rewritten(since)
        # First-parent commits that `since` does not reach: if it is of their line, the oldest of
        # them stands on it.
        limits = [until] if since is None else [until, f"^{since}"]
        seen = self.log("--first-parent", "--reverse", stdin=limits)
        if since is not None and (not seen or seen[0].parents[:1] != (since,)):
            raise self._rewritten(since)
        first = 1 if since is None else self.position(since) + 1
        return tuple(self._placed(commit, first + number) for number, commit in enumerate(seen))

    def commit(self, commit: str) -> MainCommit:
        if commit not in self._commits:
            self._needs_whole_history()
            seen = self.log("--no-walk", stdin=[commit])
            self._placed(seen[0], self.position(commit))
        return self._commits[commit]

    def position(self, commit: str) -> int:
        if commit not in self._positions:
            counted = self._objects.asked("rev-list", "--first-parent", "--count", commit, "--")
            _bound(self._positions)[commit] = int(counted)
        return self._positions[commit]

    def log(self, *options: str, stdin: Iterable[str]) -> list[CommitSeen]:
        """Commits as `git log` chooses them from the ids (and ^ids) given."""
        asked = "".join(f"{line}\n" for line in stdin).encode()
        output = self._objects.asked("log", "-z", _FORMAT, *options, "--stdin", stdin=asked)
        parts = output.decode("utf-8", "replace").split("\0")
        width = len(_FIELDS)
        last = len(parts) - width + 1
        return [_seen(parts[row : row + width]) for row in range(0, last, width)]

    def authors(self, base: str, head: str) -> tuple[str, ...]:
        self._needs_whole_history()
        seen = self.log(stdin=[head, f"^{base}"])
        return tuple(sorted({mail for commit in seen for mail in commit.people}))

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        if ancestor == descendant:
            return True
        key = (ancestor, descendant)
        if key not in self._ancestry:
            self._needs_whole_history()
            call = self._objects.git("merge-base", "--is-ancestor", ancestor, descendant)
            if call.code not in (0, 1):
                raise GitError(f"{self._shown} could not compare two commits: {call.last_error}")
            _bound(self._ancestry)[key] = call.code == 0
        return self._ancestry[key]

    def tree_of(self, commit: str) -> str:
        """Id of the tree of a commit."""
        if commit in self._commits:
            return self._commits[commit].tree
        return self._objects.asked("rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()

    def tree(self, tree_id: str) -> GitTree:
        found = self._trees.pop(tree_id, None) or GitTree(self._objects, tree_id)
        self._trees[tree_id] = found
        while len(self._trees) > TREES_KEPT:
            del self._trees[next(iter(self._trees))]
        return found

    def changed(self, commit: str) -> Mapping[str, tuple[str | None, str | None]]:
        parents = self.log("--no-walk", stdin=[commit])[0].parents
        before = [parents[0]] if parents else ["--root"]
        options = ("-r", "-z", "--no-renames", "--no-commit-id")
        fields = self._objects.asked("diff-tree", *options, *before, commit).split(b"\0")
        found: dict[str, tuple[str | None, str | None]] = {}
        for about, path in zip(fields[0::2], fields[1::2], strict=False):
            old_mode, new_mode, old, new, _ = about.decode().removeprefix(":").split(" ")
            ids = (_file_id(old_mode, old), _file_id(new_mode, new))
            if ids != (None, None):
                found[shown_path(path)] = ids
        return found

    def merged(self, base: str, head: str) -> MergeTry:
        key = (base, head)
        if key not in self._merges:
            self._needs_whole_history()
            _bound(self._merges, 256)[key] = self._tried(base, head)
        tried = self._merges[key]
        return MergeTry(
            tree=None if tried.conflicts else self.tree(tried.tree_id),
            tree_id=tried.tree_id,
            conflicts=tried.conflicts,
        )

    def _tried(self, base: str, head: str) -> MergeTry:
        if self.is_ancestor(base, head):
            return MergeTry(tree=None, tree_id=self.tree_of(head))
        if self.is_ancestor(head, base):
            return MergeTry(tree=None, tree_id=self.tree_of(base))
        options = ("--write-tree", "--name-only", "--no-messages", "-z")
        call = self._objects.git("merge-tree", *options, base, head)
        told = [part for part in call.output.split(b"\0") if part]
        if call.code == 0 and told:
            return MergeTry(tree=None, tree_id=told[0].decode())
        if call.code == 1 and len(told) > 1:
            return MergeTry(
                tree=None, tree_id="", conflicts=tuple(sorted(map(shown_path, told[1:])))
            )
        if "unrelated histories" in call.error:
            raise GitError(f"{head[:12]} has no commit in common with main, so it cannot be merged")
        if call.code == 129 or "usage:" in call.error:
            raise GitError("trying a merge needs Git 2.38 or later; this one is older")
        raise GitError(
            f"merging {head[:12]} into {base[:12]} could not be tried: {call.last_error}"
        )

    def _placed(self, seen: CommitSeen, position: int) -> MainCommit:
        placed = MainCommit(
            id=seen.id,
            parents=seen.parents,
            position=position,
            tree=seen.tree,
            authors=seen.people,
            at=seen.at,
            subject=seen.subject,
        )
        _bound(self._positions)[seen.id] = position
        _bound(self._commits)[seen.id] = placed
        return placed

    def _needs_whole_history(self) -> None:
        place = self._objects.place
        if place.shallow and (place.common / "shallow").exists():
            raise GitError(
                f"{self._shown} is a shallow clone, so its history is cut off; "
                "`git fetch --unshallow` completes it"
            )

    def _rewritten(self, since: str) -> Rewritten:
        return Rewritten(
            f"main of {self._shown} no longer contains {since[:12]}: its history was rewritten"
        )

    @property
    def _shown(self) -> str:
        return self._objects.place.shown


def _seen(fields: list[str]) -> CommitSeen:
    commit, parents, tree, author, committer, at, subject, trailers = fields
    return CommitSeen(
        id=commit,
        parents=tuple(parents.split()),
        tree=tree,
        author=author,
        committer=committer,
        at=datetime.fromtimestamp(int(at), UTC),
        subject=subject,
        co_authors=tuple(_mail(line) for line in trailers.split("\x01") if line.strip()),
    )


def _mail(person: str) -> str:
    found = _MAIL.search(person)
    return found[1] if found else ""


def _file_id(mode: str, blob: str) -> str | None:
    return None if mode in ("000000", "160000") or not OBJECT_ID.fullmatch(blob) else blob


def _bound(answers: dict[K, V], limit: int = ANSWERS_KEPT) -> dict[K, V]:
    while len(answers) >= limit:
        del answers[next(iter(answers))]
    return answers
