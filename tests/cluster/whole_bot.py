"""The whole bot over one real cluster: Git repo, plan, gates, store and the real fleet, ticked.

Where the bot would only wait for its own next look the story's clock leaps there; nothing else is
quicker than it is. After every tick other eyes look whether what runs is what was allowed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from bot.adapters.kubernetes_fleet import KubernetesFleet
from bot.cluster.fence import FENCE
from bot.core.chain import verify
from bot.core.chain_rows import WRITE
from bot.core.messages import why
from bot.model.state import Certificate, Intent
from bot.ports import Answer
from bot.reconciler.tick import Ports
from tests import repo_files
from tests.cluster.api import Object, is_ready
from tests.cluster.control_plane import Cluster
from tests.cluster.released import LONG, QUICK, WallClock
from tests.cluster.waiting import wait_until
from tests.world import World

COMPONENT = "node-agent"
PACE = {"batchSoak": "1m", "soak": "0s", "batchTakes": "1m", "batchDeadline": "20m"}
LEAP = timedelta(seconds=30)
"""The most that a story's clock gains on the wall's between two ticks."""


class WholeBot:
    """`old` runs in the cluster, put there by somebody else; releases bring other versions."""

    def __init__(
        self,
        folder: Path,
        cluster: Cluster,
        template: str,
        *,
        component: Mapping[str, Any],
        places: Mapping[str, Any] | None = None,
        stages: Sequence[Mapping[str, Any]] = ({"name": "all", "units": {}},),
    ) -> None:
        self.cluster = cluster
        self.clock = WallClock()
        self.fleet = KubernetesFleet(self.clock, str(cluster.folder), patience=QUICK)
        self.world = World(folder)
        self.world.clock = self.clock  # type: ignore[assignment]
        self.world.around = self._around
        self.after_tick: Callable[[], None] = lambda: None
        """What must hold after every tick."""
        self._write_repo(template, component, places or {}, stages)
        self.world.push("The fleet as it is")
        self.world.start()

    def close(self) -> None:
        self.world.close()
        self.fleet.close()

    # what people do

    def release(self, version: str, **spec: Any) -> str:
        """A release of the version on main, seen by the bot: its name."""
        name = f"{COMPONENT}-{version.replace('.', '-')}"
        return self.world.releases(spec.pop("name", name), version, **spec)

    def says(self, text: str, *, by: str = "ana") -> Answer:
        answer = self.world.says(text, by=by)
        assert answer.code == 0, answer.text
        self.after_tick()
        return answer

    # how time goes by

    def tick(self) -> None:
        self.world.tick()
        self.after_tick()
        due = self.world.bot.next_due()
        gap = due - self.clock.at if due is not None else timedelta()
        if gap > timedelta():
            time.sleep(0.03)
            self.clock.off += min(gap, LEAP)

    def leap(self, **parts: float) -> None:
        """So much time is over."""
        self.clock.off += timedelta(**parts)

    def until(self, holds: Callable[[], Any], what: str, seconds: float = LONG) -> None:
        """Tick until it holds; say what the bot waits for where it never does."""

        def ticked() -> Any:
            self.tick()
            return holds()

        try:
            wait_until(ticked, what, seconds, every=0.01)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.told()}") from None

    def for_a_while(self, seconds: float = 0.8) -> None:
        """Ticks go by; what must hold after each does."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.tick()

    def until_ended(self, release: str, phase: str = "SUCCEEDED") -> None:
        self.until(lambda: self.world.phase(release, ended=True), f"{release} ends")
        assert self.world.phase(release) == phase, self.told()

    def until_batch(self, release: str, unit: str, batch: int) -> None:
        """Until that batch of the unit has its certificate."""
        self.until(lambda: self.state(release, unit).done >= batch, f"batch {batch} of {unit}")

    # what comes of it

    def state(self, release: str, unit: str) -> Any:
        return self.world.unit(release, unit)

    def why(self) -> str:
        """What cards say of every unit that waits, from the last look at each."""
        return "\n".join(
            f"{active.state.release}: {line.unit} [{line.gate}] {why(line.wait)}"
            for active in self.world.bot.board.releases.values()
            for line in active.waiting
        )

    def told(self) -> str:
        said = [
            f"{key}: {text}" for key, lines in self.world.chat.threads.items() for text in lines
        ]
        return "\n".join([self.why(), *said[-20:], *map(str, self.outcomes()[-10:])])

    def outcomes(self) -> list[tuple[str, str, str]]:
        """(unit, status, words) of every write that was intended, in order."""
        rows = sorted(self.world.bot.ports.store.rows(Intent), key=lambda row: row.at)
        return [(row.unit, row.status.value, row.outcome) for row in rows]

    def pods(self, namespace: str) -> list[Object]:
        """Those that are there to stay."""
        pods = self.cluster.api.pods(namespace)
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def last_writes(self, release: str, unit: str = "") -> dict[str, str]:
        """Object → the fence of the last write that the audit tells of it."""
        store = self.world.bot.ports.store
        lines = [line for line in store.events(release=release) if line.kind == WRITE]
        return {
            line.data["object"]: line.data["fence"]
            for line in lines
            if (not unit or line.unit == unit) and "/Pod/" not in line.data["object"]
        }

    def is_as_audited(self, release: str) -> None:
        """The chain of the audit holds, the last write of every object is the one that it has on
        the API server, and the pods of the last certificates run there, unless it was taken back.
        """
        store = self.world.bot.ports.store
        assert verify(store.events(), count=store.event_count()) is None
        for key, fence in self.last_writes(release).items():
            assert self.live(key)["metadata"]["annotations"][FENCE] == fence, key
        if self.world.phase(release) == "ROLLED_BACK":
            return
        last = {c.unit: c for c in store.rows(Certificate, parent=release)}
        there = {
            (pod["metadata"]["name"], pod["spec"]["nodeName"]): pod
            for pod in self.cluster.api.listed("Pod")
        }
        for certificate in last.values():
            for pod in certificate.pods:
                assert is_ready(there[pod["name"], pod["node"]]), pod

    def live(self, key: str) -> Object:
        """An object by the key that the audit has for it: apiVersion/kind/namespace/name."""
        *api, kind, namespace, name = key.split("/")
        return self.cluster.api.get(kind, name, namespace, "/".join(api))

    # inside

    def _around(self, ports: Ports) -> Ports:
        return replace(ports, fleet=self.fleet, clock=self.clock)

    def _write_repo(
        self,
        template: str,
        component: Mapping[str, Any],
        places: Mapping[str, Any],
        stages: Sequence[Mapping[str, Any]],
    ) -> None:
        gone = ("fleet/clusters/", "fleet/groups/staging")
        files: dict[str, str | None] = {
            name: None for name in self.world.files if name.startswith(gone)
        }
        link = {"kubeconfig": {"name": "admin"}}
        spec = {"group": "prod", "connection": link, **places}
        files |= {
            f"fleet/clusters/{self.cluster.name}.yaml": repo_files.doc(
                "Cluster", self.cluster.name, spec
            ),
            "components/node-agent/component.yaml": repo_files.component(**PACE | dict(component)),
            "components/node-agent/templates/node-agent.yaml": template,
            "components/node-agent/values/default.yaml": "{}\n",
            "pipelines/standard.yaml": repo_files.doc(
                "Pipeline", "standard", {"stages": list(stages)}
            ),
            "calendar/windows.yaml": repo_files.doc("Window", "always", {"zone": "UTC"}),
        }
        self.world.write(files)


def counts(pods: Iterable[Object]) -> dict[str, int]:
    """Version → pods."""
    found: dict[str, int] = {}
    for pod in pods:
        version = version_of(pod)
        found[version] = found.get(version, 0) + 1
    return found


def version_of(pod: Object) -> str:
    return str(pod["spec"]["containers"][0]["image"].rpartition(":")[2])


def as_template(*objects: Object) -> str:
    return yaml.safe_dump_all(objects, width=1000)


def of_version(template: str, version: str) -> list[Object]:
    return list(yaml.safe_load_all(template.replace("{{ version }}", version)))
