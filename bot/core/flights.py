"""What is in flight, and which releases are under way: an index over all that runs.

Data for gates that look beyond their own release. Kept by the board; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from bot.model.state import ReleasePhase, ReleaseState, UnitState

if TYPE_CHECKING:
    from bot.core.situation import PlanIndex

BEGUN = (ReleasePhase.PROGRESSING, ReleasePhase.ROLLING_BACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flight:
    """One unit in flight, as units of its own release and of others see it."""

    release: str
    position: int
    unit: str
    component: str
    component_labels: Mapping[str, str]
    cluster: str
    labels: Mapping[str, str]
    began: datetime
    """When its first batch began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWay:
    """A release that has begun and not ended."""

    release: str
    position: int
    began: datetime
    tiers: tuple[str, ...] = ()


@dataclass(slots=True)
class Flights:
    """Renewed release by release, as steps become true; never searched as a whole to be kept."""

    releases: dict[str, UnderWay] = field(default_factory=dict)
    """Releases that have begun and not ended."""
    by_release: dict[str, dict[str, Flight]] = field(default_factory=dict)
    by_cluster: dict[str, dict[tuple[str, str], Flight]] = field(default_factory=dict)

    def renew(
        self, index: PlanIndex, state: ReleaseState, rows: Mapping[str, UnitState], *, ahead: bool
    ) -> None:
        """The units of these rows as they are now, and where their release stands."""
        name = state.release
        if not ahead:
            self.forget(name)
            return
        if state.phase in BEGUN:
            self.releases[name] = UnderWay(
                release=name,
                position=state.position,
                began=state.began or state.since,
                tiers=tiers_of(index),
            )
        for unit, row in rows.items():
            if row.in_flight:
                self._add(flight_of(index, state, row))
            else:
                self._drop(name, unit)

    def forget(self, release: str) -> None:
        """A release that is not ahead any more has nothing in flight."""
        self.releases.pop(release, None)
        for unit in list(self.by_release.get(release, ())):
            self._drop(release, unit)

    def of_others(self, release: str) -> Iterator[Flight]:
        """Every unit in flight of other releases."""
        for name, flights in self.by_release.items():
            if name != release:
                yield from flights.values()

    def _add(self, flight: Flight) -> None:
        self.by_release.setdefault(flight.release, {})[flight.unit] = flight
        there = self.by_cluster.setdefault(flight.cluster, {})
        there[flight.release, flight.unit] = flight

    def _drop(self, release: str, unit: str) -> None:
        own = self.by_release.get(release)
        flight = own.pop(unit, None) if own else None
        if own is not None and not own:
            del self.by_release[release]
        if flight is None:
            return
        there = self.by_cluster[flight.cluster]
        there.pop((release, unit), None)
        if not there:
            del self.by_cluster[flight.cluster]


def flight_of(index: PlanIndex, state: ReleaseState, row: UnitState) -> Flight:
    """A unit in flight as others see it."""
    plan = index.units[row.unit]
    component = index.component(plan)
    return Flight(
        release=state.release,
        position=state.position,
        unit=row.unit,
        component=component.name,
        component_labels=component.labels,
        cluster=plan.cluster,
        labels=plan.labels,
        began=row.began or row.since,
    )


def tiers_of(index: PlanIndex) -> tuple[str, ...]:
    """The tiers of a release's components, the most critical first."""
    found = {component.labels.get("tier", "") for component in index.plan.components} - {""}
    return tuple(sorted(found, key=lambda tier: (len(tier), tier)))


def first(one: Flight | UnderWay) -> tuple[datetime, int]:
    """Who was there first: what began earlier, then what was merged earlier."""
    return one.began, one.position
