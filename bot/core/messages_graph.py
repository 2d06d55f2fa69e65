"""The components of a release as a tree, and why one waits for another.

Words and lines only; which needs which is worked out elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.core.graph import Needs, layers, reach
from bot.core.messages_words import clause, row, sentence, short

BRANCH, LAST, DOWN, SPACE = "├─ ", "└─ ", "│  ", "   "


def tree(needs: Needs, label: Callable[[str], str]) -> list[str]:
    """One line a name. It hangs on the last of what it needs; the others are named beside it."""
    place = {name: layer for layer, names in enumerate(layers(needs)) for name in names}
    direct = _direct(needs)
    parent = {
        name: max(direct[name], key=lambda one: (place[one], -list(needs).index(one)))
        for name in needs
        if direct[name]
    }
    children: dict[str, list[str]] = {}
    for name, above in parent.items():
        children.setdefault(above, []).append(name)

    def lines(name: str, before: str) -> Iterator[str]:
        below = children.get(name, [])
        for child in below:
            last = child is below[-1]
            yield f"{before}{LAST if last else BRANCH}{said(child)}"
            yield from lines(child, before + (SPACE if last else DOWN))

    def said(name: str) -> str:
        others = [one for one in direct[name] if one != parent.get(name)]
        also = f" (after {row(others, most=6)} too)" if others else ""
        return f"{label(name)}{also}"

    found: list[str] = []
    for name in needs:
        if name not in parent:
            found += [said(name), *lines(name, "")]
    return found


_ROOTS = {
    "FAILED": "failed",
    "ROLLED_BACK": "was rolled back",
    "ROLLING_BACK": "is going back",
    "QUARANTINED": "is quarantined",
    "SKIPPED": "was left half-way",
}


_STEPS = {
    "failed": "Retry it; a skip leaves out what depends on it, too",
    "was rolled back": "Retry it, or skip this one",
    "was left half-way": "Retry it; else this one is left out with it",
}


def needs(facts: Mapping[str, Any], _: str) -> str:
    """A unit that waits for one of its cluster: for its turn, or because that came to no good."""
    unit, root = str(facts.get("unit", "")), str(facts.get("root", ""))
    between = f", which waits for {root}" if root != unit else ""
    over = _ROOTS.get(str(facts.get("phase")))
    if over is None:
        return f"Waiting for {unit}{between}: what it depends on goes first."
    step = _STEPS.get(over)
    why = f": {short(clause(facts['why']), 160)}" if facts.get("why") else ""
    return sentence(f"Waiting for {unit}{between}, which {over}{why}", step or "")


def dependents_first(facts: Mapping[str, Any], _: str) -> str:
    """The way back inside a cluster."""
    return f"Waiting for {facts.get('unit', '')}: what depends on it goes back first."


def _direct(needs: Needs) -> Needs:
    """Less those that follow from others: who needs B, and B needs A, needs A by way of B."""
    every = reach(needs)
    return {
        name: tuple(
            one
            for one in wanted
            if not any(one in every.get(other, ()) for other in wanted if other != one)
        )
        for name, wanted in needs.items()
    }
