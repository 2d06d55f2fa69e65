"""Clusters behind HTTP, asked by the adapter for real clusters: the port's suite once more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.fleet_answers import AnswerStories
from tests.contracts.fleet_patches import CustomPatchStories
from tests.contracts.fleet_suite import FleetStories
from tests.contracts.http_world import HttpWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[HttpWorld]:
    found = HttpWorld.begin(tmp_path)
    yield found
    found.close()


class TestHttpFleet(FleetStories, CustomPatchStories, AnswerStories):
    """Every promise of the port, over a network."""
