"""Rules of a component's `guard`: no path twice, and no release with a looser guard than before."""

from __future__ import annotations

from collections.abc import Iterator

from release_repo_schema.findings import Finding, Pointer
from release_repo_schema.models.component import Guard
from release_repo_schema.rules.change import new_releases
from release_repo_schema.rules.scene import Scene, listed

LISTS = ("block", "ignore", "ask")


def guards(scene: Scene) -> Iterator[Finding]:
    """A path means one thing, and a pull request loosens no guard that judges its release."""
    for name, component in scene.repo.components.items():
        said: dict[str, str] = {}
        for field in LISTS:
            for k, path in enumerate(getattr(component.spec.guard, field)):
                other = said.setdefault(path, field)
                pointer: Pointer = ("spec", "guard", field, k)
                if other is not field or getattr(component.spec.guard, field).index(path) != k:
                    what = f"{path} stands in {other} already"
                    hint = "keep one of them: block, ask and ignore are three answers"
                    yield scene.document("Component", name).finding(
                        pointer, "guard-path-twice", what, hint
                    )
    yield from _loosened(scene)


def _loosened(scene: Scene) -> Iterator[Finding]:
    base, head = scene.base, scene.repo
    if base is None:
        return
    for name in new_releases(base, head):
        for asked in head.releases[name].spec.components:
            before, after = base.components.get(asked.name), head.components.get(asked.name)
            if before is None or after is None or before.spec.guard == after.spec.guard:
                continue
            if lost := _lost(before.spec.guard, after.spec.guard):
                said = f"the release {name} comes with a looser guard: {listed(lost, 4)} left it"
                hint = "change the guard in a pull request of its own, before the release"
                yield scene.document("Component", asked.name).finding(
                    ("spec", "guard"), "guard-loosened", said, hint, at_key=True
                )


def _lost(before: Guard, after: Guard) -> set[str]:
    """Paths that were guarded, and are less so."""
    lost = set(before.block) - {*after.block, *after.ignore}
    lost |= set(before.ask) - {*after.block, *after.ignore, *after.ask}
    lost |= set(before.ignore) - {*after.block, *after.ignore}
    was, now = before.delete, after.delete
    deletions = {*set(was.keep) - {*now.keep}, *set(was.ask) - {*now.ask, *now.keep}}
    # What is deleted without a question now was asked about before.
    return lost | {f"delete of {one}" for one in deletions | (set(now.allow) - {*was.allow})}
