"""One tick: observe → decide → record → act → report. Law 1 of the design.

Never acts on what is not recorded, never waits, never reads a clock but the one it was given.
A crash between any two lines is repaired by the next tick.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core import chain_rows
from bot.core.board import Active, Board
from bot.core.lifecycle import Step, advance
from bot.core.messages_endings import bug
from bot.core.messages_notice import main_broken
from bot.model.seen import UnitSeen
from bot.model.state import (
    HoldCode,
    Intent,
    IntentStatus,
)
from bot.ports import Note, PortError
from bot.reconciler.acting import Errand, act, came_in
from bot.reconciler.comparing import Comparer
from bot.reconciler.damage import hold_damaged
from bot.reconciler.elsewhere import moved_elsewhere
from bot.reconciler.hearing import Heard, others, stops
from bot.reconciler.inbox import take_note
from bot.reconciler.joining import follow_fleet
from bot.reconciler.ledger import Ledger, Versions
from bot.reconciler.loading import all_stays, load_board, load_runs
from bot.reconciler.looking import Looked
from bot.reconciler.looking_for import look_for
from bot.reconciler.noticing import BROKEN, GOOD, MAIN, REWRITTEN, Noticer
from bot.reconciler.planner import Planner
from bot.reconciler.putting_away import forget, put_away
from bot.reconciler.recording import Recorder, is_open, stop_asked
from bot.reconciler.reporting import Reporter
from bot.reconciler.rules import connections, freeze_of, rules_of
from bot.reconciler.snoozing import end_snoozes, next_end
from bot.reconciler.views import view_of
from bot.reconciler.wired import Ports as Ports
from bot.reconciler.wired import Ticked as Ticked

log = logging.getLogger(__name__)
BLOBS_KEPT = 4000


class Reconciler:
    """The bot, one tick at a time. One for a store; not for several threads."""

    def __init__(
        self, ports: Ports, *, since: str | None = None, planner: Planner | None = None
    ) -> None:
        self.ports = ports
        self.planner = planner or Planner(ports.git, ports.renderer)
        self.problems: list[str] = []
        self._begin(since)

    def _begin(self, since: str | None = None) -> None:
        """From what the store has: at the start, and after a tick that did not come to its end."""
        ports, now = self.ports, self.ports.clock.now()
        self.versions = Versions()
        self.versions.lines = ports.store.event_count()
        ledger = Ledger(ports.store, self.versions)
        self.board = self._load(now)
        self.versions.runs = load_runs(ports.store, self.board)
        self.recorder = Recorder(self.board)
        self.noticer = Noticer(ports.git, self.planner, ports.store, self.board)
        self.reporter = Reporter(ports.store, ports.chat)
        self.comparer = Comparer(ports.store, ports.fleet, self.board)
        self.noticer.start(now, ledger, since=since)
        self._after_a_crash(ledger, now)
        hold_damaged(self.board, now, ledger)
        self._rules_set = False
        ledger.commit()
        self._whole = True

    # the tick

    def tick(self) -> Ticked:
        """One whole tick. Raises StoreLocked when nothing can be recorded: no write has left."""
        read = self.versions.lines
        if not self._whole or moved_elsewhere(self.ports.store, self.board, read):
            self._begin()
        self._whole = False
        ticked = self._tick()
        self._whole = True
        return ticked

    def _tick(self) -> Ticked:
        now = self.ports.clock.now()
        ticked = Ticked(at=now)
        ledger = Ledger(self.ports.store, self.versions)
        notes = self.ports.store.notes()
        # A stop is heard at once; who may do more than stop is asked of main as it is now.
        self._take_notes(stops(notes), now, ticked)
        ledger = self._notice(now, ledger, ticked)
        ledger = self._take_others(notes, ledger, now, ticked)
        ticked.problems += self._wrong_with_main()
        self._expire_freezes(now, ledger)
        end_snoozes(self.board, now, ledger)
        self.comparer.compare(now, ledger, self.ports.lanes)
        touched = {event.release for event in ledger.events if event.release}
        for group in groups(self.board.due(now), now) or [[]]:
            errands = self._advance(group, now, ledger, ticked, touched)
            self._report(ledger, touched, now, ticked)
            ledger.commit()
            ledger = self._act(errands, now, ticked)
            touched = {event.release for event in ledger.events if event.kind == "hold.set"}
        self._report(ledger, touched, now, ticked)
        gone = put_away(self.ports, self.planner, self.board, ledger, ticked)
        self.reporter.send(ledger)
        ledger.commit()
        forget(self.board, self.versions, gone)
        if len(self.board.blobs) > BLOBS_KEPT:
            self.board.blobs.clear()
        self.problems = ticked.problems
        return ticked

    def next_due(self) -> datetime | None:
        """When something is due by itself; None when only news can move anything."""
        if any(active.dirty for active in self.board.releases.values()):
            return self.ports.clock.now()
        times = [active.wake for active in self.board.releases.values() if active.wake]
        times += [stop.until for stop in self.board.stops.values()]
        times += [at for at in (self.comparer.again, next_end(self.board)) if at]
        return min(times, default=None)

    # observe

    @all_stays
    def _load(self, now: datetime) -> Board:
        store, git = self.ports.store, self.ports.git
        head = store.mark(GOOD) or store.mark(MAIN) or git.head()
        if head is None:
            raise PortFailure("the release repo has no branch main")
        repo = self.planner.load(head)
        self.ports.fleet.connect(connections(repo))
        rules = rules_of(repo, head, self.planner.calendar(repo))
        board = load_board(store, rules, self.versions, now)
        rules = rules_of(
            repo,
            head,
            self.planner.calendar(repo),
            stops=board.stops.values(),
            blocked=board.rules.blocked,
            broken=store.mark(BROKEN),
        )
        board.rules = rules
        return board

    def _after_a_crash(self, ledger: Ledger, now: datetime) -> None:
        """Writes that were intended when the process ended may or may not have left: the look
        tells.
        """
        for intent in self.ports.store.rows(Intent, open=True):
            if intent.status is IntentStatus.INTENDED:
                ended = "the bot ended"
                lost = replace(intent, status=IntentStatus.UNKNOWN, outcome=ended, ended=now)
                ledger.put(lost)
                ledger.events += chain_rows.outcome_of(lost)
        self.comparer.start(now, ledger)

    def _take_notes(self, notes: Sequence[Heard], now: datetime, ticked: Ticked) -> None:
        """What people asked is recorded before anything is done, so that nothing can lose it."""
        if not notes:
            return
        ledger = Ledger(self.ports.store, self.versions)
        for note in notes:
            take_note(self.ports.store, self.board, self.versions, note, now, ledger)
        ticked.notes += len(notes)
        self._renew_freezes()
        self._record(ledger, now, ticked)

    def _take_others(
        self, notes: Sequence[Note], ledger: Ledger, now: datetime, ticked: Ticked
    ) -> Ledger:
        """What is no stop, once what is new on main is recorded. The ledger to go on with."""
        heard = others(notes)
        if not heard:
            return ledger
        self._record(ledger, now, ticked)
        self._take_notes(heard, now, ticked)
        return Ledger(self.ports.store, self.versions)

    def _record(self, ledger: Ledger, now: datetime, ticked: Ticked) -> None:
        touched = {event.release for event in ledger.events if event.release}
        self._report(ledger, touched, now, ticked)
        ledger.commit()

    def _report(
        self, ledger: Ledger, touched: Iterable[str], now: datetime, ticked: Ticked
    ) -> None:
        """Cards and threads of what changed. A bug in telling stops nothing but the telling."""
        for name in sorted(touched):
            active = self.board.releases.get(name)
            if active is None:
                continue
            try:
                view = view_of(self.board, active, now, waiting=active.waiting)
                self.reporter.write(ledger, [view], ledger.events, now)
            except Exception as error:
                log.exception("a bug in telling of %s", name)
                ticked.problems.append(bug(error))

    def _notice(self, now: datetime, ledger: Ledger, ticked: Ticked) -> Ledger:
        """What is new in Git. The ledger to go on with: a fresh one when a bug spoilt this one."""
        try:
            self._look_at_git(now, ledger, ticked)
        except PortError as error:
            ticked.problems.append(error.why)
            log.debug("the Git host does not answer: %s", error.why)
        except Exception as error:
            log.exception("a bug in reading the release repo")
            ticked.problems.append(bug(error))
        else:
            return ledger
        if ledger.empty:
            return ledger
        # Nothing of what was noticed half-way may be recorded; what runs goes on as it was.
        self._begin()
        return Ledger(self.ports.store, self.versions)

    def _look_at_git(self, now: datetime, ledger: Ledger, ticked: Ticked) -> None:
        if self.ports.store.mark(REWRITTEN) is not None:
            head = self.ports.git.head()
            ledger.marks |= {REWRITTEN: None, MAIN: head}
            if head is not None:
                self.noticer.after_rewrite(head, now, ledger)
            self._rules_set = False
        noticed = self.noticer.notice(now, ledger)
        if noticed.rules or not self._rules_set:
            head = ledger.marks.get(MAIN) or self.ports.store.mark(MAIN)
            if head is not None:
                _, links = self.noticer.set_rules(head, now, ledger)
                self.ports.fleet.connect(links)
                self._rules_set = True
                follow_fleet(self.board, self.planner, now, ledger)
        for pull, shown in noticed.pulls:
            self.reporter.pull(ledger, self.board, pull, shown, now)

    def _wrong_with_main(self) -> list[str]:
        """A main that nothing comes from is a problem for as long as it lasts."""
        broken, holds = self.board.rules.broken, self.board.holds.values()
        found = [main_broken(broken)] if broken else []
        return found + [hold.reason for hold in holds if hold.code is HoldCode.REWRITTEN]

    def _expire_freezes(self, now: datetime, ledger: Ledger) -> None:
        over = [stop for stop in self.board.stops.values() if stop.until <= now]
        for stop in over:
            del self.board.stops[stop.id]
            ledger.drop(type(stop), stop.id)
        if over:
            self._renew_freezes()

    def _renew_freezes(self) -> None:
        rules = self.board.rules
        calendar = rules.calendar.with_emergency([freeze_of(s) for s in self.board.stops.values()])
        self.board.rules = replace(rules, calendar=calendar)
        self.board.wake_all()

    # decide

    def _advance(
        self,
        due: Sequence[Active],
        now: datetime,
        ledger: Ledger,
        ticked: Ticked,
        touched: set[str],
    ) -> list[list[Errand]]:
        errands: list[list[Errand]] = []
        later: list[tuple[Active, frozenset[str]]] = []
        for active in due:
            step = self._safely(active, now, ledger, {})
            if step is not None and step.asks:
                later.append((active, step.asks))
            elif step is not None:
                errands += self.recorder.take(active, step, now, ledger, touched)
        looked = self._look(later, now)
        ticked.looks += len(looked.seen)
        for active, asks in later:
            step = self._safely(active, now, ledger, looked.of(asks))
            if step is not None:
                errands += self.recorder.take(active, step, now, ledger, touched)
                if step.asks:
                    active.wake = looked.again(step.asks, active.wake, now)
        ticked.released += len(due)
        return errands

    def _act(self, errands: list[list[Errand]], now: datetime, ticked: Ticked) -> Ledger:
        """Send what has been recorded; the ledger with what came of it."""
        after, ports = Ledger(self.ports.store, self.versions), self.ports
        done = [one for one in came_in(ports.lanes) if is_open(ports.store, one)]
        if errands:
            ticked.writes += sum(len(unit) for unit in errands)
            stopped, now_is = self._stop_asked, ports.clock.now
            done += act(ports.fleet, ports.lanes, errands, stopped=stopped, now=now_is)
        self.recorder.outcomes(done, after, now)
        return after

    def _look(self, wanted: Sequence[tuple[Active, frozenset[str]]], now: datetime) -> Looked:
        return look_for(self.ports, self.board, wanted, now)

    def _safely(
        self, active: Active, now: datetime, ledger: Ledger, seen: Mapping[str, UnitSeen]
    ) -> Step | None:
        """A bug stops the release that it shows in, and no other."""
        try:
            return advance(self.board.situation(active, now, seen))
        except Exception as error:
            log.exception("a bug stops %s", active.state.release)
            active.dirty, active.wake = False, None
            self.recorder.hold(
                active, HoldCode.BUG, bug(error), now, ledger, trace=traceback.format_exc()
            )
            return None

    def _stop_asked(self, errand: Errand) -> bool:
        return stop_asked(self.ports.store, self.recorder, errand)


def groups(due: Sequence[Active], now: datetime) -> list[list[Active]]:
    """Who is decided on, recorded and acted for together. What a time was set for comes first and
    in growing groups, so that its first write does not wait for all the others; who is merely
    looked at again comes last.
    """
    pressing = [active for active in due if active.presses(now)]
    rest = [active for active in due if not active.presses(now)]
    found: list[list[Active]] = []
    start, size = 0, 1
    while start < len(pressing):
        found.append(pressing[start : start + size])
        start, size = start + size, 2 * size
    return [*found, rest] if rest else found


class PortFailure(PortError):
    """The bot cannot start: something outside is not as it must be."""
