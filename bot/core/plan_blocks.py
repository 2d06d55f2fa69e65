"""Blocks as the plan and the files meet them: which Release brings what a rollback has blocked.

Pure. Only a block that the store alone has is told here; one in main's policy is lint's to tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.core import messages_plan_facts as say
from bot.core.plan import content_digest
from bot.model.plan import ComponentPlan
from bot.model.state import Blocked
from release_repo_schema.findings import Finding
from release_repo_schema.repo import Repo

BLOCKED = "blocked"
_HELD = (BLOCKED, "version-blocked")
"""What a gate holds by itself, so that an admin can say: I have seen it."""


def prevents_a_plan(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The errors without which a merged release could not be planned. A block is none of them: it
    is planned and waits at its gate, until the block is over, taken out or overridden.
    """
    return tuple(f for f in findings if f.level == "error" and f.code not in _HELD)


def said_of(component: ComponentPlan, blocked: Iterable[Blocked]) -> Iterator[str]:
    """What stands against a component of a plan."""
    for row in _standing(blocked, component.name, component.version):
        if row.content in ("", component.content):
            yield _said(row)


def blocked_releases(
    repo: Repo, names: Iterable[str], blocked: Iterable[Blocked]
) -> Iterator[Finding]:
    """Release files of a repo that bring what is blocked. Nothing is rendered for it."""
    rows = tuple(blocked)
    for name in sorted(set(names) & set(repo.releases)):
        for k, asked in enumerate(repo.releases[name].spec.components):
            for row in _standing(rows, asked.name, asked.version):
                # What a rollback has blocked for those that come is no mistake of its own file.
                if row.release == name or asked.name not in repo.components:
                    continue
                if row.content in ("", content_digest(repo, asked.name, asked.version)):
                    yield repo.documents["Release", name].finding(
                        ("spec", "components", k, "version"), BLOCKED, _said(row), say.BLOCKED_HINT
                    )


def _standing(blocked: Iterable[Blocked], component: str, version: str) -> Iterator[Blocked]:
    for row in blocked:
        if (row.component, row.version) == (component, version) and not row.on_main:
            yield row


def _said(row: Blocked) -> str:
    return say.blocked(
        row.component, row.version, row.reason, content=bool(row.content), release=row.release
    )
