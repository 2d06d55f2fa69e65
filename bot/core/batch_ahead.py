"""The batch that begins next, worked out of what the cluster shows: counts, step, whether the last.

Before the cluster was seen, only what the plan says of it. Begins nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.cluster.drive import counted, total_of
from bot.cluster.goal import Mode
from bot.cluster.kinds import stops_part_way
from bot.core.batches import Step, next_step
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.seen import UnitSeen


@dataclass(frozen=True, slots=True)
class Ahead:
    """`whole`: all in one batch, whatever is written."""

    totals: Mapping[str, int]
    step: Step
    whole: bool


def batch_ahead(t: Turn, u: Unit, seen: UnitSeen) -> Ahead:
    """What would begin now, of what was seen in this tick."""
    first_install = _first_install(t, u, seen)
    totals = {} if first_install else _totals(t, u, seen)
    whole = first_install or not totals or not _can_stop(t, u)
    step = next_step(
        u.component.batches, totals, done=u.state.step, previous=u.state.targets, whole=whole
    )
    return Ahead(totals, step, whole)


def is_last(t: Turn, u: Unit) -> bool | None:
    """Whether the batch ahead is the unit's last: steps that add nothing merge, so counts decide.
    None: only a look at the cluster can tell.
    """
    seen = t.s.seen.get(u.plan.unit)
    if seen is not None and seen.reachable:
        return batch_ahead(t, u, seen).step.last
    if u.state.batch:
        return u.state.batches <= u.state.batch + 1
    return True if len(u.component.batches) == 1 else None


def _first_install(t: Turn, u: Unit, seen: UnitSeen) -> bool:
    if u.state.before is not None:
        return t.is_first_install(u)
    return all(there.live is None for there in seen.objects.values())


def _totals(t: Turn, u: Unit, seen: UnitSeen) -> dict[str, int]:
    goal = t.goal(u, Mode.FORWARD)
    refs = counted(goal.objects, goal.rows)
    found = {ref.key: total_of(ref.key, seen, goal.rows) for ref in refs}
    return {
        key: total if goal.nodes is None else len(goal.places[key])
        for key, total in found.items()
        if total is not None
    }


def _can_stop(t: Turn, u: Unit) -> bool:
    rows = t.s.index.rows
    return any(stops_part_way(t.s.blobs[planned.digest], rows) for planned in u.plan.objects)
