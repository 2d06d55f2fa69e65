"""The floors of the policy of now, where they are stricter than the plan: silence, checks, waves.

Read live from main; a floor that was lowered changes nothing that was planned.
"""

from __future__ import annotations

from datetime import timedelta

from bot.core.situation import Situation, Unit
from bot.model.plan import ComponentPlan


def soaks(s: Situation, unit: Unit) -> tuple[timedelta, timedelta]:
    """(between batches, after the last): the plan's, or the floors of now where they are
    stricter.
    """
    between, after = unit.component.batch_soak, max(unit.component.soak, unit.stage.soak)
    for floor in s.rules.policy.spec.floors:
        if floor.components.matches(unit.component.labels, unit.component.name):
            between = max(between, floor.batch_soak or timedelta())
            after = max(after, floor.soak or timedelta())
    return between, after


def floor_checks(s: Situation, component: ComponentPlan) -> tuple[str, ...]:
    """Checks after a batch that the floors of now ask; they are of components, not of tasks."""
    if component.task:
        return ()
    return tuple(
        name
        for floor in s.rules.policy.spec.floors
        if floor.components.matches(component.labels, component.name)
        for name in floor.checks
    )


def floor_first_wave(s: Situation, component: ComponentPlan) -> int | None:
    """The most units that the floors of now let the first wave of a stage have."""
    asked = (
        floor.first_wave
        for floor in s.rules.policy.spec.floors
        if floor.components.matches(component.labels, component.name)
    )
    return min((most for most in asked if most is not None), default=None)
