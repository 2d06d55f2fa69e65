"""status, list, why: where releases stand. Reads the store only, whether a bot runs or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bot.cli.flags import Flags, Verb, pass_flags
from bot.cli.outcome import GOOD, emit, note, outside
from bot.cli.refusing import unknown_release, unknown_unit

if TYPE_CHECKING:
    from bot.app.standing import Standing
    from bot.core.board import Active
    from bot.model.gate import ReleaseView
    from bot.model.state import ReleaseState


@click.command("status", cls=Verb, help="Where every release stands; one of them as a page.")
@click.argument("release", required=False)
@pass_flags
def status(flags: Flags, release: str | None) -> int:
    from bot.app.standing import standing
    from bot.cli.board_json import beside_json, release_json, standing_json

    with standing(flags.settings, flags.now, unread=True) as here:
        states = here.states()
        if release is not None and release not in states:
            raise unknown_release(release, states)
        chosen = [states[release]] if release is not None else _recent(here, states)
        shown = [(state, _view(here, state)) for state in chosen]
        body = {
            "releases": [release_json(state, view) for state, view in shown],
            **standing_json(here),
            **beside_json(here),
        }
        text = "" if flags.json else _status_text(here, shown, one=release is not None)
    emit(body, text, as_json=flags.json)
    return _beside(flags, body, here.unread)


@click.command("list", cls=Verb, help="All releases, one line each; what has ended too.")
@pass_flags
def list_(flags: Flags) -> int:
    from bot.app.standing import standing
    from bot.cli.board_json import beside_json, standing_json, summary_json
    from bot.core.messages_listing import listing
    from bot.core.messages_terminal import without_plan

    with standing(flags.settings, flags.now, unread=True) as here:
        shown = [(state, _view(here, state)) for state in _ordered(here.states().values())]
        body = {
            "releases": [summary_json(state, view) for state, view in shown],
            **standing_json(here),
            **beside_json(here),
        }
        views = [view for _, view in shown if view is not None]
        bare = without_plan([state for state, view in shown if view is None])
        text = "\n".join(
            part
            for part in (_standing_text(here), listing(views) if views or not bare else "", bare)
            if part
        )
    emit(body, text, as_json=flags.json)
    return _beside(flags, body, here.unread)


@click.command("why", cls=Verb, help="Why a release or a unit is not moving, and who can clear it.")
@click.argument("what", metavar="RELEASE|UNIT")
@pass_flags
def why(flags: Flags, what: str) -> int:
    from bot.app.standing import standing
    from bot.cli.board_json import beside_json, waiting_json
    from bot.core.messages_listing import why_text

    with standing(flags.settings, flags.now, unread=True) as here:
        active, unit = _meant(here, what)
        waiting = here.waiting(active) if active is not None else ()
        lines = [line for line in waiting if not unit or line.unit in ("", unit)]
        name = active.state.release if active is not None else what
        view = here.view(active) if active is not None and not flags.json else None
        body = {
            "release": name,
            "waiting": [waiting_json(name, line) for line in lines],
            **beside_json(here),
        }
        said = _ended(here, what, active, unit)
        if here.unread and not said:
            said = _from_store(here, what, active, body)
    zone = view.zone if view is not None else "UTC"
    emit(body, said or why_text(lines, zone), as_json=flags.json)
    return _beside(flags, body, here.unread)


def _meant(here: Standing, what: str) -> tuple[Active | None, str]:
    """The release, and the unit of it where one is named. None: a release without a plan."""
    if "@" not in what:
        states = here.states()
        if what not in states:
            raise unknown_release(what, states)
        return here.active(what), ""
    holding = [active for active in here.board.ordered() if what in active.units]
    if not holding:
        ended = [here.active(name) for name in here.states()]
        holding = [active for active in ended if active is not None and what in active.units]
        holding.sort(key=lambda active: -active.state.position)
    if not holding:
        raise unknown_unit(what, {unit for a in here.board.releases.values() for unit in a.units})
    moving = [active for active in holding if not active.units[what].phase.ended]
    return (moving or holding)[0], what


def _ended(here: Standing, what: str, active: Active | None, unit: str) -> str:
    """What is said of something that waits for nothing, since it has ended."""
    from bot.core.messages_terminal import release_ended, unit_ended

    state = active.state if active is not None else here.states().get(what)
    if state is not None and state.phase.ended:
        return release_ended(state.release, state.phase.value, state.outcome)
    if active is not None and unit and active.units[unit].phase.ended:
        phase = active.units[unit].phase
        return unit_ended(unit, phase.value, active.state.release) if phase != "FAILED" else ""
    return ""


def _from_store(here: Standing, what: str, active: Active | None, body: dict[str, Any]) -> str:
    """Holds and open decisions, which need no rule. Ends where there is neither."""
    from bot.cli.board_json import hold_json, open_decisions_json
    from bot.core.messages_figures import open_decisions
    from bot.core.messages_terminal import needs_repo, why_unread

    view = here.view(active) if active is not None else None
    body["holds"] = [hold_json(hold) for hold in (view.holds if view else ())]
    body["decisions"] = open_decisions_json(view) if view else []
    said = why_unread(view.holds, open_decisions(view)) if view else ""
    if not said:
        raise outside(needs_repo(what, here.unread))
    return said


def _view(here: Standing, state: ReleaseState) -> ReleaseView | None:
    active = here.active(state.release)
    return here.view(active) if active is not None else None


def _recent(here: Standing, states: dict[str, ReleaseState]) -> list[ReleaseState]:
    """What has not ended, and what ended within a day."""
    from datetime import timedelta

    since = here.now - timedelta(days=1)
    return _ordered(
        state
        for state in states.values()
        if not state.phase.ended or state.ended is None or state.ended >= since
    )


def _ordered(states: Any) -> list[ReleaseState]:
    """Running ones first in the order of their merges, then proposed, then ended, newest first."""
    return sorted(
        states,
        key=lambda s: (
            (2, -(s.ended.timestamp() if s.ended else 0.0), s.release)
            if s.phase.ended
            else (1 if s.position == 0 else 0, float(s.position), s.release)
        ),
    )


def _standing_text(here: Standing, *, one: bool = False) -> str:
    """What stops more than one release; on the page of one, its card says what stops it."""
    from bot.core.messages_listing import standing_text

    broken = here.board.rules.broken
    return standing_text(() if one else here.holds(), () if one else here.freezes(), broken)


def _status_text(
    here: Standing, shown: list[tuple[ReleaseState, ReleaseView | None]], *, one: bool
) -> str:
    from bot.core.messages_listing import listing, queue, status_text
    from bot.core.messages_terminal import without_plan

    views = [view for _, view in shown if view is not None]
    bare = without_plan([state for state, view in shown if view is None])
    top = _standing_text(here, one=one)
    if one:
        parts = [top, status_text(views[0]) if views else bare]
    else:
        parts = [top, listing(views) if views or not bare else "", bare]
        parts.append(queue(views) if views else "")
    return "\n\n".join(part for part in parts if part)


def _beside(flags: Flags, body: dict[str, Any], unread: str) -> int:
    """Nothing moves while no bot runs, and a person who waits should know it."""
    from bot.core.messages_terminal import nobody_runs, not_taken, repo_unread

    if unread:
        note(repo_unread(unread))
    if flags.json:
        return GOOD
    if body["recorded"]:
        note(not_taken(body["recorded"]))
    if body["bot"] is None:
        note(nobody_runs())
    return GOOD


VERBS = {"status": status, "list": list_, "why": why}
