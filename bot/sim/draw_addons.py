"""Releases of several components, and components that depend on each other.

Changes the documents that it is given; draws with the chance that it is given.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from bot.model.plan import JSON


def depend(chance: random.Random, documents: dict[str, JSON], components: Sequence[str]) -> None:
    """Some components need others in the same cluster; never in a circle."""
    for number, name in enumerate(components):
        needs = [other for other in components[:number] if chance.random() < 0.6]
        if needs:
            path = f"components/{name}/component.yaml"
            one = documents[path]
            documents[path] = {**one, "spec": {**one["spec"], "dependsOn": needs}}


def brought(
    chance: random.Random, components: Sequence[str], number: int, *, addon: bool
) -> list[str]:
    """The components of a release, by its number: of several, or one after another."""
    if not addon or len(components) < 2 or chance.random() < 0.3:
        return [components[number % len(components)]]
    return sorted(chance.sample(components, chance.randint(2, len(components))))
