"""plan and forecast: what a merge would do, and when. Read-only; without a store a best guess."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import FOUND, GOOD, emit

if TYPE_CHECKING:
    from bot.core.plan_shown import Known


@click.command("plan", cls=Verb, help="What merging head into base would do. Changes nothing.")
@click.option("--base", metavar="REF", default="main", show_default=True)
@click.option("--head", metavar="REF", help="Default HEAD.")
@pass_flags
def plan(flags: Flags, base: str, head: str | None) -> int:
    from bot.cli.reading import commit_of, open_planner
    from bot.core.messages_plan import plan_text
    from bot.core.messages_text import clean
    from bot.core.plan_json import plan_json

    with open_planner(flags) as (git, planner), what_is_known(flags) as known:
        ours = commit_of(git, base), commit_of(git, head or flags.ref or "HEAD")
        if ours[0] != git.head():
            # From an older base a name is new once more; only on main itself must it be.
            known = replace(known, taken=lambda name: False)
        pull = planner.pull(*ours, now=flags.now, known=known)
        body = plan_json(pull)
    text = "\n".join(_harmless(line, clean) for line in plan_text(pull).split("\n"))
    emit(body, text, as_json=flags.json)
    return FOUND if pull.has_errors else GOOD


@click.command("forecast", cls=Verb, help="When each batch would start, from the same engine.")
@click.argument("release")
@pass_flags
def forecast(flags: Flags, release: str) -> int:
    from bot.cli.forecasting import forecast_of

    body, text = forecast_of(flags, release)
    emit(body, text, as_json=flags.json)
    return GOOD


@contextmanager
def what_is_known(flags: Flags) -> Iterator[Known]:
    """What the store adds, where one is."""
    from bot.core.plan_shown import NOTHING_KNOWN

    if flags.store is None:
        yield NOTHING_KNOWN
        return
    from bot.app.standing import standing

    with standing(flags.settings, flags.now) as here:
        yield here.known()


def _harmless(line: str, clean: Any) -> str:
    """Foreign text in a plan moves no cursor; what stands indented stays so."""
    body = line.lstrip(" ")
    return " " * (len(line) - len(body)) + (clean(body) if not body.isprintable() else body)


VERBS = {"plan": plan, "forecast": forecast}
