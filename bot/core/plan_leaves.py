"""What would leave the template by a plan: each object with its units, and what becomes of it.

Pure: by the last rendering and the new one. It looks at no cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.cluster.leftovers import identity, no_more_rendered, planned
from bot.core.leftovers_asked import ASK
from bot.core.plan_shown import Asked, LeavesShown
from bot.core.situation import PlanIndex
from bot.model.leftover import LEFTOVERS
from bot.model.plan import JSON, ObjectRef, PlannedObject, ReleasePlan


def of_what_leaves(
    plan: ReleasePlan,
    before: Mapping[str, Sequence[PlannedObject] | None],
    blob: Callable[[str], JSON | None],
) -> tuple[LeavesShown, ...]:
    """Every object that left, equal ones once, those that are asked about first."""
    index = PlanIndex(plan)
    brought: dict[str, set[tuple[str, str, str, str]]] = {}
    for unit in plan.units:
        known = brought.setdefault(unit.cluster, set())
        known |= {identity(one.ref) for one in unit.objects}
    found: dict[tuple[str, ObjectRef, str, str], list[str]] = {}
    for unit in plan.units:
        component = index.component(unit)
        had = before.get(unit.unit)
        if not had or component.task:
            continue
        left = no_more_rendered(
            {one.ref.key: one.digest for one in had}, [one.ref for one in unit.objects]
        )
        for ref, digest in left.items():
            if identity(ref) not in brought[unit.cluster]:
                said = planned(ref, blob(digest), component.guard)
                found.setdefault((component.name, ref, *said), []).append(unit.unit)
    order = ("ask", "allow", "keep")
    return tuple(
        LeavesShown(component=name, object=ref.short, does=does, why=why, units=tuple(units))
        for (name, ref, does, why), units in sorted(
            found.items(), key=lambda one: (order.index(one[0][2]), one[0][1], one[0][0])
        )
    )


def asks(leaves: Sequence[LeavesShown]) -> Iterator[Asked]:
    """The one question about all of it."""
    if any(one.does == "ask" for one in leaves):
        yield Asked(what=LEFTOVERS, stage=None, times=1, ask=ASK)
