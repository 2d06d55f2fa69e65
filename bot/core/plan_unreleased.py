"""Templates and values that changed without a Release that carries them. Pure comparison of repos.

Changes of configuration alone reach no cluster; whoever merges them must see what stays behind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from bot.core.candidates import candidates
from bot.core.plan import content_files
from bot.core.plan_shown import Unreleased
from bot.model.state import Applied
from release_repo_schema.repo import Repo


def unreleased(
    base: Repo, merged: Repo, carried: Collection[str], applied: Mapping[str, Applied]
) -> tuple[Unreleased, ...]:
    """Components whose content differs and that no release of the pull request carries."""
    found = []
    both = set(base.components) & set(merged.components)
    for component in sorted(both & _touched(base, merged) - set(carried)):
        before = dict(content_files(base, component))
        after = dict(content_files(merged, component))
        if before == after:
            continue
        differing = sorted(
            path for path in {*before, *after} if before.get(path) != after.get(path)
        )
        touched = sorted(_units(base, merged, component, differing))
        # Where nothing of it was ever applied, or nobody knows: every unit that it could have.
        touched = [unit for unit in touched if unit in applied] or touched
        if touched:
            paths = tuple(_path(base, merged, component, path) for path in differing)
            found.append(Unreleased(component=component, paths=paths, units=tuple(touched)))
    return tuple(found)


def _touched(base: Repo, merged: Repo) -> set[str]:
    """Components with a file that is another; all that have a link, which may lead anywhere."""
    before, after = base.tree.entries(), merged.tree.entries()
    found = set()
    for path in {*before, *after} if before is not after else ():
        if path.startswith("components/"):
            old, new = before.get(path), after.get(path)
            if old is None or new is None or old.key != new.key or new.link is not None:
                found.add(path.split("/", 2)[1])
    return found


def _units(base: Repo, merged: Repo, component: str, differing: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in differing:
        scope = path.removeprefix("values/")
        if scope != path and _values(base, component, scope) == _values(merged, component, scope):
            continue  # only comments or spelling changed
        for unit in candidates(merged, component):
            name, group = unit.cluster, merged.clusters[unit.cluster].spec.group
            if scope in (path, "default", f"groups/{group}", f"clusters/{name}"):
                found.add(unit.unit)
    return found


def _values(repo: Repo, component: str, scope: str) -> object:
    return repo.values.get(component, {}).get(scope)


def _path(base: Repo, merged: Repo, component: str, path: str) -> str:
    scope = path.removeprefix("values/")
    for repo in (merged, base):
        if (found := repo.values_paths.get((component, scope))) is not None:
            return found
    return f"components/{component}/{path}"
