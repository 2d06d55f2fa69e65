"""Which units of a stage failed, and so count against what it tolerates. Never decides."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.situation import PlanIndex, Situation
from bot.model.state import UnitPhase, UnitState


def failed(
    index: PlanIndex, units: Mapping[str, UnitState], stage: int, component: str
) -> tuple[str, ...]:
    """Units of a component that failed in a stage: FAILED, or taken back because they failed."""
    return tuple(
        name
        for (where, _), names in index.waves_of.get(component, ())
        if where == stage
        for name in names
        if units[name].phase is UnitPhase.FAILED
        or (
            units[name].failure
            and units[name].phase in (UnitPhase.ROLLING_BACK, UnitPhase.ROLLED_BACK)
        )
    )


def failures(
    s: Situation, units: Mapping[str, UnitState], stage: int, component: str | None = None
) -> tuple[str, ...]:
    """Units that failed in a stage, of one component or of all."""
    known = s.index.waves_of if component is None else (component,)
    return tuple(name for one in known for name in failed(s.index, units, stage, one))
