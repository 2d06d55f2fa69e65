"""Who is who, and who may do what: people.yaml as questions.

Contract §1, "Roles". Deny by default: an unknown person may nothing, an unknown verb is nobody's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from release_repo_schema.models import Member, People

ANYONE = "anyone in people.yaml"
RIGHTS: Mapping[str, tuple[str, ...]] = {
    "pause": (ANYONE,),
    "stop": (ANYONE,),
    "resume": ("operator", "owner"),
    "retry": ("operator", "owner"),
    "rollback": ("operator", "owner"),
    "cancel": ("operator", "owner"),
    "snooze": ("operator", "owner"),
    "approve": ("approver",),
    "reject": ("approver",),
    "skip": ("approver",),
    "accept": ("approver",),
    "override": ("admin",),
    "freeze": ("admin",),
    "unfreeze": ("admin",),
}
"""Verb → roles that may use it."""


@dataclass(frozen=True, slots=True)
class Directory:
    """people.yaml, indexed. `find` knows a member by every account; a member is one person."""

    people: People | None
    _members: Mapping[str, Member] = field(default_factory=dict)
    _accounts: Mapping[str, str] = field(default_factory=dict)
    _roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    _teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, people: People | None) -> Directory:
        if people is None:
            return cls(None)
        members = {member.name: member for member in people.spec.members}
        accounts: dict[str, str] = {}
        for member in people.spec.members:
            accounts[member.name] = member.name
            for mail in member.emails:
                accounts[mail.casefold()] = member.name
            for prefix, account in (
                # GitHub's names know no upper and lower case.
                ("github", member.github.casefold() if member.github else None),
                ("slack", member.slack),
                ("os", member.os),
            ):
                if account:
                    accounts[f"{prefix}:{account}"] = member.name
        teams = {team.name: tuple(team.members) for team in people.spec.teams}
        held: dict[str, set[str]] = {}
        roles = people.spec.roles
        for role in ("operator", "approver", "admin"):
            for name in getattr(roles, role):
                for member_name in teams.get(name, (name,)):
                    held.setdefault(member_name, set()).add(role)
        return cls(
            people, members, accounts, {name: frozenset(had) for name, had in held.items()}, teams
        )

    def find(self, account: str) -> str | None:
        """The member behind a name, an e-mail address, or `github:…`, `slack:…`, `os:…`."""
        return self._accounts.get(account) or self._accounts.get(account.casefold())

    def roles(self, member: str) -> frozenset[str]:
        return self._roles.get(member, frozenset()) if member in self._members else frozenset()

    def holders(self, roles: Iterable[str]) -> tuple[str, ...]:
        """Members who hold any of the roles, by name."""
        wanted = set(roles)
        return tuple(sorted(name for name in self._members if self.roles(name) & wanted))

    def owns(self, member: str, owners: Iterable[str]) -> bool:
        """Whether the member is one of the owners, or in a team that is."""
        return any(owner == member or member in self._teams.get(owner, ()) for owner in owners)

    def may(self, member: str, verb: str, owners: Iterable[str] = ()) -> bool:
        """Whether the member may use the verb on something with these owners."""
        if member not in self._members:
            return False
        for role in RIGHTS.get(verb, ()):
            if role == ANYONE or (role == "owner" and self.owns(member, owners)):
                return True
            if role in self.roles(member):
                return True
        return False

    def who_may(self, verb: str, owners: Iterable[str] = ()) -> tuple[str, ...]:
        """Everybody who may use the verb, by name."""
        own = tuple(owners)
        return tuple(sorted(name for name in self._members if self.may(name, verb, own)))

    def authors(self, mails: Iterable[str]) -> tuple[frozenset[str], bool]:
        """(members among the authors, whether some author is unknown to people.yaml).

        Nobody named at all is an unknown author too.
        """
        found = {mail: self.find(mail) for mail in mails}
        return frozenset(name for name in found.values() if name), not found or any(
            name is None for name in found.values()
        )

    def channel(self, owners: Iterable[str]) -> str:
        """Channel of the first owning team that has one; "" when none has."""
        if self.people is None:
            return ""
        channels = {team.name: team.channel or "" for team in self.people.spec.teams}
        owners = tuple(owners)
        for owner in owners:
            if channels.get(owner):
                return channels[owner]
        for team in self.people.spec.teams:
            if team.channel and any(owner in team.members for owner in owners):
                return team.channel
        return ""

    def deciders(
        self, roles: Iterable[str], *, authors: Iterable[str], voted: Iterable[str]
    ) -> tuple[str, ...]:
        """Who may still vote: holders of the roles, less authors and those who did."""
        gone, _ = self.authors(authors)
        done = set(voted)
        return tuple(name for name in self.holders(roles) if name not in gone and name not in done)
