"""Example repos and towns for the stories of the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from release_repo_schema.example import write_example
from tests.cli.terminal import Town


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The example release repo, in a folder that is no Git repo."""
    folder = tmp_path / "example"
    write_example(folder)
    return folder


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Two clusters; nothing released, no bot has run."""
    return Town(tmp_path)
