"""Which of two versions is lower, and which version a unit has had by the Releases on main.

Versions are ordered as semantic versions are where they look like ones; others have no order, and
nothing is guessed of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from bot.core.order import Candidate
from release_repo_schema.repo import Repo

_VERSION = re.compile(r"[vV]?(\d+(?:\.\d+)*)(?:[-_.]?([A-Za-z][\w.-]*|(?<=-)\d[\w.-]*))?\Z")
_PART = re.compile(r"\d+|[A-Za-z]+")

Key = tuple[tuple[int, ...], tuple[int, tuple[tuple[int, int, str], ...]]]


def key_of(version: str) -> Key | None:
    """A sort key; None for a version that has no order, such as `latest` or a commit."""
    match = _VERSION.match(version)
    if match is None or (match[2] and "." not in match[1] and version[match.end(1)].isalnum()):
        # A commit such as 7e12abc begins with a number and is none.
        return None
    numbers = [int(part) for part in match[1].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    parts = tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part)
        for part in _PART.findall(match[2] or "")
    )
    # What has a suffix comes before what has none: 2.5.0-rc.1 before 2.5.0.
    return tuple(numbers), (1 if not parts else 0, parts)


def is_lower(version: str, than: str) -> bool:
    """Whether a version is lower than another; False where they have no order."""
    one, other = key_of(version), key_of(than)
    return one is not None and other is not None and one < other


def versions_by_releases(
    repo: Repo,
    component: str,
    units: Iterable[Candidate],
    ran: Callable[[str], bool] = lambda name: False,
) -> Mapping[str, str]:
    """Unit → the version of the newest Release on main that reaches it: the best guess there is.

    `ran`: releases of which nothing has to be guessed, since the store knows where they have been.
    """
    found: list[tuple[tuple[str, Key, str], str, str]] = []
    for name, release in repo.releases.items():
        for one in release.spec.components:
            if one.name == component and not ran(name):
                document = repo.documents["Release", name]
                year = document.file.path.partition("/")[2].rpartition("/")[0]
                rank = (year, key_of(one.version) or ((), (0, ())), name)
                found.append((rank, name, one.version))
    found.sort(reverse=True)
    guessed: dict[str, str] = {}
    left = list(units)
    for _, name, version in found:
        selects = repo.releases[name].spec.units
        reached = {unit.unit for unit in left if selects.matches(unit.labels, unit.cluster)}
        guessed.update(dict.fromkeys(reached, version))
        left = [unit for unit in left if unit.unit not in reached]
        if not left:
            break
    return guessed
