"""The whole bot over two real clusters, ticked by a story: Git repo, engine, store, real fleet.

In `east` things go wrong; `west` is to go on. The clock is the wall's, as the clusters' is.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.adapters.kubernetes_fleet import KubernetesFleet
from bot.adapters.kubernetes_fleet.client import Patience
from bot.core.messages import why
from bot.model.state import Intent
from bot.ports import Connection
from bot.reconciler.tick import Ports
from tests import repo_files
from tests.cluster.api import Object, images, is_ready
from tests.cluster.control_plane import Cluster
from tests.cluster.waiting import wait_until
from tests.world import World

OLD, NEW = "2.4.1", "2.5.0"
LONG = 90.0
QUICK = Patience(connect=1.0, read=2.0, whole=4.0, wait=1.0)
TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: node-agent, namespace: {namespace}}}
data: {{version: "{version}"}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: node-agent, namespace: {namespace}, labels: {{app: node-agent}}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: node-agent}}}}
  template:
    metadata: {{labels: {{app: node-agent}}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{{name: agent, image: "registry.local/node-agent:{version}"}}]
"""


class WallClock:
    """The wall's time, or one that is so far off."""

    def __init__(self) -> None:
        self.off = timedelta()

    @property
    def at(self) -> datetime:
        return datetime.now(UTC) + self.off

    def now(self) -> datetime:
        return self.at


class Released:
    """2.4.1 runs in both clusters, put there by somebody else; 2.5.0 is to be released."""

    def __init__(
        self, folder: Path, clusters: Sequence[Cluster], namespace: str, **component: Any
    ) -> None:
        self.clusters = {one.name: one for one in clusters}
        self.east, self.west = clusters
        self.namespace = namespace
        self.kubeconfigs = folder / "kube"
        self.kubeconfigs.mkdir()
        for one in clusters:
            self.reach(one.name, one.kubeconfig)
        self.clock = WallClock()
        self.fleet = KubernetesFleet(
            self.clock, str(self.kubeconfigs), patience=QUICK, plugin_seconds=2.0
        )
        self.world = World(folder)
        self.world.clock = self.clock  # type: ignore[assignment]
        self.world.around = self._around
        self._write_repo(component)

    def reach(self, cluster: str, kubeconfig: Path) -> None:
        """From now on the bot reaches that cluster so."""
        shutil.copy(kubeconfig, self.kubeconfigs / cluster)

    def begin(self) -> str:
        """A release of 2.5.0 on main, seen by the bot: its name."""
        self.world.push("The fleet as it is")
        self.world.start()
        return self.world.releases(units={"names": list(self.clusters)})

    def clock_of(self, cluster: str) -> float:
        """Seconds by which the cluster's clock is ahead of the bot's, as doctor finds it."""
        self.fleet.connect([Connection(cluster=cluster, connection=_connection(cluster))])
        skew = self.fleet.examine(cluster).skew
        assert skew is not None
        return skew

    def close(self) -> None:
        self.world.close()
        self.fleet.close()

    # what comes of it

    def until(self, release: str, holds: Callable[[], bool], what: str = "") -> None:
        """Tick until it holds; say what the bot waits for where it never does."""

        def ticked() -> bool:
            self.world.tick()
            return holds()

        try:
            wait_until(ticked, what or "what the story waits for", LONG, every=0.05)
        except AssertionError as error:
            told = f"{self.why(release)}\n{self.world.thread(release)}"
            raise AssertionError(f"{error}\n{told}\n{self.outcomes('east')}") from None

    def run_to_the_end(self, release: str) -> None:
        self.until(release, lambda: bool(self.world.phase(release, ended=True)), "it ends")
        assert self.world.phase(release) == "SUCCEEDED", self.world.thread(release)
        for cluster in self.clusters:
            assert self.runs(cluster) == {NEW}

    def until_failed(self, release: str, unit: str = "node-agent@east") -> str:
        """Until the unit has failed: the sentence that people read of it."""
        self.until(release, lambda: self.phase_of(release, unit) == "FAILED", f"{unit} fails")
        return str(self.world.unit(release, unit).failure)

    def why(self, release: str) -> str:
        """What its card says of every unit that waits, from the last look at each."""
        lines = self.world.active(release).waiting
        return "\n".join(f"{line.unit} [{line.gate}] {why(line.wait)}" for line in lines)

    def phase_of(self, release: str, unit: str) -> str:
        return str(self.world.unit(release, unit).phase.value)

    def west_is_done(self, release: str) -> None:
        """The other cluster goes on, whatever is the matter with the first."""
        self.until(
            release,
            lambda: self.phase_of(release, "node-agent@west") == "SUCCEEDED",
            "the other cluster goes on",
        )
        assert self.runs("west") == {NEW}

    def runs(self, cluster: str) -> set[str]:
        """Versions of the pods that are there and ready, with other eyes than the bot's."""
        pods = [pod for pod in self.clusters[cluster].api.pods(self.namespace) if is_ready(pod)]
        return {image.rpartition(":")[2] for image in images(pods)}

    def live(self, cluster: str, kind: str = "Deployment") -> Object:
        api = "apps/v1" if kind == "Deployment" else "v1"
        return self.clusters[cluster].api.get(kind, "node-agent", self.namespace, api)

    def outcomes(self, cluster: str) -> list[tuple[str, str]]:
        """(status, words) of every write that was intended for a cluster, in order."""
        rows = sorted(self.world.bot.ports.store.rows(Intent), key=lambda row: row.seq)
        return [(r.status.value, r.outcome) for r in rows if r.unit.endswith(f"@{cluster}")]

    # inside

    def _around(self, ports: Ports) -> Ports:
        return replace(ports, fleet=self.fleet, clock=self.clock)

    def _write_repo(self, component: Mapping[str, Any]) -> None:
        quick = {"batches": ["100%"], "batchSoak": "0s", "soak": "0s", "batchTakes": "1m"}
        gone = ("fleet/clusters/", "fleet/groups/staging")
        files: dict[str, str | None] = {
            name: None for name in self.world.files if name.startswith(gone)
        }
        for name in self.clusters:
            spec = {"group": "prod", "connection": _connection(name)}
            files[f"fleet/clusters/{name}.yaml"] = repo_files.doc("Cluster", name, spec)
        stage = {"name": "production", "units": {}, "waves": [2], "maxConcurrency": 2}
        stage |= {"maxFailures": 1}
        written = TEMPLATE.format(namespace=self.namespace, version="{{ version }}")
        files |= {
            "components/node-agent/component.yaml": repo_files.component(**quick | component),
            "components/node-agent/templates/node-agent.yaml": written,
            "components/node-agent/values/default.yaml": "{}\n",
            "pipelines/standard.yaml": repo_files.doc("Pipeline", "standard", {"stages": [stage]}),
            "calendar/windows.yaml": repo_files.doc("Window", "always", {"zone": "UTC"}),
        }
        self.world.write(files)


def _connection(cluster: str) -> dict[str, Any]:
    return {"kubeconfig": {"name": cluster}}


@contextmanager
def released_over(
    folder: Path, clusters: Sequence[Cluster], namespace: str, **component: Any
) -> Iterator[Released]:
    """Both clusters with a namespace of the story's own, in which 2.4.1 runs."""
    text = TEMPLATE.format(namespace=namespace, version=OLD)
    for cluster in clusters:
        cluster.revive()
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
        cluster.api.apply(space)
        cluster.api.create(*yaml.safe_load_all(text))
    story = Released(folder, clusters, namespace, **component)
    try:
        for name in story.clusters:
            wait_until(lambda n=name: story.runs(n) == {OLD}, f"{OLD} runs in {name}", 60)
        yield story
    finally:
        story.close()
        for cluster in clusters:
            cluster.api.delete("Namespace", namespace)
