"""Laws of fleets that change: what was planned stays, who may join, what a baseline brings.

Read off the plans that the store holds, and off what was certified in this very history.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.sim import oracle
from bot.sim.laws import Seen, law
from bot.sim.laws_batches import plan_of, version_of
from bot.sim.laws_settled import AHEAD

Place = tuple[int, int, str]
"""Stage, wave and revision of a unit."""


@law("frozen", "What was planned stays; new clusters come behind, where the release lets them.")
def frozen(seen: Seen) -> Iterator[str]:
    known: dict[str, dict[str, Place]] = seen.keep("frozen", dict)
    for event in seen.events:
        state = seen.releases.get(event.release)
        if state is None or state.phase.value not in AHEAD:
            continue
        # Before it was planned at its merge a release has another plan, or none.
        planned = event.kind == "release.scheduled"
        if planned or event.release in known:
            plan = plan_of(seen, event.release)
            now = {one.unit: (one.stage, one.wave, one.revision) for one in plan.units}
            added = {unit for one in plan.additions for unit in one.units}
            merged = {unit: place for unit, place in now.items() if unit not in added}
            then = merged if planned else known[event.release]
            yield from _moved(seen, event.release, then, now)
            known[event.release] = now


def _moved(
    seen: Seen, release: str, then: dict[str, Place], now: dict[str, Place]
) -> Iterator[str]:
    if any(now.get(unit) != place for unit, place in then.items()):
        yield f"the plan of {release} has changed"
    new = now.keys() - then.keys()
    if new and (plan_of(seen, release).spec or {}).get("lateJoiners") != "join":
        yield f"{sorted(new)} came to {release}, which lets nobody join"
    for unit in sorted(new):
        stage, wave, _ = now[unit]
        if any(place[0] == stage and place[1] >= wave for place in then.values()):
            yield f"{unit} came to {release} beside what was planned"


@law("baseline", "A baseline brings a cluster what others of its group were certified with.")
def baseline(seen: Seen) -> Iterator[str]:
    certified: set[tuple[str, str, str]] = seen.keep("certified", set)
    for event in seen.events:
        component, cluster = oracle.parts(event.unit)
        if event.kind == "unit.succeeded" and not oracle.is_task(seen.now, component):
            group = oracle.unit_labels(seen.now, cluster)["group"]
            certified.add((group, component, version_of(seen, event.release, event.unit)))
        if event.kind == "release.scheduled":
            planned = plan_of(seen, event.release)
            if not (planned.spec or {}).get("baseline"):
                continue
            for unit in planned.units:
                group = oracle.unit_labels(seen.now, unit.cluster)["group"]
                brought = version_of(seen, event.release, unit.unit)
                known = (group, unit.component, brought) in certified
                if not known and not oracle.is_task(seen.now, unit.component):
                    yield f"{unit.unit} gets {brought}, which {group} has never run"
