"""Which units of one component in one cluster share an object with each other. Pure.

Sharing reaches as far as it goes: what shares with one that shares is of the same group.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.model.plan import ObjectRef, UnitPlan


def sharing(units: Iterable[UnitPlan]) -> dict[str, tuple[str, ...]]:
    """Unit → its group in order, itself among them; a unit that shares nothing is missing."""
    known = list(units)
    group = list(range(len(known)))

    def head(at: int) -> int:
        while group[at] != at:
            group[at] = group[group[at]]
            at = group[at]
        return at

    first: dict[ObjectRef, int] = {}
    for at, unit in enumerate(known):
        for planned in unit.objects:
            group[head(at)] = head(first.setdefault(planned.ref, at))
    members: dict[int, list[str]] = {}
    for at, unit in enumerate(known):
        members.setdefault(head(at), []).append(unit.unit)
    found = (tuple(names) for names in members.values() if len(names) > 1)
    return {name: names for names in found for name in names}
