"""The words of these stories: one unit in one simulated cluster, driven look by look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.adapters.simulated import SimulatedFleet
from bot.cluster.drive import Goal, Mode, Progress, baseline, drive
from bot.cluster.kinds import BUILT_IN, Rows
from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.model.seen import ObjectSeen, UnitSeen
from bot.ports import AnswerLost, Connection

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
KRUISE = "apps.kruise.io/v1beta1"
KRUISE_ALPHA = "apps.kruise.io/v1alpha1"
KUBE_NODE = "kubenode.alibabacloud.com/v1"
MACHINES = (KUBE_NODE, "MachineComponentSet")
KINDS = (
    (KRUISE, "DaemonSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    (KRUISE, "StatefulSet"),
    (KRUISE, "CloneSet"),
    (KRUISE_ALPHA, "CloneSet"),
)
"""One of each way; all of them count pods."""


@dataclass
class HandClock:
    """A clock that a story turns by hand."""

    at: datetime = NINE

    def now(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def workload(
    api_version: str, kind: str, version: str = "1", name: str = "agent", **spec: Any
) -> dict[str, Any]:
    """A workload as an author would write it, with one container."""
    if kind == "MachineComponentSet":
        return {
            "apiVersion": api_version,
            "kind": kind,
            "metadata": {"name": name},
            "spec": {"componentName": name, "version": version, **spec},
        }
    if kind != "DaemonSet":
        spec = {"replicas": 10} | spec
    labels = {"app": name}
    container = {"name": name, "image": f"registry.local/{name}:{version}"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": name, "namespace": "infra"},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def config_map(**data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "infra"},
        "data": data,
    }


def ref_of(obj: dict[str, Any]) -> ObjectRef:
    metadata = obj["metadata"]
    return ObjectRef(
        obj["apiVersion"], obj["kind"], metadata.get("namespace", ""), metadata["name"]
    )


@dataclass
class Unit:
    """One unit: what runs (`old`), what is to run (`new`), and every write that was sent."""

    old: list[dict[str, Any]]
    new: list[dict[str, Any]]
    nodes: int = 10
    faults: list[dict[str, Any]] = field(default_factory=list)
    labels: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of the nodes, by name."""
    applied: bool = False
    """Whether we applied what runs (a DB spec), or found it there (a baseline)."""
    rows: Rows = field(default_factory=lambda: BUILT_IN)

    def __post_init__(self) -> None:
        self.clock = HandClock()
        self.fleet = SimulatedFleet(self.clock)
        self.connect()
        self.fleet.seed("c", self.old)
        self.objects = tuple((ref_of(obj), obj) for obj in self.new)
        self.ref = self.objects[-1][0]
        self.last: dict[str, Any] = {}
        self.found()
        self.sent: list[Write] = []
        self.since = self.clock.now()

    def found(self) -> None:
        """What the engine keeps before its first write: what we applied, or the baseline."""
        kept = {ref_of(obj).key: obj for obj in self.old} if self.applied else {}
        live = {ref.key: self.fleet.get("c", ref) for ref, _ in self.objects}
        self.last = dict(kept)
        self.before = {
            key: kept.get(key) or (baseline(obj) if obj else None) for key, obj in live.items()
        }

    def connect(self) -> None:
        simulated = {"nodes": self.nodes, "faults": self.faults, "nodeLabels": self.labels}
        self.fleet.connect([Connection(cluster="c", connection={"simulated": simulated})])

    def live(self) -> Any:
        return self.fleet.get("c", self.ref)

    def images(self) -> dict[str, int]:
        """Version → how many pods of it stand (not on their way out)."""
        found: dict[str, int] = {}
        for pod in self.pods():
            version = self.version(pod)
            found[version] = found.get(version, 0) + 1
        return found

    def pods(self) -> Sequence[Any]:
        """Pods; for what is on the nodes themselves, the nodes."""
        if self.ref.kind == "MachineComponentSet":
            live = self.live()
            return self.fleet.children("c", live) if live else ()
        pods = self.fleet.pods("c")
        return [p for p in pods if "deletionTimestamp" not in p["metadata"]]

    def nodes_on(self, version: str) -> list[str]:
        return sorted(self.node(p) for p in self.pods() if self.version(p) == version)

    def look(self) -> UnitSeen:
        objects = {}
        for ref, _ in self.objects:
            live = self.fleet.get("c", ref)
            children = self.fleet.children("c", live) if live else ()
            objects[ref.key] = ObjectSeen(ref=ref, live=live, children=children)
        return UnitSeen(unit="agent@c", at=self.clock.now(), objects=objects)

    def goal(self, mode: Mode, updated: int = 0, **changed: Any) -> Goal:
        keys = [ref.key for ref, _ in self.objects]
        wanted: dict[str, Any] = {
            "mode": mode,
            "objects": self.objects,
            "last": self.last,
            "before": self.before,
            "applied": frozenset(self.before if self.applied else ()),
            "targets": dict.fromkeys(keys, updated),
            "totals": dict.fromkeys(keys, 10),
            "since": self.since,
            "rows": self.rows,
        }
        return Goal(**wanted | changed)

    def step(self, goal: Goal) -> Progress:
        """One look and what follows from it; lost answers are simply lost."""
        progress = drive(goal, self.look(), self.clock.now())
        for write in progress.writes:
            self.sent.append(write)
            try:
                self.fleet.write("c", write, fence=f"1.{len(self.sent)}")
            except AnswerLost:
                break
        return progress

    def run(self, goal: Goal, seconds: int = 600, every: int = 1) -> Progress:
        """Steps until it has converged, or the seconds are over."""
        progress = self.step(goal)
        for _ in range(0, seconds, every):
            if progress.converged:
                break
            self.clock.pass_by(every)
            progress = self.step(goal)
        return progress

    def forward(self, updated: int, *, final: bool = False, **changed: Any) -> Progress:
        """A batch from its beginning to its end."""
        seconds = changed.pop("seconds", 600)
        self.since = self.clock.now()
        return self.run(self.goal(Mode.FORWARD, updated, final=final, **changed), seconds)

    def finish(self) -> Progress:
        return self.forward(10, final=True)

    def stop(self, updated: int = 0, seconds: int = 30) -> Progress:
        return self.run(self.goal(Mode.STOP, updated), seconds)

    def restore(self, **changed: Any) -> Progress:
        return self.run(self.goal(Mode.RESTORE, **changed))

    def delete_pod(self, version: str) -> None:
        """Somebody deletes the first pod of a version by hand."""
        on = self.nodes_on(version)[0]
        pod = next(p for p in self.pods() if self.version(p) == version and self.node(p) == on)
        write = Write(ref=ref_of(pod), verb="delete", purpose=Purpose.FORWARD)
        self.fleet.write("c", write, fence="", manager="kubectl")

    def version(self, pod: Any) -> str:
        if pod["kind"] == "Node":
            notes = pod["metadata"].get("annotations") or {}
            return str(notes.get(f"kubenode.alibabacloud.com/{self.ref.name}", ""))
        return str(pod["spec"]["containers"][0]["image"].rpartition(":")[2])

    def node(self, pod: Any) -> str:
        return str(pod["metadata"]["name"] if pod["kind"] == "Node" else pod["spec"]["nodeName"])

    def patch(self, changes: dict[str, Any]) -> None:
        """Somebody else changes the workload by hand."""
        write = Write(ref=self.ref, verb="patch", purpose=Purpose.FORWARD, body=changes)
        self.fleet.write("c", write, fence="", manager="kubectl")


def release(api_version: str, kind: str, *, applied: bool = False, **changed: Any) -> Unit:
    """Version 1 runs, version 2 is to run; `spec` is of both."""
    spec = changed.pop("spec", {})
    old = [workload(api_version, kind, "1", **spec)]
    new = [workload(api_version, kind, "2", **spec)]
    return Unit(old=old, new=new, applied=applied, **changed)
