"""One tick: observe → decide → record → act → report. Law 1 of the design.

Never acts on what is not recorded, never waits, never reads a clock but the one it was given.
A crash between any two lines is repaired by the next tick.
"""

from __future__ import annotations

import hashlib
import json
import logging
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.core.board import Active, Board
from bot.core.lifecycle import Step, advance
from bot.core.messages_endings import bug, fenced, superseded
from bot.core.turn import Turn
from bot.model.plan import UnitPlan
from bot.model.seen import UnitSeen
from bot.model.state import (
    Applied,
    Event,
    Hold,
    HoldCode,
    Intent,
    IntentStatus,
    ReleasePhase,
)
from bot.ports import Chat, Clock, Fleet, GitHost, PortError, Renderer, Store
from bot.reconciler.acting import Errand, act
from bot.reconciler.inbox import is_stop, take_note
from bot.reconciler.ledger import Ledger, Versions
from bot.reconciler.loading import fetch, load_board
from bot.reconciler.looking import look
from bot.reconciler.noticing import GOOD, MAIN, Noticer
from bot.reconciler.planner import Planner
from bot.reconciler.reporting import Reporter
from bot.reconciler.revert import propose_revert
from bot.reconciler.rules import connections, freeze_of, rules_of
from bot.reconciler.views import view_of

log = logging.getLogger(__name__)
BLOBS_KEPT = 4000


@dataclass(slots=True)
class Ports:
    """Everything outside that a tick uses."""

    git: GitHost
    chat: Chat
    fleet: Fleet
    store: Store
    clock: Clock
    renderer: Renderer
    pool: Executor | None = None


@dataclass(slots=True)
class Ticked:
    """What a tick did, for logs and metrics."""

    at: datetime
    notes: int = 0
    released: int = 0
    looks: int = 0
    writes: int = 0
    problems: list[str] = field(default_factory=list)


class Reconciler:
    """The bot, one tick at a time. One for a store; not for several threads."""

    def __init__(self, ports: Ports, *, since: str | None = None) -> None:
        self.ports = ports
        self.versions = Versions()
        self.planner = Planner(ports.git, ports.renderer)
        self.problems: list[str] = []
        now = ports.clock.now()
        ledger = Ledger(ports.store, self.versions)
        self.board = self._load(now)
        self.noticer = Noticer(ports.git, self.planner, ports.store, self.board)
        self.reporter = Reporter(ports.store, ports.chat)
        self.noticer.start(now, ledger, since=since)
        self._after_a_crash(ledger, now)
        ledger.commit()

    # the tick

    def tick(self) -> Ticked:
        """One whole tick. Raises StoreLocked when nothing can be recorded: then nothing was done."""
        now = self.ports.clock.now()
        ticked = Ticked(at=now)
        ledger = Ledger(self.ports.store, self.versions)
        touched: set[str] = set()
        self._take_notes(now, ledger, ticked)
        self._notice(now, ledger, ticked)
        self._expire_freezes(now, ledger)
        due = [a for a in self.board.ordered() if a.dirty or (a.wake and a.wake <= now)]
        touched |= {event.release for event in ledger.events if event.release}
        errands = self._advance(due, now, ledger, ticked, touched)
        views = [
            view_of(self.board, active, now, waiting=active.waiting)
            for name in sorted(touched)
            if (active := self.board.releases.get(name)) is not None
        ]
        self.reporter.write(ledger, views, ledger.events, now)
        ledger.commit()
        after = Ledger(self.ports.store, self.versions)
        if errands:
            ticked.writes = sum(len(unit) for unit in errands)
            done = act(
                self.ports.fleet,
                self.ports.pool,
                errands,
                stopped=self._stop_asked,
                now=self.ports.clock.now,
            )
            self._outcomes(done, after, now)
        self._put_away(after, now, ticked)
        self.reporter.send(after)
        after.commit()
        if len(self.board.blobs) > BLOBS_KEPT:
            self.board.blobs.clear()
        self.problems = ticked.problems
        return ticked

    def next_due(self) -> datetime | None:
        """When something is due by itself; None when only news can move anything."""
        times = [active.wake for active in self.board.releases.values() if active.wake]
        times += [stop.until for stop in self.board.stops.values()]
        return min(times, default=None)

    # observe

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
        )
        board.rules = rules
        return board

    def _after_a_crash(self, ledger: Ledger, now: datetime) -> None:
        """Writes that were intended when the process ended may or may not have left: the look tells."""
        for intent in self.ports.store.rows(Intent, open=True):
            if intent.status is IntentStatus.INTENDED:
                ledger.put(
                    replace(intent, status=IntentStatus.UNKNOWN, outcome="the bot ended", ended=now)
                )
        restored = self.ports.store.mark("restored-from")
        if restored is not None:
            hold = Hold(
                id="store/restored",
                scope="all",
                code=HoldCode.RESTORED,
                reason=restored,
                by="sluice",
                at=now,
            )
            self.board.holds[hold.id] = hold
            ledger.put(hold)
            ledger.marks["restored-from"] = None

    def _take_notes(self, now: datetime, ledger: Ledger, ticked: Ticked) -> None:
        notes = sorted(self.ports.store.notes(), key=lambda note: (not is_stop(note), note.id))
        for note in notes:
            take_note(self.ports.store, self.board, self.versions, note, now, ledger)
            ticked.notes += 1
        if notes:
            self._renew_freezes()

    def _notice(self, now: datetime, ledger: Ledger, ticked: Ticked) -> None:
        try:
            if ledger.marks.pop("rewritten", None):
                ledger.marks[MAIN] = self.ports.git.head()
            noticed = self.noticer.notice(now, ledger)
            if noticed.rules or not self._rules_set:
                head = ledger.marks.get(MAIN) or self.ports.store.mark(MAIN)
                if head is not None:
                    _, links = self.noticer.set_rules(head, now, ledger)
                    self.ports.fleet.connect(links)
                    self._rules_set = True
        except PortError as error:
            ticked.problems.append(error.why)
            log.warning("the Git host does not answer: %s", error.why)
            return
        for pull, shown in noticed.pulls:
            self.reporter.pull(ledger, self.board, pull, shown, now)

    _rules_set = False

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
                errands += self._take(active, step, now, ledger, touched)
        seen = self._look(later, now)
        ticked.looks = len(seen)
        for active, asks in later:
            step = self._safely(active, now, ledger, {unit: seen[unit] for unit in asks})
            if step is not None:
                errands += self._take(active, step, now, ledger, touched)
                if step.asks:
                    active.wake = now
        ticked.released = len(due)
        return errands

    def _look(
        self, wanted: Sequence[tuple[Active, frozenset[str]]], now: datetime
    ) -> Mapping[str, UnitSeen]:
        units: dict[str, UnitPlan] = {}
        for active, asks in wanted:
            for unit in sorted(asks):
                fetch(self.ports.store, self.board, active, unit)
                units[unit] = active.index.units[unit]
        return look(self.ports.fleet, self.ports.pool, units.values(), now)

    def _safely(
        self, active: Active, now: datetime, ledger: Ledger, seen: Mapping[str, UnitSeen]
    ) -> Step | None:
        """A bug stops the release that it shows in, and no other."""
        try:
            return advance(self.board.situation(active, now, seen))
        except Exception as error:  # noqa: BLE001 a bug is reported and stops this release
            log.exception("a bug stops %s", active.state.release)
            active.dirty, active.wake = False, None
            self._hold(active, HoldCode.BUG, bug(error), now, ledger, trace=traceback.format_exc())
            return None

    def _take(
        self, active: Active, step: Step, now: datetime, ledger: Ledger, touched: set[str]
    ) -> list[list[Errand]]:
        """Make a step true on the board and in the ledger; the writes it wants, as intents."""
        name = active.state.release
        before, rows = active.state, dict(active.units)
        step, errands = self._intend(active, step, now, ledger)
        if self.board.take(active, step):
            self._wake_waiting(name)
        for unit, row in step.units.items():
            if replace(row, look_at=None) != replace(rows[unit], look_at=None):
                ledger.put(row)
        if step.state != before:
            ledger.put(step.state)
        ledger.put(*step.decisions, *step.holds, *step.puts)
        for kind, key in step.drops:
            ledger.drop(kind, key)
        ledger.blobs.update(step.blobs)
        ledger.events += step.events
        if step.events or step.units or step.decisions or step.holds or step.state != before:
            touched.add(name)
        self._supersede(active, now, ledger)
        return errands

    def _intend(
        self, active: Active, step: Step, now: datetime, ledger: Ledger
    ) -> tuple[Step, list[list[Errand]]]:
        """Number the writes, and write down each before it leaves."""
        by_unit: dict[str, list[Errand]] = {}
        state, plan = step.state, active.index.plan
        approvers = Turn(self.board.situation(active, now)).approvers() if step.writes else ()
        for unit, write in step.writes:
            state = replace(state, seq=state.seq + 1)
            row = step.units.get(unit) or active.units[unit]
            body = json.dumps(write.body, sort_keys=True, default=str).encode()
            intent = Intent(
                release=state.release,
                unit=unit,
                seq=state.seq,
                fence=f"{state.position}.{state.seq}",
                batch=row.batch,
                purpose=write.purpose.value,
                verb=write.verb,
                ref=write.ref,
                digest=f"sha256:{hashlib.sha256(body).hexdigest()}",
                commit=plan.commit,
                plan_hash=plan.plan_hash,
                approvers=approvers,
                at=now,
            )
            ledger.put(intent)
            ledger.events.append(_write_event(intent))
            cluster = active.index.units[unit].cluster
            by_unit.setdefault(unit, []).append(Errand(cluster=cluster, write=write, intent=intent))
        return replace(step, state=state), list(by_unit.values())

    def _supersede(self, active: Active, now: datetime, ledger: Ledger) -> None:
        """What a release replaces is stopped where it stands, once the new one is ready to begin."""
        names = {
            name
            for line in active.waiting
            if line.wait.code == "superseding"
            for name in line.wait.facts["releases"]
        }
        for name in sorted(names):
            other = self.board.releases.get(name)
            if other is None or other.state.superseded_by:
                continue
            other.state = replace(other.state, superseded_by=active.state.release)
            ledger.put(other.state)
            reason = superseded(active.state.release)
            self._hold(other, HoldCode.SUPERSEDED, reason, now, ledger)
            for unit, row in other.units.items():
                if row.phase.rolling:
                    other.units[unit] = replace(row, look_at=now)
            other.dirty, active.dirty = True, True

    def _hold(
        self,
        active: Active,
        code: HoldCode,
        reason: str,
        now: datetime,
        ledger: Ledger,
        **data: str,
    ) -> None:
        name = active.state.release
        hold = Hold(
            id=f"{name}/{code.value}",
            scope=name,
            code=code,
            reason=reason,
            by="sluice",
            at=now,
            release=name,
        )
        if hold.id in self.board.holds:
            return
        self.board.holds[hold.id] = hold
        ledger.put(hold)
        told = {"scope": name, "code": code.value, "reason": reason, "finish_batch": False, **data}
        ledger.events.append(Event(at=now, kind="hold.set", release=name, data=told))
        active.dirty = True

    def _wake_waiting(self, but: str) -> None:
        """A unit became free or a place in the fleet: who waits for one looks again."""
        for name, active in self.board.releases.items():
            if name != but and any(
                line.wait.code in ("locked", "dependency", "fleet-limit", "superseding")
                for line in active.waiting
            ):
                active.dirty = True

    # record what came of it

    def _stop_asked(self) -> bool:
        return any(is_stop(note) for note in self.ports.store.notes())

    def _outcomes(self, done: Sequence[Intent], ledger: Ledger, now: datetime) -> None:
        for intent in done:
            ledger.put(intent)
            active = self.board.releases.get(intent.release)
            if active is None:
                continue
            active.wake = min(filter(None, (active.wake, now + timedelta(seconds=1))))
            if intent.status is IntentStatus.DONE and intent.purpose in ("forward", "go-on"):
                self._applied(active, intent, ledger)
            elif intent.status is IntentStatus.REFUSED:
                unit = replace(active.units[intent.unit], refused=intent.outcome)
                active.units[intent.unit] = unit
                ledger.put(unit)
                active.dirty = True
            elif "newer fence" in intent.outcome:
                self._hold(active, HoldCode.FENCED, fenced(intent.unit), now, ledger)

    def _applied(self, active: Active, intent: Intent, ledger: Ledger) -> None:
        """The DB spec grows object by object, as the writes succeed."""
        plan = active.index.units[intent.unit]
        component = active.index.component(plan)
        planned = next((p for p in plan.objects if p.ref == intent.ref), None)
        if planned is None or intent.verb == "delete":
            return
        known = self.board.applied.get(intent.unit)
        objects = dict(known.objects) if known else {}
        if objects.get(planned.ref.key) == planned.digest:
            return
        row = Applied(
            unit=intent.unit,
            version=component.version,
            revision=plan.revision,
            release=intent.release,
            fence=intent.fence,
            at=intent.at,
            objects=objects | {planned.ref.key: planned.digest},
        )
        self.board.applied[intent.unit] = row
        ledger.put(row)

    def _put_away(self, ledger: Ledger, now: datetime, ticked: Ticked) -> None:
        """Releases that ended leave the board; one that was rolled back gets its revert proposed first."""
        for name, active in list(self.board.releases.items()):
            if not active.state.phase.ended:
                continue
            if active.state.phase is ReleasePhase.ROLLED_BACK:
                try:
                    propose_revert(
                        self.ports.git, self.planner, active.index.plan, active.state, now
                    )
                except PortError as error:
                    ticked.problems.append(error.why)
                    log.warning("the revert of %s cannot be proposed: %s", name, error.why)
                    continue
            for hold in [h for h in self.board.holds.values() if h.release == name]:
                del self.board.holds[hold.id]
                ledger.drop(Hold, hold.id)
            self.board.remove(name)


class PortFailure(PortError):
    """The bot cannot start: something outside is not as it must be."""


def _write_event(intent: Intent) -> Event:
    return Event(
        at=intent.at,
        kind="write",
        release=intent.release,
        unit=intent.unit,
        batch=intent.batch,
        data={
            "seq": intent.seq,
            "fence": intent.fence,
            "purpose": intent.purpose,
            "verb": intent.verb,
            "object": intent.ref.key,
            "digest": intent.digest,
            "commit": intent.commit,
            "planHash": intent.plan_hash,
            "approvers": list(intent.approvers),
        },
    )
