"""What a plan of several components shows that none of them shows alone: errors and warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bot.core import messages_plan_facts as say
from bot.core.situation import PlanIndex
from bot.model.plan import ObjectRef, ReleasePlan

Pair = tuple[str, str]


def addon_errors(plan: ReleasePlan) -> Iterable[tuple[str, str]]:
    """(component, what is wrong): what could never begin, and what would undo the other's work."""
    index = PlanIndex(plan)
    if not index.several:
        return
    late: Counter[tuple[str, str, str]] = Counter()
    for unit in plan.units:
        for name in index.needed(unit):
            needed = index.units[name]
            if needed.stage > unit.stage:
                stage = plan.stages[needed.stage].name
                late[unit.component, needed.component, stage] += 1
    for (component, needed_by_it, stage), units in sorted(late.items()):
        yield component, say.needed_later(component, needed_by_it, stage, units)
    for (ref, first, second), same in sorted(_shared(plan).items()):
        if not same:
            yield second, say.undone(ref.short, first, second)


def addon_warnings(plan: ReleasePlan) -> Iterable[str]:
    """Objects that two components bring alike: neither has them alone."""
    for (ref, first, second), same in sorted(_shared(plan).items()):
        if same:
            yield say.brought_twice(ref.short, first, second)


def _shared(plan: ReleasePlan) -> dict[tuple[ObjectRef, str, str], bool]:
    """Object and two components that both bring it to a cluster → whether it is the same."""
    found: dict[tuple[ObjectRef, str, str], bool] = {}
    if len({component.name for component in plan.components}) < 2:
        return found
    first: dict[tuple[str, ObjectRef], Pair] = {}
    for unit in plan.units:
        for planned in unit.objects:
            mine = (unit.component, planned.digest)
            other = first.setdefault((unit.cluster, planned.ref), mine)
            if other[0] != unit.component:
                key = (planned.ref, other[0], unit.component)
                found[key] = found.get(key, True) and other[1] == planned.digest
    return found
