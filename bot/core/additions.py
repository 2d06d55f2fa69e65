"""Units that join a release while it runs: a recorded amendment of a plan that stays what it was.

The hash of a plan covers what was merged; each addition has a digest of its own, chained to what it
is added to. Renders nothing, and moves no unit that is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from bot.cluster.render import digest
from bot.core.messages_order import JOINED
from bot.model.plan import Addition, ReleasePlan, StagePlan, UnitPlan


def as_merged(plan: ReleasePlan) -> ReleasePlan:
    """The plan without what was added to it since."""
    if not plan.additions:
        return plan
    added = {unit for one in plan.additions for unit in one.units}
    return replace(
        plan,
        additions=(),
        units=tuple(unit for unit in plan.units if unit.unit not in added),
        stages=tuple(_without(stage, added) for stage in plan.stages),
    )


def _without(stage: StagePlan, added: Collection[str]) -> StagePlan:
    waves = (tuple(name for name in wave if name not in added) for wave in stage.waves)
    return replace(stage, waves=tuple(wave for wave in waves if wave))


def same_definition(plan: ReleasePlan, again: ReleasePlan) -> bool:
    """Whether a plan made anew renders every unit of the frozen one as it was frozen."""
    revisions = {unit.unit: unit.revision for unit in again.units}
    return all(revisions.get(unit.unit) in (unit.revision, None) for unit in as_merged(plan).units)


def amended(
    plan: ReleasePlan, again: ReleasePlan, clusters: Collection[str], at: datetime, commit: str
) -> ReleasePlan | None:
    """The plan with the units of these clusters behind all others of their stages, as `again` has
    them; None where no stage of it takes one.
    """
    places = {stage.name: number for number, stage in enumerate(plan.stages)}
    known = {unit.unit for unit in plan.units}
    new: list[UnitPlan] = []
    stages = list(plan.stages)
    for number, stage in enumerate(again.stages):
        at_stage = places.get(stage.name)
        if at_stage is None:
            continue
        joining = [
            unit
            for unit in again.units
            if unit.stage == number and unit.cluster in clusters and unit.unit not in known
        ]
        for wave in sorted({unit.wave for unit in joining}):
            here = stages[at_stage]
            units = [
                replace(unit, stage=at_stage, wave=len(here.waves), reason=JOINED)
                for unit in joining
                if unit.wave == wave
            ]
            names = tuple(unit.unit for unit in units)
            stages[at_stage] = replace(here, waves=(*here.waves, names))
            new += units
    if not new:
        return None
    before = plan.additions[-1].digest if plan.additions else plan.plan_hash
    addition = Addition(
        digest=_digest(before, new), at=at, commit=commit, units=tuple(unit.unit for unit in new)
    )
    units_now = sorted((*plan.units, *new), key=lambda unit: (unit.stage, unit.wave))
    return replace(
        plan,
        units=tuple(units_now),
        stages=tuple(stages),
        additions=(*plan.additions, addition),
    )


def sound(plan: ReleasePlan) -> bool:
    """Whether what was added to a plan is what was recorded then, each unit in its wave."""
    units = {unit.unit: unit for unit in plan.units}
    before = plan.plan_hash
    for one in plan.additions:
        new = [units[name] for name in one.units if name in units]
        placed = all(unit.unit in plan.stages[unit.stage].waves[unit.wave] for unit in new)
        if len(new) < len(one.units) or not placed or _digest(before, new) != one.digest:
            return False
        before = one.digest
    return True


def _digest(before: str, new: Iterable[UnitPlan]) -> str:
    """Over the plan that it is added to, and every added unit with its place and its objects."""
    facts = [
        [
            unit.unit,
            unit.stage,
            unit.wave,
            unit.revision,
            [o.digest for o in unit.objects],
        ]
        for unit in new
    ]
    return digest({"before": before, "units": facts})
