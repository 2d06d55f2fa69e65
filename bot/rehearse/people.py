"""The people of a rehearsal: they answer what they are asked, after a while, and what fails.

Every answer goes through the inbox, as a command of a person does; whether it is let through is
the engine's to judge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.board import Active, Board
from bot.core.messages_rehearsal import REASON
from bot.model.gate import ReleaseView
from bot.model.state import DecisionStatus, HoldCode, UnitPhase
from bot.ports import Store

MOST_ROLLBACKS = 2
"""A way back that failed is tried once more; then it needs more than a rehearsal knows."""


@dataclass(frozen=True, slots=True, order=True)
class Answering:
    """A command that somebody will give. `key` makes it one, however often it is thought of."""

    at: datetime
    key: str
    by: str
    command: str
    release: str


@dataclass(slots=True)
class People:
    """`on_failure`: rollback | skip | wait, what an operator does when a release stops itself."""

    store: Store
    answers_after: timedelta
    on_failure: str
    pending: list[Answering] = field(default_factory=list)
    given: list[tuple[int, Answering]] = field(default_factory=list)
    """Notes that were left and whose answer was not read yet."""
    thought_of: set[str] = field(default_factory=set)
    nobody: dict[str, int] = field(default_factory=dict)
    """Decision → how many people are missing to answer it."""

    def hear(self, board: Board, active: Active, view: ReleaseView, now: datetime) -> None:
        """What is asked of people now, and what they will say to it."""
        for decision in view.decisions:
            if decision.status is not DecisionStatus.OPEN:
                continue
            have = {vote.by for vote in decision.votes}
            missing = view.needs.get(decision.id, decision.count) - len(have)
            can = [one for one in view.deciders.get(decision.id, ()) if one not in have]
            if missing > len(can):
                self.nobody[decision.id] = missing - len(can)
            else:
                self.nobody.pop(decision.id, None)
            key = f"{decision.id}/{decision.plan_hash}"
            silent = sorted(one for one in can if f"{key}/{one}" not in self.thought_of)
            voices = silent[: max(0, missing - (len(can) - len(silent)))]
            for person in voices:
                self._will_say(f"{key}/{person}", person, f"approve {decision.id}", active, now)
        self._after_failure(board, active, now)

    def speak(self, now: datetime) -> None:
        """Leave the notes that are due."""
        due = sorted(one for one in self.pending if one.at <= now)
        self.pending = [one for one in self.pending if one.at > now]
        for one in due:
            note = self.store.note(
                f"rehearsal/{one.key}",
                one.command,
                by=one.by,
                surface="rehearsal",
                at=now,
                data={},
            )
            self.given.append((note, one))

    def due(self) -> datetime | None:
        return min((one.at for one in self.pending), default=None)

    def _after_failure(self, board: Board, active: Active, now: datetime) -> None:
        name = active.state.release
        holds = [h for h in board.holds.values() if h.release == name]
        failed = [h for h in holds if h.code is HoldCode.FAILED]
        if self.on_failure == "wait" or not failed:
            return
        owners = [owner for one in active.index.plan.components for owner in one.owners]
        verb = self.on_failure
        can = board.rules.directory.who_may(verb, owners)
        if not can:
            return
        if verb == "rollback":
            command = f'rollback {name} --reason "{REASON}"'
            tried = sum(one.startswith(f"{name}/rollback/") for one in self.thought_of)
            if tried < MOST_ROLLBACKS:
                key = f"{name}/rollback/{failed[0].at.isoformat()}"
                self._will_say(key, can[0], command, active, now)
            return
        for unit in active.index.plan.units:
            state = active.units[unit.unit]
            if state.phase is UnitPhase.FAILED and not state.back:
                command = f'skip {unit.unit} --reason "{REASON}"'
                self._will_say(f"{name}/skip/{unit.unit}", can[0], command, active, now)

    def _will_say(self, key: str, by: str, command: str, active: Active, now: datetime) -> None:
        if key in self.thought_of:
            return
        self.thought_of.add(key)
        at = now + self.answers_after
        self.pending.append(
            Answering(at=at, key=key, by=by, command=command, release=active.state.release)
        )
