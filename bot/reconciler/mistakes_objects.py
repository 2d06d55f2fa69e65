"""Mistakes of rendered objects that only show beside others: whose they are, and where they live.

Looks at renderings only; asks no cluster.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from bot.cluster.marks import reserved
from bot.cluster.render import group_kind, ref_of
from bot.cluster.scoped import defined_by, lives_in_a_namespace
from bot.core import messages_plan_facts as say
from bot.core.order import Candidate
from bot.core.plan_jobs import Output, Wanted
from bot.model.plan import JSON, PlannedObject
from release_repo_schema.findings import Finding
from release_repo_schema.repo import Repo

SAME_OBJECT = "same-object"
KIND_OF_ANOTHER = "kind-of-another"


def place_of_objects(
    repo: Repo,
    units: Sequence[Candidate],
    asked: Mapping[str, Wanted],
    outputs: Mapping[str, Output],
) -> Iterable[Finding]:
    """Objects that no real cluster has a place for. Embedded ones take them as they are."""
    told: set[tuple[str, str]] = set()
    for unit in units:
        if repo.clusters[unit.cluster].spec.connection.simulated is not None:
            continue
        output = outputs[asked[unit.unit].key]
        defined = defined_by(output.blobs.values())
        for planned in output.objects:
            ref = planned.ref
            inside = lives_in_a_namespace(group_kind(output.blobs[planned.digest]), defined)
            if inside is None or inside == bool(ref.namespace):
                continue
            if (unit.component, ref.short) not in told:
                told.add((unit.component, ref.short))
                said = say.no_namespace if inside else say.no_place
                hint = say.NO_NAMESPACE_HINT if inside else say.NO_PLACE_HINT
                yield _at_component(unit.component, "no-place", said(ref.short, ref.kind), hint)


def names_of_ours(
    repo: Repo,
    units: Sequence[Candidate],
    asked: Mapping[str, Wanted],
    outputs: Mapping[str, Output],
) -> Iterable[Finding]:
    """Labels and annotations that we write ourselves, and that a template writes too. Those of a
    task are of our own making.
    """
    told: set[tuple[str, str, str]] = set()
    for unit in units:
        if unit.component not in repo.components:
            continue
        for obj in outputs[asked[unit.unit].key].blobs.values():
            for path in reserved(obj):
                what = ref_of(obj).short
                if (unit.component, what, path) not in told:
                    told.add((unit.component, what, path))
                    said = say.reserved(what, path)
                    yield _at_component(unit.component, "reserved-name", said, say.RESERVED_HINT)


def brought_twice(
    made: Iterable[tuple[str, Sequence[PlannedObject]]], blobs: Mapping[str, JSON]
) -> Iterator[Finding]:
    """Objects that two components bring, and not alike. `made`: (component, its objects). A warning
    only: they may be meant for clusters of different kinds. A plan that brings both to one is
    refused, and a cluster where they meet asks whose the object is.
    """
    owners: dict[tuple[str, str, str, str], tuple[str, str]] = {}
    told: set[tuple[str, str, str]] = set()
    for component, objects in made:
        for planned in objects:
            identity = _identity(blobs[planned.digest])
            first, other = owners.setdefault(identity, (component, planned.digest))
            what = planned.ref.short
            if component == first or other == planned.digest or (first, component, what) in told:
                continue
            told.add((first, component, what))
            said = say.same_object(what, component, first)
            found = _at_component(component, SAME_OBJECT, said, say.SAME_OBJECT_HINT)
            yield replace(found, level="warning")


def kinds_of_others(
    repo: Repo, made: Iterable[tuple[str, Sequence[PlannedObject]]], blobs: Mapping[str, JSON]
) -> Iterator[Finding]:
    """Custom resources whose definition another component brings, and no dependsOn leads there.
    `made`: (component, its objects). A warning only: the definition may long stand everywhere.
    """
    brought = {(name, planned.digest): planned for name, objects in made for planned in objects}
    definers: dict[tuple[str, str], set[str]] = {}
    for component, digest in brought:
        for kind in defined_by([blobs[digest]]):
            definers.setdefault(kind, set()).add(component)
    told: set[tuple[str, tuple[str, str]]] = set()
    for (component, digest), planned in brought.items():
        kind = group_kind(blobs[digest])
        others = definers.get(kind)
        if others is None or component not in repo.components or (component, kind) in told:
            continue
        told.add((component, kind))
        if others.isdisjoint({component, *_depends_on(repo, component)}):
            document, other = repo.documents["Component", component], min(others)
            said = say.kind_of_another(planned.ref.short, component, other)
            hint = say.kind_of_another_hint(other)
            found = document.finding(("spec",), KIND_OF_ANOTHER, said, hint, at_key=True)
            yield replace(found, level="warning")


def _depends_on(repo: Repo, component: str) -> set[str]:
    """Every component that is released before it, by whatever way."""
    found: set[str] = set()
    ahead = [component]
    while ahead:
        one = repo.components.get(ahead.pop())
        new = set(one.spec.depends_on) - found if one is not None else set()
        found |= new
        ahead += new
    return found


def _identity(obj: JSON) -> tuple[str, str, str, str]:
    metadata = obj["metadata"]
    return (*group_kind(obj), metadata.get("namespace") or "", metadata["name"])


def _at_component(component: str, code: str, message: str, hint: str) -> Finding:
    path = f"components/{component}/component.yaml"
    return Finding(path=path, code=code, message=message, hint=hint)
