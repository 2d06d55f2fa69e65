"""The adapter for real clusters passes the port's own suite, with real servers and controllers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.kubernetes_fleet.client import Patience
from tests.cluster.control_plane import Cluster
from tests.cluster.real_fleet import RealWorld, fleet_of
from tests.contracts.fleet_answers import AnswerStories
from tests.contracts.fleet_patches import CustomPatchStories
from tests.contracts.fleet_status import StatusStories
from tests.contracts.fleet_suite import FleetStories


@pytest.fixture
def world(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[RealWorld]:
    with fleet_of(tmp_path, {"east": cluster.kubeconfig}, patience=Patience()) as fleet:
        yield RealWorld(fleet, "east", namespace)


class TestRealFleet(FleetStories):
    """Every promise of the port, kept by a real API server and its controllers."""


class TestStatusOfRealFleet(StatusStories):
    """What the real controllers show of a workload."""


class TestPatchesOfRealFleet(CustomPatchStories):
    """Every type of patch, as the API server takes it."""


class TestAnswersOfRealFleet(AnswerStories):
    """What the embedded clusters and those behind HTTP are held against."""
