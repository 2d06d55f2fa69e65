"""The live rules of main, made once a commit: calendar, policy, people, components.

If main does not lint, the last good commit's rules stay in force. Reads the repo, judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from bot.core.calendar import Calendar, CalendarUnit, EmergencyFreeze
from bot.core.calendar.spans import FIRST
from bot.core.candidates import candidates
from bot.core.people import Directory
from bot.core.plan_rows import own_rows
from bot.core.scope import Covered, covers
from bot.core.situation import Rules
from bot.core.tasks import all_members
from bot.model.plan import ReleasePlan
from bot.model.state import Blocked, EmergencyStop
from bot.ports import Connection
from release_repo_schema.fleetindex import ANY, fleet_of
from release_repo_schema.repo import Repo


def rules_of(
    repo: Repo,
    commit: str,
    calendar: Calendar,
    *,
    stops: Iterable[EmergencyStop] = (),
    blocked: Iterable[Blocked] = (),
    broken: str | None = None,
) -> Rules:
    """Rules as the gates ask them."""
    return Rules(
        commit=commit,
        calendar=calendar.with_emergency([freeze_of(stop) for stop in stops]),
        policy=repo.policy,
        directory=Directory.of(repo.people),
        components=repo.components,
        versions=repo.versions,
        checks={
            name: check.spec.model_dump(mode="json", by_alias=True, exclude_none=True)
            for floor in repo.policy.spec.floors
            for name in floor.checks
            if (check := repo.checks.get(name)) is not None
        },
        source=lambda kind, name, *place: repo.source(kind, name, place),
        broken=broken,
        blocked=tuple(blocked),
        clusters=frozenset(repo.clusters),
        labels={name: repo.labels_of(name) for name in repo.clusters},
        hosts={
            name: cluster.spec.hosted_by
            for name, cluster in repo.clusters.items()
            if cluster.spec.hosted_by is not None
        },
        groups=frozenset(repo.groups),
        units=cache(lambda name: tuple(unit.unit for unit in candidates(repo, name))),
        spots=lambda: [labels for _, labels in fleet_of(repo).spots(ANY).values()],
        late=late_joiners(repo),
    )


def late_joiners(repo: Repo) -> Callable[[ReleasePlan], tuple[str, ...]]:
    """Units of clusters that a release selects and that were not there when it was planned."""

    @cache
    def of(release: str) -> tuple[str, ...]:
        written = repo.releases.get(release)
        members = all_members(repo, written) if written is not None else None
        return tuple(unit.unit for unit in members.units) if members else ()

    def late(plan: ReleasePlan) -> tuple[str, ...]:
        planned = {unit.unit for unit in plan.units}
        return tuple(unit for unit in of(plan.release) if unit not in planned)

    return late


def freeze_of(stop: EmergencyStop) -> EmergencyFreeze:
    """An emergency freeze counts as a Freeze to its end. It has no beginning: it stands, and a
    clock that was set back behind the moment at which it was said must not lift it.
    """

    def selects(unit: CalendarUnit) -> bool:
        return covers(stop.scope, Covered("", unit.unit, unit.component, unit.labels))

    return EmergencyFreeze(
        name=stop.scope,
        selector=selects,
        start=FIRST,
        until=stop.until,
        reason=stop.reason,
        owner=stop.by,
    )


def connections(repo: Repo) -> tuple[Connection, ...]:
    """How main says that each cluster is reached.

    A simulated cluster also runs a controller for every workload kind of the repo; a real one has
    its own, and is asked for the pods of such kinds.
    """
    own = own_rows(repo)
    rows = list(own.values())
    workloads = frozenset(target for target, row in own.items() if row.get("podLabel"))
    found = []
    for name, cluster in sorted(repo.clusters.items()):
        connection = cluster.spec.connection.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude_unset=True
        )
        if rows and "simulated" in connection:
            connection["simulated"]["workloadKinds"] = rows
        labels = repo.labels_of(name)
        found.append(
            Connection(cluster=name, connection=connection, labels=labels, workloads=workloads)
        )
    return tuple(found)
