"""What a year of history costs: opening the store up to the first action, and an idle tick.

The same active releases in two stores, one of them with 400 changes a day for a year behind it.
Both are opened in turn in the same minute: cost follows what is due, not what was.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.engine import START, Engine
from benchmarks.figures import Figures, timed
from benchmarks.many import RELEASES, make
from bot.adapters.sqlite import SqliteStore
from bot.model.record import Event
from bot.model.state import ReleasePhase, ReleaseState, UnitPhase, UnitState
from bot.ports import Changes

A_DAY, DAYS, CHUNK, ROUNDS, TICKS = 400, 365, 2_000, 5, 50
LINES = ("release.scheduled", "release.began", "batch.applying", "write", "batch.soaking",
         "batch.done", "batch.applying", "write", "batch.soaking", "batch.done",
         "unit.succeeded", "release.succeeded")  # fmt: skip
OPENING = 0.5


def main(days: int = DAYS) -> int:
    """Generate, measure in turn, print; 1 when a count is wrong."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        young, old = Path(folder, "young"), Path(folder, "old")
        young.mkdir()
        made = make(young, RELEASES, fleet_file=True)
        until = made.clock.at
        made.close()
        shutil.copytree(young, old)
        with timed() as clock:
            lived(old / "store.db", days * A_DAY)
        size = (old / "store.db").stat().st_size / 1e6
        print(f"  {days * A_DAY} ended releases, {size:.0f} MB, made in {clock.wall:.0f} s")
        opened: dict[str, list[float]] = {"young": [], "old": []}
        idle: dict[str, list[float]] = {"young": [], "old": []}
        for _ in range(ROUNDS):
            for name, place in (("young", young), ("old", old)):
                seconds, tick, counts = _once(place, until)
                opened[name].append(seconds)
                idle[name].append(tick)
                figures.count(f"writes and calls of {TICKS} idle ticks, {name}", counts, 0)
    for name, found in opened.items():
        best = min(found)
        mark = "" if best <= OPENING else "  ABOVE TARGET"
        print(f"  open → first action, {name:<5} {best:.3f} s  (target {OPENING:g}){mark}")
        print(f"  an idle tick, {name:<5} {1000 * min(idle[name]):.3f} ms")
    figures.ratio("open → first action, old : young", min(opened["old"]), min(opened["young"]))
    figures.ratio("idle tick, old : young", min(idle["old"]), min(idle["young"]))
    return figures.end()


def lived(path: Path, releases: int) -> None:
    """Give a store a past: releases that ended long ago, each with a unit and its record."""
    store = SqliteStore(path)
    for start in range(0, releases, CHUNK):
        names = [f"past-{n}" for n in range(start, min(releases, start + CHUNK))]
        rows = [row for name in names for row in _past(name)]
        events = tuple(event for name in names for event in _record(name))
        store.commit(Changes(puts=tuple(rows), events=events))
    store.close()


def _past(name: str) -> Iterator[ReleaseState | UnitState]:
    at = START - timedelta(days=30)
    yield ReleaseState(
        release=name, phase=ReleasePhase.SUCCEEDED, since=at, plan_hash="sha256:0", ended=at
    )
    for cluster in ("c-0", "c-1"):
        unit = UnitState(release=name, unit=f"{name}@{cluster}", since=at)
        yield replace(unit, phase=UnitPhase.SUCCEEDED, batch=2, batches=2, done=2)


def _record(name: str) -> Iterator[Event]:
    at = START - timedelta(days=30)
    for kind in LINES:
        yield Event(at=at, kind=kind, release=name, unit=f"{name}@c-0", data={"batch": 1})


def _once(place: Path, at: datetime) -> tuple[float, float, int]:
    """Seconds to the first call to a cluster, seconds of an idle tick, and what idle ticks do."""
    began = perf_counter()
    engine = Engine.open(place, at=at, fleet_file=True)
    engine.bot.tick()
    opened = (engine.fleet.first or perf_counter()) - began
    # Time stands still: what was due has been done, the rest is idle.
    while (due := engine.bot.next_due()) is not None and due <= engine.clock.at:
        engine.bot.tick()
    before = engine.store.writes + engine.fleet.total
    began = perf_counter()
    for _ in range(TICKS):
        engine.bot.tick()
    tick = (perf_counter() - began) / TICKS
    counts = engine.store.writes + engine.fleet.total - before
    engine.close()
    return opened, tick, counts


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
