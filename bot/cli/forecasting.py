"""The forecast of a release: of one that runs from where it stands, of a proposed one from now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.cli.outcome import FOUND, Ended
from bot.cli.planning import what_is_known
from bot.cli.reading import commit_of, open_planner
from bot.cli.refusing import unknown_release
from bot.core import messages_forecast_live as say
from bot.core.exposure import Exposure, forecast_exposure
from bot.core.forecast import Forecast
from bot.core.forecast_live import live
from bot.core.forecast_waits import Delay, delays
from bot.core.messages_forecast import forecast_text
from bot.core.plan_json import batches_json, delays_json, exposure_json, forecast_json, instant
from bot.model.state import ReleasePhase

if TYPE_CHECKING:
    from bot.app.standing import Standing
    from bot.cli.flags import Flags
    from bot.core.board import Active
    from bot.core.plan_shown import ReleaseShown
    from bot.model.plan import ReleasePlan

Answer = tuple[dict[str, Any], str]


def forecast_of(flags: Flags, release: str) -> Answer:
    """Body and text. Asks the store first, then the pull request of HEAD, then main itself."""
    names: set[str] = set()
    if flags.store is not None:
        found = _from_store(flags, release, names)
        if found is not None:
            return found
    return _from_git(flags, release, names)


def _from_store(flags: Flags, release: str, names: set[str]) -> Answer | None:
    from bot.app.standing import standing

    with standing(flags.settings, flags.now) as here:
        names.update(here.board.releases)
        active = here.board.releases.get(release)
        if active is None or active.unplanned:
            return None
        if active.state.phase is ReleasePhase.ROLLING_BACK:
            told = say.no_forecast(release, active.state.phase, None, "UTC")
            body = {"release": release, "planHash": active.state.plan_hash, "end": None}
            return body | {"phase": active.state.phase.value}, told
        return _running(here, active)


def _running(here: Standing, active: Active) -> Answer:
    """Holds, decisions and other releases are told with what is reckoned."""
    seen, plan = live(here.board, active, here.now), active.index.plan
    told = seen.forecast
    notes = [
        *([say.PROPOSED] if active.state.phase is ReleasePhase.PROPOSED else []),
        *say.held_notes(seen.holds, plan.release, told.zone),
        *say.asked_notes(seen.decisions),
        *say.behind_notes(seen.behind, told.zone),
    ]
    exposure = forecast_exposure(plan, told, here.sizes(active), without=seen.without)
    waits = delays(plan, told, here.board.rules.calendar)
    body, text = _answer(told, plan, exposure, waits, notes)
    body |= {
        "phase": active.state.phase.value,
        "holds": [
            {"scope": one.scope, "reason": one.reason, "by": one.by, "at": instant(one.at)}
            for one in seen.holds
        ],
        "ifResumedNow": bool(seen.holds),
        "decisions": [one.id for one in seen.decisions],
        "behind": [{"release": name, "end": instant(end)} for name, end in seen.behind.items()],
    }
    return body, text


def _from_git(flags: Flags, release: str, names: set[str]) -> Answer:
    with open_planner(flags) as (git, planner), what_is_known(flags) as known:
        known = replace(known, taken=lambda name: False)
        head = commit_of(git, flags.ref or "HEAD")
        main = git.head()
        if main is not None:
            pull = planner.pull(main, head, now=flags.now, known=known)
            for shown in pull.releases:
                names.add(shown.plan.release)
                if shown.plan.release == release:
                    return _proposed(shown)
        repo = planner.load(head)
        names.update(repo.releases)
        if release not in repo.releases:
            raise unknown_release(release, names)
        alone = planner.alone(head, release, now=flags.now, known=known)
        if isinstance(alone, tuple):
            lines = "\n".join(str(one) for one in alone)
            body = {"findings": [one.to_json() for one in alone]}
            raise Ended(FOUND, f"{release} cannot be planned:\n{lines}", body)
        return _proposed(alone)


def _proposed(shown: ReleaseShown) -> Answer:
    return _answer(shown.forecast, shown.plan, shown.exposure, shown.delays, ())


def _answer(
    told: Forecast,
    plan: ReleasePlan,
    exposure: Exposure,
    waits: tuple[Delay, ...],
    notes: list[str] | tuple[()],
) -> Answer:
    body = {
        "release": plan.release,
        "planHash": plan.plan_hash,
        **forecast_json(told),
        "waits": delays_json(waits),
        "exposure": exposure_json(exposure),
        "notes": list(notes),
        "units": [
            {"unit": unit.unit, "batches": batches_json(told, unit.unit)} for unit in plan.units
        ],
    }
    return body, forecast_text(told, plan, notes=notes, exposure=exposure, waits=waits)
