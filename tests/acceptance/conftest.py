"""An example release repo for each story, written once and copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from release_repo_schema.example import write_example


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example as `sluice init` writes it."""
    folder = tmp_path_factory.mktemp("acceptance") / "repo"
    write_example(folder)
    return folder


@pytest.fixture
def repo(written: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(written, tmp_path / "repo"))
