"""What stands in the way of a unit inside its own release: the units of its cluster that it needs.

A unit that waits for one that failed is stuck: it has not ended, and nothing waits for it, since
only a person can free it. Questions about rows; changes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.failed import Failures
from bot.core.situation import PlanIndex
from bot.model.plan import UnitPlan
from bot.model.state import UnitPhase, UnitState

Place = tuple[int, int]
"""(stage, wave), both counted from 0."""

DONE = (UnitPhase.SUCCEEDED, UnitPhase.SKIPPED)
"""Ends after which another release that depends on a unit may begin, as far as phases tell."""

IN_THE_WAY = (
    UnitPhase.FAILED,
    UnitPhase.ROLLING_BACK,
    UnitPhase.ROLLED_BACK,
    UnitPhase.QUARANTINED,
)
"""Ends that do not let what depends on a unit begin, as does a skip that left it half-way."""


def done(state: UnitState) -> bool:
    """What depends on it may begin: it is there, or a person left it out before it was touched."""
    return state.phase is UnitPhase.SUCCEEDED or (
        state.phase is UnitPhase.SKIPPED and state.began is None
    )


def in_the_way(state: UnitState) -> bool:
    """Only a person lets what depends on it begin."""
    return state.phase in IN_THE_WAY or (state.phase is UnitPhase.SKIPPED and not done(state))


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
        behind = obstacle(index, units, index.units[name]) if _open_behind(state) else None
        # What was left out stands for all that it needs itself: that still comes first.
        one = behind if done(state) else Obstacle(name, behind.root if behind else state)
        if one is None:
            continue
        if in_the_way(one.root):
            return one
        found = found or one
    return found


def stuck(index: PlanIndex, units: Mapping[str, UnitState], name: str) -> bool:
    """It waits for a unit that came to no good end: nothing but a person lets it go on."""
    if not index.several or not _waits(units[name]):
        return False
    found = obstacle(index, units, index.units[name])
    return found is not None and in_the_way(found.root)


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


def _open_behind(state: UnitState) -> bool:
    """What it needs itself may not be done yet."""
    return _waits(state) or (state.phase is UnitPhase.SKIPPED and done(state))


def _waits(state: UnitState) -> bool:
    return state.phase is UnitPhase.PENDING and not state.in_flight


class Fronts:
    """How far a release is. Waves are of whole clusters: all that can go on goes on together, and
    a component that failed more often than its stage tolerates stays behind with all that needs
    it. Holds the rows that a turn works on.
    """

    def __init__(
        self, index: PlanIndex, units: Mapping[str, UnitState], failures: Failures
    ) -> None:
        self._index = index
        self._units = units
        self._failures = failures
        self._known: dict[str, Place | None] = {}

    def of(self, component: str) -> Place | None:
        """(stage, wave) of the first wave that has units left; None when all of the component has
        ended. Of a component that stays behind: the first wave with units of its own.
        """
        if not self._known:
            self._known = self._worked_out()
        return self._known[component]

    def _worked_out(self) -> dict[str, Place | None]:
        own = {component: self._own(component) for component in self._index.waves_of}
        if not self._index.several:
            return own
        together = [
            place
            for component, place in own.items()
            if place is not None and not self._behind(component)
        ]
        shared = min(together, default=None)
        return {
            component: place if place is None or self._behind(component) else shared
            for component, place in own.items()
        }

    def _own(self, component: str) -> Place | None:
        left = (
            place
            for place, names in self._index.waves_of[component]
            if not all(self.settled(name) for name in names)
        )
        return next(left, None)

    def _behind(self, component: str) -> bool:
        """It, or one that it needs, failed more often in a stage than that tolerates."""
        index = self._index
        for name in (component, *index.upstream.get(component, ())):
            for stage, planned in enumerate(index.plan.stages):
                if len(self._failures.of(stage, name)) > planned.max_failures:
                    return True
        return False

    def all(self) -> dict[Place, list[str]]:
        """(stage, wave) → the components of which it is the front, the first wave first."""
        found: dict[Place, list[str]] = {}
        for component in self._index.waves_of:
            if (place := self.of(component)) is not None:
                found.setdefault(place, []).append(component)
        return dict(sorted(found.items()))

    def left(self, place: Place, component: str) -> int:
        """Units in a wave that have not ended, and wait for no person: of the component where it
        stays behind, else of all that go on together.
        """
        alone = self._behind(component)
        return sum(
            not self.settled(name)
            for known, waves in self._index.waves_of.items()
            if (known == component if alone else not self._behind(known))
            for where, names in waves
            if where == place
            for name in names
        )

    def settled(self, name: str) -> bool:
        """It has ended, or only a person lets it go on: nothing waits for it."""
        return settled(self._index, self._units, name)

    def forget(self) -> None:
        """A unit came to another phase: so may every front."""
        self._known.clear()
