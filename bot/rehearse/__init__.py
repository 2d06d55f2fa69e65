"""`sluice rehearse`: a release of the repo, from its merge to its end, before it happens.

The real reconciler runs on a virtual clock against simulated copies of the clusters, in memory;
people answer after a set delay, faults happen where they were asked for. Nobody outside is
contacted, and nothing is written outside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.core import messages_rehearsal as say
from bot.core.messages import why
from bot.core.plan_rows import own_rows
from bot.core.plan_shown import PullPlan, ReleaseShown
from bot.core.plan_weigh import batches_ahead, counts_of
from bot.model.plan import JSON, PlannedObject
from bot.model.state import Applied, Certificate
from bot.ports import Changes, GitHost, Store
from bot.reconciler.rules import connections
from bot.rehearse.engine import LONGEST, Engine
from bot.rehearse.fleet import AskedFault
from bot.rehearse.people import People
from bot.rehearse.scene import (
    CannotRehearse,
    NotPlanned,
    Scene,
    UnknownRelease,
    scene,
)
from bot.rehearse.told import Ending, Line, Rehearsal

__all__ = [
    "Asked",
    "CannotRehearse",
    "Line",
    "NoSuchBatch",
    "NotPlanned",
    "Rehearsal",
    "UnknownRelease",
    "UnknownUnit",
    "rehearse",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be rehearsed. `on_failure`: rollback | skip | wait."""

    release: str | None
    at: datetime
    faults: tuple[tuple[str, int], ...] = ()
    answers_after: timedelta = timedelta(minutes=5)
    on_failure: str = "rollback"
    runs: str | None = None
    """The version that runs now where nobody knows one."""


@dataclass
class UnknownUnit(CannotRehearse):
    unit: str
    known: tuple[str, ...]


@dataclass
class NoSuchBatch(CannotRehearse):
    unit: str
    batch: int
    batches: int


def rehearse(asked: Asked, git: GitHost, head: str, store: Store | None) -> Rehearsal:
    """The whole of it. Raises CannotRehearse, GitError."""
    found = scene(git, head, asked.release, store, asked.at)
    engine = Engine(
        found.git,
        asked.at,
        nodes=found.nodes,
        people=lambda inside: People(inside, asked.answers_after, asked.on_failure),
        first=found.first,
    )
    try:
        shown = _planned(engine, found, asked)
        _check(asked.faults, shown)
        _seed(engine, found, shown, asked.runs)
        engine.fleet.ask_for(_faults(engine, asked.faults, shown))
        engine.begin({one.plan.release: counts_of(one.units) for one in shown})
        came = engine.run()
        return _told(engine, found, asked, shown, came)
    finally:
        engine.close()


def _planned(engine: Engine, found: Scene, asked: Asked) -> tuple[ReleaseShown, ...]:
    pull: PullPlan = engine.bot.planner.pull(
        found.before.commit, found.after.commit, now=asked.at, known=found.known
    )
    if pull.has_errors or not pull.releases:
        raise NotPlanned(pull.findings)
    return pull.releases


def _check(faults: Sequence[tuple[str, int]], shown: Sequence[ReleaseShown]) -> None:
    """Every fault names a unit of the plan, and a batch that it has."""
    batches = {name: count for one in shown for name, count in batches_ahead(one.units).items()}
    for unit, batch in faults:
        if unit not in batches:
            raise UnknownUnit(unit, tuple(sorted(batches)))
        if not 1 <= batch <= batches[unit]:
            raise NoSuchBatch(unit, batch, batches[unit])


def _seed(engine: Engine, found: Scene, shown: Sequence[ReleaseShown], runs: str | None) -> None:
    """What runs now: as last applied, else as the version before renders; else nothing."""
    engine.fleet.kinds = list(own_rows(found.repo).values())
    engine.fleet.connect(connections(found.repo))
    rows: list[Applied] = []
    missing: list[str] = []
    blobs: dict[str, JSON] = {}
    guessed = 0
    there: set[tuple[str, str]] = set()
    for one in shown:
        units = {n: replace(u, version=u.version or runs) for n, u in one.units.items()}
        had, objects = engine.bot.planner.had(found.repo, one.planned, units, found.known)
        for unit in one.plan.units:
            row = found.known.applied.get(unit.unit)
            if unit.unit not in had:
                missing.append(unit.unit)
                continue
            if row is not None:
                rows.append(row)
                blobs |= {digest: objects[digest] for digest in row.objects.values()}
            guessed += row is None
            fresh = [o for o in had[unit.unit] if (unit.cluster, o.ref.key) not in there]
            there |= {(unit.cluster, o.ref.key) for o in fresh}
            engine.fleet.seed(unit.cluster, [objects[o.digest] for o in fresh])
    engine.store.commit(Changes(puts=tuple(rows), blobs=blobs))
    if rows:
        found.notes.append(say.from_store(len(rows)))
    if guessed:
        found.notes.append(say.guessed(guessed, runs))
    if missing:
        found.notes.append(say.first_install(missing))
    if found.assumed:
        found.notes.append(say.assumed_nodes(sorted(found.assumed), max(found.assumed.values())))


def _faults(
    engine: Engine, faults: Sequence[tuple[str, int]], shown: Sequence[ReleaseShown]
) -> list[AskedFault]:
    asked = []
    for unit, batch in faults:
        one = next(one for one in shown if unit in one.units)
        planned = next(planned for planned in one.plan.units if planned.unit == unit)
        new = _images(planned.objects, one.planned.blobs)
        live = {image for obj in engine.fleet.objects(planned.cluster) for image in _images_of(obj)}
        asked.append(
            AskedFault(
                unit=unit,
                cluster=planned.cluster,
                batch=batch,
                refs=frozenset(o.ref for o in planned.objects),
                images=tuple(sorted(new - live)),
            )
        )
    return asked


def _images(objects: Sequence[PlannedObject], blobs: Mapping[str, JSON]) -> set[str]:
    return {image for one in objects for image in _images_of(blobs[one.digest])}


def _images_of(obj: JSON) -> set[str]:
    """Images anywhere in an object: kinds differ in where their pods stand."""
    match obj:
        case {"image": str(image), **rest}:
            return {image} | {one for value in rest.values() for one in _images_of(value)}
        case dict():
            return {one for value in obj.values() for one in _images_of(value)}
        case list():
            return {one for value in obj for one in _images_of(value)}
    return set()


def _told(
    engine: Engine,
    found: Scene,
    asked: Asked,
    shown: Sequence[ReleaseShown],
    came: str,
) -> Rehearsal:
    units = {unit for one in shown for unit in one.units}
    answered = Counter(line.by for line in engine.lines if line.kind == "person")
    return Rehearsal(
        began=asked.at,
        zone=shown[0].forecast.zone,
        plans=tuple(one.plan for one in shown),
        answers_after=asked.answers_after,
        on_failure=asked.on_failure,
        clusters=len({unit.cluster for one in shown for unit in one.plan.units}),
        assumptions=tuple(found.notes),
        faults=asked.faults,
        missed=tuple(
            unit for unit, _ in asked.faults if unit in units and unit not in engine.fleet.struck
        ),
        lines=tuple(engine.lines),
        endings=tuple(_ending(engine, name, came) for name in engine.watched),
        exposure={name: one.exposure() for name, one in engine.watched.items()},
        asked=dict(sorted(answered.items())),
        proposed=dict(engine.git.opened),
        ticks=engine.ticks,
    )


def _ending(engine: Engine, name: str, came: str) -> Ending:
    active = engine.watched[name].active
    stands: list[str] = []
    if not active.state.phase.ended:
        stands = [
            say.nobody_left(decision, missing)
            for decision, missing in engine.people.nobody.items()
            if decision.startswith(f"{name}#")
        ]
        if came == "long":
            stands.append(say.too_long(LONGEST.days))
        elif not stands:
            closed = next((why(line.wait) for line in active.waiting), "")
            stands.append(say.nothing_moves(closed))
    return Ending(
        release=name,
        phase=active.state.phase.value,
        at=active.state.ended or engine.clock.at,
        units=dict(Counter(unit.phase.value for unit in active.units.values())),
        batches=len(engine.store.rows(Certificate, parent=name)),
        stands=tuple(stands),
    )
