"""The bot's own Fleet on a real cluster, for stories: made from a kubeconfig as an operator would.

Judges nothing; what came of a write is looked at through `cluster.api`, which shares no line with
it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes_fleet import KubernetesFleet
from bot.adapters.kubernetes_fleet.client import Patience
from bot.ports import Connection
from tests.cluster.waiting import wait_until

QUICK = Patience(connect=1.0, read=2.0, whole=4.0, wait=1.0)


@dataclass
class RealWorld:
    """A cluster by a name, and a namespace of it in which a story may write."""

    fleet: KubernetesFleet
    cluster: str
    namespace: str

    def until(self, holds: Callable[[], bool]) -> None:
        wait_until(holds, "what the story waits for", seconds=60)


@contextmanager
def fleet_of(
    folder: Path,
    kubeconfigs: Mapping[str, Path],
    *,
    patience: Patience = QUICK,
    plugin_seconds: float = 2.0,
) -> Iterator[KubernetesFleet]:
    """A fleet whose kubeconfigs are copies in `folder`, named as their clusters."""
    for name, path in kubeconfigs.items():
        shutil.copy(path, folder / name)
    fleet = KubernetesFleet(
        SystemClock(), str(folder), patience=patience, plugin_seconds=plugin_seconds
    )
    fleet.connect(
        Connection(cluster=name, connection={"kubeconfig": {"name": name}}) for name in kubeconfigs
    )
    try:
        yield fleet
    finally:
        fleet.close()
