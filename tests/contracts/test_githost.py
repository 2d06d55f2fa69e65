"""The local Git host passes the stories of its port: bare or not, with loose and packed refs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.git import LocalGitHost
from tests.contracts.githosts import ANA, BEN, Files, GitHostStories, PlainForge

START: Files = {
    "people.yaml": b"people\n",
    "fleet/c.yaml": b"c\n",
    "components/a/component.yaml": b"a\n",
}


class LocalForge(PlainForge):
    """People with a clone of their own who push to a repository on this machine."""

    def __init__(self, home: Path, *, bare: bool, packed: bool = False) -> None:
        self.path, self._clone, self._packed = home / "repo", home / "clone", packed
        new = ("init", "-q", "-b", "main", "--template=")
        git(*new, *(["--bare"] if bare else []), str(self.path))
        with (self.path / ("" if bare else ".git") / "config").open("a") as config:
            config.write("[receive]\ndenyCurrentBranch = ignore\n")
        git(*new, str(self._clone))
        with (self._clone / ".git/config").open("a") as config:
            config.write('[remote "origin"]\nurl = ../repo\n[gc]\nauto = 0\n')
        self._commit(START, by=ANA, title="Begin")
        self._publish("main")
        self.host = LocalGitHost(self.path)

    def push(self, branch: str, files: Files, *, by: str = ANA, title: str = "Change") -> str:
        there = (self._clone / ".git/refs/heads" / branch).exists()
        self._git("checkout", "-q", *([branch] if there else ["-B", branch, "main"]))
        self._commit(files, by=by, title=title)
        return self._publish(branch)

    def merge(self, branch: str, *, how: str = "merge", by: str = BEN) -> str:
        self._git("checkout", "-q", "main")
        flag = {"merge": "--no-ff", "squash": "--squash", "fast-forward": "--ff-only"}[how]
        self._git("merge", "-q", flag, branch, by=by)
        if how == "squash":
            self._git("commit", "-q", "-m", f"{branch} (squashed)", by=by)
        return self._publish("main")

    def merge_into(self, branch: str, other: str) -> str:
        self._git("checkout", "-q", branch)
        self._git("merge", "-q", "--no-ff", "-m", "merge", other)
        return self._publish(branch)

    def close(self, branch: str) -> None:
        self._git("push", "-q", "origin", f":{branch}")
        self._git("checkout", "-q", "main")
        self._git("branch", "-q", "-D", branch)

    def rewrite_main(self, commit: str) -> None:
        self._git("checkout", "-q", "-B", "main", commit)
        self._publish("main")

    def _commit(self, files: Files, *, by: str, title: str) -> None:
        for path, content in files.items():
            file = self._clone / path
            file.parent.mkdir(parents=True, exist_ok=True)
            if content is None:
                file.unlink()
            else:
                file.write_bytes(content)
        self._git("add", "-A")
        self._git("commit", "-q", "-m", title, by=by)

    def _publish(self, branch: str) -> str:
        self._git("push", "-q", "-f", "origin", branch)
        if self._packed:
            git("-C", str(self.path), "pack-refs", "--all")
        return (self._clone / ".git/refs/heads" / branch).read_text().strip()

    def _git(self, *arguments: str, by: str = ANA) -> str:
        who = ("-c", f"user.name={by.partition('@')[0]}", "-c", f"user.email={by}")
        return git("-C", str(self._clone), *who, *arguments, by=by)


def git(*arguments: str, by: str = ANA) -> str:
    """Git as a person runs it."""
    name = by.partition("@")[0]
    people = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in
              (("NAME", name), ("EMAIL", by))}  # fmt: skip
    env = {
        "PATH": "/usr/bin:/bin:/usr/local/bin",
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": "/",
        **people,
    }
    done = subprocess.run(["git", *arguments], env=env, capture_output=True, check=True)
    return done.stdout.decode().strip()


@pytest.fixture
def forge(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LocalForge]:
    forge = LocalForge(tmp_path, **getattr(request, "param", {"bare": True}))
    yield forge
    forge.host.close()


class TestBareRepository(GitHostStories):
    """The plain bare repository of the contract."""


@pytest.mark.parametrize("forge", [{"bare": False, "packed": True}], indirect=True, ids=["packed"])
class TestWorkTreeWithPackedRefs(GitHostStories):
    """A repository that somebody works in; its branches packed after every push."""
