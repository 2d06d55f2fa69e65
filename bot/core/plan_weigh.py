"""What is worth telling of a plan before it is merged: counts, approvals, warnings, refusals.

Pure. Errors are findings at a line of the Release file; warnings are sentences beside the plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from bot.cluster.kinds import Rows, guess_total, kind_of, stops_part_way
from bot.core import messages_plan_facts as say
from bot.core.asked import first_ask
from bot.core.batches import counts
from bot.core.candidates import candidates
from bot.core.diff import Change
from bot.core.forecast import Forecast
from bot.core.members import Membership, stage_rule
from bot.core.order import reach, wanted_waves
from bot.core.plan_addon import addon_errors, addon_warnings
from bot.core.plan_blocks import BLOCKED, said_of
from bot.core.plan_coverage import order_warnings
from bot.core.plan_installs import install_asks, install_warnings
from bot.core.plan_places import nodes_known, place_warnings
from bot.core.plan_shown import Asked, Known, UnitShown
from bot.core.plan_versions import is_lower
from bot.core.situation import PlanIndex
from bot.model.plan import JSON, ComponentPlan, PlannedRelease, ReleasePlan, UnitPlan
from release_repo_schema.findings import Finding, Pointer
from release_repo_schema.models import Release, ReleaseSpec
from release_repo_schema.repo import Repo

LONG = timedelta(days=30)
"""A release that takes longer is a plan for another quarter, and most often an oversight."""
PRODUCTION = frozenset(("production", "prod"))
_AT_ONCE = frozenset(("ConfigMap", "Secret"))


def shown_units(
    repo: Repo,
    planned: PlannedRelease,
    versions: Mapping[str, str],
    known: Known,
    notes: Mapping[str, str],
) -> dict[str, UnitShown]:
    """Batches, counts and the version of now, for every unit. Equal objects are looked at once."""
    seen: dict[object, tuple[tuple[int | str, ...], tuple[int, ...] | None]] = {}
    shown = {}
    index = PlanIndex(planned.plan)
    for unit in planned.plan.units:
        batches = index.component(unit).batches
        nodes = nodes_known(repo, unit.cluster, unit.nodes)
        key = (unit.objects, batches, nodes)
        if key not in seen:
            seen[key] = _counted(unit, planned.blobs, batches, nodes, index.rows)
        applied = known.applied.get(unit.unit)
        written, counted = seen[key]
        new = applied is None and _first_install(unit, planned.blobs, index.rows, known)
        if new:
            # All pods are new: there is nothing that a smaller batch would spare.
            written, counted = ("100%",), counted and counted[-1:]
        shown[unit.unit] = UnitShown(
            batches=written,
            counts=counted,
            version=applied.version if applied else None if new else versions.get(unit.unit),
            up_to_date=bool(applied and applied.certified and applied.revision == unit.revision),
            note=notes.get(unit.unit, ""),
            new=new,
        )
    return shown


def _first_install(unit: UnitPlan, blobs: Mapping[str, JSON], rows: Rows, known: Known) -> bool:
    """Whether nothing of a unit's workloads is there yet; False where nobody can say."""
    workloads = any(is_workload(blobs[one.digest], rows) for one in unit.objects)
    return workloads and all(known.stands(unit.cluster, o.ref) is False for o in unit.objects)


def batches_known(shown: Mapping[str, UnitShown]) -> dict[str, int]:
    """Unit → how many batches it takes, where its pods or nodes could be counted."""
    return {name: len(unit.counts) for name, unit in shown.items() if unit.counts}


def batches_ahead(shown: Mapping[str, UnitShown]) -> dict[str, int]:
    """Unit → how many batches it takes, for the forecast."""
    return {
        name: 0 if unit.up_to_date else len(unit.counts or unit.batches)
        for name, unit in shown.items()
    }


def counts_of(shown: Mapping[str, UnitShown]) -> dict[str, tuple[int, ...] | None]:
    """Unit → cumulative pods or nodes of its batches, for the exposure curve."""
    return {name: unit.counts for name, unit in shown.items()}


def _counted(
    unit: UnitPlan,
    blobs: Mapping[str, JSON],
    batches: tuple[int | str, ...],
    nodes: int | None,
    rows: Rows,
) -> tuple[tuple[int | str, ...], tuple[int, ...] | None]:
    """The batches of a unit, and what each comes to; objects that cannot stop have one batch."""
    objects = [blobs[one.digest] for one in unit.objects]
    staged = [obj for obj in objects if stops_part_way(obj, rows)]
    totals = [guess_total(obj, nodes, rows) for obj in objects if is_workload(obj, rows)]
    written = batches if staged else ("100%",)
    known = [total for total in totals if total is not None]
    if not totals or len(known) < len(totals):
        return written, None
    return written, summed_counts(written, known)


def summed_counts(written: Sequence[int | str], totals: Sequence[int]) -> tuple[int, ...]:
    """The cumulative counts of batches over workloads of these totals."""
    if len(totals) == 1:
        return counts(written, totals[0])
    steps = [sum(counts((step, "100%"), total)[0] if total else 0 for total in totals)
             for step in written]  # fmt: skip
    return tuple(dict.fromkeys(steps))


def is_workload(obj: JSON, rows: Rows) -> bool:
    return kind_of(str(obj.get("apiVersion", "")), str(obj.get("kind", "")), rows) is not None


def approvals(repo: Repo, plan: ReleasePlan, known: Known) -> tuple[Asked, ...]:
    """Every decision of the release, in the order in which people will be asked; those about first
    installs last, as they come one by one.
    """
    asked = []
    if (first := first_ask(plan)) is not None:
        asked.append(Asked(what="release", stage=None, times=1, ask=first))
    for index, stage in enumerate(plan.stages):
        ask = stage.approval
        if ask is None or (ask.when == "before" and index == 0):
            continue
        times = len(stage.waves) if ask.when == "eachWave" else 1
        asked.append(Asked(what=ask.when, stage=stage.name, times=times, ask=ask))
    return (*asked, *install_asks(repo, plan, known))


def warnings(
    repo: Repo,
    plan: ReleasePlan,
    members: Membership,
    shown: Mapping[str, UnitShown],
    changes: Sequence[Change],
    told: Forecast,
    *,
    known: Known,
) -> tuple[str, ...]:
    """What a careful reader would want pointed out, most serious first."""
    return (
        *_of_the_calendar(plan, told),
        *_of_other_releases(plan, known),
        *_of_the_order(repo, plan, members),
        *order_warnings(plan, members),
        *place_warnings(repo, plan),
        *install_warnings(repo, plan, known),
        *addon_warnings(plan),
        *_of_the_objects(changes, shown),
        *_of_what_is_done(plan, shown),
    )


def _of_the_calendar(plan: ReleasePlan, told: Forecast) -> Iterable[str]:
    for why, units in Counter(told.never.values()).items():
        yield say.never(units, why)
    expires = ReleaseSpec.model_validate(plan.spec).expires
    if told.start is not None and told.start > told.at + expires:
        yield say.after_expiry(told.start, expires, told.zone)
    if told.start is not None and told.end is not None and told.end - told.start > LONG:
        yield say.takes_long(told.end - told.start, told.costs)


def _of_other_releases(plan: ReleasePlan, known: Known) -> Iterable[str]:
    replaced = plan.spec.get("supersedes", ())
    mine = {unit.lock for unit in plan.units}
    waits: dict[str, set[str]] = {}
    for name, other in known.running.items():
        if name not in replaced and name != plan.release:
            for unit in other.units:
                if unit.lock in mine:
                    waits.setdefault(unit.component, set()).add(name)
    for component, releases in sorted(waits.items()):
        yield say.waits_for(sorted(releases), component)
    if known.running:
        yield from (say.supersedes_nothing(name) for name in replaced if name not in known.running)


def _of_the_order(repo: Repo, plan: ReleasePlan, members: Membership) -> Iterable[str]:
    units = {unit.unit: unit for unit in plan.units}
    production = {
        name for name, unit in units.items() if unit.labels.get("environment") in PRODUCTION
    }
    # Of a release that is narrowed to one cluster, this one is not all of production.
    every = production | {
        unit.unit
        for component in plan.components
        if not component.task
        for unit in candidates(repo, component.name)
        if unit.labels.get("environment") in PRODUCTION
    }
    for stage, (asked, chosen) in zip(plan.stages, members.stages, strict=True):
        if asked.order == "listed":
            yield say.by_hand(stage.name)
        rule = stage_rule(asked, members.first_wave)
        seats = members.seats(chosen)
        added = len(stage.waves) - len(reach(wanted_waves(rule, seats), seats))
        if added > 0:
            yield say.waves_added(stage.name, added)
        for number, wave in enumerate(stage.waves, start=1):
            inside = sum(name in production for name in wave)
            if inside >= 2 and 2 * inside > len(every):
                yield say.big_wave(stage.name, number, inside, len(every))


def _of_the_objects(changes: Sequence[Change], shown: Mapping[str, UnitShown]) -> Iterable[str]:
    at_once: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for change in changes:
        if change.verb == "change" and change.ref.kind in _AT_ONCE:
            at_once[change.ref.short] += len(change.units)
        # One with a new name for each content is as it should be, and leaves the old one behind.
        if change.verb == "keep" and change.ref.kind not in _AT_ONCE:
            left[change.ref.short] += len(change.units)
    yield from (say.reaches_at_once(what, units) for what, units in at_once.items())
    yield from (say.left_behind(what, units) for what, units in left.items())
    empty = sum(unit.counts == (0,) for unit in shown.values())
    if empty:
        yield say.nothing_to_roll("the workload", empty)


def _of_what_is_done(plan: ReleasePlan, shown: Mapping[str, UnitShown]) -> Iterable[str]:
    done = sum(unit.up_to_date for unit in shown.values())
    if done and done == len(shown):
        yield say.nothing_to_do(plan.release)
    elif done:
        yield say.partly_up_to_date(done, len(shown))


def refusals(
    repo: Repo,
    release: Release,
    plan: ReleasePlan,
    shown: Mapping[str, UnitShown],
    known: Known,
) -> Iterable[Finding]:
    """Errors of a release that only a look at what runs can find."""
    document = repo.documents["Release", release.name]
    index = PlanIndex(plan)
    names = [asked.name for asked in release.spec.components]
    for name, said in addon_errors(plan):
        where: Pointer = ("spec", "components", names.index(name)) if name in names else ("spec",)
        yield document.finding(where, "components-together", said, say.TOGETHER_HINT, at_key=True)
    for component in plan.components:
        if component.task:
            continue
        place: Pointer = ("spec", "baseline")
        if component.name in names:
            place = ("spec", "components", names.index(component.name), "version")
        if not release.spec.allow_downgrade:
            units = [u.unit for u in plan.units if index.component(u) is component]
            for said in _downgrades(component, {name: shown[name] for name in units}, known):
                yield document.finding(place, "downgrade", said, say.LOWER_HINT)
        for said in said_of(component, known.blocked):
            yield document.finding(place, BLOCKED, said, say.BLOCKED_HINT)


def _downgrades(
    component: ComponentPlan, shown: Mapping[str, UnitShown], known: Known
) -> Iterable[str]:
    lower: dict[tuple[str, bool], list[str]] = {}
    for name, unit in shown.items():
        if unit.version is not None and is_lower(component.version, unit.version):
            guessed = name not in known.applied
            lower.setdefault((unit.version, guessed), []).append(name)
    for (before, guessed), units in lower.items():
        yield say.lower(component.name, component.version, before, units, guessed)
