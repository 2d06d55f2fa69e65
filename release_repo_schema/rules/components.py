"""Rules of components: owners, dependencies without cycles, checks, templates, floors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from release_repo_schema.findings import Finding
from release_repo_schema.floors import floor_of
from release_repo_schema.loadedfile import Document
from release_repo_schema.models import Component, duration_text
from release_repo_schema.repo import Repo
from release_repo_schema.rules.scene import BUILT_IN_CHECKS, Scene


def components(scene: Scene) -> Iterator[Finding]:
    """Everything a component refers to exists, and it asks no less than the policy's floors."""
    repo = scene.repo
    people = repo.people.spec
    owners = {one.name for one in people.members} | {one.name for one in people.teams}
    checks = scene.checks()
    for name in BUILT_IN_CHECKS:
        if name in repo.checks:
            said = f"the check `{name}` is built in, and means the same in every repo"
            document = scene.document("Check", name)
            yield document.finding(("metadata", "name"), "reserved-name", said, "rename this one")
    for name, component in repo.components.items():
        document = scene.document("Component", name)
        spec = component.spec
        for k, owner in enumerate(spec.owners):
            yield from scene.unknown(document, ("spec", "owners", k), "owner", owner, owners)
        for k, other in enumerate(spec.depends_on):
            pointer = ("spec", "dependsOn", k)
            yield from scene.unknown(document, pointer, "component", other, repo.components)
        for when, asked in (("before", spec.checks.before), ("after", spec.checks.after)):
            for k, check in enumerate(asked):
                pointer2 = ("spec", "checks", when, k)
                yield from scene.unknown(document, pointer2, "check", check, checks)
        if not spec.owners:
            hint = "owners: [<team>]: its channel is told, and its members may decide"
            said = "nobody owns this component"
            yield document.finding(("spec",), "no-owner", said, hint, level="warning", at_key=True)
        yield from _templates(repo, document, component)
        yield from _floor(scene, document, component)


def _templates(repo: Repo, document: Document, component: Component) -> Iterator[Finding]:
    render = component.spec.render
    if document.file.place.component != component.name:
        return
    files = repo.component_files(component.name)
    if render.helm is not None and f"{render.folder}/Chart.yaml" not in files:
        said = f"no chart stands in components/{component.name}/{render.folder}/"
        hint = "a chart is a folder with Chart.yaml and templates/"
        yield document.finding(("spec", "render", "helm"), "no-templates", said, hint)
    elif not any(path.startswith(f"{render.folder}/") for path in files):
        said = f"no file stands in components/{component.name}/{render.folder}/"
        hint = "a component needs at least one template or manifest"
        yield document.finding(("spec", "render"), "no-templates", said, hint)


def _floor(scene: Scene, document: Document, component: Component) -> Iterator[Finding]:
    repo, known = scene.repo, scene.checks()
    if not repo.policy.spec.floors:
        return
    floor, spec = floor_of(repo.policy, component), component.spec
    for field, written, least in (
        ("soak", spec.soak, floor.soak),
        ("batchSoak", spec.batch_soak, floor.batch_soak),
    ):
        if least is not None and written < least:
            yield _below(document, field, written, least)
    for check in floor.checks:
        if check in known and check not in spec.checks.after:
            said = f"the policy's floor asks for the check `{check}` after every batch"
            hint = f"add {check} to checks.after"
            yield document.finding(("spec", "checks", "after"), "below-floor", said, hint)


def _below(document: Document, field: str, written: timedelta, least: timedelta) -> Finding:
    said = (
        f"{field} is {duration_text(written)}, below the policy's floor of {duration_text(least)}"
    )
    return document.finding(
        ("spec", field), "below-floor", said, f"write {field}: {duration_text(least)} or more"
    )


def cycles(scene: Scene) -> Iterator[Finding]:
    """No component depends on itself, by whatever way; each cycle is named once."""
    edges = {
        name: tuple(x for x in one.spec.depends_on if x in scene.repo.components)
        for name, one in scene.repo.components.items()
    }
    for cycle in _cycles(edges):
        first = cycle[0]
        document = scene.document("Component", first)
        index = edges_index(scene.repo.components[first], cycle[1] if len(cycle) > 1 else first)
        said = f"the components depend on each other in a circle: {' → '.join((*cycle, first))}"
        hint = "take one dependsOn out"
        yield document.finding(("spec", "dependsOn", index), "dependency-cycle", said, hint)


def edges_index(component: Component, other: str) -> int:
    """The position of a dependency in the file."""
    return component.spec.depends_on.index(other)


def _cycles(edges: dict[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """One cycle of every knot, from its first name, found without recursion."""
    found: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in sorted(edges):
        path: list[str] = []
        on_path: dict[str, int] = {}
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            name, step = stack.pop()
            if step == 0:
                if name in done:
                    continue
                on_path[name] = len(path)
                path.append(name)
            if step < len(edges[name]):
                stack.append((name, step + 1))
                after = edges[name][step]
                if after in on_path:
                    found.append(_from_first(path[on_path[after] :]))
                elif after not in done:
                    stack.append((after, 0))
            else:
                done.add(name)
                path.pop()
                del on_path[name]
    return sorted(set(found))


def _from_first(cycle: list[str]) -> tuple[str, ...]:
    first = cycle.index(min(cycle))
    return tuple(cycle[first:] + cycle[:first])
