"""The gate that knows how many there are: without the number a batch would be everything.

Questions only.
"""

from __future__ import annotations

from bot.cluster.drive import total_of
from bot.cluster.kinds import row_of, stops_part_way
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.gate import Wait


def counted(t: Turn, u: Unit) -> Wait | None:
    """Its cluster tells how many pods or nodes each workload is to have."""
    seen = t.s.seen.get(u.plan.unit)
    if seen is None or not seen.reachable:
        return None
    rows = t.s.index.rows
    for planned in u.plan.objects:
        key, row = planned.ref.key, row_of(planned.ref, rows)
        there = seen.objects.get(key)
        if row is None or there is None or there.live is None:
            continue
        if total_of(key, seen, rows) is None and stops_part_way(t.s.blobs[planned.digest], rows):
            facts = {"object": planned.ref.short, "path": ".".join(row.desired[0])}
            return Wait(code="uncounted", facts=facts, who=t.who("skip"))
    return None
