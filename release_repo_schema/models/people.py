"""The people: members, teams and roles, and how each surface knows them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from release_repo_schema.models.base import KindModel, Model
from release_repo_schema.models.scalars import DnsLabel, NonEmpty


class Member(Model):
    """One person, under every name the surfaces know."""

    name: DnsLabel = Field(description="The name used in this repo.", examples=["ana"])
    emails: tuple[NonEmpty, ...] = Field(
        default=(), description="Addresses that commits carry.", examples=[["ana@example.com"]]
    )
    github: NonEmpty | None = Field(default=None, description="The GitHub login.")
    slack: NonEmpty | None = Field(default=None, description="The Slack user id, U….")
    os: NonEmpty | None = Field(
        default=None, description="The operating system's user on the bot's machine."
    )


class Team(Model):
    """People who own components together."""

    name: DnsLabel = Field(description="The team's name.", examples=["network"])
    members: tuple[DnsLabel, ...] = Field(default=(), description="Names of members.")
    channel: NonEmpty | None = Field(
        default=None, description="The Slack channel id, C…, where its releases are told."
    )
    slack_group: NonEmpty | None = Field(default=None, description="The Slack user group id, S….")
    github: NonEmpty | None = Field(
        default=None, description="The GitHub team, org/team.", examples=["org/network"]
    )


class RoleTable(Model):
    """Who may do what: members or teams."""

    operator: tuple[DnsLabel, ...] = Field(
        default=(), description="May resume, retry, roll back, cancel, snooze."
    )
    approver: tuple[DnsLabel, ...] = Field(
        default=(), description="May approve, reject, skip, accept."
    )
    admin: tuple[DnsLabel, ...] = Field(default=(), description="May override, freeze, unfreeze.")


class PeopleSpec(Model):
    """Members, teams and roles."""

    members: tuple[Member, ...] = Field(default=(), description="The people.")
    teams: tuple[Team, ...] = Field(default=(), description="The teams.")
    roles: RoleTable = Field(default=RoleTable(), description="Who may do what.")

    def holders(self, role: str) -> frozenset[str]:
        """The members who hold a role, teams resolved to their members."""
        teams = {team.name: team.members for team in self.teams}
        known = {member.name for member in self.members}
        named: tuple[str, ...] = getattr(self.roles, role, ())
        everyone = (one for name in named for one in teams.get(name, (name,)))
        return frozenset(one for one in everyone if one in known)


class People(KindModel):
    """Git host, chat and roles of the people; one a repo."""

    kind: Literal["People"] = Field(default="People", description="People.")
    spec: PeopleSpec = Field(default_factory=PeopleSpec, description="Members, teams, roles.")
