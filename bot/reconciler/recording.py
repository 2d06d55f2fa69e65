"""Makes steps true: rows into the ledger, writes numbered as intents, outcomes remembered.

Every write is written down before it leaves (law 6). Sends nothing itself and decides nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.cluster.tasks import is_call
from bot.core import chain_rows, siblings
from bot.core.begin import safe_of
from bot.core.board import Active, Board
from bot.core.lifecycle import Step
from bot.core.messages_endings import fenced, superseded
from bot.core.pace import FOR_ROOM
from bot.core.situation import reaches
from bot.core.turn import Turn
from bot.model.state import Applied, Event, Hold, HoldCode, Intent, IntentStatus, Tally, UnitPhase
from bot.ports import Store
from bot.reconciler.acting import Errand, met
from bot.reconciler.hearing import is_stop
from bot.reconciler.ledger import Ledger

MET_AGAIN = timedelta(milliseconds=200)
"""How soon a cluster is looked at again where somebody else wrote between a look and our write."""
FREED = FOR_ROOM | {"superseding"}
"""Reasons to wait that another release takes away."""


class Recorder:
    """Writes to one board, and to the ledger of the tick in hand."""

    def __init__(self, board: Board) -> None:
        self.board = board

    def take(
        self, active: Active, step: Step, now: datetime, ledger: Ledger, touched: set[str]
    ) -> list[list[Errand]]:
        """Make a step true on the board and in the ledger; the writes it wants, as intents."""
        name = active.state.release
        before, rows = active.state, dict(active.units)
        ledger.events += step.events
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
        self._everywhere(active, step, ledger, touched)
        self._forget_old(step, now, ledger)
        if step.events or step.units or step.decisions or step.holds or step.state != before:
            touched.add(name)
        self._supersede(active, now, ledger)
        return errands

    def _everywhere(self, active: Active, step: Step, ledger: Ledger, touched: set[str]) -> None:
        """A hold of everything is told in every thread that it stops."""
        told = [event for event in step.events if event.kind == "hold.set"]
        for hold in step.holds:
            if hold.release is not None:
                continue
            self.board.wake_all()
            said = next(event for event in told if event.data["scope"] == hold.scope)
            for other, _ in self.board.reached(hold.scope):
                if other is not active:
                    name = other.state.release
                    ledger.events.append(replace(said, release=name, unit="", batch=0))
                    touched.add(name)

    def _forget_old(self, step: Step, now: datetime, ledger: Ledger) -> None:
        """When something is counted, what is older than a day is counted no more."""
        if not any(isinstance(row, Tally) for row in step.puts):
            return
        for key in self.board.tally.over(now):
            self.board.tally.forget(key)
            ledger.drop(Tally, key)

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
                fence=state.fence(row),
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
            ledger.events.append(chain_rows.line_of(intent))
            cluster = active.index.units[unit].cluster
            by_unit.setdefault(unit, []).append(Errand(cluster=cluster, write=write, intent=intent))
        return replace(step, state=state), list(by_unit.values())

    def _supersede(self, active: Active, now: datetime, ledger: Ledger) -> None:
        """What a release replaces is stopped where it stands, once the new one can begin."""
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
            self.hold(other, HoldCode.SUPERSEDED, reason, now, ledger)
            for unit, row in other.units.items():
                if row.phase.rolling:
                    other.units[unit] = replace(row, look_at=now)
            other.dirty, active.dirty = True, True

    def hold(
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

    def is_held(self, errand: Errand, holds: Sequence[Hold]) -> bool:
        """Whether one of the holds that stand now stops what the errand brings: it may have been
        set after its write was decided.
        """
        active = self.board.releases.get(errand.intent.release)
        if active is None:
            return False
        what = active.index.covered(errand.intent.release, active.index.units[errand.intent.unit])
        return any(not hold.finish_batch and reaches(hold, what) for hold in holds)

    def _wake_waiting(self, but: str) -> None:
        """A unit became free or a place in the fleet: who waits for one looks again."""
        for name, active in self.board.releases.items():
            if name != but and not active.dirty and active.waits_for(FREED):
                active.dirty = True

    def outcomes(self, done: Sequence[Intent], ledger: Ledger, now: datetime) -> None:
        for intent in done:
            ledger.put(intent)
            ledger.events += chain_rows.outcome_of(intent)
            active = self.board.releases.get(intent.release)
            if active is None:
                continue
            active.wake = min(filter(None, (active.wake, now + timedelta(seconds=1))))
            if met(intent):
                _look_soon(active, intent.unit, now)
            if intent.status is IntentStatus.DONE and _changes_what_is_applied(intent):
                self._applied(active, intent, ledger)
            elif intent.status is IntentStatus.REFUSED:
                unit = replace(active.units[intent.unit], refused=intent.outcome)
                active.units[intent.unit] = unit
                ledger.put(unit)
                active.dirty = True
            elif intent.status is IntentStatus.FENCED:
                self.hold(active, HoldCode.FENCED, fenced(intent.unit), now, ledger)
                unit = active.units[intent.unit]
                if unit.phase is UnitPhase.ROLLING_BACK:
                    active.units[intent.unit] = replace(unit, fenced=True)
                    ledger.put(active.units[intent.unit])
                    active.dirty = True

    def _applied(self, active: Active, intent: Intent, ledger: Ledger) -> None:
        """The DB spec grows object by object, as the writes succeed."""
        plan = active.index.units[intent.unit]
        component = active.index.component(plan)
        planned = next((p for p in (*plan.objects, *plan.undo) if p.ref == intent.ref), None)
        if planned is None or intent.verb == "delete":
            return
        known = self.board.applied.get(intent.unit)
        objects = dict(known.objects) if known else {}
        digest = active.units[plan.unit].wanted(planned)
        if objects.get(planned.ref.key) == digest:
            return
        row = Applied(
            unit=intent.unit,
            version=component.version,
            revision=plan.revision,
            release=intent.release,
            fence=intent.fence,
            at=intent.at,
            objects=objects | {planned.ref.key: digest},
            safe=safe_of(active.units[intent.unit]),
            safe_revision=active.units[intent.unit].before_revision or "",
            safe_release=active.units[intent.unit].before_release or "",
            leftovers=known.leftovers if known else {},
            refused=known.refused if known else {},
        )
        self.board.applied[intent.unit] = row
        ledger.put(row)
        shared, lock = active.index.shared[plan.unit], plan.lock
        ours = siblings.with_shared(shared, lock, self.board.applied.get(lock), row)
        if ours is not None:
            self.board.applied[lock] = ours
            ledger.put(ours)


def _look_soon(active: Active, name: str, now: datetime) -> None:
    """A controller writes its counts all the time while something rolls: a stop that it met comes
    to nothing if it waits for the next look.
    """
    unit, soon = active.units[name], now + MET_AGAIN
    if unit.look_at is not None and unit.look_at > soon:
        active.units[name] = replace(unit, look_at=soon)
    active.wake = min(filter(None, (active.wake, soon)))


def _changes_what_is_applied(intent: Intent) -> bool:
    """What goes forward, and a call: only this row tells that it was answered, on the way back
    too.
    """
    return intent.purpose in ("forward", "go-on") or is_call(intent.ref)


def stop_asked(store: Store, recorder: Recorder, errand: Errand) -> bool:
    """Whether somebody asked to stop, or a hold stands, just before a write leaves.

    Of the store, not of the board: another process may have taken the pause, before the holds are
    read. And asked again last: nothing is read between that and the write.
    """

    def asked() -> bool:
        return any(is_stop(note) for note in store.notes())

    held = asked() or recorder.is_held(errand, store.rows(Hold, live=True))
    return held or asked()


def is_open(store: Store, intent: Intent) -> bool:
    """Whether nobody has written down yet what came of it."""
    kept = store.get(Intent, intent.key)
    return kept is not None and kept.status is IntentStatus.INTENDED
