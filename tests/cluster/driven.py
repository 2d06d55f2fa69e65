"""One unit in a real cluster, driven look by look through the bot's own fleet adapter.

The goal is made by the test, the clock is the wall's; what runs is judged by another client.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bot.adapters.clock import SystemClock
from bot.adapters.kubernetes_fleet import KubernetesFleet
from bot.cluster.drive import Goal, Mode, Progress, baseline, drive
from bot.model.effects import Write
from bot.model.plan import ObjectRef
from bot.model.seen import ObjectSeen, UnitSeen
from bot.ports import Conflict, Connection, Fenced
from tests.cluster.api import Object, is_ready
from tests.cluster.control_plane import Cluster
from tests.cluster.waiting import wait_until

COUNT = 10
Release = Callable[..., "Driven"]


class Driven:
    """Version `old` runs on ten pods, `new` is to run."""

    def __init__(self, cluster: Cluster, old: Object, new: Object, *, applied: bool = True) -> None:
        meta = new["metadata"]
        self.cluster, self.namespace = cluster, meta["namespace"]
        self.ref = ObjectRef(new["apiVersion"], new["kind"], meta["namespace"], meta["name"])
        self.old, self.new = old, new
        self.fleet = KubernetesFleet(SystemClock(), str(cluster.folder))
        link = {"kubeconfig": {"name": "admin"}}
        self.fleet.connect([Connection(cluster=cluster.name, connection=link)])
        cluster.api.create(old)
        self.until(lambda: self.counts() == {self.version(old): COUNT} and self.all_ready())
        live = self.fleet.get(cluster.name, self.ref)
        self.last = {self.ref.key: old} if applied else {}
        self.before = {self.ref.key: old if applied else baseline(live)}
        self.applied = frozenset([self.ref.key] if applied else [])
        self.since = _now()
        self.sent: list[Write] = []
        self.generation = 1
        self.fenced = 0
        """Writes that were refused because a newer plan had written."""
        self.most_new = 0
        """The most pods of the new version that any look has shown."""
        self.fewest_ready = COUNT

    def close(self) -> None:
        self.fleet.close()

    def followed_by(self, version: str, generation: int) -> Driven:
        """A later release of the same unit, planned while this one is under way."""
        later = copy.copy(self)
        later.old, later.new = self.new, self.with_version(self.new, version)
        later.last = later.before = {self.ref.key: self.new}
        later.generation, later.sent, later.most_new = generation, [], 0
        return later

    @property
    def controller(self) -> str:
        """The program that rolls it."""
        ours = self.ref.api_version.startswith("apps.kruise.io/")
        return "kruise-manager" if ours else "kube-controller-manager"

    # -- what is wanted

    def goal(self, mode: Mode, updated: int = 0, **changed: Any) -> Goal:
        wanted: dict[str, Any] = {
            "mode": mode,
            "objects": ((self.ref, self.new),),
            "last": self.last,
            "before": self.before,
            "applied": self.applied,
            "targets": {self.ref.key: updated},
            "totals": {self.ref.key: COUNT},
            "final": updated == COUNT,
            "since": self.since,
        }
        return Goal(**wanted | changed)

    def forward(self, updated: int, seconds: float = 40, **changed: Any) -> Progress:
        """A batch from its beginning to its end, or for so many seconds."""
        self.since = _now()
        return self.run(self.goal(Mode.FORWARD, updated, **changed), seconds)

    def forward_until(self, updated: int, holds: Callable[[], bool]) -> None:
        """A batch that is left in the middle of its way."""
        self.since = _now()
        goal = self.goal(Mode.FORWARD, updated)
        wait_until(lambda: self.step(goal) and holds(), "the batch is half done", 40, every=0.05)

    def stop(self, updated: int = 0) -> Progress:
        return self.run(self.goal(Mode.STOP, updated), 20)

    def restore(self, seconds: float = 60) -> Progress:
        return self.run(self.goal(Mode.RESTORE), seconds)

    def run(self, goal: Goal, seconds: float) -> Progress:
        deadline = time.monotonic() + seconds
        progress = self.step(goal)
        while not progress.converged and time.monotonic() < deadline:
            time.sleep(0.1)
            progress = self.step(goal)
        return progress

    def step(self, goal: Goal) -> Progress:
        """One look and what follows from it; who wrote in between is met by the next look."""
        progress = drive(goal, self.look(), _now())
        for write in progress.writes:
            self.sent.append(write)
            try:
                fence = f"{self.generation}.{len(self.sent)}"
                self.fleet.write(self.cluster.name, write, fence=fence)
            except Fenced:
                self.fenced += 1
                break
            except Conflict:
                break
        counts = self.counts()
        self.most_new = max(self.most_new, counts.get(self.version(self.new), 0))
        self.fewest_ready = min(self.fewest_ready, sum(map(is_ready, self.pods())))
        return progress

    def look(self) -> UnitSeen:
        name = self.cluster.name
        live = self.fleet.get(name, self.ref)
        children = self.fleet.children(name, live) if live is not None else ()
        seen = ObjectSeen(ref=self.ref, live=live, children=children)
        return UnitSeen(unit=f"agent@{name}", at=_now(), objects={self.ref.key: seen})

    # -- what is there, seen with other eyes

    def pods(self) -> list[Object]:
        pods = self.cluster.api.pods(self.namespace)
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for pod in self.pods():
            version = pod["spec"]["containers"][0]["image"].rpartition(":")[2]
            found[version] = found.get(version, 0) + 1
        return found

    def live(self) -> Object:
        return self.cluster.api.get(
            self.ref.kind, self.ref.name, self.namespace, self.ref.api_version
        )

    def merge(self, patch: Object) -> None:
        """Somebody else writes."""
        ref = self.ref
        self.cluster.api.merge(ref.kind, ref.name, patch, ref.namespace, ref.api_version)

    def with_version(self, obj: Object, version: str) -> Object:
        changed = copy.deepcopy(obj)
        changed["spec"]["template"]["spec"]["containers"][0]["image"] = f"agent:{version}"
        return changed

    def version(self, obj: Object) -> str:
        image = obj["spec"]["template"]["spec"]["containers"][0]["image"]
        return str(image.rpartition(":")[2])

    def all_ready(self) -> bool:
        return all(map(is_ready, self.pods()))

    def until(self, holds: Callable[[], bool], seconds: float = 60) -> None:
        wait_until(holds, f"{self.ref.short} gets there ({self.counts()})", seconds)

    def stays(self, counts: dict[str, int], seconds: float = 1.5) -> None:
        """Nothing moves by itself for a while."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.counts() == counts
            time.sleep(0.2)


def _now() -> datetime:
    return datetime.now(UTC)
