"""Laws of batches: when one may begin, in which order, and within which limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import ceil
from typing import Any

from bot.model.plan import JSON, ReleasePlan
from bot.model.state import Decision, Event, UnitState
from bot.sim import oracle
from bot.sim.laws import Docs, Seen, law
from bot.sim.laws_settled import ENDED, failed, settled


def begun(seen: Seen) -> Iterator[Event]:
    """Batches that began in this step."""
    return (event for event in seen.events if event.kind == "batch.applying")


def named(event: Event) -> str:
    return f"batch {event.batch} of {event.unit} ({event.release})"


def plan_of(seen: Seen, release: str) -> ReleasePlan:
    found = seen.place.store.get(ReleasePlan, release)
    assert isinstance(found, ReleasePlan)
    return found


def window_overridden(seen: Seen, release: str, unit: str) -> bool:
    """Two admins overrode windows and freezes, and it has not run out."""
    return any(
        row.what == "override-window"
        and row.status.value == "APPROVED"
        and row.closed is not None
        and (row.expires is None or seen.tick.at < row.closed + row.expires)
        and len({vote.by for vote in row.votes}) >= 2
        and oracle.covers(seen.now, row.subject, release, unit)
        for row in seen.place.store.rows(Decision, parent=release)
    )


@law("window", "No batch begins outside an open window, in a freeze, or where it does not fit.")
def window(seen: Seen) -> Iterator[str]:
    for event in begun(seen):
        if window_overridden(seen, event.release, event.unit):
            continue
        why = [_closed(docs, event) for docs in seen.rules]
        if all(why):
            yield f"{named(event)} begins: {why[-1]}"
        for scope in seen.frozen:
            if oracle.covers(seen.now, scope, event.release, event.unit):
                yield f"{named(event)} begins though {scope} is frozen"


def _closed(docs: Docs, event: Event) -> str:
    if why := oracle.closed(docs, event.unit, event.at):
        return why
    spec = oracle.component_spec(docs, event.unit)
    final = event.batch >= event.data["batches"]
    attended = oracle.seconds(oracle.policy(docs).get("windows", {}).get("attended", "30m"))
    silence = oracle.soak(docs, docs, event.unit, final=final)
    need = oracle.seconds(spec["batchTakes"]) + min(silence, attended)
    return oracle.closes_within(docs, event.unit, event.at, need)


@law("not-stopped", "No batch begins in the scope of a pause, a freeze or a hold.")
def not_stopped(seen: Seen) -> Iterator[str]:
    for event in begun(seen):
        for scope in seen.paused:
            if oracle.covers(seen.now, scope, event.release, event.unit):
                yield f"{named(event)} begins though {scope} is paused"


@law("blocked", "Neither a blocked version nor content that was rolled back goes forward.")
def blocked(seen: Seen) -> Iterator[str]:
    back: set[tuple[str, str]] = seen.keep("went-back", set)
    for event in seen.events:
        if event.kind == "release.rolling-back":
            state = seen.releases.get(event.release)
            if state is not None and state.sticks:
                plan = plan_of(seen, event.release)
                back |= {(one.name, one.version) for one in plan.components if not one.task}
        elif event.kind == "batch.applying":
            yield from _blocked(seen, event, back)


def _blocked(seen: Seen, event: Event, back: set[tuple[str, str]]) -> Iterator[str]:
    unit = seen.units.get(f"{event.release}/{event.unit}")
    if unit is None or any(one.startswith("blocked") for one in unit.overrides):
        return
    component, _ = oracle.parts(event.unit)
    version = version_of(seen, event.release, event.unit)
    on_main = [
        any(
            (one["component"], one["version"]) == (component, version)
            for one in oracle.policy(docs).get("blocked", ())
        )
        for docs in seen.rules
    ]
    if all(on_main):
        yield f"{named(event)} begins though {version} is blocked on main"
    if (component, version) in back:
        yield f"{named(event)} begins though {version} was rolled back"


def version_of(seen: Seen, release: str, unit: str) -> str:
    """A baseline may bring one component in several versions: then its units say which."""
    plan, component = plan_of(seen, release), oracle.parts(unit)[0]
    known: dict[tuple[int, str], tuple[ReleasePlan, str]] = seen.keep("versions", dict)
    if (id(plan), unit) not in known:
        own = next((one.version for one in plan.units if one.unit == unit), "")
        # What could not be planned at its merge has no components, but units of what was proposed.
        wide = (one.version for one in plan.components if one.name == component)
        # The plan is kept with it: its number is not given to others.
        known[id(plan), unit] = (plan, own or next(wide, ""))
    return known[id(plan), unit][1]


@law("order", "Batches go one after another, each after the certificate of the one before.")
def order(seen: Seen) -> Iterator[str]:
    done: dict[str, int] = seen.keep("done", dict)
    for event in seen.events:
        key = f"{event.release}/{event.unit}"
        match event.kind:
            case "unit.rolling-back":
                done[key] = 0
            case "batch.succeeded":
                done[key] = event.batch
            case "batch.applying" if event.batch != done.get(key, 0) + 1:
                yield f"{named(event)} begins after batch {done.get(key, 0)} was done"


@law("targets", "A batch is as large as it was written, and never smaller than the one before.")
def targets(seen: Seen) -> Iterator[str]:
    last: dict[str, Mapping[str, int]] = seen.keep("targets", dict)
    began: dict[str, Mapping[str, int]] = seen.keep("targets-begun", dict)
    for event in seen.events:
        key = f"{event.release}/{event.unit}"
        if event.kind == "unit.rolling-back":
            last.pop(key, None)
        if event.kind == "batch.succeeded" and key in began:
            last[key] = began[key]
        if event.kind != "batch.applying":
            continue
        written = oracle.component_spec(seen.now, event.unit)["batches"]
        wanted: Mapping[str, int] = event.data["targets"]
        totals: Mapping[str, int] = event.data["totals"]
        for name, target in wanted.items():
            total = totals.get(name, 0)
            steps = {_count(step, total) for step in written}
            before = last.get(key, {}).get(name, 0)
            if target not in {max(before, step) for step in steps}:
                yield f"{named(event)} wants {target} of {total}, written is {written}"
            if event.batch == 1 and not before and target > _first(written, total):
                yield f"{named(event)} begins with {target} of {total}, written is {written}"
        began[key] = wanted


def _count(step: int | str, total: int) -> int:
    if isinstance(step, int):
        return min(step, total)
    return ceil(total * int(step.rstrip("%")) / 100)


def _first(written: list[Any], total: int) -> int:
    return _count(written[0], total)


@law("no-more", "No more pods run the new version than the batch in hand wants.")
def no_more(seen: Seen) -> Iterator[str]:
    place = seen.place
    for row in seen.units.values():
        if row.phase.value not in ("APPLYING", "SOAKING", "VERIFYING") or not row.targets:
            continue
        component, cluster = oracle.parts(row.unit)
        if f"{component}@{cluster}" in place.edited or cluster in place.resized:
            continue
        version = version_of(seen, row.release, row.unit)
        there = place.versions(row.unit)[version]
        if there > sum(row.targets.values()) and not brought_before(seen, row, version):
            yield f"{row.unit} has {there} pods on {version}, wanted are {dict(row.targets)}"


def brought_before(seen: Seen, row: UnitState, version: str) -> bool:
    """Whether another release has brought the same version there: a baseline brings old ones."""
    return any(
        other.release != row.release
        and other.began is not None
        and oracle.parts(other.unit) == oracle.parts(row.unit)
        and version_of(seen, other.release, other.unit) == version
        for other in seen.units.values()
    )


@law("waves", "A wave begins when every unit of the waves and stages before it has ended.")
def waves(seen: Seen) -> Iterator[str]:
    for event in entering(seen):
        plan = plan_of(seen, event.release)
        places = {unit.unit: (unit.stage, unit.wave) for unit in plan.units}
        ended = settled(seen.now, plan, rows_of(seen.units, event.release))
        # Within one step the order is not known: what hung on another may be free by now.
        ended |= settled(seen.now, plan, rows_of(seen.old_units, event.release), ends=False)
        for name, place in places.items():
            row = seen.units[f"{event.release}/{name}"]
            if place < places[event.unit] and name not in ended:
                yield f"{named(event)} begins while {name} is {row.phase.value}"


def rows_of(units: Mapping[str, UnitState], release: str) -> list[UnitState]:
    return [row for row in units.values() if row.release == release]


@law("plan", "A plan has every unit once, in its stage, and waves as they were written.")
def plan(seen: Seen) -> Iterator[str]:
    for event in seen.events:
        if event.kind != "release.scheduled":
            continue
        planned, docs = plan_of(seen, event.release), seen.now
        spread = [stage.get("spread", []) for stage in _stages(docs)]
        for unit in planned.units:
            if unit.stage != _place(docs, unit.unit, planned):
                yield f"{unit.unit} is planned in stage {unit.stage}"
        # Who joins may do so in the very moment of the merge; `frozen` looks at them.
        added = {unit for one in planned.additions for unit in one.units}
        names = [n for stage in planned.stages for wave in stage.waves for n in wave]
        names = [name for name in names if name not in added]
        wanted = _wanted(seen, event.release, planned)
        if (planned.spec or {}).get("baseline"):
            # Which of them need nothing is told by what runs there; and where its group had
            # nothing to bring at the merge, it is planned of a later main.
            later = {one for main in seen.place.mains for one in oracle.clusters_of(main.docs)}
            wanted = (wanted | _wanted(seen, event.release, planned, later)) & set(names)
        if sorted(names) != sorted(wanted) or len(planned.units) != len(names) + len(added):
            yield f"{event.release} plans {names}"
        yield from _together(docs, planned, spread)


def _together(docs: Docs, planned: ReleasePlan, spread: list[list[str]]) -> Iterator[str]:
    """Clusters in one wave that are to be kept apart; what heals a broken one comes first."""
    if (planned.spec or {}).get("supersedes"):
        return
    for stage in planned.stages:
        number = next(n for n, one in enumerate(_stages(docs)) if one["name"] == stage.name)
        for wave in stage.waves:
            for label in spread[number]:
                clusters = {oracle.parts(unit)[1] for unit in wave}
                held = [oracle.unit_labels(docs, one)[label] for one in clusters]
                if len(held) != len(set(held)):
                    yield f"{wave} of {planned.release} share {label}"


def _wanted(
    seen: Seen, release: str, planned: ReleasePlan, clusters: Iterable[str] = ()
) -> set[str]:
    """The units that the clusters of its merge, or these, have of what it brings."""
    only = (planned.spec or {}).get("units")
    return {
        unit
        for c in planned.components
        for k in clusters or seen.fleets.get(release, seen.place.clusters)
        for unit in oracle.units_of(seen.now, c.name, k)
        if oracle.selected(only, oracle.labels_of(seen.now, unit))
    }


def _stages(docs: Docs) -> list[JSON]:
    found: list[JSON] = oracle.spec_of(docs, "pipelines/standard.yaml")["stages"]
    return found


def _place(docs: Docs, unit: str, planned: ReleasePlan) -> int:
    """Number of a unit's stage among those that the plan has: empty stages are left out."""
    name = oracle.stage_of(docs, unit)[1]["name"]
    return next(n for n, stage in enumerate(planned.stages) if stage.name == name)


@law("concurrency", "No more units are in flight than the stage and the policy allow.")
def concurrency(seen: Seen) -> Iterator[str]:
    for event in entering(seen):
        _, stage = oracle.stage_of(seen.now, event.unit)
        flying = [row for row in seen.units.values() if in_flight(seen, row)]
        mine = [
            row
            for row in flying
            if row.release == event.release
            and oracle.stage_of(seen.now, row.unit)[1]["name"] == stage["name"]
        ]
        limit = stage.get("maxConcurrency")
        if limit is not None and len(mine) > limit:
            yield f"{named(event)} makes {len(mine)} in flight in {stage['name']}, most is {limit}"
        limits = [oracle.policy(d).get("limits", {}).get("unitsInFlight", 999) for d in seen.rules]
        if len(flying) > max(limits):
            yield f"{named(event)} makes {len(flying)} in flight, most is {max(limits)}"


def in_flight(seen: Seen, row: UnitState) -> bool:
    state = seen.releases.get(row.release)
    if state is None or state.phase.value not in ("SCHEDULED", "PROGRESSING", "ROLLING_BACK"):
        return False
    return row.phase.value == "ROLLING_BACK" or (row.in_hand and row.phase.value not in ENDED)


@law("host", "A cluster and the one that hosts it are never in flight together.")
def host(seen: Seen) -> Iterator[str]:
    for event in entering(seen):
        mine = oracle.parts(event.unit)[1]
        for row in _still_flying(seen, event):
            other = oracle.parts(row.unit)[1]
            if all(other in oracle.kin(docs, mine) for docs in seen.rules):
                yield f"{named(event)} begins while {row.unit} of {row.release} is in flight"


@law("risk", "No unit begins while a risk rule of the policy says that it waits.")
def risk(seen: Seen) -> Iterator[str]:
    """The one rule that histories have: nothing else in flight."""
    for event in entering(seen):
        flying = [row.unit for row in _still_flying(seen, event)]
        if flying and all(oracle.policy(docs).get("riskRules") for docs in seen.rules):
            yield f"{named(event)} begins while {flying} are in flight"


def _still_flying(seen: Seen, event: Event) -> Iterator[UnitState]:
    """Other units that were in flight before this step and are: within it the order is unknown."""
    for key, row in seen.units.items():
        before = seen.old_units.get(key)
        if key == f"{event.release}/{event.unit}" or before is None:
            continue
        if in_flight(seen, row) and in_flight(seen, before):
            yield row


@law("failures", "Nothing begins in a stage that has failed more often than it tolerates.")
def failures(seen: Seen) -> Iterator[str]:
    for event in entering(seen):
        _, stage = oracle.stage_of(seen.now, event.unit)
        component = oracle.parts(event.unit)[0]
        most = stage.get("maxFailures", 0)
        # What failed before this step and still has: within one step the order is not known.
        counts = Counter(
            oracle.parts(row.unit)[0]
            for row in rows_of(seen.units, event.release)
            if failed(row)
            and row.key in seen.old_units
            and failed(seen.old_units[row.key])
            and oracle.stage_of(seen.now, row.unit)[1]["name"] == stage["name"]
        )
        for one in {component, *oracle.upstream(seen.now, component)}:
            if counts[one] > most:
                where = stage["name"]
                yield f"{named(event)} begins though {counts[one]} of {one} failed in {where}"


@law("superseded", "What replaces another release begins when that one has ended.")
def superseded(seen: Seen) -> Iterator[str]:
    for event in entering(seen):
        for name in (plan_of(seen, event.release).spec or {}).get("supersedes") or ():
            other = seen.releases.get(name)
            if other is not None and other.phase.value in (
                "SCHEDULED", "PROGRESSING", "ROLLING_BACK"
            ):  # fmt: skip
                yield f"{named(event)} begins while {name} is {other.phase.value}"


def entering(seen: Seen) -> Iterator[Event]:
    """First batches of units that were not in flight before."""
    for event in begun(seen):
        before = seen.old_units.get(f"{event.release}/{event.unit}")
        if before is None or not before.in_hand or before.phase.value in ENDED:
            yield event
