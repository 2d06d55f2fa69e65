"""How the benchmarks print: one line a figure, with its target and whether it holds.

Counts decide about success; times drift with the machine and are only pointed out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter, process_time


@dataclass
class Clock:
    wall: float = 0.0
    cpu: float = 0.0


@contextmanager
def timed() -> Iterator[Clock]:
    """Seconds of wall and of this process's own work."""
    clock, wall, cpu = Clock(), perf_counter(), process_time()
    yield clock
    clock.wall, clock.cpu = perf_counter() - wall, process_time() - cpu


@dataclass
class Figures:
    """Prints as it goes; `failed` tells whether a count was wrong."""

    failed: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)

    def seconds(self, what: str, clock: Clock, target: float) -> None:
        held = clock.wall <= target
        if not held:
            self.slow.append(what)
        mark = "" if held else "  ABOVE TARGET"
        spent = f"{clock.wall:7.3f} s, {clock.cpu:.3f} of them work"
        print(f"  {what:<58} {spent}  (target {target:g}){mark}")

    def count(self, what: str, found: int, expected: int) -> None:
        if found != expected:
            self.failed.append(what)
        mark = "" if found == expected else "  WRONG"
        print(f"  {what:<58} {found:7}    (expected {expected}){mark}")

    def most(self, what: str, found: float, limit: float) -> None:
        """A figure that should not be above its limit."""
        if found > limit:
            self.slow.append(what)
        mark = "" if found <= limit else "  ABOVE TARGET"
        print(f"  {what:<58} {found:7.2f}    (at most {limit:g}){mark}")

    def least(self, what: str, one: float, other: float, limit: float) -> None:
        """A ratio that should not be below its limit."""
        found = one / other if other else 0.0
        if found < limit:
            self.slow.append(what)
        mark = "" if found >= limit else "  BELOW TARGET"
        print(f"  {what:<58} {found:7.2f} ×  (at least {limit:g}){mark}")

    def ratio(self, what: str, one: float, other: float) -> None:
        print(f"  {what:<58} {one / other if other else 0:7.2f} ×")

    def end(self) -> int:
        """The exit code."""
        if self.slow:
            print(f"  missed on this machine, now: {', '.join(self.slow)}")
        if self.failed:
            print(f"  WRONG: {', '.join(self.failed)}")
        return 1 if self.failed else 0
