"""Plays one script against the real engine, in two acts, and has the laws checked after every step.

Act one: everything that the script has. Act two: faults cease, people answer what is asked; every
release must end within a bound. The same script gives the same history.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.failures import PortError
from bot.model.state import ReleaseState
from bot.reconciler.planner import Planner
from bot.reconciler.tick import Ports, Reconciler
from bot.sim.acts import Actor
from bot.sim.faulty import Crash, FaultyChat, FaultyGit, FaultyStore, OnTheWire
from bot.sim.laws import Laws
from bot.sim.peace import Peace
from bot.sim.place import AHEAD, Blamed, Place, Tick
from bot.sim.renderer import InProcessRenderer
from bot.sim.script import Act, Script
from release_repo_schema.load import Cache

FILES: Cache = {}
"""Parsed files of all histories of this process: equal bytes are parsed once."""
RENDERER = InProcessRenderer()
LONGEST = timedelta(minutes=20)
"""How far time is moved at most in act one: something may happen that is due to nobody."""
RESTARTS = timedelta(seconds=20)


@dataclass(slots=True)
class Told:
    """What came of one history."""

    seed: int
    ticks: int = 0
    blamed: list[Blamed] = field(default_factory=list)
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter)


class Process:
    """One process of the bot: it may die in any call, and begins again from the store."""

    def __init__(self, name: str, place: Place) -> None:
        self.name, self.place = name, place
        self.bot: Reconciler | None = None
        self.back = place.true.now()
        self.bug: BaseException | None = None

    def tick(self) -> bool:
        """One tick; False when the process has died or the tick did not go through."""
        place = self.place
        if place.true.now() < self.back:
            return False
        try:
            if self.bot is None:
                self.bot = self.started()
            self.bot.tick()
        except Crash:
            self.bot = None
            self.back = place.true.now() + RESTARTS
            return False
        except PortError:
            self.bot = None
            self.back = place.true.now() + timedelta(seconds=5)
            return False
        except Exception as bug:  # noqa: BLE001 - a fault of the engine is what we look for
            self.bot, self.bug = None, bug
            self.back = place.true.now() + timedelta(seconds=5)
            return False
        return True

    def start(self) -> None:
        """Begin before the first tick, if it can."""
        with suppress(PortError, Crash):
            self.bot = self.started()

    def started(self) -> Reconciler:
        place, weather = self.place, self.place.weather
        ports = Ports(
            git=FaultyGit(place.git, weather),
            chat=FaultyChat(place.chat, weather),
            fleet=place.fleet,
            store=FaultyStore(place.store, weather),
            clock=place.clock,
            renderer=RENDERER,
        )
        return Reconciler(ports, planner=Planner(ports.git, RENDERER, files=FILES))

    def due(self) -> datetime | None:
        """When it wants to tick, in true time."""
        if self.bot is None:
            return self.back
        due = self.bot.next_due()
        return None if due is None else due - self.place.clock.skew


class History:
    """A script, played once."""

    def __init__(self, script: Script, *, laws: Callable[[Place], Laws] = Laws) -> None:
        self.script = script
        self.place = Place(script)
        self.first = Process("first", self.place)
        self.second: Process | None = None
        self.actor = Actor(self)
        self.laws = laws(self.place)
        self.told = Told(script.seed)
        self.waiting: list[Act] = sorted(script.acts, key=lambda act: act.at)
        self.end = script.start + timedelta(seconds=script.lasts)

    def play(self) -> Told:
        logging.disable(logging.CRITICAL)
        try:
            self._first_act()
            if not self.told.blamed:
                Peace(self).make()
        finally:
            logging.disable(logging.NOTSET)
        self.told.coverage = self.place.coverage
        return self.told

    def _first_act(self) -> None:
        while not self.told.blamed:
            self._happen()
            self.step()
            again = self._next()
            if again is None or again > self.end:
                return
            self.place.move(max(again, self.place.true.at + timedelta(seconds=1)))

    def _happen(self) -> None:
        """All acts whose time has come, and those whose phase is there."""
        place = self.place
        for late in place.arrive():
            self.late(late)
        passed = int((place.true.now() - self.script.start).total_seconds())
        for act in list(self.waiting):
            if act.at > passed:
                break
            if not act.phase or act.phase in place.phases():
                self.waiting.remove(act)
                self.actor.do(act)

    def late(self, late: OnTheWire) -> None:
        """A write arrives for which nobody waits any more."""
        with suppress(PortError):
            self.place.fleet.deliver(
                late.cluster, late.write, fence=late.fence, manager=late.manager, late=True
            )

    def step(self) -> None:
        """Every process ticks, then the laws are read."""
        for process in filter(None, (self.first, self.second)):
            self.tick(process)
            if self.told.blamed:
                return

    def tick(self, process: Process) -> None:
        place = self.place
        tick = Tick(
            at=place.clock.now(),
            true=place.true.now(),
            whole=True,
            git=not place.weather.is_down("git"),
            first_write=len(place.writes),
            first_event=place.store.event_count(),
            first_put=len(place.chat.puts),
        )
        if process is self.second and not self.actor.second_ticks():
            return
        tick.whole = process.tick()
        tick.git = tick.git and not place.weather.is_down("git")
        self.told.ticks += 1
        place.ticks = [tick]
        if process.bug is not None:
            self.told.blamed.append(Blamed(law="bug", what=_where(process.bug)))
            return
        self.told.blamed += self.laws.check(tick, process.bot)

    def _next(self) -> datetime | None:
        """The next moment at which anything can happen; None when nothing will any more."""
        now = self.place.true.now()
        start = self.script.start
        times = [start + timedelta(seconds=act.at) for act in self.waiting]
        times = [at for at in times if at > now]
        times += self.place.weather.clears()
        due = self.first.due()
        if due is not None:
            times.append(due)
        times += self.actor.due()
        if not times:
            return None
        return min(min(times), now + LONGEST)

    def ahead(self) -> list[ReleaseState]:
        """Releases that have not ended."""
        rows = self.place.store.rows(ReleaseState)
        return [row for row in rows if row.phase.value in AHEAD]


def _where(bug: BaseException) -> str:
    trace = bug.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return f"{type(bug).__name__}: {bug} at {place}"
