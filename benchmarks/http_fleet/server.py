"""The HTTP server of all clusters: connections, paths, faults, counts. One thread, one event loop.

Loopback only. Never decides what an API server would say.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from threading import Event, RLock, Thread
from typing import Any

from benchmarks.http_fleet import answers
from benchmarks.http_fleet.connection import Connection, Request, encoded
from benchmarks.http_fleet.faults import Fault
from benchmarks.http_fleet.hosted import Hosted
from benchmarks.http_fleet.routes import answer_of, split, verb_in
from bot.adapters.clock import SystemClock
from bot.ports import Clock


class FleetServer:
    """Clusters by name, each below `/clusters/NAME`. `clock`: the time that their controllers
    live in.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.hosted: dict[str, Hosted] = {}
        self.faults: list[Fault] = []
        self.calls: Counter[tuple[str, str]] = Counter()
        """(cluster, verb) → requests that arrived, those that a fault struck as well."""
        self.made = 0
        """Connections that were ever made."""
        self.open: set[Connection] = set()
        self.lock = RLock()
        self.port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None

    # -- its life

    def start(self, port: int = 0) -> FleetServer:
        started = Event()
        self._thread = Thread(target=self._run, args=(port, started), name="http-fleet")
        self._thread.daemon = True
        self._thread.start()
        if not started.wait(10):
            raise TimeoutError("the HTTP fleet did not start")
        return self

    def _run(self, port: int, started: Event) -> None:
        loop = self._loop = asyncio.new_event_loop()
        serving = loop.run_until_complete(
            loop.create_server(lambda: Connection(self, loop), "127.0.0.1", port, backlog=2048)
        )
        self.port = serving.sockets[0].getsockname()[1]
        started.set()
        loop.run_forever()
        serving.close()
        for connection in list(self.open):
            connection.abort()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    def stop(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)
            self._loop = self._thread = None

    def __enter__(self) -> FleetServer:
        return self if self._thread else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # -- what is in it

    def url(self, cluster: str) -> str:
        return f"http://127.0.0.1:{self.port}/clusters/{cluster}"

    def host(self, cluster: str, simulated: Any = None) -> Hosted:
        """A cluster as a simulated connection would describe it; made, or changed."""
        with self.lock:
            there = self.hosted.get(cluster)
            if there is None:
                there = self.hosted[cluster] = Hosted(cluster, simulated or {}, self.now())
            elif simulated is not None:
                there.configure(simulated, self.now())
            return there

    def order(self, *faults: Fault) -> None:
        with self.lock:
            self.faults += faults

    def heal(self) -> None:
        with self.lock:
            self.faults.clear()

    def counts(self) -> dict[str, int]:
        """Requests by verb, of all clusters."""
        with self.lock:
            total: Counter[str] = Counter()
            for (_, verb), count in self.calls.items():
                total[verb] += count
            return dict(total)

    def break_connections(self) -> None:
        """Every connection breaks, as when a balancer before the servers is restarted."""
        if self._loop is not None:
            for connection in list(self.open):
                self._loop.call_soon_threadsafe(connection.abort)

    def now(self) -> float:
        return self.clock.now().timestamp()

    # -- one request

    def fault_for(self, request: Request) -> Fault | None:
        """The fault that strikes it, once it is counted."""
        with self.lock:
            cluster, path = split(request.path)
            verb = verb_in(request, path)
            self.calls[cluster, verb] += 1
            for fault in self.faults:
                if fault.strikes(
                    cluster, verb if verb in ("list", "dry") else request.method, path
                ):
                    return fault
            there = self.hosted.get(cluster)
            if there is not None and there.cluster.faults.unreachable(self.now()):
                return Fault("reset")
            if there is not None and verb in ("create", "patch", "delete"):
                there.cluster.received += 1
                if there.cluster.faults.loses(there.cluster.received):
                    return Fault("lose")
            return None

    def encoded(self, request: Request) -> bytes:
        """The answer as it travels."""
        with self.lock:
            cluster, path = split(request.path)
            there = self.hosted.get(cluster)
            try:
                if there is None:
                    raise answers.no_such_path()
                return encoded(answer_of(there, request, path, self.now()), there.flow)
            except answers.Failed as failed:
                return encoded(failed.answer, there.flow if there else "")

    def seed(self, cluster: str, objects: Iterable[Any]) -> None:
        with self.lock:
            self.hosted[cluster].seed(objects, self.now())
