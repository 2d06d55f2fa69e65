"""What every rule looks at: the repo, its fleet, the moment; and how to say "no such thing"."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from release_repo_schema.findings import Finding, Level, Pointer, did_you_mean
from release_repo_schema.fleetindex import ANY, FleetIndex
from release_repo_schema.loadedfile import Document
from release_repo_schema.models import Stage
from release_repo_schema.repo import Repo

BUILT_IN_CHECKS = ("workload",)
GUESSES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One linting of one repo. `releases`: the names of those that are judged."""

    repo: Repo
    fleet: FleetIndex
    now: datetime | None
    releases: Collection[str]
    base: Repo | None
    fleet_is_known: bool
    """Every cluster can be read: "nobody is selected" is no slip elsewhere."""
    guessed: list[str] = field(default_factory=list)
    stages: dict[tuple[int, str], tuple[frozenset[str], ...]] = field(default_factory=dict)

    def document(self, kind: str, name: str) -> Document:
        """The document of a model that the repo has."""
        return self.repo.documents[(kind, name)]

    def of_kind(self, kind: str) -> Iterator[Document]:
        """All documents of a kind."""
        return (found for (k, _), found in self.repo.documents.items() if k == kind)

    def meant(self, word: str, names: Collection[str], otherwise: str) -> str:
        """The hint for a name that nothing has. Looking for a likeness in a large fleet is slow,
        so that after many slips, as when clusters were renamed, the later ones get none."""
        if len(self.guessed) >= GUESSES:
            return otherwise
        self.guessed.append(word)
        return did_you_mean(word, names, otherwise)

    def unknown(
        self,
        document: Document,
        pointer: Pointer,
        what: str,
        name: str,
        names: Collection[str],
        level: Level = "error",
    ) -> Iterator[Finding]:
        """The finding that nothing is called so, unless it is, or is merely broken."""
        if name in names or name in self.repo.broken_names:
            return
        few = f"known: {', '.join(sorted(names))}" if 0 < len(names) <= 8 else ""
        hint = self.meant(name, names, few or f"there is no {what} of this name in the repo")
        said = f"no {what} is called `{name}`"
        code = f"unknown-{what.replace(' ', '-')}"
        yield document.finding(pointer, code, said, hint, level=level)

    def checks(self) -> Collection[str]:
        """Names that may stand where a check is asked."""
        return {*self.repo.checks, *BUILT_IN_CHECKS}

    def members_of_stages(
        self, stages: tuple[Stage, ...], scope: str = ANY
    ) -> tuple[frozenset[str], ...]:
        """The clusters (or places of a scope) of each stage: each belongs to the first stage that
        selects it.
        """
        found = self.stages.get((id(stages), scope))
        if found is None:
            taken: frozenset[str] = frozenset()
            members = []
            for stage in stages:
                selected = self.fleet.select(stage.units, scope)
                members.append(selected - taken)
                taken |= selected
            found = self.stages[id(stages), scope] = tuple(members)
        return found


def listed(names: Collection[str], most: int = 3) -> str:
    """A few names, and how many more there are."""
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more
