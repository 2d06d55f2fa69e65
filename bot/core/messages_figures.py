"""What a view of a release comes to in figures: how far, how many, from what to what.

Counts what is there; the words are made elsewhere. Never decides what follows from a figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.model.gate import ReleaseView, Stop, Waiting
from bot.model.message import Tone
from bot.model.plan import StagePlan
from bot.model.state import (
    Decision,
    DecisionStatus,
    Hold,
    HoldCode,
    ReleasePhase,
    UnitPhase,
    UnitState,
)

SMALL = 12
"""Up to so many units a release is told batch by batch; above, only wave by wave."""

_GONE_WELL = (UnitPhase.SUCCEEDED, UnitPhase.SKIPPED, UnitPhase.QUARANTINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFigures:
    """One stage in counts. `wave` is the one that moves or comes next, counted from 1."""

    name: str
    units: int
    done: int
    skipped: int
    quarantined: int
    failed: int
    restored: int
    restoring: int
    failed_back: int
    left_alone: int
    began: bool
    wave: int
    waves: int

    @property
    def complete(self) -> bool:
        return self.done + self.skipped + self.quarantined == self.units


def small(view: ReleaseView) -> bool:
    return len(view.plan.units) <= SMALL


def phase_of(view: ReleaseView, unit: str) -> UnitPhase:
    state = view.units.get(unit)
    return UnitPhase.PENDING if state is None else state.phase


def in_phase(view: ReleaseView, *phases: UnitPhase) -> tuple[str, ...]:
    """Units in one of the phases, in the order of the plan."""
    return tuple(u.unit for u in view.plan.units if phase_of(view, u.unit) in phases)


def done_units(view: ReleaseView) -> int:
    """Units that succeeded: in a rollback, those that are what they were before."""
    wanted = UnitPhase.ROLLED_BACK if going_back(view) else UnitPhase.SUCCEEDED
    return len(in_phase(view, wanted))


def going_back(view: ReleaseView) -> bool:
    return view.state.phase in (ReleasePhase.ROLLING_BACK, ReleasePhase.ROLLED_BACK)


def sent_back(view: ReleaseView) -> tuple[str, ...]:
    """Units that were sent back, whatever came of it: what failed there or was left stays one."""
    phases = (UnitPhase.ROLLED_BACK, UnitPhase.ROLLING_BACK)
    return tuple(
        u.unit
        for u in view.plan.units
        if (state := view.units.get(u.unit)) is not None and (state.back or state.phase in phases)
    )


def touched(view: ReleaseView) -> tuple[str, ...]:
    """Units that a first write was intended for."""
    return tuple(u for u, state in view.units.items() if state.began is not None)


def in_flight(view: ReleaseView) -> tuple[UnitState, ...]:
    states = (view.units.get(u.unit) for u in view.plan.units)
    return tuple(state for state in states if state is not None and state.in_flight)


def pods(view: ReleaseView) -> tuple[int, int]:
    """Pods updated and in all, of the units that were looked at."""
    states = [state for state in view.units.values() if state.total]
    return sum(state.updated for state in states), sum(state.total for state in states)


def stages(view: ReleaseView) -> Iterator[StageFigures]:
    for stage in view.plan.stages:
        yield _stage(view, stage)


def current_stage(view: ReleaseView) -> StageFigures | None:
    """The first stage that is not complete."""
    return next((stage for stage in stages(view) if not stage.complete), None)


def from_versions(view: ReleaseView) -> tuple[str, ...]:
    """What ran before, most frequent first; nothing while no unit was looked at. Without what the
    release brings: a part of a cluster finds what its sibling has just written there.
    """
    brought = {component.version for component in view.plan.components}
    counts: dict[str, int] = {}
    for state in view.units.values():
        version = (state.before_revision or "").partition("@")[0]
        if version and version not in brought:
            counts[version] = counts.get(version, 0) + 1
    return tuple(sorted(counts, key=lambda version: (-counts[version], version)))


def open_decisions(view: ReleaseView) -> tuple[Decision, ...]:
    found = [d for d in view.decisions if d.status is DecisionStatus.OPEN]
    return tuple(sorted(found, key=lambda decision: decision.number))


def foremost(waiting: Iterable[Waiting]) -> tuple[Waiting, ...]:
    """The lines in order of weight: what stopped, what people must clear, what clears by itself."""
    return tuple(sorted(waiting, key=_weight))


_QUIET = {HoldCode.PAUSED: 1, HoldCode.SNOOZED: 2}
"""Holds of a person who meant them: what stopped by itself is told before them."""


def stopping(view: ReleaseView) -> Hold | None:
    """The hold that a failure or a rule made, before one of a person."""
    holds = sorted(view.holds, key=lambda hold: (_QUIET.get(hold.code, 0), hold.at, hold.id))
    return holds[0] if holds else None


def awaits_a_word(view: ReleaseView) -> bool:
    """Whether a unit waits without end for a person, though no decision is open."""
    return any(line.wait.code in ("drift", "irreversible", "guarded") for line in view.waiting)


def tone(view: ReleaseView) -> Tone:
    """The state word of a release."""
    phase = view.state.phase
    asks = bool(open_decisions(view)) or awaits_a_word(view)
    if phase is ReleasePhase.ROLLING_BACK:
        return Tone.DECISION if asks else Tone.ROLLING_BACK
    if phase is ReleasePhase.SUCCEEDED:
        return Tone.HEALTHY
    if phase.ended:
        return Tone.DONE
    hold = stopping(view)
    if hold is not None and hold.code not in _QUIET:
        return Tone.STOPPED
    if asks:
        return Tone.DECISION
    if hold is not None:
        return Tone.PAUSED
    if any(isinstance(line.wait, Stop) for line in view.waiting):
        return Tone.STOPPED
    if any(state.phase.rolling for state in view.units.values()):
        return Tone.ROLLING
    return Tone.WAITING


def _stage(view: ReleaseView, stage: StagePlan) -> StageFigures:
    phases = [[phase_of(view, unit) for unit in wave] for wave in stage.waves]
    flat = [phase for wave in phases for phase in wave]
    unfinished = (i for i, wave in enumerate(phases, 1) if any(p not in _GONE_WELL for p in wave))
    states = [s for wave in stage.waves for unit in wave if (s := view.units.get(unit))]
    back = (UnitPhase.ROLLED_BACK, UnitPhase.ROLLING_BACK)
    stays = [s for s in states if s.began is not None and s.phase not in back]
    failed_back = sum(s.back and s.phase is UnitPhase.FAILED for s in stays)
    return StageFigures(
        name=stage.name,
        units=len(flat),
        done=flat.count(UnitPhase.SUCCEEDED),
        skipped=flat.count(UnitPhase.SKIPPED),
        quarantined=flat.count(UnitPhase.QUARANTINED),
        failed=flat.count(UnitPhase.FAILED),
        restored=flat.count(UnitPhase.ROLLED_BACK),
        restoring=flat.count(UnitPhase.ROLLING_BACK),
        failed_back=failed_back,
        left_alone=len(stays) - failed_back,
        began=any(state.began is not None for state in states),
        wave=next(unfinished, len(phases)),
        waves=len(phases),
    )


# What weighs more stands first; codes that are not named clear by themselves.
_WEIGHTS = {
    "check": 2,
    "held": 1,
    "stage-failures": 1,
    "rebuilt": 1,
    "plan-changed": 1,
    "undo": 3,
    "unreachable-many": 3,
    "undo-data": 3,
    "irreversible": 3,
    "drift": 3,
    "guarded": 3,
    "guard-asks": 3,
    "leftovers": 3,
    "approval": 3,
    "blocked": 4,
    "no-evidence": 4,
    "main-broken": 4,
    "refused": 2,
    "unreachable": 5,
    "uncounted": 5,
    "sick": 5,
    "converging": 6,
    "soaking": 6,
    "restoring": 6,
    "window": 7,
    "does-not-fit": 7,
    "not-before": 7,
    "risk-error": 4,
    "risk": 8,
    "host": 8,
    "day-limit": 8,
    "dependency-half": 4,
    "dependency-first": 8,
    "dependency": 8,
    "needs": 8,
    "locked": 8,
    "superseding": 8,
    "fleet-limit": 9,
    "concurrency": 10,
    "earlier-wave": 11,
    "earlier-stage": 12,
    "rollback-order": 12,
    "dependents-first": 12,
    "not-due": 13,
}


def _weight(line: Waiting) -> tuple[bool, int]:
    return (not isinstance(line.wait, Stop), _WEIGHTS.get(line.wait.code, 9))
