"""What the guard says of a plan before it is merged: each unit's objects as they are known, and
as they would be.

Pure. A blocked change is a finding, one that is asked about is among the approvals; what is left
alone is told, so that nobody waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.cluster.guard import Guarded, is_scaled, judge, matches_nothing
from bot.cluster.guard_rules import Act
from bot.core import messages_guard as say
from bot.core.guard_lists import ASK
from bot.core.plan_shown import Asked, GuardShown
from bot.core.situation import PlanIndex
from bot.model.plan import JSON, ComponentPlan, PlannedObject, ReleasePlan
from release_repo_schema.findings import Finding
from release_repo_schema.repo import Repo

Before = Mapping[str, Sequence[PlannedObject]]
Blob = Callable[[str], JSON | None]


def of_the_guard(
    plan: ReleasePlan, before: Before, blob: Blob
) -> tuple[tuple[str, ...], tuple[GuardShown, ...]]:
    """Warnings, and every guarded change with its units."""
    guarded = _guarded(plan, before, blob)
    return tuple(_warnings(plan, guarded, blob)), guarded


def _guarded(plan: ReleasePlan, before: Before, blob: Blob) -> tuple[GuardShown, ...]:
    """Every guarded change of a plan with its units, equal ones once."""
    index = PlanIndex(plan)
    known: dict[object, tuple[Guarded, ...]] = {}
    found: dict[tuple[str, str], tuple[Guarded, str, list[str]]] = {}
    for unit in plan.units:
        had = before.get(unit.unit)
        if not had:
            continue
        component = index.component(unit)
        key = (component.name, component.guard, tuple(had), unit.objects)
        if key not in known:
            known[key] = tuple(_of(component, had, unit.objects, blob))
        for one in known[key]:
            _, _, units = found.setdefault((one.act.value, one.mark), (one, component.name, []))
            units.append(unit.unit)
    order = {Act.BLOCK: 0, Act.ASK: 1, Act.IGNORE: 2}
    shown = sorted(found.values(), key=lambda one: (order[one[0].act], one[0].ref, one[0].path))
    return tuple(GuardShown(name, one.shown(), tuple(units)) for one, name, units in shown)


def _of(
    component: ComponentPlan,
    had: Sequence[PlannedObject],
    objects: Sequence[PlannedObject],
    blob: Blob,
) -> Iterator[Guarded]:
    old = {one.ref: one.digest for one in had}
    targets = [obj for one in objects if (obj := blob(one.digest)) is not None]
    for planned in objects:
        digest = old.get(planned.ref)
        if digest is None or digest == planned.digest:
            continue
        was, now = blob(digest), blob(planned.digest)
        if was is not None and now is not None:
            scaled = is_scaled(planned.ref, None, targets)
            yield from judge(component.guard, planned.ref, was, now, scaled=scaled)


def asks(guarded: Sequence[GuardShown]) -> Iterator[Asked]:
    """The approvals that the guard will ask for: one for each change."""
    times: dict[str, int] = {}
    for one in guarded:
        if one.change["act"] == Act.ASK.value:
            times[one.component] = times.get(one.component, 0) + 1
    for component, count in times.items():
        yield Asked(what="guard", stage=None, times=count, ask=ASK, component=component)


def _warnings(plan: ReleasePlan, guarded: Sequence[GuardShown], blob: Blob) -> Iterator[str]:
    """What does not arrive in the clusters, and paths that guard nothing."""
    for one in guarded:
        if one.change["act"] == Act.IGNORE.value:
            yield say.left(one.change, len(one.units))
    index = PlanIndex(plan)
    for component in plan.components:
        if not component.guard:
            continue
        units = [unit for unit in plan.units if index.component(unit) is component]
        objects = {o.ref: obj for unit in units for o in unit.objects
                   if (obj := blob(o.digest)) is not None}  # fmt: skip
        for path in matches_nothing(component.guard, objects):
            yield say.matches_nothing(component.name, path)


def errors(repo: Repo, plan: ReleasePlan, guarded: Sequence[GuardShown]) -> list[Finding]:
    """What no batch of the release would write, at the line that brings the component."""
    document = repo.documents["Release", plan.release]
    names = [one["name"] for one in plan.spec.get("components", ())]
    found = []
    for one in guarded:
        if one.change["act"] != Act.BLOCK.value:
            continue
        place: tuple[str | int, ...] = ("spec",)
        if one.component in names:
            place = ("spec", "components", names.index(one.component))
        said = say.finding(one.change, len(one.units))
        found.append(document.finding(place, "guarded", said, say.FINDING_HINT, at_key=True))
    return found
