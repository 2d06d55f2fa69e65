"""What a baseline brings: to each selected cluster the versions that are certified for its group.

Pure: it counts what the store says was applied and proved. A version is certified for a group when
its clusters run it with a certificate; the one that most of them run, the newer of two equals, and
never a blocked one. What a cluster runs already is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bot.core import messages_plan_facts as say
from bot.core.candidates import candidates
from bot.core.members import Brought, Membership, members_of
from bot.core.order import Candidate
from bot.core.plan import content_digest
from bot.core.plan_shown import Known
from bot.core.plan_versions import key_of
from bot.core.tasks import all_members
from release_repo_schema.findings import Finding
from release_repo_schema.models import Release
from release_repo_schema.repo import Repo


@dataclass(frozen=True, slots=True)
class Certified:
    """The version of a component for a group: `clusters` of `of` run it with a certificate."""

    version: str
    clusters: int
    of: int


def members_for(
    repo: Repo, release: Release, known: Known
) -> tuple[Membership | None, tuple[Finding, ...]]:
    """The units of a release, a baseline's versions looked up; and why it has none."""
    if not release.spec.baseline:
        return all_members(repo, release), ()
    document = repo.documents["Release", release.name]
    runs = running(known)
    if not runs:
        said, hint = say.BASELINE_UNKNOWN, say.BASELINE_UNKNOWN_HINT
        return None, (document.finding(("spec", "baseline"), "baseline-unknown", said, hint),)
    names = [asked.name for asked in release.spec.components]
    groups = certified(repo, runs, known, names)
    wrong = []
    selected = {
        repo.clusters[unit.cluster].spec.group
        for name in names
        for unit in candidates(repo, name)
        if release.spec.units.matches(unit.labels, unit.cluster)
    }
    for k, asked in enumerate(release.spec.components):
        for group in sorted(selected):
            found = groups.get((group, asked.name))
            if found is None or found.version != asked.version:
                said = say.not_certified(
                    asked.name, asked.version, group, found.version if found else None
                )
                place = ("spec", "components", k, "version")
                wrong.append(document.finding(place, "not-certified", said, say.NOT_CERTIFIED_HINT))
    if wrong:
        return None, tuple(wrong)
    members = _members(repo, release, groups, runs)
    if members is None or members.units:
        return members, ()
    said = say.baseline_done(release.name)
    return None, (document.finding(("spec", "baseline"), "no-units", said),)


def running(known: Known) -> dict[str, str]:
    """`component@cluster` → the version that all of it runs with a certificate."""
    found: dict[str, set[str]] = {}
    for unit, row in known.applied.items():
        found.setdefault(unit.partition("/")[0], set()).add(row.version if row.certified else "")
    return {
        lock: next(iter(versions))
        for lock, versions in found.items()
        if len(versions) == 1 and "" not in versions
    }


def certified(
    repo: Repo, runs: Mapping[str, str], known: Known, only: Iterable[str] = ()
) -> dict[tuple[str, str], Certified]:
    """(group, component) → the version that is certified there."""
    wanted = set(only)
    clusters = Counter(cluster.spec.group for cluster in repo.clusters.values())
    counts: dict[tuple[str, str], Counter[str]] = {}
    for lock, version in runs.items():
        component, _, cluster = lock.partition("@")
        if (
            cluster in repo.clusters
            and component in repo.components
            and (not wanted or component in wanted)
            and not _blocked(repo, known, component, version)
        ):
            group = repo.clusters[cluster].spec.group
            counts.setdefault((group, component), Counter())[version] += 1
    found = {}
    for place, versions in sorted(counts.items()):
        best = max(versions, key=lambda one: (versions[one], key_of(one) or ((), (0, ())), one))
        found[place] = Certified(best, versions[best], clusters[place[0]])
    return found


def _blocked(repo: Repo, known: Known, component: str, version: str) -> bool:
    content = content_digest(repo, component, version)
    blocks = [(b.component, b.version, b.content or "") for b in repo.policy.spec.blocked]
    blocks += [(row.component, row.version, row.content) for row in known.blocked]
    return any(one in ((component, version, ""), (component, version, content)) for one in blocks)


def _members(
    repo: Repo,
    release: Release,
    groups: Mapping[tuple[str, str], Certified],
    runs: Mapping[str, str],
) -> Membership | None:
    names = list(dict.fromkeys(component for _, component in groups))
    chosen: list[Candidate] = []
    notes: dict[str, str] = {}
    brought: dict[tuple[str, str], Brought] = {}
    for name in names:
        for unit in candidates(repo, name):
            group = repo.clusters[unit.cluster].spec.group
            here = groups.get((group, name))
            lock = f"{name}@{unit.cluster}"
            selected = release.spec.units.matches(unit.labels, unit.cluster)
            if here is None or not selected or runs.get(lock) == here.version:
                continue
            one = brought.setdefault(
                (name, here.version), Brought(repo.components[name], here.version)
            )
            chosen.append(replace(unit, version=one.version))
            notes[unit.unit] = say.certified_for(name, here.version, here.clusters, here.of, group)
    several = Counter(name for name, _ in brought)
    chosen = [unit if several[unit.component] > 1 else replace(unit, version="") for unit in chosen]
    members = members_of(repo, release, tuple(brought.values()), chosen)
    if members is None:
        return None
    return all_members(repo, release, replace(members, notes=notes))
