"""The stories that every GitHost passes, told with the verbs of a `Forge`: people push and merge.

An adapter brings a Forge of its own; the stories know neither Git commands nor where things are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

import pytest

from bot.ports import GitError, GitHost, Rewritten

ANA, BEN = "ana@example.com", "ben@example.com"
AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
Files = Mapping[str, bytes | None]


class Forge(Protocol):
    """A release repo with one commit on main, and the people who work on it."""

    host: GitHost

    def push(self, branch: str, files: Files, *, by: str = ANA, title: str = "Change") -> str:
        """A commit on a branch (made from main where it is not there yet), and its pull request."""
        ...

    def merge(self, branch: str, *, how: str = "merge", by: str = BEN) -> str:
        """`merge`, `squash` or `fast-forward` into main; the branch stays. The head of main."""
        ...

    def merge_into(self, branch: str, other: str) -> str:
        """Another branch merged into a branch."""
        ...

    def close(self, branch: str) -> None:
        """The pull request is given up."""
        ...

    def rewrite_main(self, commit: str) -> None:
        """Main is forced to another commit."""
        ...

    def id(self, branch: str) -> str:
        """The pull request of a branch, as the host numbers it."""
        ...

    def account(self, mail: str) -> str:
        """How the host names who opened a pull request."""
        ...

    def opener(self, author: str) -> str:
        """Who opened what the bot proposed for an author: nobody where the bot has a name."""
        ...


class PlainForge:
    """Where a branch is the pull request, and a person is an e-mail address."""

    def id(self, branch: str) -> str:
        return branch

    def account(self, mail: str) -> str:
        return mail

    def opener(self, author: str) -> str:
        return author


class GitHostStories:
    """Subclassed by the tests of an adapter, with a fixture `forge`."""

    def test_an_empty_morning(self, forge: Forge) -> None:
        """Main has one commit, nothing is open; asking again gives the same."""
        host = forge.host
        head = host.head()
        assert head is not None
        assert host.head("main") == head
        assert host.pulls() == ()
        assert host.head("pr/none") is None
        (commit,) = host.walk(None, head)
        assert (commit.id, commit.parents, commit.position) == (head, (), 1)

    def test_a_pull_request_opens_and_is_pushed_to_again(self, forge: Forge) -> None:
        """It keeps its id and title; head and authors follow the pushes."""
        first = forge.push("pr/bump", {"releases/a.yaml": b"a\n"}, title="Bump the agent")
        (pull,) = forge.host.pulls()
        assert (pull.id, pull.head, pull.title) == (forge.id("pr/bump"), first, "Bump the agent")
        assert (pull.opened_by, pull.authors) == (forge.account(ANA), (ANA,))
        second = forge.push("pr/bump", {"releases/a.yaml": b"b\n"}, by=BEN, title="Fix a typo")
        (pull,) = forge.host.pulls()
        opener = forge.account(ANA)
        assert (pull.head, pull.title, pull.opened_by) == (second, "Bump the agent", opener)
        assert pull.authors == (ANA, BEN)
        assert forge.host.authors(forge.host.head() or "", second) == (ANA, BEN)

    def test_pull_requests_come_by_id(self, forge: Forge) -> None:
        """The order of cards does not depend on the order of pushes."""
        names = ("pr/c", "pr/a", "pr/b/deep")
        for name in names:
            forge.push(name, {f"releases/{name[-1]}.yaml": b"x\n"})
        assert [pull.id for pull in forge.host.pulls()] == sorted(forge.id(name) for name in names)

    def test_a_closed_pull_request_is_gone(self, forge: Forge) -> None:
        """Nothing of it reached main."""
        forge.push("pr/bump", {"releases/a.yaml": b"a\n"})
        forge.close("pr/bump")
        assert forge.host.pulls() == ()
        assert forge.host.head("pr/bump") is None

    @pytest.mark.parametrize("how", ["merge", "fast-forward", "squash"])
    def test_a_merge_is_one_step_of_main(self, forge: Forge, how: str) -> None:
        """However it was merged, main's first-parent line says what came, and by which tree."""
        host = forge.host
        before = host.head() or ""
        head = forge.push("pr/bump", {"releases/a.yaml": b"a\n", "people.yaml": None})
        tried = host.merged(before, head)
        after = forge.merge("pr/bump", how=how)
        (commit,) = host.walk(before, after)
        assert (commit.id, commit.position, commit.parents[0]) == (after, 2, before)
        assert commit.tree == tried.tree_id
        assert host.commit(after) == commit
        assert tried.tree is not None
        assert host.tree(after).entries() == tried.tree.entries()
        assert host.is_ancestor(head, after) == (how != "squash")
        assert len(commit.parents) == (2 if how == "merge" else 1)
        if how != "squash":
            assert host.pulls() == ()
        forge.close("pr/bump")
        assert host.pulls() == ()

    def test_what_a_commit_changed(self, forge: Forge) -> None:
        """Added, changed, deleted; a merge is compared with main before it."""
        host = forge.host
        old = host.tree(host.head() or "").entries()
        forge.push("pr/x", {"releases/a.yaml": b"a\n", "people.yaml": None, "fleet/c.yaml": b"n\n"})
        after = forge.merge("pr/x")
        new = host.tree(after).entries()
        assert host.changed(after) == {
            "releases/a.yaml": (None, new["releases/a.yaml"].key),
            "people.yaml": (old["people.yaml"].key, None),
            "fleet/c.yaml": (old["fleet/c.yaml"].key, new["fleet/c.yaml"].key),
        }

    def test_main_is_walked_commit_by_commit(self, forge: Forge) -> None:
        """Only merges count as steps, not the commits that they bring."""
        host = forge.host
        start = host.head() or ""
        merges = []
        for number in range(3):
            forge.push(f"pr/{number}", {f"releases/{number}.yaml": b"1\n"})
            forge.push(f"pr/{number}", {f"releases/{number}.yaml": b"2\n"})
            merges.append(forge.merge(f"pr/{number}"))
        walked = host.walk(start, merges[-1])
        assert [commit.id for commit in walked] == merges
        assert [commit.position for commit in walked] == [2, 3, 4]
        assert host.walk(merges[0], merges[-1]) == walked[1:]
        assert host.walk(merges[-1], merges[-1]) == ()
        assert [commit.position for commit in host.walk(None, merges[-1])] == [1, 2, 3, 4]

    def test_a_rewritten_main_is_noticed(self, forge: Forge) -> None:
        """A processed commit must stay on main's first-parent line, or a person is asked."""
        host = forge.host
        start = host.head() or ""
        branch = forge.push("pr/a", {"releases/a.yaml": b"a\n"})
        merged = forge.merge("pr/a")
        forge.rewrite_main(start)
        with pytest.raises(Rewritten):
            host.walk(merged, start)
        other = forge.push("pr/b", {"releases/b.yaml": b"b\n"})
        forge.rewrite_main(other)
        with pytest.raises(Rewritten):
            host.walk(merged, other)
        with pytest.raises(Rewritten):
            host.walk("0123456789abcdef" * 2 + "01234567", other)
        forge.rewrite_main(merged)
        with pytest.raises(Rewritten):
            host.walk(branch, merged)

    def test_a_conflict_names_its_paths(self, forge: Forge) -> None:
        """And only those: what merges by itself is not the author's business."""
        head = forge.push("pr/b", {"fleet/c.yaml": b"theirs\n", "releases/b.yaml": b"b\n"})
        forge.push("pr/a", {"fleet/c.yaml": b"ours\n"})
        main = forge.merge("pr/a")
        tried = forge.host.merged(main, head)
        assert (tried.tree, tried.conflicts) == (None, ("fleet/c.yaml",))

    def test_both_sides_of_a_merge_are_in_its_tree(self, forge: Forge) -> None:
        """The plan is made of what main will be, not of what the branch is."""
        head = forge.push("pr/b", {"releases/b.yaml": b"b\n"})
        forge.push("pr/a", {"releases/a.yaml": b"a\n", "fleet/c.yaml": b"new\n"})
        main = forge.merge("pr/a")
        tried = forge.host.merged(main, head)
        assert tried.tree is not None
        assert tried.conflicts == ()
        assert {"releases/a.yaml", "releases/b.yaml"} <= set(tried.tree.entries())
        assert tried.tree.read("fleet/c.yaml") == b"new\n"
        assert forge.host.head() == main, "nothing that another could see was written"

    def test_a_criss_cross_of_merges_is_tried_as_git_does_it(self, forge: Forge) -> None:
        """Two merge bases are no reason for a false conflict."""
        forge.push("pr/a", {"fleet/c.yaml": b"1\n2\n3\n4\n5\n6\n"})
        forge.merge("pr/a", how="fast-forward")
        forge.push("pr/left", {"fleet/c.yaml": b"left\n2\n3\n4\n5\n6\n"})
        right = forge.push("pr/right", {"fleet/c.yaml": b"1\n2\n3\n4\n5\nright\n"})
        forge.merge("pr/left", how="fast-forward")
        forge.merge_into("pr/right", "pr/left")
        forge.rewrite_main(forge.merge_into("pr/left", right))
        head = forge.push("pr/right", {"releases/r.yaml": b"r\n"})
        tried = forge.host.merged(forge.host.head() or "", head)
        assert tried.tree is not None
        assert tried.tree.read("fleet/c.yaml") == b"left\n2\n3\n4\n5\nright\n"

    @pytest.mark.parametrize(
        "path",
        [
            "releases/with space.yaml",
            "releases/ünïcödé 中.yaml",
            "releases/quo\"te'd.yaml",
            "releases/back\\slash.yaml",
            "releases/tab\there.yaml",
            "releases/[x]*.yaml",
        ],
    )
    def test_odd_names_are_names(self, forge: Forge, path: str) -> None:
        """Read, compared and proposed as they are written."""
        host = forge.host
        forge.push("pr/odd", {path: b"odd\n"})
        after = forge.merge("pr/odd")
        assert host.tree(after).read(path) == b"odd\n"
        assert list(host.changed(after)) == [path]
        host.propose("pr/less", {path: None}, title="Less", author=ANA, at=AT)
        assert path not in host.tree("pr/less").entries()

    def test_binary_files_are_read_as_they_are(self, forge: Forge) -> None:
        """No filter, no conversion of line ends."""
        data = bytes(range(256)) * 300 + b"\r\n\0\n"
        forge.push("pr/bin", {"components/a/x.bin": data, "components/a/empty": b""})
        tree = forge.host.tree(forge.merge("pr/bin"))
        assert tree.read("components/a/x.bin") == data
        assert tree.entries()["components/a/x.bin"].size == len(data)
        assert tree.read("components/a/empty") == b""

    def test_equal_files_have_equal_keys(self, forge: Forge) -> None:
        """By it a file is parsed once, wherever and in whichever commit it stands."""
        forge.push("pr/a", {"releases/a.yaml": b"same\n", "releases/b.yaml": b"same\n"})
        entries = forge.host.tree("pr/a").entries()
        assert entries["releases/a.yaml"] == entries["releases/b.yaml"]
        assert entries["people.yaml"] == forge.host.tree("main").entries()["people.yaml"]

    def test_a_proposal_is_a_pull_request_of_its_own(self, forge: Forge) -> None:
        """One commit on main, by the person and at the time that are given; main does not move."""
        host = forge.host
        main = host.head() or ""
        files = {"releases/new.yaml": b"new\n", "people.yaml": None, "fleet/c.yaml": b"c2\n"}
        author = "Ana Álvarez <ana@example.com>"
        name = host.propose("pr/revert", files, title="Revert it", author=author, at=AT)
        (pull,) = host.pulls()
        assert (pull.id, pull.title, pull.opened_by) == (name, "Revert it", forge.opener(ANA))
        assert host.proposed("pr/revert") == name
        assert host.proposed("pr/none") is None
        commit = host.commit(pull.head)
        assert (commit.parents, commit.at, commit.authors) == ((main,), AT, (ANA,))
        tree = host.tree(pull.head)
        assert tree.read("releases/new.yaml") == b"new\n"
        assert tree.read("fleet/c.yaml") == b"c2\n"
        assert "people.yaml" not in tree.entries()
        assert host.head() == main

    def test_proposing_twice_is_one_pull_request(self, forge: Forge) -> None:
        """An answer that was lost is asked for again; another content on the branch is told."""
        host = forge.host
        files = {"releases/new.yaml": b"new\n", "people.yaml": None}
        first = host.propose("pr/x", files, title="X", author=ANA, at=AT)
        head = host.head("pr/x")
        assert host.propose("pr/x", files, title="X", author=ANA, at=AT) == first
        assert host.head("pr/x") == head
        with pytest.raises(GitError, match="pr/x exists already"):
            host.propose("pr/x", {"releases/new.yaml": b"other\n"}, title="X", author=ANA, at=AT)

    def test_proposing_what_main_holds_opens_nothing(self, forge: Forge) -> None:
        """It was merged meanwhile: there is nothing left to ask for."""
        host = forge.host
        held = {"people.yaml": host.tree("main").read("people.yaml"), "releases/none.yaml": None}
        host.propose("pr/x", held, title="X", author=ANA, at=AT)
        assert host.pulls() == ()

    def test_a_wrong_name_is_answered_with_the_near_one(self, forge: Forge) -> None:
        """A sentence that a person understands."""
        forge.push("pr/bump-agent", {"releases/a.yaml": b"a\n"})
        with pytest.raises(GitError, match="'pr/bump-agnet'; did you mean 'pr/bump-agent'"):
            forge.host.tree("pr/bump-agnet")
        with pytest.raises(GitError, match="no commit 0123"):
            forge.host.commit("0123" * 10)
