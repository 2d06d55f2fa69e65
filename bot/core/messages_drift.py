"""Drift in words: what somebody edited of what we applied, and the two answers. Never decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.messages_adopting import written_by_others
from bot.core.messages_words import many, row, sentence, short

SHOWN = 3


def drifted(f: Mapping[str, Any], zone: str) -> str:
    """The closed gate: state and cause first, then how to go on."""
    unit = f.get("unit", "the unit")
    return sentence(
        f"Needs decision: {_since(f.get('edits'))}: {edits(f.get('edits'))}",
        f"accept {unit} keeps it where the release does not touch it; override {unit} --gate drift"
        " overwrites it; taken back, it goes on by itself",
    )


def _since(given: Any) -> str:
    """What is known of who did it: another store says so on the object."""
    names = written_by_others(given)
    return f"not as our record has it, since {names}" if names else "edited since we applied it"


def edits(given: Any) -> str:
    """The first edits, each with its object, path, values and who may have made it."""
    rows = given if isinstance(given, list | tuple) else ()
    found = [one for one in rows if isinstance(one, Mapping)]
    told = [_edit(one) for one in found[:SHOWN]]
    more = len(found) - SHOWN
    return row(told, joint="; ") + (f"; and {many(more, 'more field')}" if more > 0 else "")


def _edit(one: Mapping[str, Any]) -> str:
    by = f" by {row(one.get('by'))}" if one.get("by") else ""
    if not one.get("path"):
        return f"{one.get('object', '')} was deleted"
    was, now = one.get("from"), one.get("to")
    change = f"{short(str(was), 60)} → {short(str(now), 60)}" if now is not None else "taken away"
    return f"{one.get('object', '')} {one['path']}: {change}{by}"


KEEPS_NOTHING = (
    "an object that was deleted cannot be kept: override with --gate drift puts it back, skip"
    " leaves the unit out"
)


def kept(units: Sequence[str], by: str) -> str:
    """The answer to who keeps edits."""
    return sentence(
        f"Kept by {by}: the edits of {row(units)} stay where the release does not touch them",
        "It goes on by its gates; the next release of the component shows them as a difference",
    )
