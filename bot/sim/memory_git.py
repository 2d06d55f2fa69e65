"""A release repo in memory, and the people who push to it: the port GitHost without a Git.

For speed and for faults only; passes the stories that the real one passes.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.failures import GitError, Rewritten
from bot.ports import MainCommit, MergeTry, PullSeen
from bot.sim.memory_merge import Files, merge_files
from release_repo_schema.tree import Entry

_MAIL = re.compile(r"<([^<>\s]+)>")
_OBJECT_ID = re.compile(r"[0-9a-f]{40}")
Changed = Mapping[str, bytes | None]


@dataclass(frozen=True, slots=True)
class Commit:
    id: str
    parents: tuple[str, ...]
    tree: MemoryTree
    author: str
    at: datetime
    title: str


class MemoryTree:
    """The files of one commit. Content ids are those that Git gives."""

    def __init__(self, files: Files) -> None:
        self.files = dict(sorted(files.items()))
        self._entries = {
            path: Entry(_blob_id(data), None, len(data)) for path, data in self.files.items()
        }
        listed = "".join(f"{entry.key} {path}\n" for path, entry in self._entries.items())
        self.id = hashlib.sha1(listed.encode(), usedforsecurity=False).hexdigest()

    def entries(self) -> Mapping[str, Entry]:
        return self._entries

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]


class MemoryGit:
    """GitHost, and what people do to a repo: push, merge, close, rewrite."""

    def __init__(self, files: Files, *, author: str, at: datetime, title: str = "Begin") -> None:
        self._commits: dict[str, Commit] = {}
        self._reached: dict[str, frozenset[str]] = {}
        self._tries: dict[tuple[str, str], MergeTry] = {}
        self._pulls: tuple[object, tuple[PullSeen, ...]] | None = None
        self._now = at
        self.refs = {"main": self._commit((), files, author, title)}

    # what people do

    def push(self, branch: str, files: Changed, *, by: str, title: str = "Change") -> str:
        """A commit on a branch, which is made from main where it is not there yet."""
        head = self.refs.get(branch, self.refs["main"])
        self.refs[branch] = self._commit((head,), self._with(head, files), by, title)
        return self.refs[branch]

    def merge(self, branch: str, *, how: str = "merge", by: str) -> str:
        """Into main; the branch stays. Raises GitError at a conflict."""
        self.refs["main"] = self._merged("main", branch, how, by)
        return self.refs["main"]

    def merge_into(self, branch: str, other: str, *, by: str) -> str:
        self.refs[branch] = self._merged(branch, other, "merge", by)
        return self.refs[branch]

    def close(self, branch: str) -> None:
        self.refs.pop(branch, None)

    def rewrite_main(self, commit: str) -> None:
        self.refs["main"] = commit

    def moved(self, at: datetime) -> None:
        """The date of the commits that come now."""
        self._now = at

    # the port

    def head(self, ref: str = "main") -> str | None:
        if ref in self.refs:
            return self.refs[ref]
        return ref if ref in self._commits else None

    def pulls(self) -> tuple[PullSeen, ...]:
        key = tuple(sorted(self.refs.items()))
        if self._pulls is None or self._pulls[0] != key:
            main = self._reach(self.refs["main"])
            seen = [
                self._pull(ref, head, main)
                for ref, head in key
                if ref.startswith("pr/") and head not in main
            ]
            self._pulls = (key, tuple(seen))
        return self._pulls[1]

    def walk(self, since: str | None, until: str) -> tuple[MainCommit, ...]:
        line = self._line(self._id(until))
        if since is None:
            return tuple(map(self.commit, line))
        if since not in line:
            raise Rewritten(f"main no longer contains {since[:12]}: its history was rewritten")
        return tuple(map(self.commit, line[line.index(since) + 1 :]))

    def commit(self, commit: str) -> MainCommit:
        found = self._commits[self._id(commit)]
        return MainCommit(
            id=found.id,
            parents=found.parents,
            position=len(self._line(found.id)),
            tree=found.tree.id,
            authors=(found.author,),
            at=found.at,
            subject=found.title,
        )

    def tree(self, commit: str) -> MemoryTree:
        return self._commits[self._id(commit)].tree

    def merged(self, base: str, head: str) -> MergeTry:
        key = (self._id(base), self._id(head))
        if key not in self._tries:
            self._tries[key] = self._tried(*key)
        return self._tries[key]

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        return self._id(ancestor) in self._reach(self._id(descendant))

    def authors(self, base: str, head: str) -> tuple[str, ...]:
        new = self._reach(self._id(head)) - self._reach(self._id(base))
        return tuple(sorted({self._commits[one].author for one in new}))

    def changed(self, commit: str) -> Mapping[str, tuple[str | None, str | None]]:
        found = self._commits[self._id(commit)]
        before = self._commits[found.parents[0]].tree.entries() if found.parents else {}
        after = found.tree.entries()
        ids = {
            path: (
                before[path].key if path in before else None,
                after[path].key if path in after else None,
            )
            for path in sorted({*before, *after})
        }
        return {path: pair for path, pair in ids.items() if pair[0] != pair[1]}

    def wake(self) -> None:
        """Nothing is remembered between two questions."""

    def proposed(self, branch: str) -> str | None:
        return branch if branch in self.refs else None

    def propose(self, branch: str, files: Changed, *, title: str, author: str, at: datetime) -> str:
        name = branch if branch.startswith("pr/") else f"pr/{branch}"
        if name in self.refs:
            there = self._commits[self.refs[name]].tree.files
            if any(there.get(path) != data for path, data in files.items()):
                raise GitError(f"the branch {name} exists already and holds something else")
            return name
        main = self.refs["main"]
        after = self._with(main, files)
        if after != self._commits[main].tree.files:
            mail = _MAIL.search(author)
            by = mail[1] if mail else author
            self.refs[name] = self._commit((main,), after, by, title.strip(), at=at)
        return name

    # inside

    def _commit(
        self,
        parents: tuple[str, ...],
        files: Files,
        author: str,
        title: str,
        at: datetime | None = None,
    ) -> str:
        tree, at = MemoryTree(files), (at or self._now).astimezone(UTC).replace(microsecond=0)
        text = f"{tree.id}\n{parents}\n{author}\n{at.isoformat()}\n{title}"
        id_ = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        subject = title.partition("\n")[0]
        self._commits[id_] = Commit(id_, parents, tree, author, at, subject)
        return id_

    def _with(self, commit: str, files: Changed) -> dict[str, bytes]:
        after = dict(self._commits[commit].tree.files)
        for path, data in files.items():
            if data is None:
                after.pop(path, None)
            else:
                after[path] = data
        return dict(sorted(after.items()))

    def _merged(self, into: str, branch: str, how: str, by: str) -> str:
        base, head = self.refs[into], self._id(branch)
        if how == "fast-forward" and self.is_ancestor(base, head):
            return head
        tried = self.merged(base, head)
        if tried.tree is None:
            raise GitError(f"{branch} conflicts with {into}: {', '.join(tried.conflicts)}")
        assert isinstance(tried.tree, MemoryTree)
        squash = how == "squash"
        parents = (base,) if squash else (base, head)
        title = f"{branch} (squashed)" if squash else f"Merge {branch}"
        return self._commit(parents, tried.tree.files, by, title)

    def _tried(self, base: str, head: str) -> MergeTry:
        files, conflicts = self._merge(base, head)
        if conflicts:
            return MergeTry(tree=None, tree_id="", conflicts=tuple(conflicts))
        tree = MemoryTree(files)
        return MergeTry(tree=tree, tree_id=tree.id)

    def _merge(self, ours: str, theirs: str) -> tuple[Files, list[str]]:
        mine, other = (self._commits[one].tree.files for one in (ours, theirs))
        if theirs in self._reach(ours):
            return mine, []
        if ours in self._reach(theirs):
            return other, []
        common = self._reach(ours) & self._reach(theirs)
        bases = sorted(
            one
            for one in common
            if not any(one != more and one in self._reach(more) for more in common)
        )
        # Several best bases are merged with each other first, as Git does it.
        base: Files = self._commits[bases[0]].tree.files
        for more in bases[1:]:
            below, _ = self._merge_base(bases[0], more)
            base, _ = merge_files(below, base, self._commits[more].tree.files)
        return merge_files(base, mine, other)

    def _merge_base(self, one: str, other: str) -> tuple[Files, str]:
        common = self._reach(one) & self._reach(other)
        best = max(common, key=lambda id_: (len(self._reach(id_)), id_))
        return self._commits[best].tree.files, best

    def _reach(self, commit: str) -> frozenset[str]:
        found = self._reached.get(commit)
        if found is None:
            reached = {commit}
            for parent in self._commits[commit].parents:
                reached |= self._reach(parent)
            found = self._reached[commit] = frozenset(reached)
        return found

    def _line(self, commit: str) -> list[str]:
        line = [commit]
        while parents := self._commits[line[-1]].parents:
            line.append(parents[0])
        return line[::-1]

    def _id(self, name: str) -> str:
        found = self.head(name)
        if found is not None:
            return found
        if _OBJECT_ID.fullmatch(name):
            raise GitError(f"the repo has no commit {name[:12]}")
        near = difflib.get_close_matches(name, self.refs, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise GitError(f"the repo has no ref '{name}'{hint}")

    def _pull(self, ref: str, head: str, main: frozenset[str]) -> PullSeen:
        new = self._reach(head) - main
        first = self._commits[head]
        while first.parents and first.parents[0] in new:
            first = self._commits[first.parents[0]]
        return PullSeen(
            id=ref,
            head=head,
            title=first.title,
            opened_by=first.author,
            authors=tuple(sorted({self._commits[one].author for one in new})),
        )


def _blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\x00" % len(data) + data, usedforsecurity=False).hexdigest()
