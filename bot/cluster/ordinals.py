"""Positions of a StatefulSet's pods: what its partition counts from. Never an ordinal by mistake.

With `ordinals.start` or `reserveOrdinals` a pod's number in its name is not its position.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from bot.cluster.fields import at
from bot.cluster.pods import Pod
from bot.cluster.rollout import Rollout
from bot.model.plan import JSON


def ordinal_of(name: str) -> int:
    """`3` of `store-3`; -1 of a name without a number."""
    number = name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def positions(live: JSON, total: int) -> dict[int, int]:
    """Ordinal → position, of the pods that should be there."""
    found: dict[int, int] = {}
    reserved = set(_numbers(at(live, ("spec", "reserveOrdinals")) or ()))
    ordinal = at(live, ("spec", "ordinals", "start"), 0)
    while len(found) < total:
        if ordinal not in reserved:
            found[ordinal] = len(found)
        ordinal += 1
    return found


def floor_of(look: Rollout) -> int:
    """The lowest partition under which no standing old pod is updated."""
    where = positions(look.live, look.total)
    held = [where.get(ordinal_of(p.name), -1) for p in look.old]
    return max(held, default=-1) + 1


def stuck(look: Rollout, now: datetime, *, restoring: bool) -> tuple[Pod, ...]:
    """Pods of another revision that do not serve and keep the controller from replacing them.

    Pod by pod in order, it waits for the broken one to become ready before it goes on: for ever
    (kubernetes#67250). On the way forward only what lies in the batch and is broken for good.
    """
    row = look.row
    if row.in_order is None or row.partition is None or look.lag or not look.revision:
        return ()
    if at(look.live, row.in_order) == "Parallel":
        return ()
    floor = at(look.live, row.partition, 0)
    where = positions(look.live, look.total)
    return tuple(
        p
        for p in look.old
        if not p.ready
        and where.get(ordinal_of(p.name), -1) >= floor
        and (restoring or not p.may_come_back(now))
    )


def _numbers(reserved: Iterable[JSON]) -> Iterable[int]:
    """Numbers, and ranges written as text: `4-6`."""
    for one in reserved:
        first, _, last = str(one).partition("-")
        if first.isdigit():
            yield from range(int(first), int(last if last.isdigit() else first) + 1)
