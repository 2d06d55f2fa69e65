"""Laws of tasks: their place among the components, that they were really done, and done once."""

from __future__ import annotations

from collections.abc import Iterator

from bot.model.plan import JSON
from bot.sim import oracle
from bot.sim.laws import Seen, law

UNDO = "-undo"


@law("worked", "A task is done when its Job has ended well, or its call was answered.")
def worked(seen: Seen) -> Iterator[str]:
    for event in seen.events:
        name, _ = oracle.parts(event.unit)
        if not oracle.is_task(seen.now, name):
            continue
        if event.kind == "unit.succeeded" and not _ended_well(seen, event.release, event.unit):
            yield f"{event.unit} of {event.release} succeeded, and it was not done"
        back = event.kind == "unit.rolled-back" and "undo" in oracle.component_spec(
            seen.now, event.unit
        )
        if back and not _ended_well(seen, event.release, event.unit, undo=True):
            yield f"{event.unit} of {event.release} is back, and it was not undone"


def _ended_well(seen: Seen, release: str, unit: str, *, undo: bool = False) -> bool:
    name, cluster = oracle.parts(unit)
    if "webhook" in oracle.component_spec(seen.now, unit):
        return any(
            one.cluster == cluster
            and one.write.ref.name.startswith(f"{name}-")
            and one.write.ref.name.endswith(UNDO) == undo
            and one.outcome == "done"
            for one in seen.place.writes
            if one.write.ref.kind == "Webhook"
        )
    return any(_complete(job) for job in _jobs(seen, release, unit, undo=undo))


def _jobs(seen: Seen, release: str, unit: str, *, undo: bool) -> Iterator[JSON]:
    name, cluster = oracle.parts(unit)
    for one in seen.place.sim.objects(cluster):
        labels = one["metadata"].get("labels", {})
        mine = labels.get("sluice/task") == name and labels.get("sluice/release") == release
        if mine and one["metadata"]["name"].endswith(UNDO) == undo:
            yield one


def _complete(job: JSON) -> bool:
    conditions = job.get("status", {}).get("conditions", ())
    return any(one["type"] == "Complete" and one["status"] == "True" for one in conditions)


@law("done-once", "What a task did well is not done again, unless it was taken back.")
def done_once(seen: Seen) -> Iterator[str]:
    well: set[str] = seen.keep("worked-well", set)
    for one in seen.writes:
        if one.manager != "sluice" or one.late or one.unit is None or one.outcome != "done":
            continue
        begins = one.write.verb == "create" and one.write.purpose.value == "forward"
        if begins and one.unit.key in well:
            yield f"{one.unit.unit} of {one.unit.release} is done again"
    for event in seen.events:
        if not oracle.is_task(seen.now, oracle.parts(event.unit)[0]):
            continue
        key = f"{event.release}/{event.unit}"
        if event.kind == "unit.succeeded":
            well.add(key)
        elif event.kind == "unit.rolling-back":
            well.discard(key)
