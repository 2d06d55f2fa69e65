"""Who asks: --as NAME, else the operating system's user. Never believes the environment."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.cli.flags import Flags
    from release_repo_schema.models import People


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """`account` is what people.yaml is asked for; `os_user` stands in the audit beside it."""

    account: str
    os_user: str


def asker_of(flags: Flags) -> Asker:
    """`--as` holds only while neither GitHub nor Slack is configured, as in this version always."""
    user = os_user()
    return Asker(account=flags.as_name or f"os:{user}", os_user=user)


def os_user() -> str:
    """The user that this process really runs as; $USER could say anything."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def author_of(flags: Flags, people: People) -> str:
    """Name and e-mail for a commit: of the member where people.yaml knows one."""
    from bot.core.people import Directory

    asker = asker_of(flags)
    name = Directory.of(people).find(asker.account)
    member = next((one for one in people.spec.members if one.name == name), None)
    if member is None:
        return f"{flags.as_name or asker.os_user} <{asker.os_user}@localhost>"
    return f"{member.name} <{member.emails[0] if member.emails else f'{member.name}@localhost'}>"
