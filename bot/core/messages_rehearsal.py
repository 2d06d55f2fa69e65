"""The words around a rehearsal: what was rehearsed, what was assumed, how it came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.core.messages_tasks import named
from bot.core.messages_words import length, many, row
from bot.model.plan import ReleasePlan

REASON = "the new version fails (rehearsal)"


def assumed_nodes(clusters: Sequence[str], nodes: int) -> str:
    has = "has" if len(clusters) == 1 else "have"
    return (
        f"how many nodes {row(clusters, most=3)} {has} is not known: copied with "
        f"{many(nodes, 'node')} each"
    )


def first_install(units: Sequence[str]) -> str:
    return (
        f"what runs in {row(units, most=3)} now is not known: rehearsed as a first install, which "
        "is one batch"
    )


def guessed(units: int, runs: str | None) -> str:
    other = f", or from {runs} where they say none" if runs else ""
    return f"{many(units, 'unit')} start from the version that the Releases on main say{other}"


def from_store(units: int) -> str:
    return f"{many(units, 'unit')} start from what the store says was last applied"


def runs_already(release: str) -> str:
    return f"{release} runs already: rehearsed from its beginning, on what is applied by now"


def ignored_hold(scope: str, by: str) -> str:
    return f"{scope} is on hold by {by} at the moment: rehearsed as if that were lifted"


def others_run(releases: Sequence[str]) -> str:
    return (
        f"{row(releases)} {'runs' if len(releases) == 1 else 'run'} now: left out of the rehearsal"
    )


def comes_along(releases: Sequence[str]) -> str:
    return f"the same merge brings {row(releases)}: it is rehearsed with it"


def nobody_left(decision: str, missing: int) -> str:
    return f"decision {decision} lacks {many(missing, 'person', 'people')} who may answer it"


def too_long(days: int) -> str:
    return f"it has not ended after {many(days, 'day')}"


def nothing_moves(why: str) -> str:
    return f"nothing moves any more: {why}" if why else "nothing moves any more"


CARD = "The card:"


def heading(plans: Sequence[ReleasePlan]) -> list[str]:
    """`Rehearsal of node-agent-2-5-0: node-agent → 2.5.0, 124 units in 2 stages and 6 waves`."""
    told = []
    for plan in plans:
        what = row([named(one, " → ") for one in plan.components], most=3)
        waves = sum(len(stage.waves) for stage in plan.stages)
        told.append(
            f"Rehearsal of {plan.release}: {what}, {many(len(plan.units), 'unit')} in "
            f"{many(len(plan.stages), 'stage')} and {many(waves, 'wave')}"
        )
    return told


def frame(clusters: int, answers_after: timedelta) -> str:
    return (
        f"On a virtual clock, against simulated copies of {many(clusters, 'cluster')}. Nobody was "
        f"contacted, nothing was written. People answer {length(answers_after)} after they are "
        "asked, at night too."
    )


def after_failure(verb: str) -> str:
    return {
        "rollback": "When the release stops itself, an operator rolls it back.",
        "skip": "When a unit fails, an approver leaves it out.",
        "wait": "When the release stops itself, nobody does anything.",
    }[verb]


def fault(unit: str, batch: int) -> str:
    return f"Asked for: the new version crashes in {unit} from batch {batch} on."


def missed(unit: str) -> str:
    return f"The fault that was asked for in {unit} was never reached."


def ending(release: str, phase: str, at: str) -> str:
    return f"The end: {release} is {phase}, {at}."


def stands(why: str) -> str:
    return f"It stands still: {why}" if why.endswith(".") else f"It stands still: {why}."


def counted(units: Mapping[str, int], batches: int, took: timedelta) -> str:
    told = ", ".join(f"{count} {phase}" for phase, count in sorted(units.items()))
    minute = timedelta(minutes=1)
    certified = many(batches, "batch", "batches")
    return f"Units: {told}. {certified} certified in {length(took // minute * minute)}."


def answered(asked: Mapping[str, int]) -> str:
    told = row([f"{person} {many(count, 'time')}" for person, count in asked.items()], most=8)
    return f"Commands that people would give: {told}."


def would_open(branch: str, title: str) -> str:
    return f"The bot would open the pull request {branch}: {title.splitlines()[0]}."


def name_one(known: Sequence[str]) -> str:
    """No release was named, and there is no obvious one."""
    stand = f"; on main stand {row(known, most=4)}" if known else ""
    return f"this commit brings no release to main: name one, or the commit with --ref{stand}"


def no_such_batch(unit: str, batch: int, batches: int) -> str:
    if not batches:
        return f"{unit} runs this revision already: it has no batch that could fail"
    has = "one batch" if batches == 1 else f"batches 1 to {batches}"
    return f"{unit} has {has}, not {batch}"


def would_call(url: str) -> str:
    return f"(here the bot would call {url}; taken as answered)"
