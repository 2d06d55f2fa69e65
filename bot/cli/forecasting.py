"""The forecast of a release: of one that runs from where it stands, of a proposed one from now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.cli.outcome import FOUND, Ended
from bot.cli.reading import commit_of, open_planner
from bot.cli.refusing import unknown_release
from bot.core.forecast import Forecast, forecast
from bot.core.messages_plan import forecast_text
from bot.core.plan_json import batches_json, forecast_json

if TYPE_CHECKING:
    from bot.cli.flags import Flags
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
        if active is None:
            return None
        rules, plan = here.board.rules, active.index.plan
        told = forecast(plan, rules.calendar, rules.policy, flags.now, progress=active.units)
        return _answer(told, plan)


def _from_git(flags: Flags, release: str, names: set[str]) -> Answer:
    with open_planner(flags) as (git, planner):
        head = commit_of(git, flags.ref or "HEAD")
        main = git.head()
        if main is not None:
            pull = planner.pull(main, head, now=flags.now)
            for shown in pull.releases:
                names.add(shown.plan.release)
                if shown.plan.release == release:
                    return _answer(shown.forecast, shown.plan)
        repo = planner.load(head)
        names.update(repo.releases)
        if release not in repo.releases:
            raise unknown_release(release, names)
        alone = planner.alone(head, release, now=flags.now)
        if isinstance(alone, tuple):
            lines = "\n".join(str(one) for one in alone)
            body = {"findings": [one.to_json() for one in alone]}
            raise Ended(FOUND, f"{release} cannot be planned:\n{lines}", body)
        return _answer(alone.forecast, alone.plan)


def _answer(told: Forecast, plan: ReleasePlan) -> Answer:
    body = {
        "release": plan.release,
        "planHash": plan.plan_hash,
        **forecast_json(told),
        "units": [
            {"unit": unit.unit, "batches": batches_json(told, unit.unit)} for unit in plan.units
        ],
    }
    return body, forecast_text(told, plan.release)
