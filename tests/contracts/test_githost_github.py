"""GitHub passes the stories of the Git host's port: pull requests by its API, commits by Git."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.githosts import GitHostStories
from tests.github.town import GitHub, GitHubTown


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    github = GitHub(tmp_path_factory.mktemp("github"))
    yield github
    github.close()


@pytest.fixture
def forge(github: GitHub) -> Iterator[GitHubTown]:
    town = github.repository()
    yield town
    town.host.close()


class TestGitHub(GitHostStories):
    """As the App that a team installs, over HTTP."""
