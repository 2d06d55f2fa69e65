"""One Release file on its way to a plan: what is known of it, and what stands against it.

Holds findings and plans; makes neither.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.core import messages_plan_facts as say
from bot.core.guard_findings import guard_findings
from bot.core.members import Membership
from bot.core.plan_shown import NOTHING_KNOWN, Known, UnitShown
from bot.model.plan import PlannedRelease
from bot.reconciler.mistakes import condition_findings
from bot.reconciler.rule_trial import rule_findings
from release_repo_schema.findings import Finding
from release_repo_schema.repo import Repo
from release_repo_schema.rules import lint


@dataclass(frozen=True, slots=True)
class Draft:
    """A release on its way to a plan. No `planned`: the findings say why."""

    planned: PlannedRelease | None = None
    members: Membership | None = None
    shown: Mapping[str, UnitShown] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    known: Known = NOTHING_KNOWN
    asides: tuple[Finding, ...] = ()
    """Warnings of its renderings: they stand against nothing."""

    def told(self, repo: Repo, name: str) -> tuple[Finding, ...]:
        """The findings; never none where there is no plan."""
        if self.planned is not None or self.findings:
            return self.findings
        document = repo.documents["Release", name]
        return (document.finding(("spec",), "not-plannable", say.NOT_PLANNABLE, at_key=True),)


def lint_all(
    repo: Repo, *, now: datetime, active: Collection[str] | None, base: Repo | None
) -> list[Finding]:
    """What the files say wrong, and what only a trial of their conditions shows."""
    return [
        *lint(repo, now=now, active=active, base=base),
        *condition_findings(repo),
        *guard_findings(repo),
        *rule_findings(repo),
    ]


def removed(before: Repo, after: Repo) -> tuple[str, ...]:
    return tuple(sorted(set(before.releases) - set(after.releases) - after.broken_names))


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(finding for finding in findings if finding.level == "error")
