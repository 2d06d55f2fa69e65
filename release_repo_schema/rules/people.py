"""Rules of people and policy: names that exist, one person an identity, counts that can be met."""

from __future__ import annotations

from collections.abc import Iterator

from release_repo_schema.findings import Finding, Pointer
from release_repo_schema.loadedfile import Document
from release_repo_schema.models import PeopleSpec
from release_repo_schema.rules.scene import Scene, listed


def people(scene: Scene) -> Iterator[Finding]:
    """Teams and roles name people who exist; no two people share a name or an identity."""
    for document in scene.of_kind("People"):
        spec = scene.repo.people.spec
        members = {member.name for member in spec.members}
        teams = {team.name for team in spec.teams}
        for t, team in enumerate(spec.teams):
            for k, name in enumerate(team.members):
                pointer: Pointer = ("spec", "teams", t, "members", k)
                yield from scene.unknown(document, pointer, "member", name, members)
        for role in ("operator", "approver", "admin"):
            for k, name in enumerate(getattr(spec.roles, role)):
                pointer = ("spec", "roles", role, k)
                yield from scene.unknown(document, pointer, "member or team", name, members | teams)
        yield from _names(document, spec)
        yield from _identities(document, spec)


def _names(document: Document, spec: PeopleSpec) -> Iterator[Finding]:
    seen: set[str] = set()
    names = [(("members", k), one.name) for k, one in enumerate(spec.members)]
    names += [(("teams", k), one.name) for k, one in enumerate(spec.teams)]
    for place, name in names:
        if name in seen:
            said = f"the name `{name}` is there twice among members and teams"
            yield document.finding(("spec", *place, "name"), "duplicate-name", said)
        seen.add(name)


def _identities(document: Document, spec: PeopleSpec) -> Iterator[Finding]:
    owners: dict[tuple[str, str], str] = {}
    for k, member in enumerate(spec.members):
        known: list[tuple[Pointer, str, str]] = [
            (("emails", n), "email", email) for n, email in enumerate(member.emails)
        ]
        for field, value in (("github", member.github), ("slack", member.slack), ("os", member.os)):
            if value is not None:
                known.append(((field,), field, value))
        for inside, field, value in known:
            key = (field, value.casefold())
            if owners.setdefault(key, member.name) != member.name:
                said = f"the {field} `{value}` belongs to {owners[key]} already"
                hint = "one identity is one person: approvals are counted by it"
                pointer: Pointer = ("spec", "members", k, *inside)
                yield document.finding(pointer, "duplicate-identity", said, hint)


def policy(scene: Scene) -> Iterator[Finding]:
    """What the policy names exists, and its approvals can be given."""
    repo = scene.repo
    for document in scene.of_kind("Policy"):
        spec = repo.policy.spec
        for k, blocked in enumerate(spec.blocked):
            pointer: Pointer = ("spec", "blocked", k, "component")
            yield from scene.unknown(
                document, pointer, "component", blocked.component, repo.components
            )
        for k, floor in enumerate(spec.floors):
            for n, check in enumerate(floor.checks):
                pointer = ("spec", "floors", k, "checks", n)
                yield from scene.unknown(document, pointer, "check", check, scene.checks())
        for k, approval in enumerate(spec.approvals):
            pointer = ("spec", "approvals", k, "count")
            yield from enough_people(scene, document, pointer, approval.count, approval.roles)


def enough_people(
    scene: Scene, document: Document, pointer: Pointer, count: int, roles: tuple[str, ...]
) -> Iterator[Finding]:
    """No more approvals are asked than people could give."""
    spec = scene.repo.people.spec
    if "people" in scene.repo.broken_names:
        return
    holders = frozenset[str]().union(*(spec.holders(role) for role in roles))
    asked = f"{count} approval{'s' if count > 1 else ''} of {' or '.join(roles)}"
    have = f"{len(holders)} could give one" if len(holders) != 1 else "1 person could give one"
    if count > len(holders):
        who = f": {listed(holders)}" if holders else ""
        said = f"{asked} asked, and {have}{who}"
        hint = "give the role to more people in people.yaml, or ask for fewer"
        yield document.finding(pointer, "too-many-approvals", said, hint)
    elif count == len(holders):
        said = f"{asked} asked, and {have}: none of them can be an author of the release"
        hint = "give the role to one more person"
        yield document.finding(pointer, "approvals-need-everyone", said, hint, level="warning")
