"""What a plan says of the way back before it is needed: what has none, and what an undo would ask.

Pure. Warnings beside the plan, each with the number of units; it decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from bot.cluster.one_way import holds_data, one_way
from bot.core import messages_undo as say
from bot.core.diff import Change
from bot.core.plan_shown import UnitShown
from bot.core.situation import PlanIndex
from bot.model.plan import JSON, ObjectRef, PlannedObject, ReleasePlan

Before = Mapping[str, Sequence[PlannedObject] | None]
"""Unit → what it has now, as far as is known."""


def of_the_way_back(
    plan: ReleasePlan,
    shown: Mapping[str, UnitShown],
    changes: Sequence[Change],
    before: Before,
    blob: Callable[[str], JSON | None],
) -> Iterable[str]:
    """What cannot simply be rolled back, and what undoing would ask about."""
    yield from _of_versions(plan, shown)
    yield from _of_objects(plan, before, blob)
    yield from _of_new_data(changes)


def _of_versions(plan: ReleasePlan, shown: Mapping[str, UnitShown]) -> Iterable[str]:
    found: Counter[tuple[str, str, str, str]] = Counter()
    index = PlanIndex(plan)
    for unit in plan.units:
        component = index.component(unit)
        if shown[unit.unit].new:
            continue  # what was not there is deleted or kept: that is asked anyhow
        runs = shown[unit.unit].version
        for pair in component.irreversible:
            if runs is None or fnmatchcase(runs, pair.before):
                found[component.name, runs or "", component.version, pair.reason] += 1
    for (name, runs, version, reason), units in found.items():
        yield say.plan_irreversible(name, runs, version, reason, units)


def _of_objects(
    plan: ReleasePlan, before: Before, blob: Callable[[str], JSON | None]
) -> Iterable[str]:
    ways: Counter[str] = Counter()
    told: dict[tuple[ObjectRef, str, str], str] = {}
    for unit in plan.units:
        had = {one.ref: one.digest for one in before.get(unit.unit) or ()}
        for planned in unit.objects:
            old = had.get(planned.ref)
            if old is None or old == planned.digest:
                continue
            key = (planned.ref, old, planned.digest)
            if key not in told:
                told[key] = _compared(planned.ref, blob(old), blob(planned.digest))
            if told[key]:
                ways[told[key]] += 1
    yield from (say.plan_one_way(why, units) for why, units in ways.items())


def _compared(ref: ObjectRef, old: JSON | None, new: JSON | None) -> str:
    found = None if old is None or new is None else one_way(ref, old, new)
    return say.one_way(found) if found else ""


def _of_new_data(changes: Sequence[Change]) -> Iterable[str]:
    new: Counter[str] = Counter()
    for change in changes:
        if change.verb == "create" and holds_data(change.ref):
            new[change.ref.short] += len(change.units)
    if new:
        yield say.plan_new_data(list(new), max(new.values()))
