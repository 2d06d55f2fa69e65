"""Which units of a plan a cluster is asked about ahead of their batch, and what it would say.

Pure: chooses and keeps, asks nobody. A thousand clusters are not all asked: one of each rendering
in each group says what the others would, and there are never more than MOST.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bot.model.plan import ReleasePlan, UnitPlan

MOST = 20
"""Units of one release that are asked about, at most."""

Alike = tuple[str, str, tuple[str, ...]]
"""Component, group, digests: units of which a server would say the same."""


class Would(StrEnum):
    """What a cluster would do with the objects of a unit."""

    TAKE = "accepted"
    REFUSE = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the server of one cluster said of a unit. `object`: which of them it is about."""

    asked: str
    """The unit that was asked about: this one, or one that is like it."""
    would: Would
    object: str = ""
    why: str = ""
    """Its reason, or what it warns of, in its own words."""


def alike(plan: ReleasePlan) -> Mapping[Alike, tuple[UnitPlan, ...]]:
    """The units that render the same in one group, in the order of the plan."""
    tasks = {one.name for one in plan.components if one.task}
    found: dict[Alike, list[UnitPlan]] = {}
    for unit in plan.units:
        if unit.component not in tasks:
            digests = tuple(one.digest for one in unit.objects)
            key = (unit.component, unit.labels.get("group", ""), digests)
            found.setdefault(key, []).append(unit)
    return {key: tuple(units) for key, units in found.items()}


def sample(
    plan: ReleasePlan, connected: Collection[str], most: int = MOST
) -> Mapping[Alike, UnitPlan]:
    """One unit of each kind, in clusters that may be asked. Where there are too many kinds, every
    component gets its turn in every group before one of them gets a second.
    """
    turns: dict[tuple[str, str], int] = {}
    ranked: list[tuple[int, Alike, UnitPlan]] = []
    for key, units in alike(plan).items():
        unit = next((one for one in units if one.cluster in connected), None)
        if unit is not None:
            turn = turns[key[:2]] = turns.get(key[:2], 0) + 1
            ranked.append((turn, key, unit))
    ranked.sort(key=lambda one: one[0])
    return {key: unit for _, key, unit in ranked[:most]}


def told(plan: ReleasePlan, said: Mapping[str, Said]) -> Mapping[str, Said]:
    """Unit → what was said of it, or of the one that is like it; `said`: of those asked about."""
    return {
        unit.unit: answer
        for units in alike(plan).values()
        if (answer := next((said[one.unit] for one in units if one.unit in said), None))
        for unit in units
    }
