"""Tries the templates of a repo for lint: once for every chain of values that differs.

Finds mistakes only; what a release would really bring is the planner's to render.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bot.core.candidates import candidates
from bot.core.order import Candidate
from bot.core.plan_jobs import Wanted, all_blobs, source_of, wanted
from bot.core.plan_versions import key_of
from bot.core.tasks import source_of_task, version_of
from bot.ports import Renderer
from bot.reconciler.mistakes import render_findings, rendered_findings
from bot.reconciler.mistakes_objects import brought_twice, kinds_of_others
from bot.reconciler.planner_caches import Renderings
from release_repo_schema.findings import Finding
from release_repo_schema.repo import Repo

_RELEASE = "a-release"
PLACES = 20
"""How many parts of a cluster are tried: what makes them differ shows in the first two."""


def try_templates(repo: Repo, renderer: Renderer) -> tuple[Finding, ...]:
    """What is wrong with templates and the strings of values."""
    renderings = Renderings(renderer)
    asked: dict[str, dict[str, Wanted]] = {}
    chosen: dict[str, list[Candidate]] = {}
    shapes = _shapes(repo)
    for component in sorted(repo.components):
        version = highest_version(repo, component)
        if version is None:
            continue
        source = source_of(repo, component, renderings.reads)
        chosen[component] = list(_distinct(repo, component, shapes))
        asked[component] = {one.unit: wanted(source, version, one) for one in chosen[component]}
    tasks = {name: dict(_tasks(repo, name, shapes, renderings)) for name in sorted(repo.tasks)}
    asked |= tasks
    outputs = renderings.outputs(one for units in asked.values() for one in units.values())
    found: list[Finding] = []
    for component, units in asked.items():
        if component in tasks:
            found += map(_in_its_file, render_findings(units, outputs))
        else:
            found += rendered_findings(repo, chosen[component], units, outputs)
    made = [
        (component, outputs[asked[component][unit.unit].key].objects)
        for component, units in chosen.items()
        for unit in units
    ]
    blobs = all_blobs(outputs.values())
    return (*found, *brought_twice(made, blobs), *kinds_of_others(repo, made, blobs))


_FIELDS = tuple(
    (f"values.objects[{number}].spec.{inside}", f"spec.{of}{field}.")
    for number, of in ((0, ""), (1, "undo."))
    for inside, field in (("template.spec.containers[0].", "job"), ("", "webhook"))
)
"""Where a text stands in what is rendered → where it is written."""


def _in_its_file(finding: Finding) -> Finding:
    message = finding.message
    for inside, written in _FIELDS:
        message = message.replace(inside, written)
    return replace(finding, message=message)


def _tasks(
    repo: Repo, name: str, shapes: dict[str, tuple[str, frozenset[str]]], renderings: Renderings
) -> Iterator[tuple[str, Wanted]]:
    """A task in one cluster of each shape: its texts are templates, too."""
    task, seen = repo.tasks[name], set[object]()
    source = source_of_task(repo, task, _RELEASE, renderings.reads)
    for cluster, (_, labels) in shapes.items():
        if labels not in seen:
            seen.add(labels)
            place = Candidate(
                unit=f"{name}@{cluster}",
                cluster=cluster,
                labels=repo.labels_of(cluster),
                component=name,
            )
            yield place.unit, wanted(source, version_of(task), place)


def _shapes(repo: Repo) -> dict[str, tuple[str, frozenset[str]]]:
    """Cluster → its group and which labels it has: a template may read a label that one lacks."""
    return {
        name: (cluster.spec.group, frozenset(repo.labels_of(name)))
        for name, cluster in sorted(repo.clusters.items())
    }


def _distinct(
    repo: Repo, component: str, shapes: dict[str, tuple[str, frozenset[str]]]
) -> Iterator[Candidate]:
    layers = repo.values.get(component, {})
    seen: set[tuple[object, ...]] = set()
    places: dict[str, list[Candidate]] = {}
    for unit in candidates(repo, component):
        places.setdefault(unit.cluster, []).append(unit)
    for cluster, (group, labels) in shapes.items():
        own = cluster if f"clusters/{cluster}" in layers else ""
        wide = group if f"groups/{group}" in layers else ""
        if (own, wide, labels) not in seen:
            seen.add((own, wide, labels))
            yield from places.get(cluster, ())[:PLACES]


def highest_version(repo: Repo, component: str) -> str | None:
    """The highest version that the repo names; None: nothing could be rendered yet."""
    known = [version for name, version in repo.versions if name == component]
    if not known:
        known = [
            one.version
            for release in repo.releases.values()
            for one in release.spec.components
            if one.name == component
        ]
    return max(known, key=lambda version: (key_of(version) or ((), (0, ())), version), default=None)
