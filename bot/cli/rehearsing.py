"""rehearse: a release from its merge to its end, on a virtual clock, before it happens."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import FOUND, GOOD, Ended, emit, wrong_usage


class Fault(click.ParamType[tuple[str, int]]):
    """UNIT:BATCH, such as node-agent@eu-1:2; a unit may itself hold a colon."""

    name = "UNIT:BATCH"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        unit, colon, batch = str(value).rpartition(":")
        if not colon or not unit or not batch.isdecimal() or "@" not in unit:
            self.fail(f"{value!r} is no UNIT:BATCH, such as node-agent@eu-1:2")
        return unit, int(batch)


class Version(click.ParamType[str]):
    """A version of the contract: text that is a valid image tag."""

    name = "VERSION"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        from pydantic import TypeAdapter, ValidationError

        from release_repo_schema.models.scalars import Version as Tag

        try:
            return TypeAdapter[str](Tag).validate_python(str(value))
        except ValidationError:
            self.fail(f"{value!r} is no version: expected a valid image tag, such as 2.4.1")


class Span(click.ParamType[timedelta]):
    """A duration of the contract: 30s, 5m, 2h, 1d."""

    name = "DURATION"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        from release_repo_schema.models import parse_duration

        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except (ValueError, TypeError):
            self.fail(f"{value!r} is no duration, such as 5m or 2h")


@click.command(
    "rehearse",
    cls=Verb,
    help="A release from its merge to its end, on a virtual clock, against simulated copies of its"
    " clusters. Contacts nobody, writes nothing.",
)
@click.argument("release", required=False)
@click.option(
    "--fail",
    "faults",
    type=Fault(),
    multiple=True,
    help="The new version crashes in this unit from this batch on.",
)
@click.option(
    "--answers-after",
    type=Span(),
    default="5m",
    show_default=True,
    help="How long people take to answer.",
)
@click.option(
    "--on-failure",
    type=click.Choice(["rollback", "skip", "wait"]),
    default="rollback",
    show_default=True,
    help="What people do when the release stops itself.",
)
@click.option(
    "--from",
    "runs",
    type=Version(),
    metavar="VERSION",
    help="What runs now, where neither the store nor the Releases on main say it.",
)
@pass_flags
def rehearse(
    flags: Flags,
    release: str | None,
    faults: tuple[tuple[str, int], ...],
    answers_after: timedelta,
    on_failure: str,
    runs: str | None,
) -> int:
    from bot.app.opening import git_host, reader
    from bot.cli.reading import commit_of
    from bot.rehearse import Asked, CannotRehearse
    from bot.rehearse import rehearse as play
    from bot.rehearse.text import rehearsal_json, rehearsal_text

    asked = Asked(
        release=release,
        at=flags.now.replace(microsecond=0),
        faults=faults,
        answers_after=answers_after,
        on_failure=on_failure,
        runs=runs,
    )
    with ExitStack() as held:
        git = held.enter_context(git_host(flags.settings))
        store = held.enter_context(reader(flags.store)) if flags.store is not None else None
        if store is not None:
            held.enter_context(store.snapshot())
        head = commit_of(git, flags.ref or "HEAD")
        try:
            told = play(asked, git, head, store)
        except CannotRehearse as cannot:
            raise _ended(cannot) from cannot
    emit(rehearsal_json(told), rehearsal_text(told), as_json=flags.json)
    return GOOD


def _ended(cannot: Exception) -> Ended:
    """Why nothing was rehearsed, in the words of every other command."""
    from bot.cli.refusing import unknown_release, unknown_unit
    from bot.core.messages_rehearsal import name_one, no_such_batch
    from bot.rehearse import NoSuchBatch, NotPlanned, UnknownRelease, UnknownUnit

    match cannot:
        case UnknownRelease(release=None, known=known):
            return wrong_usage(name_one(known))
        case UnknownRelease(release=str(name), known=known):
            return unknown_release(name, known)
        case UnknownUnit(unit=unit, known=known):
            return unknown_unit(unit, known)
        case NoSuchBatch(unit=unit, batch=batch, batches=batches):
            return wrong_usage(no_such_batch(unit, batch, batches))
        case NotPlanned(findings=findings):
            lines = "\n".join(str(one) for one in findings)
            body = {"findings": [one.to_json() for one in findings]}
            return Ended(FOUND, f"It cannot be planned:\n{lines}", body)
        case _:
            return wrong_usage(str(cannot))


VERBS = {"rehearse": rehearse}
