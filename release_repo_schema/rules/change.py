"""Rules of a pull request: what head may not change of base. Pure comparison of two repos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from release_repo_schema.findings import Finding
from release_repo_schema.repo import Repo
from release_repo_schema.rules.scene import Scene, listed


def new_releases(base: Repo, head: Repo) -> tuple[str, ...]:
    """Releases that head brings: their names are not in base."""
    return tuple(name for name in head.releases if name not in base.releases)


def changed_releases(base: Repo, head: Repo) -> tuple[str, ...]:
    """Releases of base whose spec is another in head."""
    return tuple(
        name
        for name, release in head.releases.items()
        if (before := base.releases.get(name)) is not None
        and before is not release
        and before.spec != release.spec
    )


def changes(scene: Scene) -> Iterator[Finding]:
    """No release is edited, none comes twice for a component, none brings its own rules."""
    base, head = scene.base, scene.repo
    if base is None:
        return
    for name in changed_releases(base, head):
        said = f"the release {name} is merged, and its spec does not change afterwards"
        hint = "take the edit back; a new Release file with a new name asks for something else"
        yield scene.document("Release", name).finding(("spec",), "release-edited", said, hint,
                                                      at_key=True)  # fmt: skip
    new = new_releases(base, head)
    if not new:
        return
    yield from _twice(scene, new)
    touched = _rules_touched(base, head)
    if not touched:
        return
    for name in new:
        said = f"this pull request brings a release and changes {listed(touched, 8)}"
        hint = "change the rules in a pull request of their own: a release loosens no rule"
        yield scene.document("Release", name).finding(("metadata", "name"), "release-with-rules",
                                                      said, hint)  # fmt: skip


def _twice(scene: Scene, new: tuple[str, ...]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    for name in sorted(new):
        for k, component in enumerate(scene.repo.releases[name].spec.components):
            other = first.setdefault(component.name, name)
            if other != name:
                said = f"{component.name} is released by {other} too, in the same merge"
                pointer = ("spec", "components", k, "name")
                hint = "keep one of them, or merge the other later"
                document = scene.document("Release", name)
                yield document.finding(pointer, "component-twice", said, hint)


def _rules_touched(base: Repo, head: Repo) -> set[str]:
    touched: set[str] = set()
    if not _equal(base.policy, head.policy):
        touched.add("the policy")
    if not _equal(base.people, head.people):
        touched.add("people.yaml")
    touched |= {f"the window {x}" for x in _differ(_named(base.windows), _named(head.windows))}
    touched |= {f"the freeze {x}" for x in _differ(_named(base.freezes), _named(head.freezes))}
    kinds = _differ(base.workload_kinds, head.workload_kinds)
    touched |= {f"the workload kind {x}" for x in kinds}
    for name in _differ(base.clusters, head.clusters):
        before, after = base.clusters.get(name), head.clusters.get(name)
        if before is None or after is None or before.spec.connection != after.spec.connection:
            touched.add(f"the connection of {name}")
    return touched


def _named(models: tuple[Any, ...]) -> dict[str, Any]:
    return {model.name: model for model in models}


def _equal(left: Any, right: Any) -> bool:
    return left is right or left == right


def _differ(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[str]:
    names = sorted({*left, *right})
    return [name for name in names if not _equal(left.get(name), right.get(name))]
