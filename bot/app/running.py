"""`sluice run`: the real adapters, and the scheduler that ticks. Decides nothing about a release.

One thread ticks; others ask for an earlier tick, answer HTTP, or do the calls to clusters.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TextIO

from apscheduler.executors.pool import ThreadPoolExecutor as OneAtATime
from apscheduler.schedulers.background import BackgroundScheduler

from bot.adapters.clock import SystemClock
from bot.adapters.simulated.fleet import SimulatedFleet
from bot.adapters.sqlite import SqliteStore
from bot.adapters.sqlite_guard import StoreGuard
from bot.adapters.terminal_chat import TerminalChat
from bot.adapters.webhooks import CallingFleet
from bot.app.counted import CountedFleet
from bot.app.opening import (
    fleet_file,
    git_host,
    github_place,
    real_fleet,
    renderer,
    room_for_connections,
)
from bot.app.report import save_report
from bot.app.routed import RoutedFleet
from bot.ports import PortError, StoreLocked
from bot.reconciler.lanes import THREADS
from bot.reconciler.tick import Ports, Reconciler
from bot.web.github_hooks import GitHubHooks
from bot.web.health import HealthServer
from bot.web.vitals import Vitals

if TYPE_CHECKING:
    from bot.app.opening import OpenGitHost
    from bot.config import Settings

log = logging.getLogger("sluice")
INBOX_EVERY = 0.2
"""Seconds between two looks for commands that other terminals left."""
AT_ONCE = 20
"""Ticks that follow each other without a pause when each leaves something due."""


@dataclass(slots=True)
class Bot:
    """The running bot. `start` returns at once, `stop` when the tick in hand has ended."""

    ports: Ports
    store: SqliteStore
    vitals: Vitals
    since: str | None
    address: str
    reconciler: Reconciler | None = None
    _scheduler: BackgroundScheduler = field(init=False)
    _asked: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _cut: threading.Event = field(default_factory=threading.Event)
    """Set when the tick in hand is no longer waited for: things are closed under it."""
    _planning: threading.Lock = field(default_factory=threading.Lock)
    _watcher: threading.Thread | None = None
    _last_bug: str = ""

    def start(self) -> None:
        """Read the store, tick once, and go on ticking. Raises PortError when it cannot begin."""
        self.reconciler = Reconciler(self.ports, since=self.since)
        self._scheduler = BackgroundScheduler(
            executors={"default": OneAtATime(1)}, timezone="UTC", logger=_quiet()
        )
        self._scheduler.add_job(
            self.tick,
            "interval",
            seconds=self.vitals.tick.total_seconds(),
            id="tick",
            next_run_time=self.ports.clock.now(),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._scheduler.start()
        self._watcher = threading.Thread(target=self._watch, name="inbox", daemon=True)
        self._watcher.start()

    def stop(self) -> None:
        with self._planning:
            self._stopping.set()
            if self._scheduler.running:
                # First: an executor that is shut down takes no tick, and says so as a fault.
                self._scheduler.remove_job("tick")
        try:
            if self._scheduler.running:
                self._scheduler.shutdown(wait=True)
        except BaseException:
            self._cut.set()
            raise
        if self._watcher is not None:
            self._watcher.join()

    def ask(self) -> None:
        """A tick as soon as can be. Returns at once, from any thread."""
        # Both: a tick that is under way goes round again, none is left out.
        self._asked.set()
        self._plan(self.ports.clock.now())

    def look_again(self) -> None:
        """The Git host is asked by a tick that comes as soon as can be."""
        self.ports.git.wake()
        self.ask()

    def tick(self) -> None:
        """Ticks until nothing is due at this moment; then the next one is planned."""
        for _ in range(AT_ONCE):
            self._asked.clear()
            good = self._one()
            if self._stopping.is_set() or not good:
                return
            due = self._due()
            if not self._asked.is_set() and (due is None or due > self.ports.clock.now()):
                break
        self._tick_at(self._due())

    def _one(self) -> bool:
        """One tick; whether it went through. Whatever went wrong, the loop goes on."""
        began = self.ports.clock.now()
        try:
            if self.reconciler is None:
                self.reconciler = Reconciler(self.ports)
            ticked = self.reconciler.tick()
        except StoreLocked as locked:
            if locked.why != self.vitals.store_problem:
                log.error("nothing is written to clusters while the store is not: %s", locked.why)
            self.vitals.store_problem = locked.why
            return self._failed()
        except PortError as error:
            log.error("the tick did not go through: %s", error.why)
            self.vitals.problems = (error.why,)
            return self._failed()
        except Exception as bug:  # noqa: BLE001 one bad tick must not end the bot
            if self._cut.is_set():
                return self._failed()
            self._report(bug)
            self.vitals.problems = (f"a fault in sluice itself: {type(bug).__name__}",)
            return self._failed()
        self._take(began, ticked.notes, ticked.problems)
        return True

    def _failed(self) -> bool:
        # What was decided in memory and not recorded did not happen: read the store again.
        self.reconciler = None
        self.vitals.failures += 1
        return False

    def _take(self, began: datetime, notes: int, problems: list[str]) -> None:
        assert self.reconciler is not None
        vitals, board = self.vitals, self.reconciler.board
        for why in problems:
            if why not in vitals.problems:
                log.warning("%s", why)
        if vitals.store_problem is not None:
            log.info("the store takes writes again")
        vitals.store_problem, vitals.problems = None, tuple(problems)
        vitals.releases = Counter(a.state.phase.value for a in board.releases.values())
        vitals.in_flight = sum(board.in_flight.values())
        vitals.outbox = self.reconciler.reporter.waiting
        vitals.commits = self.store.commits
        vitals.notes += notes
        vitals.ticks += 1
        vitals.last_tick = self.ports.clock.now()
        vitals.took = vitals.last_tick - began

    def _report(self, bug: Exception) -> None:
        """The full report of a bug once; the same one again is only counted."""
        sign = f"{type(bug).__name__}: {bug}"
        if sign == self._last_bug:
            return
        self._last_bug = sign
        where = save_report(bug, ("run",))
        log.error("a fault in sluice itself (%s); the full report is in %s", sign, where)

    def _due(self) -> datetime | None:
        return self.reconciler.next_due() if self.reconciler is not None else None

    def _tick_at(self, due: datetime | None) -> None:
        """An earlier tick than the interval's, where something is due before it."""
        now = self.ports.clock.now()
        if due is not None and due < now + self.vitals.tick:
            self._plan(max(due, now + timedelta(milliseconds=50)))

    def _plan(self, at: datetime) -> None:
        """The next tick, unless the bot stops: then there is none to move."""
        with self._planning:
            if not self._stopping.is_set():
                self._scheduler.modify_job("tick", next_run_time=at)

    def _watch(self) -> None:
        """Ask for a tick when another terminal has left a command."""
        seen = 0
        with SqliteStore.reader(self.store.path) as reader:
            while not self._stopping.wait(INBOX_EVERY):
                try:
                    notes = reader.notes(after=seen)
                except StoreLocked:
                    continue  # the tick says so
                if notes:
                    seen = notes[-1].id
                    self.ask()


@contextmanager
def running(
    settings: Settings, *, tick: timedelta, port: int, since: str | None, stream: TextIO
) -> Iterator[Bot]:
    """A bot on the real adapters, ticking; stopped cleanly at the end.

    Raises StoreLocked (`locked`) when another one holds the store, PortError when it cannot begin.
    """
    clock = SystemClock()
    with ExitStack() as held:
        held.enter_context(StoreGuard(settings.db, since=clock.now()))
        git = held.enter_context(git_host(settings))  # first: a wrong repo makes no store
        store = held.enter_context(SqliteStore(settings.db))
        vitals = Vitals(started=clock.now(), tick=tick)
        hooks = _hooks(settings, git)
        server = HealthServer(vitals, clock, port, hooks)
        held.callback(server.close)
        sandbox = held.enter_context(renderer())
        room_for_connections()
        real = real_fleet(settings)
        fleet = RoutedFleet(SimulatedFleet(clock, str(fleet_file(settings.db))), real)
        held.callback(fleet.close)
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix="cluster")
        held.callback(pool.shutdown)
        ports = Ports(
            git=git,
            chat=TerminalChat(stream, plain=settings.plain),
            fleet=CountedFleet(CallingFleet(fleet, settings.hosts, settings.reveal), vitals),
            store=store,
            clock=clock,
            renderer=sandbox,
            pool=pool,
        )
        bot = Bot(ports, store, vitals, since, server.address)
        bot.start()
        if hooks is not None:
            hooks.wake = bot.look_again
        held.callback(bot.stop)
        yield bot


def _hooks(settings: Settings, git: OpenGitHost) -> GitHubHooks | None:
    """The door for GitHub's deliveries, where the repo is on GitHub and their secret is known."""
    place = github_place(settings)
    if settings.github_hook is None or place is None:
        return None
    secret = settings.github_hook.reveal().encode()
    return GitHubHooks(place, secret, git.wake, settings.github_installation)


def _quiet() -> logging.Logger:
    """The scheduler's own remarks are about itself; only its errors are ours."""
    quiet = logging.getLogger("sluice.scheduler")
    quiet.setLevel(logging.ERROR)
    return quiet
