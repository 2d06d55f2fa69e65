"""Everything that is under way, in memory: active releases, holds, freezes, rules.

A mirror of the store's live rows, for deciding. Reads and writes no store itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.cluster.leftovers import Identity
from bot.core.flights import Flights
from bot.core.fronts import DONE
from bot.core.lifecycle import Step
from bot.core.scope import covers, release_named
from bot.core.situation import Claim, PlanIndex, Rules, Situation
from bot.core.tallies import Tallies
from bot.model.gate import Waiting
from bot.model.plan import JSON
from bot.model.seen import UnitSeen
from bot.model.state import (
    Applied,
    Blocked,
    ClusterSeen,
    Decision,
    EmergencyStop,
    Hold,
    ReleasePhase,
    ReleaseState,
    Tally,
    UnitPhase,
    UnitState,
)

AHEAD = (ReleasePhase.SCHEDULED, ReleasePhase.PROGRESSING, ReleasePhase.ROLLING_BACK)


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A forecast end, when it was reckoned, and what it would have to be reckoned again for."""

    ends: datetime | None
    at: datetime
    rests_on: tuple[object, ...]


@dataclass(slots=True)
class Active:
    """One release that has not ended. `wake`: when it is due again; None: only something new
    wakes it.
    """

    index: PlanIndex
    state: ReleaseState
    units: dict[str, UnitState]
    decisions: dict[int, Decision] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    wake: datetime | None = None
    dirty: bool = True
    reckoned: Reckoned | None = None
    """Its forecast end, as it was reckoned last."""
    applied_known: bool = False
    """Whether the board has what stands of all that it touched before."""

    def presses(self, now: datetime) -> bool:
        """Something new, or a time that was set, may let it go on; not only another look."""
        return self.dirty or any(
            line.wait.until is not None and line.wait.until <= now for line in self.waiting
        )

    def waits_for(self, codes: Collection[str]) -> bool:
        """Whether one of these reasons holds up a unit of it."""
        return any(line.wait.code in codes for line in self.waiting)

    @property
    def unplanned(self) -> bool:
        """It came to main and could not be planned: it has no units yet."""
        return not self.index.plan.units


@dataclass(slots=True)
class Board:
    """All that is under way."""

    rules: Rules
    releases: dict[str, Active] = field(default_factory=dict)
    holds: dict[str, Hold] = field(default_factory=dict)
    stops: dict[str, EmergencyStop] = field(default_factory=dict)
    applied: dict[str, Applied] = field(default_factory=dict)
    clusters: dict[str, ClusterSeen] = field(default_factory=dict)
    blobs: dict[str, JSON] = field(default_factory=dict)
    brought: dict[str, Mapping[str, frozenset[Identity]]] = field(default_factory=dict)
    """Unit of which something leaves → other units of its cluster → their objects."""
    flaws: tuple[str, ...] = ()
    """What did not fit together when the store was read."""
    asked: datetime | None = None
    """When it was last asked what is due."""
    on_wire: tuple[str, ...] = ()
    """Calls that have left and are not answered yet."""
    claims: dict[str, dict[str, Claim]] = field(default_factory=dict)
    """Lock (`component@cluster`) → release → claim, of every active release ahead."""
    in_flight: dict[str, int] = field(default_factory=dict)
    """Release → units in flight."""
    standing: set[str] = field(default_factory=set)
    """Releases of which units stand on their way back, and count as in flight."""
    flights: Flights = field(default_factory=Flights)
    tally: Tallies = field(default_factory=Tallies)

    def add(self, active: Active) -> None:
        """Take a release in, or in again."""
        self.releases[active.state.release] = active
        self.account(active)

    def remove(self, name: str) -> None:
        active = self.releases.pop(name, None)
        self.in_flight.pop(name, None)
        self.standing.discard(name)
        self.flights.forget(name)
        for lock in active.index.locks if active else ():
            self.claims.get(lock, {}).pop(name, None)

    def account(self, active: Active, changed: Mapping[str, UnitState] | None = None) -> bool:
        """Renew claims and counts of a release; whether something became free for others."""
        name, state = active.state.release, active.state
        freed = False
        ahead = state.phase in AHEAD
        units = active.index.units
        rows = active.units if changed is None else changed
        for lock in dict.fromkeys(units[unit].lock for unit in rows):
            claims = self.claims.setdefault(lock, {})
            before = claims.pop(name, None)
            if ahead:
                claims[name] = _claim(active, lock)
            freed = freed or (before is not None and before != claims.get(name))
        self.flights.renew(active.index, state, rows, ahead=ahead)
        self.in_flight[name] = sum(unit.in_flight for unit in active.units.values()) if ahead else 0
        self.standing.discard(name)
        if ahead and any(unit.stands_back for unit in active.units.values()):
            self.standing.add(name)
        return freed

    def ordered(self) -> list[Active]:
        """Active releases, the one merged first first; proposed ones last."""
        return sorted(self.releases.values(), key=_place)

    def due(self, now: datetime) -> list[Active]:
        """Who is to be decided on now, the one merged first first."""
        if self.asked is not None and now < self.asked:
            self._clock_went_back(now)
        self.asked = now
        found = [a for a in self.releases.values() if a.dirty or (a.wake and a.wake <= now)]
        return sorted(found, key=_place)

    def _clock_went_back(self, now: datetime) -> None:
        """What was to be looked at in a moment would be looked at an hour later: a silence that
        nobody watches. So all that is to be looked at is looked at now.
        """
        for active in self.releases.values():
            active.dirty = True
            for name, unit in active.units.items():
                if unit.look_at is not None and unit.look_at > now:
                    active.units[name] = replace(unit, look_at=now, watched=None)

    def situation(
        self, active: Active, now: datetime, seen: Mapping[str, UnitSeen] | None = None
    ) -> Situation:
        """What the gates of one release look at."""
        name = active.state.release
        alone = not any(a.state.phase in AHEAD for a in self.releases.values() if a is not active)
        others = {
            lock: tuple(claim for owner, claim in sorted(claims.items()) if owner != name)
            # A thousand units need not be asked for who else has them when there is nobody else.
            for lock in (() if alone else self._related(active))
            if (claims := self.claims.get(lock))
        }
        return Situation(
            now=now,
            index=active.index,
            state=active.state,
            units=active.units,
            rules=self.rules,
            holds=tuple(hold for hold in self.holds.values() if self._may_touch(hold, active)),
            stops=tuple(stop for stop in self.stops.values() if stop.until > now),
            decisions=tuple(active.decisions.values()),
            claims=others,
            in_flight=sum(self.in_flight.values()) - self.in_flight.get(name, 0),
            standing=tuple(sorted(self.standing - {name})),
            supersedes=tuple(self._superseded(active)),
            seen=seen or {},
            blobs=self.blobs,
            applied=self.applied,
            clusters=self.clusters,
            brought=self.brought,
            flights=self.flights,
            tally=self.tally,
        )

    def take(self, active: Active, step: Step) -> bool:
        """Make a step true in memory; whether something became free for other releases."""
        # What had ended and goes on has all its places again, not those alone that changed.
        again = active.state.phase not in AHEAD
        active.state = step.state
        active.units.update(step.units)
        active.decisions.update({decision.number: decision for decision in step.decisions})
        active.waiting, active.wake, active.dirty = step.waiting, step.wake, False
        self.holds.update({hold.id: hold for hold in step.holds})
        self.blobs.update(step.blobs)
        for row in step.puts:
            match row:
                case Applied():
                    self.applied[row.unit] = row
                case ClusterSeen():
                    self.clusters[row.cluster] = row
                case Tally():
                    self.tally.add(row)
                case Blocked():
                    self.rules = _with_block(self.rules, row)
                case _:
                    pass
        for kind, key in step.drops:
            if kind is Applied:
                self.applied.pop(key, None)
        return self.account(active, None if again or step.state.phase.ended else step.units)

    def reached(self, scope: str) -> Iterator[tuple[Active, list[str]]]:
        """(release, its units) that a scope reaches, releases that are ahead or proposed."""
        for active in self.ordered():
            units = [
                unit.unit
                for unit in active.index.plan.units
                if covers(scope, active.index.covered(active.state.release, unit))
            ]
            if units:
                yield active, units

    def wake_all(self) -> None:
        """Something that every gate may look at has changed."""
        for active in self.releases.values():
            active.dirty = True

    def _related(self, active: Active) -> Iterator[str]:
        yield from active.index.locks
        for unit in active.index.plan.units:
            component = active.index.component(unit)
            for other in (*component.depends_on, *self.rules.dependents.get(component.name, ())):
                yield f"{other}@{unit.cluster}"

    def _may_touch(self, hold: Hold, active: Active) -> bool:
        mine = (None, active.state.release)
        return hold.release in mine and release_named(hold.scope) in mine

    def _superseded(self, active: Active) -> Iterator[str]:
        for name in (active.index.plan.spec or {}).get("supersedes") or ():
            other = self.releases.get(name)
            if other is not None and other.state.phase in AHEAD:
                yield name


def _place(active: Active) -> tuple[bool, int, str]:
    return active.state.position == 0, active.state.position, active.state.release


def _claim(active: Active, lock: str) -> Claim:
    rows = [active.units[unit] for unit in active.index.locks[lock]]
    return Claim(
        active.state.release,
        active.state.position,
        in_flight=any(row.in_flight for row in rows),
        ended=all(row.phase.ended for row in rows),
        done=all(row.phase in DONE for row in rows),
    )


def _with_block(rules: Rules, row: Blocked) -> Rules:
    others = tuple(known for known in rules.blocked if known.key != row.key)
    return replace(rules, blocked=(*others, row))


def skipped(units: Mapping[str, UnitState]) -> tuple[str, ...]:
    """Units that are owed: skipped, or quarantined."""
    return tuple(
        name
        for name, unit in units.items()
        if unit.phase in (UnitPhase.SKIPPED, UnitPhase.QUARANTINED)
    )
