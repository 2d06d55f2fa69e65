"""From a batch that is due to its first patch: with 400 active releases beside with one.

Every release has its own rhythm, so that batches fall due one by one. Both engines run in turn in
the same minute; what is gated on is the ratio of their p99, at most 1.5.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.engine import Engine, base, commit, git, objects, release
from benchmarks.figures import Figures

RELEASES, UNITS, SAMPLES, ROUND = 400, 20, 400, 20
MOST = 1.5


class FirstWrite:
    """A fleet that remembers when the first write of a tick left."""

    def __init__(self, fleet: Any) -> None:
        self.fleet = fleet
        self.at: float | None = None

    def __getattr__(self, name: str) -> Any:
        if name == "write" and self.at is None:
            self.at = perf_counter()
        return getattr(self.fleet, name)


def make(folder: Path, releases: int) -> Engine:
    """So many releases, all begun, each with a soak of its own between many batches."""
    repo = folder / "repo"
    repo.mkdir(parents=True)
    git(repo, "init", "-q", "-b", "main")
    files = base(UNITS, releases, batches=[1, 2, 3, "100%"], soak="0s", batchTakes="1m")
    for number in range(releases):
        path = f"components/agent-{number}/component.yaml"
        soak = f"  batchSoak: {600 + 7 * number}s\n  owners:"
        files[path] = files[path].replace("  owners:", soak)
    commit(repo, files, "A fleet")
    wanted: dict[str, str] = {}
    for number in range(releases):
        wanted |= release(f"agent-{number}", "2.0.0")
    commit(repo, wanted, "Everything at once", "pr/all")
    git(repo, "checkout", "-q", "main")
    engine = Engine.open(folder)
    engine.bot.tick()
    before = [one for n in range(releases) for one in objects(f"agent-{n}", "1.0.0")]
    for cluster in range(UNITS):
        engine.fleet.fleet.seed(f"c-{cluster}", before)
    git(repo, "merge", "-q", "--no-ff", "pr/all")
    engine.bot.ports.fleet = FirstWrite(engine.fleet)
    engine.bot.tick()
    return engine


def moments(engine: Engine) -> Iterator[float]:
    """Seconds from the begin of a tick to its first patch, of each tick that has one."""
    first = engine.bot.ports.fleet
    assert isinstance(first, FirstWrite)
    while True:
        first.at = None
        began = perf_counter()
        engine.bot.tick()
        if first.at is not None:
            yield first.at - began
        due = engine.bot.next_due()
        if due is None:
            return
        engine.clock.at = max(due, engine.clock.at + timedelta(seconds=1))


def p99(found: list[float]) -> float:
    return sorted(found)[max(0, -(-len(found) * 99 // 100) - 1)]


def main(releases: int = RELEASES) -> int:
    """Generate, measure in turn, print; 1 when the ratio is above its limit."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        many, one = make(Path(folder, "many"), releases), make(Path(folder, "one"), 1)
        singles = iter(_ones(Path(folder), one))
        of_many, found = moments(many), {"many": [], "one": []}
        for _ in range(20):
            next(of_many)  # all of them begin at once: that is no steady state
        while len(found["many"]) < SAMPLES:
            found["many"] += [next(of_many) for _ in range(ROUND)]
            found["one"] += [next(singles) for _ in range(ROUND)]
        many.close()
    active = len(many.bot.board.releases)
    figures.count("active releases", active, releases)
    for name, samples in found.items():
        half = 1000 * sorted(samples)[len(samples) // 2]
        most = f"p99 {1000 * p99(samples):.2f} ms of {len(samples)}"
        print(f"  due → first patch, {name:<5} p50 {half:.2f} ms, {most}")
    figures.ratio("p99 with many : with one", p99(found["many"]), p99(found["one"]))
    return figures.end() or int(p99(found["many"]) > MOST * p99(found["one"]))


def _ones(folder: Path, engine: Engine) -> Iterator[float]:
    """Samples of one release, and of one more when it has ended."""
    number = 0
    while True:
        yield from moments(engine)
        engine.close()
        number += 1
        engine = make(folder / f"one-{number}", 1)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
