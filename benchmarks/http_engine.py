"""A bot on clusters behind HTTP, through the adapter for real ones, and a clock of its own."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.engine import START, SilentChat, VirtualClock, base, commit, git
from benchmarks.http_fleet import FleetProcess
from benchmarks.http_fleet.process import kubeconfig
from bot.adapters.git import LocalGitHost
from bot.adapters.kubernetes_fleet import KubernetesFleet
from bot.adapters.sandbox import SandboxRenderer
from bot.adapters.sqlite import SqliteStore
from bot.core.messages import why
from bot.model.state import ReleaseState
from bot.reconciler.lanes import THREADS
from bot.reconciler.tick import Ports, Reconciler

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: NAME, namespace: infra}
data: {version: "{{ version }}", level: info}
"""


@dataclass
class HttpEngine:
    """Everything that a bot needs; the clusters are in another process."""

    clock: VirtualClock
    servers: FleetProcess
    fleet: KubernetesFleet
    pool: ThreadPoolExecutor
    store: SqliteStore
    renderer: SandboxRenderer
    git: LocalGitHost
    bot: Reconciler
    ticks: int = 0

    @classmethod
    def open(cls, folder: Path, servers: FleetProcess) -> HttpEngine:
        clock, store = VirtualClock(START), SqliteStore(folder / "store.db")
        fleet = KubernetesFleet(clock, str(folder / "kube"), environment={})
        pool, host = ThreadPoolExecutor(THREADS), LocalGitHost(str(folder / "repo"))
        renderer = SandboxRenderer()
        ports = Ports(
            git=host,
            chat=SilentChat(),
            fleet=fleet,
            store=store,
            clock=clock,
            renderer=renderer,
            pool=pool,
        )
        servers.ask("clock", at=clock.at.isoformat())
        return cls(clock, servers, fleet, pool, store, renderer, host, Reconciler(ports))

    def phase(self, release: str) -> str:
        state = self.store.get(ReleaseState, release)
        return str(state.phase) if state else ""

    def run(self, release: str) -> None:
        """To its end; the clusters' clocks go with the bot's."""
        while True:
            self.bot.tick()
            self.ticks += 1
            if self.phase(release) in ("SUCCEEDED", "CANCELLED", "ROLLED_BACK"):
                return
            due = self.bot.next_due()
            assert due is not None, f"{release} waits for people:\n{self._why()}"
            self.clock.at = max(due, self.clock.at + timedelta(seconds=1))
            self.servers.ask("clock", at=self.clock.at.isoformat())
            assert self.clock.at < datetime(2026, 12, 24, tzinfo=UTC), "it does not end"

    def _why(self) -> str:
        """What each release waits for."""
        lines = [
            f"{line.unit} [{line.gate}] {why(line.wait)}"
            for active in self.bot.board.releases.values()
            for line in active.waiting[:3]
        ]
        return "\n".join([*lines, *self.bot.problems])

    def close(self) -> None:
        self.pool.shutdown()
        self.fleet.close()
        self.renderer.close()
        self.git.close()
        self.store.close()


def repo(folder: Path, clusters: int, stages: list[Any], template: str, **component: Any) -> None:
    """A release repo whose clusters are reached by kubeconfigs."""
    from benchmarks.engine import doc

    where = folder / "repo"
    where.mkdir()
    git(where, "init", "-q", "-b", "main")
    files = base(clusters, 1, **component)
    files["pipelines/standard.yaml"] = doc("Pipeline", "standard", {"stages": stages})
    files["components/agent-0/templates/ds.yaml"] = template.replace("NAME", "agent-0")
    for number in range(clusters):
        name = f"c-{number}"
        link = {"group": "all", "connection": {"kubeconfig": {"name": name}}}
        files[f"fleet/clusters/{name}.yaml"] = doc("Cluster", name, link)
    commit(where, files, "A fleet behind HTTP")


def kubeconfigs(folder: Path, servers: FleetProcess, clusters: int) -> None:
    kube = folder / "kube"
    kube.mkdir()
    for number in range(clusters):
        name = f"c-{number}"
        (kube / f"{name}.yaml").write_text(json.dumps(kubeconfig(servers.url(name))))
