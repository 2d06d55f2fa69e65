"""What is said of units that share objects, and of nodes in two sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.core.messages_words import row, sentence

Facts = Mapping[str, Any]

_WHY = {
    "in-flight": "is in flight",
    "earlier": "comes first",
    "quarantined": "comes first, and its cluster does not answer",
    "failed": "failed half-way",
    "taken-back": "was taken back",
    "back": "goes back first",
}
_STEP = {
    "failed": "Retry or skip that one, or roll back",
    "taken-back": "Skip this one, or roll back",
}


def shared_object(f: Facts, _: str) -> str:
    """Why a unit waits for another that shares an object with it."""
    why = str(f.get("why", ""))
    step = _STEP.get(why, "They go one after another" if why != "back" else "")
    return sentence(
        f"Waiting for {f.get('unit', '')}, which shares {f.get('object') or 'an object'} with it "
        f"and {_WHY.get(why, 'is not done')}",
        step,
    )


def node_sets(f: Facts, _: str) -> str:
    """Why a unit waits whose cluster has a node in two sets."""
    return sentence(
        f"Held: {twice(f)}",
        "Sets may not overlap: change a selector, or the labels of the node; then resume",
    )


def twice(f: Facts) -> str:
    """Which node is in which sets."""
    count = f.get("nodes")
    more = count - 1 if isinstance(count, int) else 0
    others = f", and so {'is' if more == 1 else 'are'} {more} more" if more > 0 else ""
    return (
        f"node {f.get('node', '')} of {f.get('cluster', '')} is in the node sets "
        f"{row(f.get('sets'), joint=' and ')} at once{others}"
    )
