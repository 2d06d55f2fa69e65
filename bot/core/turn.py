"""One turn of one release: the situation, and what has been worked out in it so far.

The lifecycle writes into a turn; gates only read from it. Lives for one call and is never kept.
"""

from __future__ import annotations

from collections import ChainMap
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any, cast
from zoneinfo import ZoneInfo

from bot.cluster.drive import drive
from bot.cluster.facts import facts
from bot.cluster.goal import Goal, Mode, Progress
from bot.cluster.guard import Allowance
from bot.cluster.guard_hold import as_left
from bot.core import installs
from bot.core.around import Around
from bot.core.failed import Failures
from bot.core.floors import floor_checks
from bot.core.fronts import Fronts
from bot.core.goals import goal_of, leaving_back, leaving_of
from bot.core.guard_lists import GUARD, stricter_of
from bot.core.lifting import LIFTED_BY as LIFTED_BY
from bot.core.situation import Situation, Unit
from bot.core.votes import Votes
from bot.model.effects import Write
from bot.model.leftover import LEFTOVERS
from bot.model.plan import JSON, UnitPlan
from bot.model.state import (
    CheckRun,
    Decision,
    Event,
    Hold,
    UnitPhase,
    UnitState,
)
from checks import frame
from checks.verdict import Verdict


class Turn(Votes):
    """The working copy of a situation. `units`, `decisions`, `holds` and `state` are as of now in
    this turn.
    """

    def __init__(self, s: Situation) -> None:
        super().__init__(s)
        self.units: dict[str, UnitState] = dict(s.units)
        self.holds: list[Hold] = list(s.holds)
        self.events: list[Event] = []
        self.writes: list[tuple[str, Write]] = []
        self.asks: set[str] = set()
        self.puts: list[Any] = []
        self.drops: list[tuple[type, str]] = []
        self.blobs: dict[str, JSON] = {}
        self.may_go_back: dict[str, bool] = {}
        """Unit → whether holds and calendar let it go back, once asked."""
        self.places_back: dict[int, set[str]] | None = None
        """Stage → units that have a place among those that go back at once, once asked."""
        self._progress: dict[tuple[str, Mode], Progress] = {}
        self._goals: dict[tuple[str, Mode], tuple[UnitState, tuple[Decision, ...], Goal]] = {}
        self.around = Around(s, self.units)
        self.failures = Failures(s.index, self.units)
        self.fronts = Fronts(s.index, self.units, self.failures)
        self._in_flight_of: dict[int, int] = {}
        self.in_flight = s.in_flight + sum(unit.in_flight for unit in self.units.values())

    # what gates ask

    def unit(self, name: str) -> Unit:
        """The unit as it stands in this turn."""
        plan = self.s.index.units[name]
        return Unit(plan, self.units[name], self.s.index.component(plan), self.s.index.stage(plan))

    def in_flight_of(self, stage: int) -> int:
        if stage not in self._in_flight_of:
            waves = self.s.plan.stages[stage].waves
            self._in_flight_of[stage] = sum(self.units[n].in_flight for w in waves for n in w)
        return self._in_flight_of[stage]

    @cached_property
    def not_before(self) -> datetime | None:
        """The release's `notBefore` in UTC; a local time that does not exist means the moment of
        the jump.
        """
        written = (self.s.plan.spec or {}).get("notBefore")
        if not written:
            return None
        local = datetime.fromisoformat(str(written["at"])).replace(tzinfo=ZoneInfo(written["zone"]))
        return local.astimezone(ZoneInfo("UTC"))

    def must_look(self, u: Unit) -> bool:
        """Whether the cluster has to be seen in this tick for the unit to go on."""
        if u.state.phase is not UnitPhase.PENDING or u.state.unreachable_since is not None:
            return self.look_is_due(u)
        if not self.awaits_people(u.plan):
            return True
        return any(self.is_due(u, run) for run in self.runs(u, "before"))

    def look_is_due(self, u: Unit) -> bool:
        return u.state.look_at is not None and u.state.look_at <= self.s.now

    def progress(self, u: Unit, mode: Mode | None = None) -> Progress | None:
        """How far the unit is, by what was seen in this tick; None when it was not seen."""
        seen = self.s.seen.get(u.plan.unit)
        if seen is None or not seen.reachable:
            return None
        mode = mode or (Mode.RESTORE if u.state.phase is UnitPhase.ROLLING_BACK else Mode.FORWARD)
        key = (u.plan.unit, mode)
        if key not in self._progress:
            self._progress[key] = drive(self.goal(u, mode), seen, self.s.now)
        return self._progress[key]

    def is_another(self, u: Unit) -> bool:
        """Whether what answered in this tick is not what answered at first contact: rebuilt, or
        the connection points elsewhere. Nothing at all is written there, not even a stop.
        """
        seen, known = self.s.seen.get(u.plan.unit), self.s.clusters.get(u.plan.cluster)
        return bool(seen and seen.reachable and known and known.uid != seen.uid)

    def forget_progress(self, unit: str) -> None:
        """The unit's goal has changed: what was worked out for it is void."""
        for mode in Mode:
            self._progress.pop((unit, mode), None)
            self._goals.pop((unit, mode), None)

    def facts(self, u: Unit, when: str) -> JSON:
        """What checks may look at; {} when the cluster could not be asked."""
        progress = self.progress(u)
        if progress is None:
            return {}
        found = facts(self.goal(u, Mode.FORWARD), self.s.seen[u.plan.unit], progress)
        return {
            **found,
            "unit": u.plan.unit,
            "component": u.component.name,
            "version": u.component.version,
            "cluster": {"name": u.plan.cluster, "labels": dict(u.plan.labels)},
            "batch": u.state.batch,
            "when": when,
        }

    def goal(self, u: Unit, mode: Mode) -> Goal:
        """What the driver has to reach for this unit."""
        if u.plan.nodes is not None or u.state.leaving or u.state.added or u.state.undo:
            return self._made_goal(u, mode)  # hangs on more than the unit and what people said
        said = tuple(self.decisions.values())
        known = self._goals.get((u.plan.unit, mode))
        if known is None or known[0] is not u.state or known[1] != said:
            known = u.state, said, self._made_goal(u, mode)
            self._goals[u.plan.unit, mode] = known
        return known[2]

    def _made_goal(self, u: Unit, mode: Mode) -> Goal:
        blobs = ChainMap(self.blobs, cast("dict[str, JSON]", self.s.blobs))
        known = self.s.rules.components.get(u.component.name)
        lists = stricter_of(u.component.guard, known)
        allowed = Allowance(lists=lists, granted=self.marks(GUARD))
        goal = goal_of(self.s, self.units, blobs, u, mode, allowed)
        if leaving := leaving_of(self.s, self.state, u, blobs, self.marks(LEFTOVERS)):
            goal = replace(goal, leaving=leaving)
        if mode is Mode.RESTORE and u.state.undo:
            spared = installs.spared(self.s, self.state, self.units, u, blobs)
            goal = replace(goal, spared=frozenset(ref.key for ref in spared))
        if mode is Mode.RESTORE and u.state.added:
            goal = replace(goal, leaving=leaving_back(self.s, self.state, self.units, u, blobs))
        return as_left(goal, self.s.seen.get(u.plan.unit))

    def runs(self, u: Unit, when: str) -> tuple[CheckRun, ...]:
        """The checks of the batch in hand, those not yet measured included."""
        if when == "before":
            names = u.component.checks_before
        else:
            asked = (*u.component.checks_after, *floor_checks(self.s, u.component))
            names = tuple(dict.fromkeys(asked))
        kept = {run.name: run for run in u.state.checks if run.when == when}
        return tuple(kept.get(name) or CheckRun(name=name, when=when) for name in names)

    def definition(self, name: str) -> JSON:
        plan, main = self.s.plan.checks, self.s.rules.checks
        return plan.get(name) or main.get(name) or frame.BUILTIN.get(name, {})

    def is_due(self, u: Unit, run: CheckRun) -> bool:
        at = frame.next_at(self.definition(run.name), run.measurements, self.s.now)
        return at is not None and at <= self.s.now

    def next_measurement(self, u: Unit, run: CheckRun) -> datetime | None:
        """When the check is asked again, while it has not said all; never in the past."""
        at = frame.next_at(self.definition(run.name), run.measurements, self.s.now)
        return at if at is not None and at > self.s.now else None

    def is_first_install(self, u: Unit) -> bool:
        """Nothing of the unit was there before the release. What a task makes is no install."""
        return (
            not u.component.task
            and bool(u.state.before)
            and all(before.digest is None for before in u.state.before or ())
        )

    def newer_back(self, plan: UnitPlan) -> list[str]:
        """Units of newer waves that are still going back."""
        here = (plan.stage, plan.wave)
        return [
            name
            for name, unit in self.units.items()
            if unit.phase is UnitPhase.ROLLING_BACK
            and (self.s.index.units[name].stage, self.s.index.units[name].wave) > here
        ]

    # what the lifecycle does

    def put(self, unit: UnitState) -> None:
        before = self.units[unit.unit]
        if change := unit.in_flight - before.in_flight:
            self.in_flight += change
            stage = self.s.index.units[unit.unit].stage
            self._in_flight_of[stage] = self.in_flight_of(stage) + change
        self.around.note(before, unit)
        self.failures.note(before, unit)
        self.units[unit.unit] = unit
        if self.places_back is not None and not unit.moves_back:
            self.places_back[self.s.index.units[unit.unit].stage].discard(unit.unit)
        if before.phase.ended != unit.phase.ended or (
            self.s.index.several and before.phase is not unit.phase
        ):
            self.fronts.forget()

    def tell(self, kind: str, unit: str = "", *, actor: str = "sluice", **data: JSON) -> None:
        """One line for the audit, and perhaps for the thread."""
        batch = self.units[unit].batch if unit else 0
        self.events.append(
            Event(
                at=self.s.now,
                kind=kind,
                release=self.s.name,
                unit=unit,
                batch=batch,
                who=actor,
                data=data,
            )
        )

    def hold(self, hold: Hold, **facts: JSON) -> None:
        """Hold something, once."""
        if all(other.id != hold.id for other in self.holds):
            self.holds.append(hold)
            self.tell(
                "hold.set",
                actor=hold.by,
                scope=hold.scope,
                code=hold.code.value,
                reason=hold.reason,
                finish_batch=hold.finish_batch,
                **facts,
            )

    def measure(self, name: str, when: str) -> None:
        """Ask every check of the batch that is due, of what was seen in this tick."""
        u = self.unit(name)
        if self.s.seen.get(name) is None:
            return
        found: dict[str, JSON] | None = None
        for run in self.runs(u, when):
            if not self.is_due(u, run):
                continue
            found = self.facts(u, when) if found is None else found
            self._record(name, run, frame.measure(self.definition(run.name), found, self.s.now))

    def _record(self, name: str, run: CheckRun, measurement: Any) -> None:
        definition = self.definition(run.name)
        taken = frame.keep(definition, (*run.measurements, measurement))
        verdict = frame.judge(definition, taken)
        after = replace(run, measurements=taken, verdict=verdict, why=frame.why(definition, taken))
        unit = self.units[name]
        others = tuple(c for c in unit.checks if (c.name, c.when) != (run.name, run.when))
        self.put(replace(unit, checks=(*others, after)))
        if verdict is not run.verdict and verdict is not Verdict.PENDING:
            self.tell(
                "check", name, name=run.name, when=run.when, verdict=verdict.name, why=after.why
            )
