"""What only the command line says: names that nothing knows, commands that wait for a bot.

Facts in, words out; never decides, never asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.core.messages_refusal import Refusal
from bot.core.messages_text import clean
from bot.core.messages_words import exact, many, row, sentence
from bot.model.state import Decision, Hold, ReleasePhase, ReleaseState


def unknown(kind: str, name: str, *, near: Sequence[str], known: Sequence[str]) -> Refusal:
    """A component, version, pipeline or cluster that the repo does not have."""
    listed = f"Known: {row(known, most=30)}" if known else ""
    hint = f"Did you mean {row(near)}?" if near else listed
    return Refusal(code=f"unknown-{kind}", why=sentence(f"there is no {kind} {name}", hint))


def exists(what: str, where: str, hint: str) -> Refusal:
    """Something that may not be made a second time."""
    return Refusal(code="exists", why=sentence(f"{what} stands already in {where}", hint))


def no_bot(command: str) -> str:
    """A command that nobody has taken yet, since no bot runs."""
    return sentence(
        f"Recorded: {command}", "No bot runs on this store; it happens when one starts: sluice run"
    )


def no_answer_yet(command: str, who: str) -> str:
    """A command that the bot has not answered in time."""
    return sentence(
        f"Recorded: {command}",
        f"The bot ({who}) has not answered yet; it takes the command with its next tick",
    )


def holder_text(pid: int | None, host: str, since: datetime | None) -> str:
    """`process 4711 on ana-1 since 09:00:00 UTC`."""
    who = f"process {pid} on {host}" if pid else "another process"
    return who + (f" since {exact(since)}" if since is not None else "")


def not_taken(commands: Sequence[str]) -> str:
    """Commands in the inbox that no bot has taken: what is shown does not know of them yet."""
    return sentence(f"Recorded and not taken yet: {row(commands, joint='; ')}")


def nobody_runs() -> str:
    """Beside a status that no bot renews."""
    return "No bot runs on this store: nothing moves until one starts (sluice run)."


def without_plan(states: Sequence[ReleaseState]) -> str:
    """Releases that have no plan to show: they stood on main before, or could not be planned."""
    before = [s.release for s in states if s.phase is ReleasePhase.BEFORE_US]
    others = [s for s in states if s.phase is not ReleasePhase.BEFORE_US]
    lines = [f"{s.release}: {s.phase.value}. {s.outcome}".rstrip() for s in others]
    if before:
        alone = "runs by itself" if len(before) == 1 else "run by themselves"
        lines.append(
            f"{many(len(before), 'Release file')} stood on main before this bot began, and"
            f" never {alone}: {row(before, most=10)}"
        )
    return "\n".join(lines)


def unit_ended(unit: str, phase: str, release: str) -> str:
    return sentence(f"{unit} has ended: {phase} in release {release}")


def repo_unread(why: str) -> str:
    """Beside an answer that the store alone gives."""
    return sentence(f"the release repo cannot be read: {why}")


def rules_of_good(commit: str) -> str:
    """Beside an answer by the last good rules."""
    return sentence(
        f"main does not load; this is by the last good rules, of {commit[:7]}, as the bot goes by"
    )


def unjudged(why: str) -> str:
    """Beside a command that only the bot can judge."""
    return sentence(
        "It could not be judged here, and is recorded for the bot to judge",
        f"The release repo cannot be read: {why}",
    )


def why_unread(holds: Sequence[Hold], decisions: Sequence[Decision]) -> str:
    """What the store alone knows to be in the way; "" when that is nothing."""
    lines = [f"Held: {hold.scope}, by {hold.by}. {hold.reason}".rstrip() for hold in holds]
    lines += [f"Needs decision: {one.id}. {one.asks}" for one in decisions]
    return "\n".join(clean(line) for line in lines)


def needs_repo(what: str, why: str) -> str:
    """A question that the store alone cannot answer."""
    return sentence(
        f"the store has no hold and no open decision for {what}; what else is in the way"
        f" needs the release repo, and it cannot be read: {why}"
    )


def release_ended(release: str, phase: str, outcome: str) -> str:
    return sentence(f"Release {release} has ended: {phase}", outcome)
