"""Calls to many clusters at once: side by side, in order within each cluster, and nobody waits for
one that hangs.

A call that takes too long is left behind: it ends by itself, and what came of it is told by the
next round. Until then nothing new is sent to where it hangs. Knows nothing of what is called.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, Final

AT_ONCE: Final = 16
"""Calls that are waited for side by side."""
BEHIND: Final = 112
"""Calls left behind, beyond which clusters that were slow before are not called."""
THREADS: Final = AT_ONCE + BEHIND
"""So many the pool needs; it makes them when they are needed."""
PATIENCE: Final = 2.0
"""Seconds after which a call is no longer waited for."""
SILENT: Final = 30.0
"""Seconds without an answer after which a cluster counts as one that cannot be reached."""
ROUND: Final = 10.0
"""Seconds after which nothing more is begun in a round: the rest is asked again in the next."""

SLOW: Final = 0.2
"""The same for a cluster that was too slow the last time."""
Key = tuple[str, str]
"""What sort of call, and which one."""


@dataclass(frozen=True, slots=True)
class Call:
    """One thing to do in a cluster. `key`: what it is known by when it comes in late."""

    cluster: str
    key: Key
    do: Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Late:
    """Instead of what came of a call. `begun`: it has left and is not back; else nothing was
    sent.
    """

    begun: bool


@dataclass(frozen=True, slots=True)
class _Broken:
    error: BaseException


@dataclass(slots=True)
class _Lane:
    """One cluster: what is still to be done in it, and how much of it at once."""

    cluster: str
    width: int
    waiting: deque[int] = field(default_factory=deque)
    running: int = 0


@dataclass(slots=True)
class _Begun:
    call: Call
    at: float
    until: float
    left: bool = False


class Lanes:
    """The ways to all clusters. Without a pool the caller does everything, in order."""

    def __init__(
        self, pool: Executor | None, *, patience: float = PATIENCE, whole: float = ROUND
    ) -> None:
        self.pool, self.patience, self.whole, self.silent = pool, patience, whole, SILENT
        self._change = Condition()
        self._behind: dict[str, int] = {}
        """Cluster → its calls that were left behind and are not back."""
        self._since: dict[str, float] = {}
        self._came: dict[Key, Any] = {}
        self._slow: set[str] = set()
        """Clusters that kept somebody waiting; they come last, and are waited for briefly, until
        they answer in time.
        """
        self._passed: set[str] = set()
        """Clusters whose turn did not come in the last round."""

    @property
    def behind(self) -> int:
        """Calls that are under way and not waited for."""
        return sum(self._behind.values())

    def came(self, what: str) -> Mapping[str, Any]:
        """Name → what came of calls of this sort that had been left behind, each told once."""
        with self._change:
            came = {key: found for key, found in self._came.items() if key[0] == what}
            self._came = {key: self._came[key] for key in self._came.keys() - came.keys()}
        return {name: _raised(found) for (_, name), found in came.items()}

    def waits(self, cluster: str) -> float:
        """For how long (seconds) a call to the cluster has been under way unwaited for."""
        with self._change:
            since = self._since.get(cluster)
            return 0.0 if since is None else time.monotonic() - since

    def run(self, calls: Sequence[Call], *, width: int = 1) -> list[Any]:
        """What came of each call, or `Late`. `width`: how many of one cluster at once."""
        if self.pool is None:
            return [call.do() for call in calls]
        found = _Round(self, calls, width).run(self.pool)
        return [_raised(one) for one in found]


class _Round:
    """One `run`: begins what has room, and waits no longer than it should."""

    def __init__(self, lanes: Lanes, calls: Sequence[Call], width: int) -> None:
        self.lanes, self.calls = lanes, calls
        self.found: list[Any] = [Late(begun=False)] * len(calls)
        self.begun: dict[int, _Begun] = {}
        self.open = 0
        """Begun, and waited for."""
        self.end = self.awake = 0.0
        """When nothing more is begun; when who waits for the round looks at it again."""
        rows: dict[str, _Lane] = {}
        for number, call in enumerate(calls):
            lane = rows.setdefault(call.cluster, _Lane(call.cluster, width))
            lane.waiting.append(number)
        with lanes._change:
            # Where something hangs nothing new is sent: it would only hang behind it.
            free = [lane for lane in rows.values() if not lanes._behind.get(lane.cluster)]
        slow, passed = lanes._slow, lanes._passed
        free.sort(key=lambda one: (one.cluster in slow, one.cluster not in passed))
        self.rows = {lane.cluster: lane for lane in free}
        self.ready = deque(lane.cluster for lane in free)

    def run(self, pool: Executor) -> list[Any]:
        change = self.lanes._change
        self.end = time.monotonic() + self.lanes.whole
        with change:
            while True:
                now = time.monotonic()
                self._leave(now)
                if now < self.end:
                    for number in self._next():
                        self._begin(number, now)
                        pool.submit(self._do, number)
                if not self.open:
                    self.lanes._passed = {one.cluster for one in self.rows.values() if one.waiting}
                    return self.found
                self.awake = now + self._until(now)
                change.wait(self._until(now))

    def _next(self) -> Iterator[int]:
        """The calls that may begin now, a cluster after the other."""
        lanes = self.lanes
        behind = lanes.behind
        while self.ready and self.open < min(AT_ONCE, THREADS - behind):
            lane = self.rows[self.ready.popleft()]
            if not lane.waiting or lane.running >= lane.width:
                continue
            if lane.cluster in lanes._slow and behind >= BEHIND:
                continue
            number = lane.waiting.popleft()
            lane.running += 1
            self.open += 1
            if lane.waiting and lane.running < lane.width:
                self.ready.append(lane.cluster)
            yield number

    def _begin(self, number: int, now: float) -> float:
        """Until when it is waited for."""
        call = self.calls[number]
        until = now + self._patience(call)
        self.begun[number] = _Begun(call, now, until)
        return until

    def _patience(self, call: Call) -> float:
        lanes = self.lanes
        return min(SLOW, lanes.patience) if call.cluster in lanes._slow else lanes.patience

    def _leave(self, now: float) -> None:
        """What takes too long is left behind, with all that waits behind it."""
        lanes = self.lanes
        for number, begun in self.begun.items():
            if begun.left or now < begun.until:
                continue
            begun.left = True
            self.open -= 1
            self.found[number] = Late(begun=True)
            cluster = begun.call.cluster
            lanes._behind[cluster] = lanes._behind.get(cluster, 0) + 1
            lanes._since.setdefault(cluster, begun.at)
            lanes._slow.add(cluster)
            self.rows[cluster].waiting.clear()

    def _until(self, now: float) -> float:
        waited = [one.until for one in self.begun.values() if not one.left]
        return max(0.0, min(waited, default=now) - now)

    def _do(self, number: int) -> None:
        """A call, and then the next that has room, in the same thread: to wake another for each
        costs more than most calls.
        """
        further: int | None = number
        while further is not None:
            further = self._done(further)

    def _done(self, number: int) -> int | None:
        """Do one call; the next one of the round that this thread does."""
        try:
            came = self.calls[number].do()
        except BaseException as error:  # noqa: BLE001 raised again where it is waited for
            came = _Broken(error)
        lanes = self.lanes
        with lanes._change:
            begun = self.begun.pop(number)
            cluster = begun.call.cluster
            if time.monotonic() < begun.at + lanes.patience:
                lanes._slow.discard(cluster)
            if begun.left:
                lanes._came[begun.call.key] = came
                lanes._behind[cluster] -= 1
                if not lanes._behind[cluster]:
                    del lanes._behind[cluster], lanes._since[cluster]
                lanes._change.notify_all()
                return None
            self.found[number] = came
            self.open -= 1
            lane = self.rows[cluster]
            lane.running -= 1
            if lane.waiting:
                self.ready.append(cluster)
            now = time.monotonic()
            further = next(self._next(), None) if now < self.end else None
            until = self._begin(further, now) if further is not None else self.end
            if not self.open or until < self.awake:
                lanes._change.notify_all()
            return further


def _raised(found: Any) -> Any:
    if isinstance(found, _Broken):
        raise found.error
    return found
