"""Which units of a stage failed, and so count against what it tolerates. Never decides."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.situation import PlanIndex
from bot.model.state import UnitPhase, UnitState

BACK = (UnitPhase.ROLLING_BACK, UnitPhase.ROLLED_BACK)


def counts(unit: UnitState) -> bool:
    """FAILED, or taken back because it failed."""
    return unit.phase is UnitPhase.FAILED or (bool(unit.failure) and unit.phase in BACK)


class Failures:
    """Who failed where, kept while a turn goes on: every unit that begins asks for it. Holds the
    rows that the turn works on, and has to be told of every change.
    """

    def __init__(self, index: PlanIndex, units: Mapping[str, UnitState]) -> None:
        self._index, self._units = index, units
        self._known: dict[tuple[int, str], tuple[str, ...]] = {}

    def of(self, stage: int, component: str) -> tuple[str, ...]:
        """Units of a component that failed in a stage, in order."""
        found = self._known.get((stage, component))
        if found is None:
            found = self._known[stage, component] = self._worked_out(stage, component)
        return found

    def number(self, stage: int) -> int:
        """How many units failed in a stage, of all components."""
        return sum(len(self.of(stage, component)) for component in self._index.waves_of)

    def note(self, before: UnitState, after: UnitState) -> None:
        """A unit of the release has changed."""
        if counts(before) is not counts(after):
            plan = self._index.units[after.unit]
            self._known.pop((plan.stage, plan.component), None)

    def _worked_out(self, stage: int, component: str) -> tuple[str, ...]:
        return tuple(
            name
            for (where, _), names in self._index.waves_of.get(component, ())
            if where == stage
            for name in names
            if counts(self._units[name])
        )
