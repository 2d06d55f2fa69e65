"""A desk with a release repo of its own for every story."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.processes import Desk
from tests.run.release_repo import ReleaseRepo


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """One cluster of four nodes, nothing released yet."""
    return Desk(tmp_path, ReleaseRepo(tmp_path, clusters=1))
