"""What lint says of risk rules that have one answer only."""

from __future__ import annotations

from bot.core.messages_words import row
from bot.core.risk_atoms import Settled
from release_repo_schema.findings import did_you_mean

HINT = "a rule that never holds protects nothing; docs/risk-rules.md tells what each name is"


def settled(one: Settled) -> str:
    """`now.weekday == 'Friday'` is never true: now.weekday is Mon, Tue, …"""
    answer = "always" if one.always else "never"
    if one.kind:
        article = "a " if one.kind != "boolean" else "true or false, a "
        why = f"{one.name} is {article}{one.kind}, and {one.literal} is not"
    elif one.choices:
        why = f"{one.name} is {row(one.choices, most=7, joint=' or ')}"
    elif one.most is not None:
        why = f"{one.name} is a number from {one.least} to {one.most}"
    else:
        why = f"{one.name} is never below {one.least}"
    return f"`{one.written}` is {answer} true: {why}"


def settled_hint(one: Settled) -> str:
    """How it was probably meant."""
    if one.kind == "text":
        return f"write '{one.literal}'"
    if one.kind == "whole number" and one.literal[1:-1].isdigit():
        return f"write {one.literal[1:-1]}"
    if one.choices:
        return did_you_mean(one.literal[1:-1], one.choices) or HINT
    return HINT


def constant(answer: bool, verdict: str) -> str:
    """A rule that looks at nothing."""
    if not answer:
        return "the rule looks at nothing, and is never true: it protects nothing"
    what = "every release waits" if verdict == "wait" else "every release stops"
    return f"the rule looks at nothing, and is always true: {what} until the rule is taken out"


CONSTANT_HINT = "name what it is about; a Freeze in calendar/ stops everything for a time"
