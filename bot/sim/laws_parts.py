"""Laws of parts of a cluster: whose turn it is, who is left alone, and that they go back together.

Which pods are whose is read off nodes, labels and namespaces themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.model.state import Event
from bot.sim import oracle
from bot.sim.docs import NO_PODS
from bot.sim.laws import Seen, law
from bot.sim.laws_batches import begun, brought_before, named, plan_of, version_of
from bot.sim.laws_settled import AHEAD, ENDED

ON_NODES = ("nodeSet", "node")
"""Scopes whose units share the workload of their cluster."""


def sharing(seen: Seen, release: str, unit: str) -> tuple[list[str], int]:
    """Units of a release that share an object with one, in order, and its own place among them."""
    component, cluster = oracle.parts(unit)
    if oracle.part(unit)[0] not in ON_NODES:
        return [unit], 0
    names = [
        one.unit
        for one in plan_of(seen, release).units
        if (one.component, one.cluster) == (component, cluster)
    ]
    return names, names.index(unit)


@law("untouched", "What has not begun is left alone: nothing of it runs the new version.")
def untouched(seen: Seen) -> Iterator[str]:
    place = seen.place
    for row in seen.units.values():
        component, cluster = oracle.parts(row.unit)
        if row.phase.value != "PENDING" or row.began is not None or component in NO_PODS:
            continue
        state = seen.releases.get(row.release)
        moved = f"{component}@{cluster}" in place.edited or cluster in place.resized
        if moved or state is None or state.phase.value not in AHEAD:
            continue
        version = version_of(seen, row.release, row.unit)
        there = place.versions(row.unit)[version]
        if there and not brought_before(seen, row, version):
            yield f"{row.unit} has {there} pods on {version} and has not begun"


@law("turns", "Parts that share an object go one after another; a failed one stops the next.")
def turns(seen: Seen) -> Iterator[str]:
    for event in begun(seen):
        names, turn = sharing(seen, event.release, event.unit)
        for at, name in enumerate(names):
            row = seen.units[f"{event.release}/{name}"]
            if at != turn and row.in_hand and row.phase.value not in (*ENDED, "ROLLING_BACK"):
                yield f"{named(event)} begins while {name} is {row.phase.value}"
        before = seen.old_units.get(f"{event.release}/{event.unit}")
        if before is not None and not before.in_hand:
            yield from _out_of_turn(seen, event, names[:turn])


def _out_of_turn(seen: Seen, event: Event, ahead: list[str]) -> Iterator[str]:
    """Within one step the order is not known: it has to be so before and after it."""
    for name in ahead:
        key = f"{event.release}/{name}"
        rows = [rows[key] for rows in (seen.old_units, seen.units) if key in rows]
        if all(row.phase.value in ("PENDING", "FAILED", "ROLLED_BACK") for row in rows):
            yield f"{named(event)} begins though {name}, before it, is {rows[-1].phase.value}"


@law("together", "Parts that share an object go back together, the last one first.")
def together(seen: Seen) -> Iterator[str]:
    back = {key for key, row in seen.old_units.items() if row.phase.value == "ROLLED_BACK"}
    for event in seen.events:
        key = f"{event.release}/{event.unit}"
        if event.kind in ("unit.retry", "unit.rolling-back", "batch.applying"):
            back.discard(key)
        if event.kind != "unit.rolled-back":
            continue
        back.add(key)
        names, turn = sharing(seen, event.release, event.unit)
        for name in names[turn + 1 :]:
            row = seen.units[f"{event.release}/{name}"]
            left = row.began is not None and row.phase.value != "SKIPPED"
            if left and row.key not in back:
                yield f"{event.unit} is back while {name} is {row.phase.value}"
