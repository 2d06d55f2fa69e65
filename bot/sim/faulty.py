"""Ports with faults: they let every call through to the real port, unless a fault waits for it.

Everything that a port really received is on the tape, told from behind the fault. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

from bot.failures import (
    AnswerLost,
    Conflict,
    GitError,
    PortError,
    Refused,
    StoreLocked,
    Unreachable,
)
from bot.model.effects import Write
from bot.model.message import Post
from bot.model.plan import JSON, ObjectRef
from bot.model.state import Hold, Intent, ReleaseState, UnitState
from bot.ports import Chat, Connection, Fleet, GitHost
from bot.sim.memory_store import MemoryStore

LATE = timedelta(seconds=95)
"""How long a write may be on its way after its process died."""
_BEFORE = ("crash-before-write", "not-delivered", "conflict", "refused", "late-write")


class Crash(BaseException):
    """The process is gone in this very moment."""


@dataclass(slots=True)
class Armed:
    """A fault that waits for the `nth` call of its port from now on, in a phase; `times` in a
    row.
    """

    fault: str
    nth: int = 1
    times: int = 1
    phase: str = ""


@dataclass(slots=True)
class OnTheWire:
    """A write that left before its process died, and arrives when nobody waits for it."""

    due: datetime
    cluster: str
    write: Write
    fence: str
    manager: str


@dataclass(slots=True)
class Weather:
    """What is broken now, and what will be."""

    now: Callable[[], datetime]
    struck: Callable[[str], None]
    phases: Callable[[], Iterable[str]]
    armed: list[Armed] = field(default_factory=list)
    outages: dict[str, datetime] = field(default_factory=dict)
    down: dict[str, datetime] = field(default_factory=dict)
    """git, chat, disk → until when."""
    wire: list[OnTheWire] = field(default_factory=list)
    nodes: dict[str, int] = field(default_factory=dict)
    faults: dict[str, list[JSON]] = field(default_factory=dict)

    def strikes(self, *faults: str) -> str:
        """The fault of these that strikes the call in hand; "" when none does."""
        if not self.armed:
            return ""
        for one in self.armed:
            if one.fault not in faults or (one.phase and one.phase not in self.phases()):
                continue
            one.nth -= 1
            if one.nth > 0:
                continue
            one.times -= 1
            if one.times <= 0:
                self.armed.remove(one)
            self.struck(one.fault)
            return one.fault
        return ""

    def is_down(self, what: str) -> bool:
        return what in self.down and self.now() < self.down[what]

    def out(self, cluster: str) -> bool:
        return cluster in self.outages and self.now() < self.outages[cluster]

    def clears(self) -> list[datetime]:
        """When something that is broken mends by itself, or a late write arrives."""
        times = [*self.outages.values(), *self.down.values(), *(late.due for late in self.wire)]
        return [at for at in times if at > self.now()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One write as a cluster received it. `rows`: what the store held of it at that moment."""

    at: datetime
    true: datetime
    cluster: str
    write: Write
    fence: str
    manager: str
    outcome: str
    late: bool
    before: JSON | None
    uid: str
    intent: Intent | None = None
    unit: UnitState | None = None
    release: ReleaseState | None = None
    holds: tuple[Hold, ...] = ()
    peers: tuple[UnitState, ...] = ()
    """All units of its release."""


class FaultyStore:
    """Commits may not happen, or happen and not be known; reading always works."""

    def __init__(self, store: MemoryStore, weather: Weather) -> None:
        self._store, self._weather = store, weather

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(self, changes: Any) -> Any:
        if changes.empty:
            return ()
        match self._weather.strikes("crash-before-commit", "crash-after-commit", "disk-full"):
            case "crash-before-commit":
                raise Crash("before a commit")
            case "crash-after-commit":
                self._store.commit(changes)
                raise Crash("after a commit")
            case "disk-full":
                raise StoreLocked("the disk is full", "full")
        return self._store.commit(changes)


class FaultyFleet:
    """Writes are lost before or after they happen, looks fail or are old, clusters are away."""

    def __init__(
        self,
        fleet: Fleet,
        weather: Weather,
        received: Callable[..., None],
    ) -> None:
        self._fleet, self._weather, self._received = fleet, weather, received
        self._links: tuple[Connection, ...] = ()
        self._old: dict[tuple[str, str], JSON] = {}

    def connect(self, connections: Iterable[Connection]) -> None:
        self._links = tuple(connections)
        self.reconnect()

    def reconnect(self) -> None:
        """Nodes and faults of clusters are as the weather says, whatever main says."""
        self._fleet.connect([self._as_it_is(link) for link in self._links])

    def _as_it_is(self, link: Connection) -> Connection:
        simulated = dict((link.connection or {}).get("simulated") or {})
        simulated["nodes"] = self._weather.nodes.get(link.cluster, simulated.get("nodes", 1))
        more = self._weather.faults.get(link.cluster, [])
        simulated["faults"] = [*(simulated.get("faults") or ()), *more]
        return replace(link, connection={"simulated": simulated})

    def uid(self, cluster: str) -> str:
        self._reach(cluster)
        if self._weather.strikes("look-fails"):
            raise Unreachable(f"{cluster}: connection reset")
        return self._fleet.uid(cluster)

    def get(self, cluster: str, ref: ObjectRef) -> JSON | None:
        self._reach(cluster)
        key = (cluster, ref.key)
        if key in self._old and self._weather.strikes("stale-look"):
            return self._old[key]
        live = self._fleet.get(cluster, ref)
        self._old[key] = live
        return live

    def children(self, cluster: str, owner: JSON) -> tuple[JSON, ...]:
        self._reach(cluster)
        return self._fleet.children(cluster, owner)

    def nodes(self, cluster: str) -> tuple[JSON, ...]:
        self._reach(cluster)
        return self._fleet.nodes(cluster)

    def every(self, cluster: str, api_version: str, kind: str) -> tuple[JSON, ...]:
        self._reach(cluster)
        return self._fleet.every(cluster, api_version, kind)

    def write(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> JSON | None:
        self._reach(cluster)
        fault = self._weather.strikes(
            "crash-before-write", "crash-after-write", "answer-lost", "not-delivered",
            "conflict", "refused", "late-write",
        )  # fmt: skip
        if fault in _BEFORE:
            self._before(fault, cluster, write, fence, manager)
        answer = self.deliver(cluster, write, fence=fence, manager=manager)
        if fault == "crash-after-write":
            raise Crash("after a write")
        if fault == "answer-lost":
            raise AnswerLost(f"{cluster}: the connection broke before the answer")
        return answer

    def dry_run(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> tuple[str, ...]:
        self._reach(cluster)
        return self._fleet.dry_run(cluster, write, fence=fence, manager=manager)

    def deliver(
        self, cluster: str, write: Write, *, fence: str, manager: str, late: bool = False
    ) -> JSON | None:
        """A write reaches its cluster: it is on the tape, whatever comes of it."""
        before = None if write.ref.kind == "Pod" else self._fleet.get(cluster, write.ref)
        told = {"cluster": cluster, "write": write, "fence": fence, "manager": manager}
        told |= {"late": late, "before": before, "uid": self._fleet.uid(cluster)}
        try:
            # A call goes to a service of its own: no cluster has such an object.
            call = write.ref.kind == "Webhook"
            answer = write.body if call else self._passed_on(cluster, write, fence, manager)
        except AnswerLost:
            self._received(outcome="done", **told)
            raise
        except PortError as error:
            self._received(outcome=type(error).__name__.lower(), **told)
            raise
        self._received(outcome="done", **told)
        return answer

    def _passed_on(self, cluster: str, write: Write, fence: str, manager: str) -> JSON | None:
        return self._fleet.write(cluster, write, fence=fence, manager=manager)

    def _before(self, fault: str, cluster: str, write: Write, fence: str, manager: str) -> NoReturn:
        match fault:
            case "not-delivered":
                raise Unreachable(f"{cluster}: connection refused")
            case "conflict":
                raise Conflict(f"{write.ref.short} has been modified")
            case "refused":
                raise Refused(f"{write.ref.short}: an admission webhook said no")
            case "late-write":
                due = self._weather.now() + LATE
                self._weather.wire.append(OnTheWire(due, cluster, write, fence, manager))
        raise Crash("before a write")

    def _reach(self, cluster: str) -> None:
        if self._weather.out(cluster):
            raise Unreachable(f"{cluster}: connection timed out")


class FaultyChat:
    """Posts that do not arrive, or arrive and nobody knows."""

    def __init__(self, chat: Chat, weather: Weather) -> None:
        self._chat, self._weather = chat, weather

    def put(self, post: Post) -> None:
        if self._weather.is_down("chat"):
            raise Unreachable("the chat does not answer")
        fault = self._weather.strikes(
            "crash-before-post", "crash-after-post", "post-lost", "chat-down"
        )
        if fault == "crash-before-post":
            raise Crash("before a post")
        if fault == "chat-down":
            self._weather.down["chat"] = self._weather.now() + timedelta(minutes=10)
            raise Unreachable("the chat does not answer")
        self._chat.put(post)
        if fault == "crash-after-post":
            raise Crash("after a post")
        if fault == "post-lost":
            raise Unreachable("the chat's answer was lost")


class FaultyGit:
    """A Git host that is away for a time, and proposals that are lost before or after."""

    def __init__(self, git: GitHost, weather: Weather) -> None:
        self._git, self._weather = git, weather

    def head(self, ref: str = "main") -> str | None:
        if self._weather.is_down("git"):
            raise GitError("the Git host does not answer")
        if self._weather.strikes("git-down"):
            self._weather.down["git"] = self._weather.now() + timedelta(minutes=10)
            raise GitError("the Git host does not answer")
        return self._git.head(ref)

    def propose(
        self, branch: str, files: Mapping[str, bytes | None], *, title: str, author: str,
        at: datetime,
    ) -> str:  # fmt: skip
        fault = self._weather.strikes("crash-before-propose", "crash-after-propose", "propose-lost")
        if fault == "crash-before-propose":
            raise Crash("before a proposal")
        found = self._git.propose(branch, files, title=title, author=author, at=at)
        if fault == "crash-after-propose":
            raise Crash("after a proposal")
        if fault == "propose-lost":
            raise GitError("the answer to a proposal was lost")
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._git, name)


class HeardChat:
    """A chat that remembers everything that was put, in order."""

    def __init__(self) -> None:
        self.puts: list[Post] = []

    def put(self, post: Post) -> None:
        self.puts.append(post)
