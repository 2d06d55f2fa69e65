"""Lint: everything wrong with a release repo, that of single files and that between them.

Each rule is a function from `Scene` to findings; their order does not matter, all of them run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime

from release_repo_schema.findings import Finding
from release_repo_schema.fleetindex import fleet_of
from release_repo_schema.load import with_drafts
from release_repo_schema.repo import Repo
from release_repo_schema.rules.calendar import freezes, windows
from release_repo_schema.rules.change import changed_releases, changes, new_releases
from release_repo_schema.rules.components import components, cycles
from release_repo_schema.rules.contradictions import contradictions
from release_repo_schema.rules.fleet import clusters, hosts, values, versions
from release_repo_schema.rules.guard import guards
from release_repo_schema.rules.people import people, policy
from release_repo_schema.rules.places import scopes
from release_repo_schema.rules.releases import pipelines, releases
from release_repo_schema.rules.scene import Scene
from release_repo_schema.rules.tasks import tasks
from release_repo_schema.rules.workload_kinds import workload_kinds

RULES: tuple[Callable[[Scene], Iterator[Finding]], ...] = (
    clusters,
    hosts,
    values,
    versions,
    components,
    cycles,
    scopes,
    people,
    policy,
    pipelines,
    releases,
    windows,
    freezes,
    workload_kinds,
    tasks,
    contradictions,
    changes,
    guards,
)


def lint(
    repo: Repo,
    *,
    now: datetime | None = None,
    active: Collection[str] | None = None,
    base: Repo | None = None,
) -> list[Finding]:
    """All findings of a repo, sorted by place.

    `now`: decides which blocks are over; without it a block with an end counts as standing.
    `active`: releases that have not ended. `base`: what a pull request would change.
    """
    whole = with_drafts(repo)
    scene = Scene(
        repo=whole,
        fleet=fleet_of(whole),
        now=now,
        releases=_judged(whole, active, base),
        base=base,
        fleet_is_known=_fleet_is_known(whole),
    )
    found = {*repo.findings, *whole.findings}
    for rule in RULES:
        found.update(rule(scene))
    return sorted(found, key=lambda finding: finding.sort_key)


def _judged(repo: Repo, active: Collection[str] | None, base: Repo | None) -> Collection[str]:
    """Releases that are new or not ended: the references of an ended one may have moved on."""
    if active is None and base is None:
        return frozenset(repo.releases)
    names = {name for name in active or () if name in repo.releases}
    if base is not None:
        names.update(new_releases(base, repo), changed_releases(base, repo))
    return names


def _fleet_is_known(repo: Repo) -> bool:
    lost = (
        file
        for path, file in repo.files.items()
        if file.broken_names and path.startswith("fleet/")
        if not file.documents or any(one.draft is None for one in file.documents)
    )
    return next(lost, None) is None
