"""The Git host of the simulation passes the stories of its port, as the real one does."""

from __future__ import annotations

import pytest

from bot.sim.memory_git import MemoryGit
from tests.contracts.githosts import ANA, AT, BEN, Files, GitHostStories, PlainForge

START = {
    "people.yaml": b"people\n",
    "fleet/c.yaml": b"c\n",
    "components/a/component.yaml": b"a\n",
}


class MemoryForge(PlainForge):
    """The same people, without a clone."""

    def __init__(self) -> None:
        self.host = MemoryGit(START, author=ANA, at=AT)

    def push(self, branch: str, files: Files, *, by: str = ANA, title: str = "Change") -> str:
        return self.host.push(branch, files, by=by, title=title)

    def merge(self, branch: str, *, how: str = "merge", by: str = BEN) -> str:
        return self.host.merge(branch, how=how, by=by)

    def merge_into(self, branch: str, other: str) -> str:
        return self.host.merge_into(branch, other, by=ANA)

    def close(self, branch: str) -> None:
        self.host.close(branch)

    def rewrite_main(self, commit: str) -> None:
        self.host.rewrite_main(commit)


@pytest.fixture
def forge() -> MemoryForge:
    return MemoryForge()


class TestMemory(GitHostStories):
    """Everything that a story can tell apart is as in a real repository."""
