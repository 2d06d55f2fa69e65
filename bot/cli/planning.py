"""plan and forecast: what a merge would do, and when. Read-only; without a store a best guess."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import FOUND, GOOD, emit

if TYPE_CHECKING:
    from bot.core.plan_shown import Known, PullPlan
    from bot.ports import GitHost
    from bot.reconciler.planner import Planner


@click.command("plan", cls=Verb, help="What merging head into base would do. Changes nothing.")
@click.option("--base", metavar="REF", default="main", show_default=True)
@click.option("--head", metavar="REF", help="Default HEAD.")
@click.option(
    "--ask-clusters",
    is_flag=True,
    help="Dry-run a sample in the clusters that base names. Writes nothing.",
)
@pass_flags
def plan(flags: Flags, base: str, head: str | None, *, ask_clusters: bool) -> int:
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
        if ask_clusters:
            pull = _asked(flags, git, planner, pull, known)
        body = plan_json(pull)
    text = "\n".join(_harmless(line, clean) for line in plan_text(pull).split("\n"))
    emit(body, text, as_json=flags.json)
    return FOUND if pull.has_errors or pull.refused else GOOD


def _asked(flags: Flags, git: GitHost, planner: Planner, pull: PullPlan, known: Known) -> PullPlan:
    """The plan with what clusters would say, over the connections of its base."""
    from bot.app.opening import fleet_for_looking
    from bot.reconciler.asking_ahead import ask_ahead
    from bot.reconciler.rules import connections

    links = connections(planner.load(pull.base))
    position = git.commit(pull.base).position
    with closing(fleet_for_looking(flags.settings, links)) as fleet:
        return ask_ahead(fleet, links, pull, known, position=position, now=flags.now)


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
