"""What a pull request does to what is there: running releases whose clusters it relabels or takes
away, and names of releases that are taken. Findings at their place; nothing here moves a unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.core import messages_touched as say
from bot.core.messages_notice import NAME_TAKEN, NAME_TAKEN_HINT
from bot.model.plan import ReleasePlan
from release_repo_schema.findings import Finding
from release_repo_schema.repo import Repo


def name_taken(repo: Repo, name: str) -> Finding:
    """A release may not have the name of one that was on main before."""
    said = NAME_TAKEN.replace("{name}", name)
    document = repo.documents["Release", name]
    return document.finding(("metadata", "name"), "name-taken", said, NAME_TAKEN_HINT)


def touched(before: Repo, after: Repo, running: Mapping[str, ReleasePlan]) -> Iterator[Finding]:
    """Warnings: clusters of running releases that are relabelled or taken away."""
    clusters: dict[str, list[str]] = {}
    for name, plan in sorted(running.items()):
        for cluster in sorted({unit.cluster for unit in plan.units}):
            clusters.setdefault(cluster, []).append(name)
    for cluster, releases in sorted(clusters.items()):
        if cluster not in before.clusters or cluster in after.broken_names:
            continue
        if cluster not in after.clusters:
            document = before.documents["Cluster", cluster]
            # Its file may be gone: the place is the one that it had.
            yield Finding(
                path=document.file.path,
                level="warning",
                code="running-cluster-leaves",
                message=say.leaves(cluster, releases),
                hint=say.LEAVES_HINT,
            )
            continue
        had, has = before.labels_of(cluster), after.labels_of(cluster)
        changed = sorted(key for key in {*had, *has} if had.get(key) != has.get(key))
        if changed:
            yield after.documents["Cluster", cluster].finding(
                ("metadata", "labels"),
                "running-cluster-relabelled",
                say.relabelled(cluster, changed, releases),
                say.RELABELLED_HINT,
                level="warning",
                at_key=True,
            )
