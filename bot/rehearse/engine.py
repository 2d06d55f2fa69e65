"""The bot of a rehearsal: the real reconciler; store, clusters and clock are its own, in memory.

Wires and drives; holds no rule. Time goes from one thing that is due to the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from bot.adapters.sandbox import SandboxRenderer
from bot.adapters.sqlite import SqliteStore
from bot.core.board import Active
from bot.core.messages import as_text
from bot.model.state import HoldCode, UnitPhase, UnitState
from bot.ports import Changes
from bot.reconciler.tick import Ports, Reconciler
from bot.reconciler.views import view_of
from bot.rehearse.fleet import RehearsedFleet
from bot.rehearse.git import RehearsedGit
from bot.rehearse.people import People
from bot.rehearse.told import Line
from bot.rehearse.watching import HeardChat, Watched

TICK = timedelta(seconds=5)
"""From one look at the world to the next, as `sluice run` has it by default."""
COARSE, MANY = timedelta(seconds=15), 200
"""The same for a release of many units: nobody reads the seconds of a thousand clusters."""
STILL = timedelta(hours=1)
"""A held release of which nothing was heard for so long stands still."""
LONGEST = timedelta(days=120)
IDLE = 2_000
"""Ticks in a row of which nothing came: the bot looks again and again at what will not change."""


class VirtualClock:
    """A clock that only moves when it is told to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


class Engine:
    """One bot in memory. `nodes`: of a cluster that is not simulated."""

    def __init__(
        self,
        git: RehearsedGit,
        at: datetime,
        *,
        nodes: Callable[[str], int],
        people: Callable[[SqliteStore], People],
        first: Changes,
    ) -> None:
        self.clock = VirtualClock(at)
        self.git, self.chat = git, HeardChat()
        self.fleet = RehearsedFleet(self.clock, nodes, self._batch_of)
        self.store = SqliteStore(":memory:")
        self.store.commit(first)
        self.people = people(self.store)
        self.renderer = SandboxRenderer()
        ports = Ports(
            git=git,
            chat=self.chat,
            fleet=self.fleet,
            store=self.store,
            clock=self.clock,
            renderer=self.renderer,
        )
        self.bot = Reconciler(ports)
        self.watched: dict[str, Watched] = {}
        self.lines: list[Line] = []
        self.ticks = 0
        self._heard = at
        self._heard_at_tick = 0
        self._step = TICK

    def close(self) -> None:
        self.renderer.close()
        self.fleet.close()
        self.store.close()

    def begin(self, counts: Mapping[str, Mapping[str, tuple[int, ...] | None]]) -> None:
        """The bot sees the pull request, people merge it, the bot sees that."""
        self._tick()
        self.git.merge()
        self.bot.tick()
        for name, active in sorted(self.bot.board.releases.items()):
            self.watched[name] = Watched(active, counts.get(name, {}))
        units = sum(len(one.active.units) for one in self.watched.values())
        self._step = COARSE if units > MANY else TICK
        self._take_in()

    def run(self) -> str:
        """Up to the end of every release; why it did not come to that, or ""."""
        end = self.clock.at + LONGEST
        while self.running():
            at = self._next()
            if at is None or self._stands_still() or self.ticks - self._heard_at_tick > IDLE:
                return "still"
            if at >= end:
                return "long"
            self.clock.at = at
            self._tick()
        return ""

    def running(self) -> list[Active]:
        return [one.active for one in self.watched.values() if not one.active.state.phase.ended]

    # one step

    def _tick(self) -> None:
        self.people.speak(self.clock.at)
        self.bot.tick()
        self._take_in()

    def _take_in(self) -> None:
        """What was said by whom, what has changed, and who is asked what."""
        self.ticks += 1
        now, said = self.clock.at, len(self.lines)
        for note, one in self.people.given:
            self.lines.append(
                Line(at=now, kind="person", text=one.command, by=one.by, release=one.release)
            )
            answer = self.store.answer(note)
            text = answer.text if answer is not None else ""
            self.lines.append(Line(at=now, kind="answer", text=text, release=one.release))
        self.people.given.clear()
        self.lines += self.chat.news()
        self.lines += [Line(at=now, kind="call", text=url) for url in self.fleet.called]
        self.fleet.called.clear()
        for name, watched in self.watched.items():
            if watched.look(now):
                self._card(name)
        for active in self.running():
            if any(d.closed is None for d in active.decisions.values()) or self._failed(active):
                view = view_of(self.bot.board, active, now, waiting=active.waiting)
                self.people.hear(self.bot.board, active, view, now)
        if len(self.lines) > said:
            self._heard, self._heard_at_tick = now, self.ticks

    def _card(self, name: str) -> None:
        message = self.chat.cards.get(name)
        if message is not None:
            text = as_text(replace(message, buttons=()))
            self.lines.append(Line(at=self.clock.at, kind="card", text=text, release=name))

    def _failed(self, active: Active) -> bool:
        return any(
            hold.release == active.state.release and hold.code is HoldCode.FAILED
            for hold in self.bot.board.holds.values()
        )

    # time

    def _next(self) -> datetime | None:
        """When something is due. Soaks are not watched, but jumped over to what happens next."""
        due, answer = self.bot.next_due(), self.people.due()
        if due is None and answer is None:
            return None
        at = self.clock.at
        quiet = list(self._quiet())
        if due is not None and due in {unit.look_at for _, unit in quiet}:
            ahead = {unit.key: self._ahead(active, unit) for active, unit in quiet}
            others = [answer] if answer is not None else []
            due = max(due, min([*ahead.values(), *others, *self._other_events()]))
            for active, unit in quiet:
                # Nothing happens in its cluster before: what a look would find there is known.
                look_at = max(due, ahead[unit.key])
                active.units[unit.unit] = replace(unit, watched=due, look_at=look_at)
        soonest = min(one for one in (due, answer) if one is not None)
        return max(soonest, at + self._step)

    def _quiet(self) -> Iterator[tuple[Active, UnitState]]:
        """Units that soak, in clusters that answer."""
        for active in self.bot.board.releases.values():
            for unit in active.units.values():
                if unit.phase is UnitPhase.SOAKING and unit.unreachable_since is None:
                    yield active, unit

    def _ahead(self, active: Active, unit: UnitState) -> datetime:
        """When a unit that soaks is looked at next: at its end, or when its cluster stirs."""
        stirs = self.fleet.next_event(active.index.units[unit.unit].cluster)
        end = max(unit.soak_until or self.clock.at, self.clock.at + self._step)
        return end if stirs is None else max(min(end, stirs), self.clock.at + self._step)

    def _other_events(self) -> Iterator[datetime]:
        """What the bot waits for beside the clusters that soak."""
        board = self.bot.board
        yield from (stop.until for stop in board.stops.values())
        for active in board.releases.values():
            soaks = {line.unit for line in active.waiting if line.wait.code == "soaking"}
            for line in active.waiting:
                if line.wait.until is not None and line.unit not in soaks:
                    yield line.wait.until
            for unit in active.units.values():
                loud = unit.phase is not UnitPhase.SOAKING or unit.unreachable_since is not None
                if unit.look_at is not None and loud:
                    yield unit.look_at

    def _stands_still(self) -> bool:
        """What is left is held or waits for nobody, and nothing was heard for long."""
        if self.people.pending or self.clock.at - self._heard < STILL:
            return False
        stuck = {hold.release for hold in self.bot.board.holds.values()}
        stuck |= {decision.rpartition("#")[0] for decision in self.people.nobody}
        return all(active.state.release in stuck for active in self.running())

    def _batch_of(self, unit: str) -> int:
        states = (
            state
            for active in self.bot.board.releases.values()
            if (state := active.units.get(unit)) is not None and state.in_flight
        )
        return max((state.batch for state in states), default=0)
