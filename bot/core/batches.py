"""Batches as written → how many pods or nodes the next one wants on the new version.

Contract §1, "Objects of a unit": a percentage is of what the kind counts when the batch begins,
`max(previous, ceil(N·p))`; equal steps merge. Knows no cluster and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """The batch to begin: index into the batches as written, and cumulative targets by workload
    key.
    """

    index: int
    targets: Mapping[str, int]
    last: bool


def cumulative(written: int | str, total: int) -> int:
    """How many of `total` one written batch (`3`, "50%") means; never more than there are."""
    if isinstance(written, int):
        return min(written, total)
    return -(-total * int(written.rstrip("%")) // 100)


def next_step(
    written: Sequence[int | str],
    totals: Mapping[str, int],
    *,
    done: int = -1,
    previous: Mapping[str, int] | None = None,
    whole: bool = False,
) -> Step:
    """The next batch after the written one at index `done`.

    Steps that would add nothing to any workload merge with the next. `whole`: everything in one
    batch
    (a first install, or objects of which none can stop part-way).
    """
    before = previous or {}
    last = len(written) - 1
    if not whole:
        for index in range(done + 1, last):
            targets = _targets(written[index], totals, before)
            if any(targets[key] > before.get(key, 0) for key in totals):
                complete = all(targets[key] >= totals[key] for key in totals)
                return Step(last if complete else index, targets, complete)
    return Step(last, _targets("100%", totals, before), True)


def still_ahead(
    written: Sequence[int | str], totals: Mapping[str, int], step: Step, *, whole: bool = False
) -> int:
    """How many batches follow a step, equal ones merged."""
    found = 0
    while not step.last:
        step = next_step(written, totals, done=step.index, previous=step.targets, whole=whole)
        found += 1
    return found


def counts(written: Sequence[int | str], total: int) -> tuple[int, ...]:
    """The cumulative counts a plan shows: [1, "10%", "50%", "100%"] of 6 → (1, 3, 6); of 0 →
    (0,).
    """
    found: list[int] = []
    for batch in (*written[:-1], "100%"):
        count = max(found[-1] if found else 0, cumulative(batch, total))
        if not found or count > found[-1]:
            found.append(count)
    return tuple(found) or (0,)


def _targets(
    written: int | str, totals: Mapping[str, int], before: Mapping[str, int]
) -> dict[str, int]:
    return {
        key: max(before.get(key, 0), cumulative(written, total)) for key, total in totals.items()
    }
