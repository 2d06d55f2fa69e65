"""Everything that a gate may look at, gathered for one release at one moment.

Data only: the reconciler fills it, gates read it. The same situation gives the same answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from bot.cluster.kinds import Rows
from bot.cluster.leftovers import Identity
from bot.cluster.own_kinds import rows_of
from bot.core.calendar import Calendar, CalendarUnit
from bot.core.flights import Flights
from bot.core.graph import Needs, reach, turned
from bot.core.people import Directory
from bot.core.scope import Covered, covers
from bot.core.sharing import sharing
from bot.core.tallies import Tallies
from bot.model.plan import JSON, ComponentPlan, NodeChoice, ReleasePlan, StagePlan, UnitPlan
from bot.model.seen import UnitSeen
from bot.model.state import (
    Applied,
    Blocked,
    ClusterSeen,
    Decision,
    EmergencyStop,
    Hold,
    HoldCode,
    ReleaseState,
    UnitState,
)
from release_repo_schema.models import Component, ComponentVersion, Policy


@dataclass(frozen=True)
class Rules:
    """What is live from main: calendar, freezes, policy, people, components, versions."""

    commit: str
    calendar: Calendar
    policy: Policy
    directory: Directory
    components: Mapping[str, Component] = field(default_factory=dict)
    versions: Mapping[tuple[str, str], ComponentVersion] = field(default_factory=dict)
    checks: Mapping[str, JSON] = field(default_factory=dict)
    """Definitions of main's checks: for those that a floor asks and the plan does not have."""
    source: Callable[..., str | None] = lambda kind, name, *place: None
    """(kind, name, way into the document …) → `file:line` on main."""
    broken: str | None = None
    """The first error of main when it does not lint: these are then the last good rules."""
    blocked: tuple[Blocked, ...] = ()
    """What rollbacks blocked, from the store."""
    clusters: frozenset[str] = frozenset()
    """Clusters that main names now."""
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Cluster → its labels on main, `group` and `cluster` among them."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Cluster → the cluster that hosts it, where one does."""
    groups: frozenset[str] = frozenset()
    """Groups that main names now, one without a cluster too."""
    units: Callable[[str], tuple[str, ...]] = lambda component: ()
    """Component → every unit that it could have by main."""
    spots: Callable[[], Iterable[Mapping[str, str]]] = tuple
    """The labels of every cluster and of every place in one, as selectors see them."""
    late: Callable[[ReleasePlan], tuple[str, ...]] = lambda plan: ()
    """Units that the release selects now and its plan does not have."""

    @cached_property
    def kin(self) -> Mapping[str, tuple[str, ...]]:
        """Cluster → its host, and the clusters that it hosts: never in flight together with it."""
        found: dict[str, list[str]] = {}
        for guest, host in sorted(self.hosts.items()):
            found.setdefault(guest, []).append(host)
            found.setdefault(host, []).append(guest)
        return {cluster: tuple(others) for cluster, others in found.items()}

    @cached_property
    def dependents(self) -> Mapping[str, tuple[str, ...]]:
        """Component → components that depend on it."""
        found: dict[str, list[str]] = {}
        for name, component in sorted(self.components.items()):
            for needed in component.spec.depends_on:
                found.setdefault(needed, []).append(name)
        return {name: tuple(users) for name, users in found.items()}


@dataclass(frozen=True)
class PlanIndex:
    """A plan, indexed once. Cheap to keep for every active release."""

    plan: ReleasePlan

    @cached_property
    def units(self) -> Mapping[str, UnitPlan]:
        return {unit.unit: unit for unit in self.plan.units}

    @cached_property
    def components(self) -> Mapping[tuple[str, str], ComponentPlan]:
        """By name and version, and by name and "" (the first of that name)."""
        found: dict[tuple[str, str], ComponentPlan] = {}
        for component in self.plan.components:
            found.setdefault((component.name, ""), component)
            found[component.name, component.version] = component
        return found

    def component(self, unit: UnitPlan) -> ComponentPlan:
        return self.components[unit.component, unit.version]

    @cached_property
    def leans_on(self) -> tuple[str, ...]:
        """Locks of what its units depend on and other releases bring, in order."""
        return tuple(
            dict.fromkeys(
                f"{needed}@{unit.cluster}"
                for unit in self.plan.units
                for needed in self.component(unit).depends_on
                if (unit.cluster, needed) not in self.inside
            )
        )

    @cached_property
    def by_cluster(self) -> Mapping[str, tuple[str, ...]]:
        """Cluster → units of the release in it, in order."""
        found: dict[str, list[str]] = {}
        for unit in self.plan.units:
            found.setdefault(unit.cluster, []).append(unit.unit)
        return {cluster: tuple(names) for cluster, names in found.items()}

    @cached_property
    def locks(self) -> Mapping[str, tuple[str, ...]]:
        """Lock (`component@cluster`) → the units of the release that it covers, in order."""
        found: dict[str, list[str]] = {}
        for unit in self.plan.units:
            found.setdefault(unit.lock, []).append(unit.unit)
        return {lock: tuple(names) for lock, names in found.items()}

    @cached_property
    def needs(self) -> Needs:
        """Component → those of the release that go before it in a cluster."""
        return {one.name: one.after for one in self.plan.components}

    @cached_property
    def needed_by(self) -> Needs:
        """Component → those of the release that it goes before in a cluster."""
        return turned(self.needs)

    @property
    def several(self) -> bool:
        """More than one component: each has its own way through the waves."""
        return len(self.needs) > 1

    @cached_property
    def upstream(self) -> Needs:
        """Component → all of the release that it needs, by whatever way."""
        return reach(self.needs)

    @cached_property
    def downstream(self) -> Needs:
        """Component → all of the release that need it, by whatever way."""
        return turned(self.upstream)

    @cached_property
    def inside(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """(cluster, component) → its units there, in order."""
        found: dict[tuple[str, str], list[str]] = {}
        for unit in self.plan.units:
            found.setdefault((unit.cluster, unit.component), []).append(unit.unit)
        return {place: tuple(names) for place, names in found.items()}

    def needed(self, unit: UnitPlan) -> tuple[str, ...]:
        """Units of the release in its cluster that go before it."""
        return tuple(
            name
            for component in self.needs.get(unit.component, ())
            for name in self.inside.get((unit.cluster, component), ())
        )

    def needing(self, unit: UnitPlan) -> tuple[str, ...]:
        """Units of the release in its cluster that it goes before, by whatever way, in order."""
        return tuple(
            name
            for component in self.downstream.get(unit.component, ())
            for name in self.inside.get((unit.cluster, component), ())
        )

    @cached_property
    def sharing(self) -> Mapping[str, tuple[str, ...]]:
        """Unit → the units that share objects, itself among them, in order; one that shares none
        is missing. They go one after another, and go back together.
        """
        found: dict[str, tuple[str, ...]] = {}
        for names in self.locks.values():
            if len(names) > 1:
                found |= sharing(self.units[name] for name in names)
        return found

    @cached_property
    def turns(self) -> Mapping[str, int]:
        """Unit → its place among those that it shares objects with."""
        groups = {id(names): names for names in self.sharing.values()}.values()
        return {name: place for names in groups for place, name in enumerate(names)}

    @cached_property
    def shared(self) -> Mapping[str, frozenset[str]]:
        """Unit → keys of its objects that are not its alone: all of them where it has nodes of a
        cluster, those that other units have too where it has a namespace.
        """
        found: dict[str, frozenset[str]] = {}
        for names in self.locks.values():
            units = [self.units[name] for name in names]
            times = Counter(planned.ref.key for unit in units for planned in unit.objects)
            for unit in units:
                keys = frozenset(planned.ref.key for planned in unit.objects)
                one = unit.nodes is None
                found[unit.unit] = frozenset(k for k in keys if times[k] > 1) if one else keys
        return found

    @cached_property
    def choices(self) -> Mapping[str, Mapping[str, NodeChoice]]:
        """Lock → unit → the nodes that it asks for by name or label (not those that are left)."""
        return {
            lock: {
                name: choice
                for name in names
                if (choice := self.units[name].nodes) is not None
                and (choice.names or choice.selector is not None)
            }
            for lock, names in self.locks.items()
        }

    @cached_property
    def rows(self) -> Rows:
        """The workload kinds: built in, and those of the release repo that the plan froze."""
        return rows_of(self.plan.rows)

    def stage(self, unit: UnitPlan) -> StagePlan:
        return self.plan.stages[unit.stage]

    def covered(self, release: str, unit: UnitPlan) -> Covered:
        """The unit as scopes are tested against it."""
        stage = self.plan.stages[unit.stage].name
        needs = self.upstream.get(unit.component, ())
        return Covered(release, unit.unit, unit.component, unit.labels, stage, unit.wave + 1, needs)

    @cached_property
    def waves_of(self) -> Mapping[str, tuple[tuple[tuple[int, int], tuple[str, ...]], ...]]:
        """Component → its waves in order: (stage, wave) and the units that it has there."""
        found: dict[str, dict[tuple[int, int], list[str]]] = {}
        for unit in self.plan.units:
            waves = found.setdefault(unit.component, {})
            waves.setdefault((unit.stage, unit.wave), []).append(unit.unit)
        return {
            component: tuple((place, tuple(names)) for place, names in sorted(waves.items()))
            for component, waves in found.items()
        }

    def seats(self, names: tuple[str, ...]) -> int:
        """How many a wave holds, as its steps count: units, or clusters of several components."""
        return len({self.units[name].cluster for name in names}) if self.several else len(names)

    @cached_property
    def waves(self) -> tuple[tuple[int, int], ...]:
        """(stage, wave) of every wave, in order."""
        return tuple(
            (stage, wave)
            for stage, planned in enumerate(self.plan.stages)
            for wave in range(len(planned.waves))
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """What another active release has of a lock. `position` tells which was merged first."""

    release: str
    position: int
    in_flight: bool
    ended: bool = False
    """All of it has ended there, its release has not: it may still go back."""
    done: bool = False
    """All of it has ended well there, or a person left it out."""


@dataclass(frozen=True)
class Situation:
    """One release at one moment."""

    now: datetime
    index: PlanIndex
    state: ReleaseState
    units: Mapping[str, UnitState]
    rules: Rules
    holds: tuple[Hold, ...] = ()
    stops: tuple[EmergencyStop, ...] = ()
    decisions: tuple[Decision, ...] = ()
    claims: Mapping[str, tuple[Claim, ...]] = field(default_factory=dict)
    """Lock (`component@cluster`) → other active releases that have units in it."""
    in_flight: int = 0
    """Units in flight over all other releases."""
    standing: tuple[str, ...] = ()
    """Those of the releases of which units stand on their way back."""
    supersedes: tuple[str, ...] = ()
    """Running releases that this one replaces and that have not ended yet."""
    seen: Mapping[str, UnitSeen] = field(default_factory=dict)
    blobs: Mapping[str, JSON] = field(default_factory=dict)
    applied: Mapping[str, Applied] = field(default_factory=dict)
    clusters: Mapping[str, ClusterSeen] = field(default_factory=dict)
    brought: Mapping[str, Mapping[str, frozenset[Identity]]] = field(default_factory=dict)
    """Unit of which something leaves → other units of its cluster → their objects."""
    flights: Flights = field(default_factory=Flights)
    """What all releases have in flight; this one's own as it was before the turn."""
    tally: Tallies = field(default_factory=Tallies)
    """Units that began and units that failed lately, over all releases."""

    @property
    def plan(self) -> ReleasePlan:
        return self.index.plan

    @property
    def name(self) -> str:
        return self.state.release


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as a gate is asked about it: its place in the plan and where it stands."""

    plan: UnitPlan
    state: UnitState
    component: ComponentPlan
    stage: StagePlan


REACH_WHAT_DEPENDS = (HoldCode.FAILED, HoldCode.ROLLED_BACK)


def reaches(hold: Hold, what: Covered) -> bool:
    """Whether a hold reaches a unit. One made for a release never reaches another release; one
    that a failure made for a component reaches what depends on it, too.
    """
    if hold.release not in (None, what.release):
        return False
    if covers(hold.scope, what):
        return True
    return (
        hold.release is not None
        and hold.code in REACH_WHAT_DEPENDS
        and hold.scope in [f"component:{name}" for name in what.needs]
    )


def covered(s: Situation, unit: UnitPlan) -> Covered:
    """What scopes of holds and freezes are tested against."""
    return s.index.covered(s.name, unit)


def calendar_unit(s: Situation, unit: UnitPlan) -> CalendarUnit:
    """The unit as the calendar knows it."""
    component = s.index.component(unit)
    return CalendarUnit(
        unit=unit.unit,
        component=component.name,
        component_labels=component.labels,
        cluster=unit.cluster,
        labels=unit.labels,
    )
