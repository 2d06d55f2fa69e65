"""What a tick costs with 400 active releases of 20 units and nothing due: nearly nothing.

Cost follows what is due, not what exists: no SQL write, no commit, no call to a cluster.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.engine import Engine
from benchmarks.figures import Figures, timed
from benchmarks.many import RELEASES, UNITS, make

TICKS = 50


def main(releases: int = RELEASES) -> int:
    """Generate, tick, print; 1 when a count is wrong."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        with timed() as clock:
            engine = make(Path(folder), releases)
        print(f"  {releases} releases of {UNITS} units, made in {clock.wall:.1f} s")
        _quiet(engine, figures, releases)
        engine.close()
    return figures.end()


def _quiet(engine: Engine, figures: Figures, releases: int) -> None:
    engine.bot.tick()
    active = [a for a in engine.bot.board.releases.values() if not a.state.phase.ended]
    figures.count("active releases", len(active), releases)
    figures.count("  of them begun", sum(a.state.began is not None for a in active), releases // 2)
    figures.count("  units of all", sum(len(a.units) for a in active), releases * UNITS)
    store, fleet = engine.store, engine.fleet
    before = (store.writes, store.commits, fleet.total)
    with timed() as clock:
        for _ in range(TICKS):
            engine.bot.tick()
    clock.wall, clock.cpu = clock.wall / TICKS, clock.cpu / TICKS
    after = (store.writes, store.commits, fleet.total)
    names = ("SQL writes", "commits", "fleet calls")
    for name, had, has in zip(names, before, after, strict=True):
        figures.count(f"{name} in {TICKS} ticks", has - had, 0)
    figures.seconds("a tick", clock, 0.02)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
