"""windows: when batches may begin, and what decides it. Needs no store and no Git."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import FOUND, GOOD, Ended, emit, note
from bot.cli.telling import instant

if TYPE_CHECKING:
    from bot.core.calendar import CalendarUnit, EmergencyFreeze, Opening
    from bot.core.order import Candidate
    from release_repo_schema.repo import Repo
    from release_repo_schema.tree import Tree


@click.command("windows", cls=Verb, help="When batches may begin, and what decides it.")
@click.option("--unit", metavar="U", help="One unit; all without it.")
@click.option("--action", type=click.Choice(["advance", "rollback"]), default="advance")
@pass_flags
def windows(flags: Flags, unit: str | None, action: str) -> int:
    from bot.cli.reading import read_repo
    from bot.core.calendar import Calendar

    repo = read_repo(flags)
    try:
        _answerable(repo, unit)
    except Ended as broken:
        repo = _good(flags, repo, broken)
        _answerable(repo, unit)
    calendar = Calendar.of(
        repo.windows,
        repo.freezes,
        repo.policy,
        sources=repo.source,
        emergency=_emergency(flags),
    )
    units = _units(repo, unit)
    if unit is not None:
        opening = calendar.ask(units[0], flags.now, action)
        emit(_json(opening), _text(opening), as_json=flags.json)
        return GOOD
    answers = [(one, calendar.ask(one, flags.now, action)) for one in units]
    body = {"units": [{"unit": one.unit, **_json(opening)} for one, opening in answers]}
    emit(body, "" if flags.json else _all(answers), as_json=flags.json)
    return GOOD


_RULES = re.compile(r"(calendar|policy|fleet/groups)(/|$)")
_UNITS = re.compile(r"fleet(/|$)|components/[^/]+/[^/]+$")


def _answerable(repo: Repo, unit: str | None) -> None:
    """Ends with the findings where the calendar cannot be known: a broken freeze is no yes."""
    from release_repo_schema.rules.calendar import unknown_times

    component, _, place = (unit or "").partition("@")
    cluster = place.partition("/")[0]
    known = component in repo.components and cluster in repo.clusters
    wrong = [
        one
        for one in repo.findings
        if one.level == "error"
        and (_RULES.match(one.path) or (not known and _UNITS.match(one.path)))
    ]
    wrong += unknown_times(repo)
    if wrong:
        said = "the calendar cannot be told before these are mended:"
        lines = "\n".join(str(one) for one in wrong)
        body = {"findings": [one.to_json() for one in wrong]}
        raise Ended(FOUND, f"{said}\n{lines}", body)


def _good(flags: Flags, asked: Repo, broken: Ended) -> Repo:
    """The last good rules, where what was asked is main itself: the bot goes by them, too.

    Else the answer stays as it is: who mends a draft asks about the draft.
    """
    if flags.store is None:
        raise broken
    from bot.app.opening import git_host, reader
    from bot.core.messages_terminal import rules_of_good
    from bot.ports import PortError
    from bot.reconciler.noticing import GOOD as RULES
    from release_repo_schema.load import load_repo

    with reader(flags.store) as store:
        good = store.mark(RULES)
    try:
        git = flags.held.enter_context(git_host(flags.settings))
        head = git.head()
        if good is None or head is None or not _same(asked.tree, git.tree(head)):
            raise broken
        repo = load_repo(git.tree(good))
    except PortError:
        raise broken from None
    note(rules_of_good(good))
    return repo


def _same(one: Tree, other: Tree) -> bool:
    """Whether two trees have the same files of a release repo."""
    from release_repo_schema.tree import FOLDERS

    def files(tree: Tree) -> dict[str, bytes]:
        return {
            path: tree.read(path)
            for path, entry in tree.entries().items()
            if entry.link is None
            and entry.size >= 0
            and (path == "people.yaml" or path.partition("/")[0] in FOLDERS)
        }

    return files(one) == files(other)


def _units(repo: Repo, named: str | None) -> list[CalendarUnit]:
    """Every unit there could be, or the named one."""
    from bot.cli.refusing import unknown_unit
    from bot.core.candidates import candidates

    names = sorted(repo.components)
    if named is not None and named.partition("@")[0] in repo.components:
        names = [named.partition("@")[0]]
    units = [unit for name in names for unit in candidates(repo, name)]
    if named is None:
        return [_unit(repo, unit) for unit in units]
    found = next((unit for unit in units if unit.unit == named), None)
    if found is None:
        raise unknown_unit(named, (unit.unit for unit in units))
    return [_unit(repo, found)]


def _unit(repo: Repo, unit: Candidate) -> CalendarUnit:
    from bot.core.calendar import CalendarUnit

    return CalendarUnit(
        unit=unit.unit,
        component=unit.component,
        component_labels=repo.components[unit.component].metadata.labels,
        cluster=unit.cluster,
        labels=unit.labels,
    )


def _emergency(flags: Flags) -> Iterable[EmergencyFreeze]:
    """Emergency freezes in force, where a store knows of any."""
    if flags.store is None:
        return ()
    from bot.app.opening import reader
    from bot.model.state import EmergencyStop
    from bot.reconciler.rules import freeze_of

    with reader(flags.store) as store:
        return tuple(freeze_of(stop) for stop in store.rows(EmergencyStop))


def _json(opening: Opening) -> dict[str, Any]:
    return {
        "open": opening.open,
        "why": opening.why,
        "by": list(opening.by),
        "nextOpen": instant(opening.next_open),
        "nextClose": instant(opening.next_close),
        "source": opening.source,
    }


def _text(opening: Opening) -> str:
    from bot.core.messages_text import clean

    source = f" [{opening.source}]" if opening.source else ""
    return f"{'Open' if opening.open else 'Closed'}: {clean(opening.why)}{source}"


def _all(answers: list[tuple[CalendarUnit, Opening]]) -> str:
    """Units with the same answer are told together."""
    told: dict[str, list[str]] = {}
    for unit, opening in answers:
        told.setdefault(_text(opening), []).append(unit.unit)
    lines: list[str] = []
    for said, units in told.items():
        shown = ", ".join(units[:6]) + (f" and {len(units) - 6} more" if len(units) > 6 else "")
        lines += [said, f"  {shown}"]
    return "\n".join(lines) or "No unit: the repo has no component or no cluster."


VERBS = {"windows": windows}
