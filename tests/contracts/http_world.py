"""Clusters behind HTTP in a test: the server, its clock, and the real adapter that speaks to it.

Holds no rule of its own; a story orders faults and turns the clock.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.http_fleet import Fault, FleetServer
from benchmarks.http_fleet.process import kubeconfig
from bot.adapters.kubernetes_fleet import KubernetesFleet
from bot.adapters.kubernetes_fleet.client import Patience
from bot.ports import Connection

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
HASTY = Patience(connect=2.0, read=0.5, whole=1.0, wait=0.3)
"""No story waits long for an answer that does not come."""


class HandClock:
    """A clock that a story turns by hand."""

    def __init__(self, at: datetime = NINE) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass
class HttpWorld:
    """Some clusters of three nodes behind HTTP, reached as real ones are."""

    server: FleetServer
    clock: HandClock
    folder: Path
    fleet: KubernetesFleet
    cluster: str = "c"
    namespace: str = "infra"
    known: list[str] = field(default_factory=list)

    @classmethod
    def begin(
        cls, folder: Path, *clusters: str, clock: Any = None, patience: Patience = HASTY
    ) -> HttpWorld:
        clock = clock or HandClock()
        server = FleetServer(clock).start()
        fleet = KubernetesFleet(clock, str(folder), environment={}, patience=patience)
        world = cls(server, clock, folder, fleet)
        world.add(*(clusters or ("c",)))
        return world

    def add(self, *clusters: str, nodes: int = 3) -> None:
        for cluster in clusters:
            self.server.host(cluster, {"nodes": nodes})
            self.write_kubeconfig(cluster)
        self.known += clusters
        self.fleet.connect(connections(self.known))

    def write_kubeconfig(self, cluster: str, token: str = "any") -> None:
        path = self.folder / f"{cluster}.yaml"
        path.write_text(json.dumps(kubeconfig(self.server.url(cluster), token)))

    def order(self, *faults: Fault) -> None:
        self.server.order(*faults)

    def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(600):
            if holds():
                return
            self.clock.pass_by(1)
        raise AssertionError("it never came to hold")

    def close(self) -> None:
        self.fleet.close()
        self.server.stop()


def connections(clusters: Iterable[str]) -> list[Connection]:
    return [Connection(cluster=one, connection={"kubeconfig": {"name": one}}) for one in clusters]
