"""The world of a story."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import repo_files
from tests.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Three clusters that run 2.4.1, an open window, and a bot that has just started."""
    found = World(tmp_path)
    found.push("The fleet as it is")
    found.start()
    for cluster in ("st-1", "eu-1", "eu-2"):
        found.fleet.seed(cluster, repo_files.running())
    yield found
    found.close()
