"""Where a history happens: two clocks, repo, clusters, chat, store, and the tape of it all.

Knows nothing of what is right; `laws*` read it, `history` moves it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from bot.adapters.simulated import SimulatedFleet
from bot.model.plan import JSON
from bot.model.state import Hold, Intent, ReleaseState, UnitState
from bot.ports import Answer, Connection
from bot.sim import oracle
from bot.sim.docs import standing, text_of
from bot.sim.faulty import FaultyFleet, HeardChat, OnTheWire, Received, Weather
from bot.sim.memory_git import MemoryGit
from bot.sim.memory_store import MemoryStore
from bot.sim.script import Script

AHEAD = ("SCHEDULED", "PROGRESSING", "ROLLING_BACK")


class Clock:
    """A clock that is moved. `skew`: how far it shows another time than it is."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.skew = timedelta()

    def now(self) -> datetime:
        return self.at + self.skew


@dataclass(slots=True)
class Asked:
    """A note that somebody left. `answer`: the first one that was seen, which is the only one."""

    note: int
    text: str
    by: str
    at: datetime
    roles: Mapping[str, frozenset[str]]
    answer: Answer | None = None
    answered: datetime | None = None


@dataclass(frozen=True, slots=True)
class Main:
    """What main says from a moment on. `good`: whether it can be read."""

    commit: str
    docs: Mapping[str, JSON]
    good: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Blamed:
    """A law that was broken."""

    law: str
    what: str


@dataclass(slots=True)
class Tick:
    """What one tick of one process was, from outside."""

    at: datetime
    true: datetime
    whole: bool
    """It came to its end: no crash, no error."""
    git: bool
    """The Git host could be asked all the while."""
    first_write: int
    first_event: int
    first_put: int


class Place:
    """Everything outside the bot, and what it received."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.true = Clock(script.start)
        self.clock = Clock(script.start)
        files = {path: text_of(one) for path, one in script.docs.items()}
        self.docs: dict[str, JSON] = dict(script.docs)
        self.git = MemoryGit(files, author="ana@example.com", at=script.start)
        self.mains: list[Main] = [Main(self.git.refs["main"], dict(self.docs))]
        self.store = MemoryStore()
        self.chat = HeardChat()
        self.sim = SimulatedFleet(self.true, None)
        self.coverage: Counter[tuple[str, str]] = Counter()
        self._phases: tuple[int, frozenset[str]] = (-1, frozenset())
        self.weather = Weather(now=self.true.now, struck=self.struck, phases=self.phases)
        self.fleet = FaultyFleet(self.sim, self.weather, self._received)
        self.writes: list[Received] = []
        self.notes: dict[int, Asked] = {}
        self.authors: dict[str, str] = {}
        """Release → who proposed it."""
        self.squashed: dict[str, str] = {}
        """Release → who squashed its pull request into main."""
        self.edited: set[str] = set()
        """Workloads (component@cluster) that somebody else touched."""
        self._seen_nodes: dict[str, Mapping[str, Mapping[str, str]]] = {}
        self.rebuilt: dict[str, datetime] = {}
        self.resized: dict[str, datetime] = {}
        self.second = False
        """Whether a second process has begun, which may have another board."""
        self.sick: dict[str, datetime] = {}
        self.jumps: list[tuple[datetime, timedelta]] = []
        """When the bot's clock was set, in true time, and by how much."""
        self.ticks: list[Tick] = []
        self.components = [
            path.split("/")[1] for path in script.docs if path.endswith("/component.yaml")
        ]
        self.clusters = [
            path.rpartition("/")[2].removesuffix(".yaml")
            for path in script.docs
            if path.startswith("fleet/clusters/")
        ]
        self.known = {
            path: one for path, one in script.docs.items() if path.startswith("fleet/clusters/")
        }
        """Clusters as they were described first: a plan keeps labels and place as they were."""
        self._begin()

    def _begin(self) -> None:
        self.fleet.connect([self._link(name) for name in self.clusters])
        for name in self.clusters:
            self.stand(name)

    def _link(self, cluster: str) -> Connection:
        spec = self.known[f"fleet/clusters/{cluster}.yaml"]["spec"]
        return Connection(cluster=cluster, connection=spec["connection"])

    def appears(self, document: JSON) -> None:
        """A cluster that main has: a new one runs what all others run."""
        name = document["metadata"]["name"]
        if name not in self.clusters:
            self.known[f"fleet/clusters/{name}.yaml"] = document
            self.clusters.append(name)
            self.fleet.connect([self._link(one) for one in self.clusters])
            self.stand(name)

    def stand(self, cluster: str) -> None:
        """What ran in a cluster before anything was released there."""
        spec = self.known[f"fleet/clusters/{cluster}.yaml"]["spec"]
        for component in self.components:
            written = self.docs[f"components/{component}/component.yaml"]["spec"]
            spaces = ["infra"]
            if written.get("scope") == "namespace":
                spaces = [one["name"] for one in spec.get("namespaces", ())]
            self.sim.seed(cluster, standing(component, spaces))

    # time

    def move(self, to: datetime) -> None:
        step = to - self.true.at
        self.true.at += step
        self.clock.at += step
        self.git.moved(self.true.at)

    # what is so now

    def phases(self) -> frozenset[str]:
        """Phases in which some unit of a release that is ahead stands, by the store."""
        if self._phases[0] != self.store.commits:
            ahead = {
                row.release for row in self.store.rows(ReleaseState) if row.phase.value in AHEAD
            }
            found = {row.phase.value for row in self.store.rows(UnitState) if row.release in ahead}
            self._phases = (self.store.commits, frozenset(found))
        return self._phases[1]

    def unit_in(self, phase: str) -> str:
        """Some unit that stands in a phase, in a release that is ahead; "" when none does."""
        ahead = {row.release for row in self.store.rows(ReleaseState) if row.phase.value in AHEAD}
        rows = (row for row in self.store.rows(UnitState) if row.release in ahead)
        return next((row.unit for row in rows if row.phase.value == phase), "")

    def struck(self, fault: str) -> None:
        for phase in self.phases():
            self.coverage[(fault, phase)] += 1

    @property
    def main(self) -> Main:
        return self.mains[-1]

    def commit(self, files: Mapping[str, JSON], *, by: str = "ana", good: bool = True) -> None:
        """Somebody changes main itself."""
        data = {path: None if one is None else text_of(one) for path, one in files.items()}
        self.git.push("main", data, by=f"{by}@example.com", title="Change rules")
        for path, one in files.items():
            if one is None:
                self.docs.pop(path, None)
            else:
                self.docs[path] = one
        self.seen_main(good=good)

    def seen_main(self, *, good: bool = True) -> None:
        self.mains.append(Main(self.git.refs["main"], dict(self.docs), good))

    def pods(self, cluster: str, component: str) -> list[JSON]:
        """Pods of a component that are not on their way out."""
        return [
            pod
            for pod in self.sim.pods(cluster)
            if pod["metadata"]["labels"].get("app") == component
            and not pod["metadata"].get("deletionTimestamp")
        ]

    def pods_of(self, unit: str) -> list[JSON]:
        """Pods of a unit, which may be a part of its cluster."""
        component, cluster = oracle.parts(unit)
        scope, part = oracle.part(unit)
        pods = self.pods(cluster, component)
        if scope == "namespace":
            return [pod for pod in pods if pod["metadata"]["namespace"] == part]
        if not scope:
            return pods
        mine = oracle.nodes_of(self.known, unit, self._nodes(cluster))
        return [pod for pod in pods if pod["spec"].get("nodeName") in mine]

    def _nodes(self, cluster: str) -> Mapping[str, Mapping[str, str]]:
        """Nodes with their labels; of a cluster that main has no more as they were last."""
        if self.sim.reachable(cluster):
            self._seen_nodes[cluster] = {
                node["metadata"]["name"]: node["metadata"].get("labels", {})
                for node in self.sim.nodes(cluster)
            }
        return self._seen_nodes.get(cluster, {})

    def versions(self, unit: str) -> Counter[str]:
        """Version → pods of a unit that run it."""
        images = (pod["spec"]["containers"][0]["image"] for pod in self.pods_of(unit))
        return Counter(image.rpartition(":")[2] for image in images)

    # the tape

    def _received(self, **told: Any) -> None:
        one = Received(at=self.clock.now(), true=self.true.now(), **told)
        if one.manager == "sluice":
            one = replace(one, **self._standing(one))
        self.writes.append(one)

    def _standing(self, one: Received) -> dict[str, Any]:
        """What the store holds of a write at the moment in which its cluster receives it."""
        _, _, seq = one.fence.partition(".")
        for state in self.store.rows(ReleaseState):
            intent: Intent | None = self.store.get(Intent, f"{state.release}/{seq}")
            if intent is None or intent.fence != one.fence or intent.ref != one.write.ref:
                continue
            if intent.unit.partition("@")[2].partition("/")[0] != one.cluster:
                continue
            unit = self.store.get(UnitState, f"{state.release}/{intent.unit}")
            holds = self.store.rows(Hold)
            peers = self.store.rows(UnitState, parent=state.release)
            return {"intent": intent, "unit": unit, "release": state, "holds": holds,
                    "peers": peers}  # fmt: skip
        return {}

    def say(self, text: str, *, by: str, key: str) -> int:
        """Somebody leaves a note: the same key again is the same note."""
        note = self.store.note(key, text, by=by, surface="simulation", at=self.clock.now(), data={})
        if note not in self.notes:
            self.notes[note] = Asked(note, text, by, self.clock.now(), {})
        return note

    def arrive(self) -> list[OnTheWire]:
        """Late writes that are due now."""
        due = [late for late in self.weather.wire if late.due <= self.true.now()]
        self.weather.wire = [late for late in self.weather.wire if late not in due]
        return due
