"""What is in flight around a unit, as of now in this turn: its own release's units and all others.

Counts and lists for gates; kept by a `Turn`, told of every change. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.core.flights import Flight, first, flight_of
from bot.core.situation import Situation, Unit
from bot.model.gate import Wait
from bot.model.state import UnitState


class Around:
    """The surroundings of one release in one turn."""

    def __init__(self, s: Situation, units: Mapping[str, UnitState]) -> None:
        self._s = s
        self._units = units
        self.changes = 0
        """How often something of the release took or left its place in flight in this turn."""
        self.freed = False
        """Whether a place became free in this turn."""
        self.begun = 0
        """Units whose first batch began in this turn."""
        self.ruled: dict[tuple[int, tuple[str, ...], int], Wait | None] = {}
        """What risk rules said: rule, what it sees of a unit, and how often its surroundings had
        changed.
        """
        self._all: tuple[int, list[Flight]] = (-1, [])

    def note(self, before: UnitState, after: UnitState) -> None:
        """A unit of the release has changed."""
        self.begun += before.began is None and after.began is not None
        if before.in_flight is not after.in_flight:
            self.changes += 1
            self.freed = self.freed or before.in_flight

    def before(self, u: Unit) -> list[Flight]:
        """Every other unit in flight, of all releases, that a unit waits for."""
        if self._all[0] != self.changes:
            own = [self._flight(unit) for unit in self._units.values() if unit.in_flight]
            self._all = (self.changes, [*self._s.flights.of_others(self._s.name), *own])
        if not u.state.in_flight:
            return self._all[1]
        return [flight for flight in self._all[1] if self.gives_way(u, flight)]

    def flights_in(self, cluster: str) -> Iterator[Flight]:
        """Every unit in flight in one cluster."""
        for flight in self._s.flights.by_cluster.get(cluster, {}).values():
            if flight.release != self._s.name:
                yield flight
        for name in self._s.index.by_cluster.get(cluster, ()):
            if self._units[name].in_flight:
                yield self._flight(self._units[name])

    def gives_way(self, u: Unit, other: Flight) -> bool:
        """Whether a unit waits for another that is in flight: of two that are, for the first."""
        if (other.release, other.unit) == (self._s.name, u.plan.unit):
            return False
        if not u.state.in_flight:
            return True
        return (*first(other), other.unit) < (*first(self._flight(u.state)), u.plan.unit)

    def _flight(self, unit: UnitState) -> Flight:
        return flight_of(self._s.index, self._s.state, unit)
