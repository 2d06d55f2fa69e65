"""Plays many seeds, on one process or several, and sums up: violations, coverage, ticks a second.

Every seed is played by itself; how many run beside it changes nothing. Judges nothing.
"""

from __future__ import annotations

import multiprocessing
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count, islice

from bot.model.plan import JSON
from bot.sim.draw import script_of
from bot.sim.faulty import Crash
from bot.sim.history import History
from bot.sim.place import Blamed
from bot.sim.script import FAULTS, PHASES

CHUNK = 10
"""Seeds that a process is given at once."""


@dataclass(slots=True)
class Summary:
    """What came of some seeds."""

    seeds: int = 0
    ticks: int = 0
    seconds: float = 0.0
    violations: list[dict[str, JSON]] = field(default_factory=list)
    coverage: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, other: Summary) -> None:
        self.seeds += other.seeds
        self.ticks += other.ticks
        self.violations += other.violations
        self.coverage.update(other.coverage)

    @property
    def ticks_per_second(self) -> float:
        return self.ticks / self.seconds if self.seconds else 0.0

    def pairs(self) -> dict[tuple[str, str], int]:
        """Every pair (fault × phase) that there is, with how often it was struck."""
        return {(fault, phase): self.coverage[fault, phase] for fault in FAULTS for phase in PHASES}

    def under(self, wanted: int) -> list[tuple[str, str]]:
        """Pairs that were struck less often, rarest first."""
        pairs = self.pairs()
        return sorted((pair for pair in pairs if pairs[pair] < wanted), key=lambda p: (pairs[p], p))

    def to_json(self) -> dict[str, JSON]:
        told = {f"{fault} × {phase}": n for (fault, phase), n in sorted(self.coverage.items())}
        told = {f"{fault} × {phase}": n for (fault, phase), n in self.pairs().items()} | told
        return {
            "seeds": self.seeds,
            "ticks": self.ticks,
            "violations": self.violations,
            "coverage": told,
            "ticksPerSecond": round(self.ticks_per_second),
        }


def play(seeds: Iterable[int]) -> Summary:
    """Some seeds, one after another, in this process."""
    summary = Summary()
    began = time.perf_counter()
    for seed in seeds:
        history = History(script_of(seed))
        try:
            told = history.play()
        except (Exception, Crash) as bug:  # noqa: BLE001 - see below
            # A fault of the simulation itself: told with its seed, and the others go on.
            told = history.told
            told.blamed.append(Blamed(law="simulation", what=f"{type(bug).__name__}: {bug}"))
        summary.seeds += 1
        summary.ticks += told.ticks
        summary.coverage.update(told.coverage)
        summary.violations += [
            {"seed": seed, "law": one.law, "what": one.what} for one in told.blamed[:1]
        ]
    summary.seconds = time.perf_counter() - began
    return summary


def run(first: int, seeds: int | None, *, jobs: int = 1, seconds: float | None = None) -> Summary:
    """Seeds from `first` on: so many, or as many as the seconds allow."""
    began = time.perf_counter()

    def late() -> bool:
        return seconds is not None and time.perf_counter() - began >= seconds

    chunks = _chunks(first, seeds)
    summary = Summary()
    if jobs <= 1:
        for chunk in chunks:
            if late():
                break
            summary.add(play(chunk))
    else:
        for done in _beside(chunks, jobs, late):
            summary.add(done)
    summary.seconds = time.perf_counter() - began
    summary.violations.sort(key=lambda one: (one["seed"], one["law"]))
    return summary


def _chunks(first: int, seeds: int | None) -> Iterator[tuple[int, ...]]:
    numbers = iter(range(first, first + seeds)) if seeds is not None else count(first)
    while chunk := tuple(islice(numbers, CHUNK)):
        yield chunk


def _beside(chunks: Iterator[tuple[int, ...]], jobs: int, late: object) -> Iterator[Summary]:
    assert callable(late)
    # Spawned, not forked: a child shares nothing with a parent that may have threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        waiting: set[Future[Summary]] = set()
        for chunk in chunks:
            if late():
                break
            waiting.add(pool.submit(play, chunk))
            while len(waiting) >= jobs + 1:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        for one in waiting:
            yield one.result()
