"""What only the local Git host has to hold: speed, errors, and repositories that mean harm."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.git import LocalGitHost
from bot.ports import GitError, Unreachable
from tests.contracts.githosts import ANA, AT
from tests.contracts.test_githost import LocalForge, git

STARTED: list[str] = []
"""Every process that was started: an audit hook cannot be taken away again, so there is one."""


def _note(event: str, args: tuple[object, ...]) -> None:
    if event == "subprocess.Popen":
        STARTED.append(str(args[1]))


sys.addaudithook(_note)


@pytest.fixture
def forge(tmp_path: Path) -> Iterator[LocalForge]:
    forge = LocalForge(tmp_path, bare=False)
    yield forge
    forge.host.close()


class Hands:
    """A clock that a story moves by hand."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 24, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time


def test_asking_when_nothing_changed_starts_no_process(forge: LocalForge) -> None:
    """The bot asks at every tick, all day; also right after refs were packed."""
    for number in range(50):
        git("-C", str(forge.path), "branch", f"pr/merged-{number}", "main")
    forge.push("pr/a", {"releases/a.yaml": b"a\n"})
    seen = forge.host.head(), forge.host.pulls()
    STARTED.clear()
    assert (forge.host.head(), forge.host.pulls()) == seen
    assert STARTED == []
    git("-C", str(forge.path), "pack-refs", "--all")
    assert (forge.host.head(), forge.host.pulls()) == seen
    assert len(STARTED) == 1, "only the test's own"


def test_fifty_branches_are_asked_in_about_a_millisecond(forge: LocalForge) -> None:
    """The best of several, so that a busy machine does not matter."""
    for number in range(50):
        git("-C", str(forge.path), "branch", f"pr/{number}", "main")
    forge.host.pulls()
    took = []
    for _ in range(20):
        start = time.perf_counter()
        forge.host.head()
        forge.host.pulls()
        took.append(time.perf_counter() - start)
    assert min(took) < 0.003


def test_a_branch_that_is_packed_deleted_or_moved_is_seen_as_it_is(forge: LocalForge) -> None:
    """A loose ref beats a packed one; a deletion takes both."""
    path = str(forge.path)
    forge.push("pr/a", {"releases/a.yaml": b"a\n"})
    git("-C", path, "pack-refs", "--all")
    newer = forge.push("pr/a", {"releases/a.yaml": b"b\n"})
    assert [pull.head for pull in forge.host.pulls()] == [newer]
    git("-C", path, "branch", "-D", "pr/a")
    assert forge.host.pulls() == ()


def test_a_proposal_touches_neither_work_tree_nor_index_nor_hooks(forge: LocalForge) -> None:
    """Somebody may be in the middle of an edit there."""
    path = str(forge.path)
    git("-C", path, "reset", "-q", "--hard", "main")
    (forge.path / "people.yaml").write_bytes(b"half an edit")
    (forge.path / "staged.yaml").write_bytes(b"staged")
    git("-C", path, "add", "staged.yaml")
    before = git("-C", path, "status", "--porcelain"), (forge.path / ".git/index").read_bytes()
    _plant_hooks(forge.path / ".git", forge.path / "hook-ran")
    forge.host.propose("pr/x", {"people.yaml": b"new\n"}, title="X", author=ANA, at=AT)
    assert not (forge.path / "hook-ran").exists()
    shutil.rmtree(forge.path / ".git/hooks")
    assert (
        git("-C", path, "status", "--porcelain"),
        (forge.path / ".git/index").read_bytes(),
    ) == before


def test_a_hostile_config_runs_nothing_and_changes_nothing(forge: LocalForge) -> None:
    """Filters, merge drivers, monitors and remotes of a repository are programs of strangers."""
    ran = forge.path / "ran"
    evil = f"touch {ran}"
    for key in (
        *("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "diff.external"),
        *("filter.x.smudge", "filter.x.clean", "merge.x.driver", "diff.x.textconv", "gpg.program"),
        *("remote.origin.uploadpack", "uploadpack.packObjectsHook"),
    ):
        git("-C", str(forge.path), "config", key, evil)
    git("-C", str(forge.path), "config", "extensions.partialClone", "origin")
    _plant_hooks(forge.path / ".git", ran)
    attributes = {".gitattributes": b"* filter=x merge=x diff=x\n"}
    (forge.path / ".git/info").mkdir(exist_ok=True)
    (forge.path / ".git/info/attributes").write_bytes(b"* merge=x filter=x\n")
    left = forge.push("pr/left", {"fleet/c.yaml": b"left\n", **attributes})
    forge.push("pr/right", {"fleet/c.yaml": b"right\n"})
    main = forge.merge("pr/right")
    ran.unlink(
        missing_ok=True
    )  # the pushes of the story ran it: hooks of a repository do run for them
    with LocalGitHost(forge.path) as host:
        assert host.merged(main, left).conflicts == ("fleet/c.yaml",)
        assert host.tree(left).read("fleet/c.yaml") == b"left\n"
        assert [pull.id for pull in host.pulls()] == ["pr/left"]
        host.walk(None, main), host.changed(main), host.authors(main, left)
        with pytest.raises(GitError):
            host.tree("0123" * 10)
        host.propose("pr/new", {"fleet/c.yaml": b"new\n"}, title="X", author=ANA, at=AT)
    assert not ran.exists()


def test_trying_a_merge_writes_nothing_into_the_repository(forge: LocalForge) -> None:
    """A pull request is data: not one object of its merge is there before somebody merges."""
    head = forge.push("pr/b", {"fleet/c.yaml": b"b\n", "releases/b.yaml": b"b\n"})
    forge.push("pr/a", {"releases/a.yaml": b"a\n"})
    main = forge.merge("pr/a")
    before = sorted(str(path) for path in forge.path.rglob("*"))
    tried = forge.host.merged(main, head)
    assert tried.tree is not None
    assert tried.tree.read("releases/b.yaml") == b"b\n"
    assert sorted(str(path) for path in forge.path.rglob("*")) == before


def test_links_are_told_and_never_followed_and_hidden_files_left_out(forge: LocalForge) -> None:
    """A link out of the repo is a finding of lint; a submodule is no file of ours."""
    clone = forge._clone
    (clone / "fleet/link.yaml").symlink_to("/etc/passwd")
    (clone / ".hidden.yaml").write_bytes(b"x")
    (clone / "docs").mkdir()
    (clone / "docs/a.yaml").write_bytes(b"x")
    sha = git("-C", str(clone), "rev-parse", "HEAD")
    git("-C", str(clone), "update-index", "--add", "--cacheinfo", f"160000,{sha},fleet/sub")
    tree = forge.host.tree(forge.push("pr/x", {"releases/a.yaml": b"a\n"}))
    entries = tree.entries()
    assert entries["fleet/link.yaml"].link == "/etc/passwd"
    with pytest.raises(OSError, match=r"fleet/link\.yaml"):
        tree.read("fleet/link.yaml")
    assert sorted(entries) == [
        *("components/a/component.yaml", "fleet/c.yaml", "fleet/link.yaml", "people.yaml"),
        "releases/a.yaml",
    ]


def test_a_repository_whose_main_has_another_name(tmp_path: Path) -> None:
    """`main` is then what HEAD names: a `master` of old works as it is."""
    git("init", "-q", "-b", "master", str(tmp_path))
    (tmp_path / "people.yaml").write_bytes(b"x")
    git("-C", str(tmp_path), "add", ".")
    git("-C", str(tmp_path), "commit", "-q", "-m", "x")
    head = git("-C", str(tmp_path), "rev-parse", "HEAD")
    git("-C", str(tmp_path), "tag", "-a", "v1", "-m", "v1")
    with LocalGitHost(tmp_path / ".") as host:
        assert host.head() == host.head("HEAD") == host.head("v1") == host.head(head[:10]) == head
        assert host.head("HEAD~5") is None
        assert host.head("--all") is None
        assert host.head("../../etc/passwd") is None


def test_a_linked_work_tree_and_a_folder_inside_are_the_same_repository(forge: LocalForge) -> None:
    """People stand anywhere in it when they type a command."""
    linked = forge.path.parent / "linked"
    git("-C", str(forge.path), "worktree", "add", "-q", "-b", "work", str(linked), "main")
    for place in (linked, linked / "fleet", forge.path / ".git"):
        with LocalGitHost(place) as host:
            assert host.head() == forge.host.head()
    with LocalGitHost(linked) as host:
        assert host.head("HEAD~0") == forge.host.head()


def test_an_empty_repository_has_no_head(tmp_path: Path) -> None:
    """`git init` and nothing else: no error, and a clear one for a proposal."""
    git("init", "-q", "--bare", str(tmp_path))
    with LocalGitHost(tmp_path) as host:
        assert (host.head(), host.pulls()) == (None, ())
        with pytest.raises(GitError, match="no commit on main yet"):
            host.propose("pr/x", {"a.yaml": b""}, title="X", author=ANA, at=AT)


def test_what_is_no_repository_is_told(tmp_path: Path, forge: LocalForge) -> None:
    """What is there, and what helps."""
    with pytest.raises(GitError, match="there is no folder"):
        LocalGitHost(tmp_path / "none")
    shutil.rmtree(forge.path / ".git")
    with pytest.raises(GitError, match="there is no Git repository at"):
        LocalGitHost(forge.path)
    with pytest.raises(GitError, match="any more"):
        forge.host.pulls()


def test_a_shallow_clone_is_told_how_to_become_whole(forge: LocalForge, tmp_path: Path) -> None:
    """Its files can be read; the order of its history cannot."""
    forge.push("pr/a", {"releases/a.yaml": b"a\n"})
    forge.merge("pr/a")
    git("clone", "-q", "--depth", "1", f"file://{forge.path}", str(tmp_path / "shallow"))
    with LocalGitHost(tmp_path / "shallow") as host:
        head = host.head() or ""
        assert host.tree(head).read("releases/a.yaml") == b"a\n"
        with pytest.raises(GitError, match="git fetch --unshallow"):
            host.commit(head)
        git("-C", str(tmp_path / "shallow"), "fetch", "-q", "--unshallow")
        assert host.commit(head).position == 2


def test_histories_without_a_common_commit_cannot_be_merged(forge: LocalForge) -> None:
    """Somebody pushed another repository by mistake: one sentence, not a crash."""
    path = str(forge.path)
    tree = git("-C", path, "rev-parse", "main^{tree}")
    orphan = git("-C", path, "commit-tree", tree, "-m", "orphan")
    git("-C", path, "branch", "pr/orphan", orphan)
    assert [pull.id for pull in forge.host.pulls()] == ["pr/orphan"]
    with pytest.raises(GitError, match="no commit in common with main"):
        forge.host.merged(forge.host.head() or "", orphan)


def test_a_branch_whose_objects_are_missing_hides_no_other(forge: LocalForge) -> None:
    """A repository that is half copied: the rest of it still works."""
    good = forge.push("pr/good", {"releases/a.yaml": b"a\n"})
    (forge.path / ".git/refs/heads/pr/broken").write_text("0123" * 10 + "\n")
    (forge.path / ".git/refs/heads/pr/empty").write_text("")
    (forge.path / ".git/refs/heads/pr/half.lock").write_text("0123")
    assert [(pull.id, pull.head) for pull in forge.host.pulls()] == [("pr/good", good)]


def test_a_reader_that_was_killed_is_started_again(forge: LocalForge) -> None:
    """The process that reads objects lives as long as the bot: it may not be its weak point."""
    tree = forge.host.tree("main")
    tree.read("people.yaml")
    process = forge.host._parts()[0]._cat.proc
    process.kill()
    process.wait()
    assert tree.read("fleet/c.yaml") == b"c\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_another_user_can_be_read(forge: LocalForge) -> None:
    """Mounted into a container it often is; its config is not obeyed, so it is safe to read."""
    subprocess.run(["chown", "-R", "12345:12345", str(forge.path)], check=True)
    with LocalGitHost(forge.path) as host:
        head = host.head() or ""
        assert host.tree(head).read("people.yaml") == b"people\n"
        assert host.commit(head).position == 1


def test_a_remote_is_fetched_as_often_as_told(forge: LocalForge, tmp_path: Path) -> None:
    """The mirror is as old as its last fetch; asked again when that is long enough ago."""
    clock = Hands()
    every = timedelta(seconds=30)
    url = f"file://{forge.path}"
    with LocalGitHost(url, cache=tmp_path / "cache", clock=clock, fetch_every=every) as host:
        first = host.head()
        assert first == forge.host.head()
        forge.push("pr/a", {"releases/a.yaml": b"a\n"})
        assert host.pulls() == ()
        clock.time += every
        assert [pull.id for pull in host.pulls()] == ["pr/a"]
        merged = forge.merge("pr/a")
        forge.close("pr/a")
        host.fetch()
        assert (host.head(), host.pulls()) == (merged, ())
        assert host.tree(merged).read("releases/a.yaml") == b"a\n"
        name = host.propose("x", {"releases/x.yaml": b"x\n"}, title="X", author=ANA, at=AT)
        assert name == "pr/x"
        assert forge.host.head("pr/x") == host.head("pr/x")


def test_a_remote_that_cannot_be_asked_is_unreachable_until_it_can(
    forge: LocalForge, tmp_path: Path
) -> None:
    """What is old must not pass for the remote; the password of the address is never shown."""
    clock = Hands()
    every = timedelta(seconds=30)
    url = f"file://user:secret@{forge.path}/none"
    with LocalGitHost(url, cache=tmp_path / "a", clock=clock) as host:
        with pytest.raises(Unreachable) as told:
            host.head()
        assert "secret" not in told.value.why
    with LocalGitHost(f"file://{forge.path}", cache=tmp_path / "b", clock=clock) as host:
        head = host.head()
        forge.path.rename(tmp_path / "away")
        assert host.head() == head
        clock.time += every
        STARTED.clear()
        for _ in range(3):
            with pytest.raises(Unreachable, match="could not be fetched"):
                host.head()
        assert len(STARTED) == 1, "asked once, not once a tick"
        (tmp_path / "away").rename(forge.path)
        clock.time += every
        assert host.head() == head


def test_a_remote_may_not_name_a_program(tmp_path: Path) -> None:
    """`ext::` would run what follows it."""
    for url in (f"ext::touch% {tmp_path}/ran://", "--upload-pack=touch ran://"):
        with pytest.raises((GitError, Unreachable)):
            LocalGitHost(url, cache=tmp_path / "cache").head()
    assert not (tmp_path / "ran").exists()


def _plant_hooks(git_dir: Path, ran: Path) -> None:
    (git_dir / "hooks").mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-index-change", "pre-commit", "post-checkout"):
        hook = git_dir / "hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
        hook.chmod(0o755)
