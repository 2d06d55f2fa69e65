"""The release repo of a rehearsal: main before the release, one pull request, and its merge.

Reads the objects of the real repo; everything that a bot would write there is kept in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.ports import MainCommit, MergeTry, PullSeen, Rewritten
from release_repo_schema.tree import Entry, Tree


class LessTree:
    """A tree without some of its files."""

    def __init__(self, tree: Tree, without: Collection[str]) -> None:
        self._tree, self._without = tree, frozenset(without)
        self._entries: Mapping[str, Entry] = {
            path: one for path, one in tree.entries().items() if path not in self._without
        }

    def entries(self) -> Mapping[str, Entry]:
        return self._entries

    def read(self, path: str) -> bytes:
        if path in self._without:
            raise FileNotFoundError(path)
        return self._tree.read(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One state of main: its commit, and the files with the id of their tree."""

    commit: str
    tree_id: str
    tree: Tree
    position: int


class RehearsedGit:
    """GitHost of two states of main. `pull`: the branch of the only pull request."""

    def __init__(
        self,
        before: Side,
        after: Side,
        *,
        authors: Collection[str],
        pull: str,
        title: str,
        at: datetime,
    ) -> None:
        self._pull = pull
        self._before, self._after, self._at = before, after, at
        self._authors, self._title = tuple(sorted(authors)), title
        self._merged = False
        self.opened: dict[str, str] = {}
        """Branch → title of the pull requests that the bot would have opened."""

    def merge(self) -> None:
        """People merge the pull request."""
        self._merged = True

    def head(self, ref: str = "main") -> str | None:
        if ref == "main":
            return self._after.commit if self._merged else self._before.commit
        return self._after.commit if ref == self._pull and not self._merged else None

    def pulls(self) -> tuple[PullSeen, ...]:
        if self._merged:
            return ()
        opened_by = self._authors[0] if self._authors else ""
        pull = PullSeen(
            id=self._pull,
            head=self._after.commit,
            title=self._title,
            opened_by=opened_by,
            authors=self._authors,
        )
        return (pull,)

    def walk(self, since: str | None, until: str) -> tuple[MainCommit, ...]:
        known = [self._before.commit, self._after.commit]
        if since is not None and since not in known:
            raise Rewritten(f"{since} is not on main")
        start = 0 if since is None else known.index(since) + 1
        return tuple(self.commit(one) for one in known[start : known.index(until) + 1])

    def commit(self, commit: str) -> MainCommit:
        side = self._side(commit)
        first = side is self._before
        return MainCommit(
            id=side.commit,
            parents=() if first else (self._before.commit,),
            position=side.position,
            tree=side.tree_id,
            authors=() if first else self._authors,
            at=self._at,
            subject=self._title,
        )

    def tree(self, commit: str) -> Tree:
        return self._side(commit).tree

    def merged(self, base: str, head: str) -> MergeTry:
        side = self._side(head)
        return MergeTry(tree=side.tree, tree_id=side.tree_id)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return ancestor in (descendant, self._before.commit)

    def authors(self, base: str, head: str) -> tuple[str, ...]:
        return self._authors

    def changed(self, commit: str) -> Mapping[str, tuple[str | None, str | None]]:
        if self._side(commit) is self._before:
            return {}
        old, new = self._before.tree.entries(), self._after.tree.entries()
        ids = {
            path: tuple(one.key if (one := side.get(path)) else None for side in (old, new))
            for path in {*old, *new}
        }
        return {path: (was, now) for path, (was, now) in sorted(ids.items()) if was != now}

    def wake(self) -> None:
        """Nothing is remembered between two questions."""

    def proposed(self, branch: str) -> str | None:
        return branch if branch in self.opened else None

    def propose(
        self,
        branch: str,
        files: Mapping[str, bytes | None],
        *,
        title: str,
        author: str,
        at: datetime,
    ) -> str:
        self.opened.setdefault(branch, title)
        return branch

    def _side(self, commit: str) -> Side:
        return self._before if commit == self._before.commit else self._after
