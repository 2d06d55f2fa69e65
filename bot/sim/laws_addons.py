"""Laws of releases that bring several components: their order in a cluster, forward and back.

What depends on what is read off the documents of the components, over those that a release does not
bring as well.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.model.state import UnitState
from bot.sim import oracle
from bot.sim.faulty import Received
from bot.sim.laws import Seen, law
from bot.sim.laws_batches import entering, in_flight, named, plan_of
from bot.sim.laws_settled import AHEAD, done


@law("needs", "In a cluster a unit begins when what it needs of its own release is done there.")
def needs(seen: Seen) -> Iterator[str]:
    for event in entering(seen):
        component, cluster = oracle.parts(event.unit)
        upstream = oracle.upstream(seen.now, component)
        for row in seen.units.values():
            other, where = oracle.parts(row.unit)
            mine = row.release == event.release and where == cluster
            if mine and other in upstream and not done(row):
                yield f"{named(event)} begins while {row.unit} is {row.phase.value}"


@law("beside", "What depends on each other is never in flight together in one cluster.")
def beside(seen: Seen) -> Iterator[str]:
    for event in entering(seen):
        component, cluster = oracle.parts(event.unit)
        for key, row in seen.units.items():
            other, where = oracle.parts(row.unit)
            before = seen.old_units.get(key)
            if where != cluster or before is None or not _related(seen, component, other):
                continue
            if in_flight(seen, row) and in_flight(seen, before):
                yield f"{named(event)} begins while {row.unit} of {row.release} is in flight"


def _related(seen: Seen, one: str, other: str) -> bool:
    return other in oracle.depends_on(seen.now, one) or one in oracle.depends_on(seen.now, other)


@law("before", "What an earlier release brings, and this one needs, comes first.")
def before(seen: Seen) -> Iterator[str]:
    for event in entering(seen):
        state = seen.releases[event.release]
        mine = {one.name for one in plan_of(seen, event.release).components}
        component, cluster = oracle.parts(event.unit)
        wanted = oracle.depends_on(seen.now, component) - mine
        for row in seen.units.values():
            other, where = oracle.parts(row.unit)
            if where != cluster or other not in wanted:
                continue
            first = seen.releases.get(row.release)
            if first is None or first.phase.value not in AHEAD or first.position >= state.position:
                continue
            if row.phase.value in ("PENDING", "APPLYING", "SOAKING", "VERIFYING"):
                yield f"{named(event)} begins while {row.unit} of {row.release} is not there yet"


@law("backwards", "On the way back what depends on a unit in its cluster goes before it.")
def backwards(seen: Seen) -> Iterator[str]:
    for one in seen.writes:
        if one.manager != "sluice" or one.late or one.unit is None or one.outcome != "done":
            continue
        if one.write.purpose.value == "restore":
            yield from _still_on_top(seen, one, one.unit)


def _still_on_top(seen: Seen, one: Received, unit: UnitState) -> Iterator[str]:
    component, cluster = oracle.parts(unit.unit)
    for row in one.peers:
        other, where = oracle.parts(row.unit)
        if where != cluster or component not in oracle.upstream(seen.now, other):
            continue
        # Where its cluster takes this very write it would have answered the other one too.
        # One whose added objects are asked about is back already.
        waits = row.one_way or row.refused or row.added or _overtaken(seen, row)
        if row.began is None or row.phase.value == "ROLLED_BACK" or waits:
            continue
        if row.phase.value in ("APPLYING", "SOAKING", "VERIFYING", "ROLLING_BACK", "SUCCEEDED"):
            yield f"{unit.unit} is put back while {row.unit} is {row.phase.value}"


def _overtaken(seen: Seen, row: UnitState) -> bool:
    """A newer release has to do with it: what that brought stays."""
    own = seen.releases[row.release].position
    return any(
        oracle.parts(other.unit) == oracle.parts(row.unit)
        and seen.releases[other.release].position > own
        and other.began is not None
        for other in seen.units.values()
        if other.release in seen.releases
    )


@law("clusters", "Of several components a cluster goes in one wave of its stage.")
def clusters(seen: Seen) -> Iterator[str]:
    for event in seen.events:
        if event.kind != "release.scheduled":
            continue
        planned = plan_of(seen, event.release)
        if len(planned.components) < 2:
            continue
        waves: dict[tuple[int, str], int] = {}
        for unit in planned.units:
            wave = waves.setdefault((unit.stage, unit.cluster), unit.wave)
            if wave != unit.wave:
                yield f"{unit.cluster} is in waves {wave + 1} and {unit.wave + 1}"
