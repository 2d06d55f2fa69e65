"""The flags that every command takes, before or after its name, and what follows from them.

Reads the environment once, when the first setting is asked for.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.cli.outcome import wrong_usage

if TYPE_CHECKING:
    from bot.config import Settings


YEARS = range(2000, 2200)
"""Near the end of time no zone and no `expires` can be reckoned with; files keep to these, too."""


class Moment(click.ParamType[datetime]):
    """RFC 3339 with a zone, as UTC."""

    name = "RFC3339"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            read = datetime.fromisoformat(str(value).upper())  # RFC 3339 takes t and z as well
            at = read.astimezone(UTC) if read.tzinfo is not None else None
        except (ValueError, OverflowError):
            at = None
        if at is not None and at.year in YEARS:
            return at
        if at is not None:
            self.fail(f"{value!r}: expected a year from {YEARS[0]} to {YEARS[-1]}")
        self.fail(f"{value!r} is no moment with a zone, such as 2026-11-24T09:00:00Z")


@dataclass
class Flags:
    """The common flags of one call. None: not given."""

    repo: str | None = None
    ref: str | None = None
    db: str | None = None
    json: bool = False
    at: datetime | None = None
    as_name: str | None = None
    verb: str = field(default="", compare=False)
    held: ExitStack = field(default_factory=ExitStack, compare=False)
    """What is closed when the command has ended."""

    @cached_property
    def settings(self) -> Settings:
        """The environment, with what the flags say instead. Wrong settings are wrong usage."""
        from bot.config import BadSettings, Settings

        try:
            settings = Settings.read(os.environ)
        except BadSettings as bad:
            raise wrong_usage("\n".join(bad.problems)) from bad
        for flag, given in (("--repo", self.repo), ("--db", self.db)):
            if given == "":
                raise wrong_usage(f"{flag} is empty; leave it out for its default, or name one")
        if self.repo is not None:
            settings = replace(settings, repo=self.repo)
        if self.db is not None:
            settings = replace(settings, db=Path(self.db).expanduser())
        return settings

    @cached_property
    def now(self) -> datetime:
        """The moment that a question asks about: --at, or the clock. One for the whole call."""
        if self.at is not None:
            return self.at
        from bot.adapters.clock import SystemClock

        return SystemClock().now()

    @property
    def store(self) -> Path | None:
        """The store, for questions that can be answered without one; None where none stands."""
        path = self.settings.db
        return path if path.exists() else None

    def merge(self, given: dict[str, Any]) -> None:
        """Flags written after the command win over those before it."""
        for name in COMMON:
            value = given.pop(name, None)
            if value is not None and value is not False:
                setattr(self, name, value)


COMMON = ("repo", "ref", "db", "json", "at", "as_name")


def common_options(*, hidden: bool) -> list[click.Parameter]:
    """The flags as options; hidden in the help of a single command, which says where they are."""
    return [
        click.Option(
            ["--repo"],
            metavar="PATH|URL",
            hidden=hidden,
            help="The release repo. Default $SLUICE_REPO, then the current folder.",
        ),
        click.Option(
            ["--ref"], metavar="REF", hidden=hidden, help="Read this commit or branch of it."
        ),
        click.Option(
            ["--db"],
            metavar="PATH",
            hidden=hidden,
            help="The store. Default $SLUICE_DB, then ./sluice.db.",
        ),
        click.Option(
            ["--json"], is_flag=True, hidden=hidden, help="One JSON document, and nothing else."
        ),
        click.Option(
            ["--at"], type=Moment(), hidden=hidden, help="Questions only: ask as if it were then."
        ),
        click.Option(
            ["--as", "as_name"],
            metavar="NAME",
            hidden=hidden,
            help="Who I am, by my name in people.yaml. Default: my user on this machine.",
        ),
    ]


class Verb(click.Command):
    """A command that takes the common flags too. `asks`: a question, to which --at may be given."""

    def __init__(self, *args: Any, asks: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asks = asks
        self.params += common_options(hidden=True)
        self.epilog = "Common flags (--repo, --ref, --db, --json, --at, --as): sluice --help"

    def invoke(self, ctx: click.Context) -> Any:
        flags = ctx.find_object(Flags) or Flags()
        flags.merge(ctx.params)
        flags.verb = self.name or ""
        if flags.at is not None and not self.asks:
            raise wrong_usage(f"--at is for questions; {flags.verb} happens now")
        with flags.held:
            return super().invoke(ctx)


pass_flags = click.make_pass_decorator(Flags)
