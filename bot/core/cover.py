"""Early waves that try every kind: which units are taken earlier so that no value comes late.

Pure; knows values and sizes, and nothing of scores, labels or units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

Pair = tuple[str, str]
"""A label and its value."""
T = TypeVar("T")


def covering(
    ranked: Sequence[T], sizes: Sequence[int], pairs_of: Callable[[T], Sequence[Pair]]
) -> list[tuple[T, Pair | None]]:
    """The same units in another order, and for what value one was taken earlier.

    The first of all stays the first. In every wave at most half of the places go to units with
    a value that nothing before has, commonest value first, each time the first unit in line that
    has it; the other places, and all once every value was tried, go by line.
    """
    common = Counter(pair for one in ranked for pair in pairs_of(one))
    missing = sorted(common, key=lambda pair: (-common[pair], pair))
    line = list(ranked)
    placed: list[tuple[T, Pair | None]] = []
    seen: set[Pair] = set()
    for size in sizes:
        keeps = max(1, size - size // 2) if size > 1 else size
        by_line, line = line[:keeps], line[keeps:]
        seen |= {pair for one in by_line for pair in pairs_of(one)}
        taken: list[tuple[T, Pair | None]] = []
        for pair in missing:
            if len(taken) >= size - len(by_line):
                break
            if pair in seen:
                continue
            at = next(k for k, one in enumerate(line) if pair in pairs_of(one))
            early = line.pop(at)
            seen |= set(pairs_of(early))
            # The next in line may be it: then nothing was taken earlier.
            taken.append((early, pair if at >= size - len(by_line) - len(taken) else None))
        rest = size - len(by_line) - len(taken)
        placed += [*((one, None) for one in by_line), *taken, *((one, None) for one in line[:rest])]
        line = line[rest:]
        seen |= {pair for one, _ in placed[-rest:] for pair in pairs_of(one)} if rest else set()
        missing = [pair for pair in missing if pair not in seen]
    return placed + [(one, None) for one in line]
