"""What stands in the way of a unit inside its own release: the units of its cluster that it needs.

A unit that waits for one that failed is stuck: it has not ended, and nothing waits for it, since
only a person can free it. Questions about rows; changes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.situation import PlanIndex
from bot.model.plan import UnitPlan
from bot.model.state import UnitPhase, UnitState

Place = tuple[int, int]
"""(stage, wave), both counted from 0."""

DONE = (UnitPhase.SUCCEEDED, UnitPhase.SKIPPED)
"""Ends after which what depends on a unit may begin: it is there, or a person left it out."""

IN_THE_WAY = (
    UnitPhase.FAILED,
    UnitPhase.ROLLING_BACK,
    UnitPhase.ROLLED_BACK,
    UnitPhase.QUARANTINED,
)
"""Ends that do not let what depends on a unit begin."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A unit that has to be done first, and the one at which all of it hangs (often the same)."""

    unit: str
    root: UnitState


def obstacle(index: PlanIndex, units: Mapping[str, UnitState], plan: UnitPlan) -> Obstacle | None:
    """The first unit of its release and cluster that it waits for; one that is stuck before one
    that is merely not done.
    """
    found: Obstacle | None = None
    for name in index.needed(plan):
        state = units[name]
        if state.phase in DONE:
            continue
        behind = obstacle(index, units, index.units[name]) if _waits(state) else None
        one = Obstacle(name, behind.root if behind else state)
        if one.root.phase in IN_THE_WAY:
            return one
        found = found or one
    return found


def stuck(index: PlanIndex, units: Mapping[str, UnitState], name: str) -> bool:
    """It waits for a unit that came to no good end: nothing but a person lets it go on."""
    if not index.several or not _waits(units[name]):
        return False
    found = obstacle(index, units, index.units[name])
    return found is not None and found.root.phase in IN_THE_WAY


def settled(index: PlanIndex, units: Mapping[str, UnitState], name: str) -> bool:
    """It has ended, or is stuck: its wave is not held up by it."""
    return units[name].phase.ended or stuck(index, units, name)


def neighbours_in_flight(
    index: PlanIndex, units: Mapping[str, UnitState], plan: UnitPlan
) -> str | None:
    """A unit of the release that it needs, or that needs it, and that is in flight beside it."""
    others = (*index.needs.get(plan.component, ()), *index.needed_by.get(plan.component, ()))
    for component in others:
        for name in index.inside.get((plan.cluster, component), ()):
            if units[name].in_flight:
                return name
    return None


def _waits(state: UnitState) -> bool:
    return state.phase is UnitPhase.PENDING and not state.in_flight


class Fronts:
    """How far each component of a release is. Holds the rows that a turn works on."""

    def __init__(self, index: PlanIndex, units: Mapping[str, UnitState]) -> None:
        self._index = index
        self._units = units
        self._known: dict[str, Place | None] = {}

    def of(self, component: str) -> Place | None:
        """(stage, wave) of the first wave in which the component has units left; None when all of
        it has ended.
        """
        if component not in self._known:
            left = (
                place
                for place, names in self._index.waves_of.get(component, ())
                if not all(self.settled(name) for name in names)
            )
            self._known[component] = next(left, None)
        return self._known[component]

    def all(self) -> dict[Place, list[str]]:
        """(stage, wave) → the components of which it is the front, the first wave first."""
        found: dict[Place, list[str]] = {}
        for component in self._index.waves_of:
            if (place := self.of(component)) is not None:
                found.setdefault(place, []).append(component)
        return dict(sorted(found.items()))

    def left(self, place: Place, component: str) -> int:
        """Units of a component in a wave that have not ended, and wait for no person."""
        names = dict(self._index.waves_of[component])[place]
        return sum(not self.settled(name) for name in names)

    def settled(self, name: str) -> bool:
        """It has ended, or only a person lets it go on: nothing waits for it."""
        return settled(self._index, self._units, name)

    def forget(self, component: str) -> None:
        """A unit of it came to another phase: so may what depends on it."""
        for name in (component, *self._index.downstream.get(component, ())):
            self._known.pop(name, None)
