"""The `Fleet` port on simulated clusters: their faults, their time, their log of writes.

Nobody above the port can tell it from real clusters. Never decides anything about a release.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from threading import RLock

from bot.adapters.simulated.cluster import Cluster
from bot.adapters.simulated.file import FleetFile
from bot.adapters.simulated.pods import NEVER
from bot.model.effects import Purpose, Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import AnswerLost, Clock, Connection, PortError, Unreachable

SETTLED = 3600
"""How long ago seeded objects were made."""


class SimulatedFleet:
    """All simulated clusters. `path` None: in memory; else a file that outlives the process."""

    def __init__(self, clock: Clock, path: str | None = None) -> None:
        self._clock = clock
        self._file = FleetFile(path)
        self._clusters: dict[str, Cluster] = {}
        self._known: dict[str, JSON] = {}
        self._lock = RLock()

    # -- the port

    def connect(self, connections: Iterable[Connection]) -> None:
        """The clusters of main now: new ones come up, nodes join or leave, faults change."""
        with self._lock:
            t = int(self._now())
            self._refresh()
            self._known = {}
            changed: list[str] = []
            for connection in connections:
                simulated = (connection.connection or {}).get("simulated")
                if simulated is None:
                    continue
                self._known[connection.cluster] = simulated
                cluster = self._load(connection.cluster)
                if cluster is None:
                    cluster = Cluster(connection.cluster, t)
                    self._clusters[connection.cluster] = cluster
                if _resize(cluster, simulated, t):
                    changed.append(connection.cluster)
            self._keep(*changed)

    def uid(self, cluster: str) -> str:
        with self._lock:
            return self._reach(cluster)[0].uid

    def get(self, cluster: str, ref: ObjectRef) -> JSON | None:
        with self._lock:
            there, t = self._reach(cluster)
            return there.get(ref, t)

    def children(self, cluster: str, owner: JSON) -> tuple[JSON, ...]:
        with self._lock:
            there, t = self._reach(cluster)
            return there.children(owner, t)

    def nodes(self, cluster: str) -> tuple[JSON, ...]:
        with self._lock:
            there, t = self._reach(cluster)
            return tuple(there.node(name, t) for name in sorted(there.nodes))

    def every(self, cluster: str, api_version: str, kind: str) -> tuple[JSON, ...]:
        with self._lock:
            there, t = self._reach(cluster)
            return there.every(api_version, kind, t)

    def write(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> JSON | None:
        """Stored before it is answered; a lost answer leaves the write as it is."""
        with self._lock:
            there, t = self._reach(cluster)
            try:
                answer = there.write(write, t, fence=fence, manager=manager)
            except PortError as refusal:
                self._receive(there, write, manager, type(refusal).__name__.lower())
                raise
            there.received += 1
            lost = there.faults.loses(there.received)
            self._receive(there, write, manager, "answer-lost" if lost else "done")
            if lost:
                raise AnswerLost(f"{cluster}: the connection broke before the answer")
            return answer

    def dry_run(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> tuple[str, ...]:
        """Not in the log: nothing was written."""
        with self._lock:
            there, t = self._reach(cluster)
            there.judge(write, t, fence=fence)
            return ()

    # -- for people who look at it

    def clusters(self) -> tuple[str, ...]:
        """All simulated clusters that there are."""
        with self._lock:
            return tuple(sorted({*self._clusters, *self._file.names()}))

    def reachable(self, cluster: str) -> bool:
        with self._lock:
            try:
                self._reach(cluster)
            except Unreachable:
                return False
            return True

    def objects(self, cluster: str) -> tuple[JSON, ...]:
        """What was written there, as it is now, reachable or not; no nodes, pods and revisions."""
        with self._lock:
            there = self._there(cluster)
            return there.objects() if there else ()

    def pods(self, cluster: str) -> tuple[JSON, ...]:
        """Every pod there, as it is now, reachable or not."""
        with self._lock:
            there, t = self._there(cluster), int(self._now())
            if there is None:
                return ()
            children = [c for w in there.workloads.values() for c in w.children(t)]
            return tuple(c for c in children if c["kind"] == "Pod")

    def writes(self, cluster: str) -> list[JSON]:
        """Every write received, in order: at, verb, object, manager, patch, outcome."""
        with self._lock:
            return self._file.writes(cluster)

    # -- for stories

    def seed(self, cluster: str, objects: Sequence[JSON], manager: str = "kubectl") -> None:
        """Objects that somebody else made long ago: their pods are ready. Not in the log."""
        with self._lock:
            there = self._there(cluster)
            if there is None:
                raise Unreachable(f"{cluster}: no such simulated cluster")
            now = int(self._now())
            for obj in objects:
                metadata = obj["metadata"]
                ref = ObjectRef(
                    obj["apiVersion"], obj["kind"], metadata.get("namespace", ""), metadata["name"]
                )
                write = Write(ref=ref, verb="create", purpose=Purpose.FORWARD, body=obj)
                there.write(write, now - SETTLED, fence="", manager=manager)
            there.advance(now)
            self._keep(cluster)

    def rebuild(self, cluster: str) -> None:
        """The cluster is made anew: empty, with another identity."""
        with self._lock:
            old = self._there(cluster)
            new = Cluster(cluster, int(self._now()), old.rebuilds + 1 if old else 1)
            simulated = self._known.get(cluster, {})
            self._clusters[cluster] = new
            _resize(new, simulated, new.created)
            self._keep(cluster)

    def fell(self, cluster: str, pods: Iterable[str]) -> None:
        """A container of each of these pods ends now, and is ready again in a moment."""
        with self._lock:
            there, t = self._there(cluster), int(self._now())
            assert there is not None
            names = set(pods)
            for workload in there.workloads.values():
                for pod in workload.pods.values():
                    if pod.name in names:
                        pod.fall(t)
                workload.sync(t)
            self._keep(cluster)

    def sicken(self, cluster: str, pods: Iterable[str], *, well: bool = False) -> None:
        """Pods (by name) that stop being ready now, or with `well` are ready again."""
        with self._lock:
            there, t = self._there(cluster), int(self._now())
            assert there is not None
            names = set(pods)
            for workload in there.workloads.values():
                for pod in workload.pods.values():
                    if pod.name in names:
                        pod.broken = NEVER if well else t
                        pod.ready = t if well else pod.ready
                workload.sync(t)
            self._keep(cluster)

    def close(self) -> None:
        with self._lock:
            self._file.close()

    # -- inside

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _reach(self, cluster: str) -> tuple[Cluster, int]:
        """The cluster moved to now, or Unreachable."""
        now = self._now()
        there = self._there(cluster) if cluster in self._known else None
        if there is None:
            raise Unreachable(f"{cluster}: no such simulated cluster")
        if there.faults.unreachable(now):
            raise Unreachable(f"{cluster}: connection timed out")
        return there, int(now)

    def _there(self, cluster: str) -> Cluster | None:
        self._refresh()
        there = self._load(cluster)
        if there is not None:
            there.advance(int(self._now()))
        return there

    def _load(self, cluster: str) -> Cluster | None:
        there = self._clusters.get(cluster)
        if there is None:
            kept = self._file.state(cluster)
            if kept is None:
                return None
            there = self._clusters[cluster] = Cluster.load(cluster, kept)
        return there

    def _refresh(self) -> None:
        if self._file.changed():
            self._clusters.clear()

    def _keep(self, *clusters: str) -> None:
        if not self._file.forgets:
            self._file.keep({name: self._clusters[name].dump() for name in clusters}, [])

    def _receive(self, there: Cluster, write: Write, manager: str, outcome: str) -> None:
        entry = {
            "at": self._clock.now().isoformat().replace("+00:00", "Z"),
            "verb": write.verb,
            "object": write.ref.key,
            "manager": manager,
            "patch": write.body,
            "outcome": outcome,
        }
        states = {} if self._file.forgets else {there.name: there.dump()}
        try:
            self._file.keep(states, [(there.name, entry)])
        except sqlite3.Error as broken:
            # What is not kept did not happen: the next question reads the file again.
            self._clusters.pop(there.name, None)
            raise Unreachable(f"{there.name}: its file takes no write: {broken}") from broken


def _resize(cluster: Cluster, simulated: JSON, t: int) -> bool:
    """What a connection says of its cluster; whether that is new."""
    nodes, faults = int(simulated.get("nodes", 1)), list(simulated.get("faults") or ())
    grown = cluster.runs_controllers(list(simulated.get("workloadKinds") or ()), t)
    return cluster.resize(nodes, faults, t, simulated.get("nodeLabels")) or grown
