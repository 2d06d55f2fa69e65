"""What the store is told of objects that left the template, so that the next release knows it.

The rows of a unit, and the row of what units of a cluster have together. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from bot.cluster.fence import numbers
from bot.core.turn import Turn
from bot.model.leftover import Fate, Leftover, mark_of
from bot.model.state import Applied, UnitPhase, UnitState


def standing(unit: UnitState) -> dict[str, str]:
    """Those of which nobody has said yet what becomes: the next release finds them again."""
    return {o.ref.key: o.digest for o in unit.leftovers if o.fate in (Fate.OPEN, Fate.LEAVING)}


def refused(row: Applied | None, unit: UnitState, rendered: Collection[str]) -> dict[str, str]:
    """Who said no to what, before and now. What is rendered again is asked about anew one day."""
    said = {o.ref.key: o.detail for o in unit.leftovers if o.fate is Fate.KEPT and o.why == "no"}
    found = {**(row.refused if row is not None else {}), **said}
    return {key: by for key, by in found.items() if key not in rendered}


def write_down(t: Turn, unit: UnitState, marks: Collection[str], by: str, *, delete: bool) -> None:
    """What was said stays said, in the rows that the next release begins with: also of a unit that
    this release has not come to, or leaves out. A newer release's row is its own.
    """
    plan = t.s.index.units[unit.unit]
    ours = {one.ref.key: one.digest for one in unit.leftovers if one.mark in marks}
    shared = {one.ref.key for one in unit.leftovers if one.shared}
    for name in dict.fromkeys((plan.unit, plan.lock)):
        row = row_now(t, name)
        if row is None or numbers(row.fence)[:1] > (t.state.position,):
            continue
        had = {**row.objects, **row.leftovers, **row.refused}
        keys = {key for key in had if mark_of(key) in marks}
        keys |= {key for key in ours if name == plan.unit or key in shared}
        refused = {key: who for key, who in row.refused.items() if key not in keys}
        refused |= {} if delete else dict.fromkeys(keys, by)
        left = {key: digest for key, digest in row.leftovers.items() if key not in keys}
        if delete and unit.phase is UnitPhase.SUCCEEDED:
            left |= {key: digest for key, digest in ours.items() if key in keys}
        if (refused, left) != (row.refused, row.leftovers):
            t.puts.append(replace(row, refused=refused, leftovers=left))


def row_now(t: Turn, name: str) -> Applied | None:
    """A row as it is in this turn."""
    mine = (row for row in reversed(t.puts) if isinstance(row, Applied) and row.unit == name)
    return next(mine, t.s.applied.get(name))


def left_together(row: Applied | None, unit: UnitState) -> Applied | None:
    """The row of what units have together, once the last of them answers for what left it."""
    if row is None:
        return None
    common = {
        one.ref.key for one in unit.leftovers if one.shared and not _is_used_by_a_peer(one, row)
    }
    if not common:
        return row
    objects = {key: digest for key, digest in row.objects.items() if key not in common}
    left = {key: digest for key, digest in row.leftovers.items() if key not in common}
    left |= {key: digest for key, digest in standing(unit).items() if key in common}
    said = {key: by for key, by in refused(None, unit, ()).items() if key in common}
    return replace(row, objects=objects, leftovers=left, refused={**row.refused, **said})


def _is_used_by_a_peer(one: Leftover, lock: Applied) -> bool:
    """Whether a unit of the cluster that the release leaves out still has it: it is with them."""
    return one.why == "rendered" and one.detail.startswith(f"{lock.unit}/")


def back_together(row: Applied | None, unit: UnitState) -> Applied | None:
    """The same after a rollback of that last one: what runs again has it again."""
    common = {one.ref.key for one in unit.leftovers if one.shared}
    if row is None or not common:
        return row
    part, older = put_back(unit)
    objects = dict(row.objects) | {key: digest for key, digest in part.items() if key in common}
    left = {key: digest for key, digest in row.leftovers.items() if key not in common}
    left |= {key: digest for key, digest in older.items() if key in common}
    return replace(row, objects=objects, leftovers=left)


def put_back(unit: UnitState) -> tuple[dict[str, str], dict[str, str]]:
    """After a rollback: those that are part of what runs again, and those that were left over
    before.
    """
    part = {o.ref.key: o.digest for o in unit.leftovers if not o.older}
    older = {o.ref.key: o.digest for o in unit.leftovers if o.older and o.fate is not Fate.KEPT}
    return part, older
