"""What lint says of the guard of components, by the files alone. Knows no plan and no release."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cluster.guard_rules import Act, built_in
from bot.core import messages_guard as say
from release_repo_schema.findings import Finding
from release_repo_schema.models.guardpath import parse_guard_path
from release_repo_schema.repo import Repo


def guard_findings(repo: Repo) -> Iterator[Finding]:
    """Paths of a component that would ask about what is blocked in any case."""
    for name, component in repo.components.items():
        for k, text in enumerate(component.spec.guard.ask):
            path = parse_guard_path(text)
            parts = [part.text for part in path.parts]
            for rule in built_in():
                head = [part.text for part in rule.path.parts]
                kinds = {kind for _, kind in rule.kinds}
                if (
                    rule.act is Act.BLOCK
                    and rule.when is None
                    and path.kind in kinds
                    and (parts[: len(head)] == head)
                ):
                    yield repo.documents["Component", name].finding(
                        ("spec", "guard", "ask", k), "guard-never-looser",
                        say.never_looser(text), say.NEVER_LOOSER_HINT, level="warning",
                    )  # fmt: skip
