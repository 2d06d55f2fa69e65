"""The process dies anywhere and starts again: the release goes on, and nothing is done twice.

Law 6: every write has a durable intent; every effect may be interrupted; the next tick repairs it.
"""

from __future__ import annotations

import shutil
from collections import Counter
from itertools import product
from pathlib import Path

from bot.adapters.simulated import SimulatedFleet
from bot.core import chain
from bot.reconciler.tick import Reconciler
from tests import repo_files
from tests.stories.breaking import Crash, Fuse, fused
from tests.world import World

RELEASE = "node-agent-2-5-0"
ONCE = {
    "release.scheduled",
    "release.began",
    "batch.applying",
    "batch.soaking",
    "batch.succeeded",
    "unit.succeeded",
    "release.succeeded",
}
"""What the audit tells of a release that nothing disturbs, each once for its batch."""


class Saved:
    """A world at the moment of a merge, to be lived through again and again."""

    def __init__(self, folder: Path, **component: object) -> None:
        self.folder = folder
        self.world = World(folder, db=str(folder / "store.db"), at="2026-11-24T09:00:00Z")
        self.world.fleet = SimulatedFleet(self.world.clock, str(folder / "fleet.db"))
        quick = {"batches": [1, "100%"], "batchSoak": "0s", "soak": "0s"} | component
        self.world.write({"components/node-agent/component.yaml": repo_files.component(**quick)})
        self.world.push("The fleet as it is")
        self.world.start()
        for cluster in ("st-1", "eu-1", "eu-2"):
            self.world.fleet.seed(cluster, repo_files.running())
        name = f"releases/2026/{RELEASE}.yaml"
        only = {"names": ["st-1"]}
        self.world.proposes(RELEASE, {name: repo_files.release(RELEASE, "2.5.0", units=only)})
        self.world.tick()
        self.world.merges(RELEASE)
        self.began = self.world.clock.at
        self._close()
        self._copy("store.db", "kept-store.db")
        self._copy("fleet.db", "kept-fleet.db")

    def again(self, fuse: Fuse) -> World:
        """The same moment once more, with a fuse in the ports."""
        world = self.world
        self._close()
        for name in ("store.db", "fleet.db"):
            for rest in ("-wal", "-shm"):
                (self.folder / f"{name}{rest}").unlink(missing_ok=True)
            self._copy(f"kept-{name}", name)
        world.clock.at = self.began
        world.fleet = SimulatedFleet(world.clock, str(self.folder / "fleet.db"))
        world.chat.threads.clear()
        world.around = fused(fuse)
        return world

    def end(self) -> None:
        self._close()
        self.world.renderer.close()

    def _close(self) -> None:
        self.world.dies()
        self.world.fleet.close()
        if self.world.store is not None:
            self.world.store.close()
            self.world.store = None
        if self.world.git is not None:
            self.world.git.close()
            self.world.git = None

    def _copy(self, old: str, new: str) -> None:
        shutil.copyfile(self.folder / old, self.folder / new)


def lived(world: World) -> int:
    """Run to the end, starting again after each crash; how many crashes there were."""
    crashes = 0
    while True:
        try:
            world.tick()
            if world.phase(RELEASE, ended=True):
                world.tick()
                return crashes
            due = world.bot.next_due()
            assert due is not None, world.why(RELEASE)
            step = world.clock.at.resolution * 1_000_000
            world.clock.at = max(due, world.clock.at + step)
        except Crash:
            crashes += 1
            assert world.store is not None
            world.store.close()
            world.dies()


def told(world: World) -> Counter[tuple[str, str, int]]:
    events = world.bot.ports.store.events(release=RELEASE)
    return Counter((e.kind, e.unit, e.batch) for e in events if e.kind in ONCE)


def test_a_crash_at_any_moment_neither_loses_nor_doubles_anything(tmp_path: Path) -> None:
    """The bot dies before and after each of its effects in turn: the same release every time."""
    saved = Saved(tmp_path)
    fuse = Fuse()
    world = saved.again(fuse)
    assert lived(world) == 0
    expected, patches = told(world), patches_of(world)
    assert world.phase(RELEASE) == "SUCCEEDED"
    assert {"commit", "write", "put"} <= set(fuse.calls)
    for number, after in product(range(1, fuse.count + 1), (False, True)):
        where = f"a crash {'after' if after else 'before'} call {number}, {fuse.calls[number - 1]}"
        world = saved.again(Fuse(at=number, after=after))
        assert lived(world) == 1, where
        assert world.phase(RELEASE) == "SUCCEEDED", where
        assert world.running()["st-1"] == "2.5.0×2", where
        assert told(world) == expected, where
        assert patches_of(world) == patches, where
        events = world.bot.ports.store.events()
        assert chain.verify(events) is None, where
    saved.end()


def patches_of(world: World) -> list[tuple[str, str, str]]:
    """What reached the cluster, in order, without the time."""
    return [
        (entry["verb"], entry["object"], str(entry["patch"]))
        for entry in world.fleet.writes("st-1")
    ]


def test_a_process_whose_rules_another_one_has_moved_takes_the_new_ones(world: World) -> None:
    """Two bots by mistake: what one has read of main the other must not judge by what it was."""
    other = Reconciler(world.bot.ports)
    other.tick()
    head = world.push("New rules")
    world.tick()
    assert world.bot.board.rules.commit == head
    other.tick()
    assert other.board.rules.commit == head, "it had seen no commit to process"
    world.changes({"calendar/windows.yaml": "kind: Window\nnonsense"})
    other.tick()
    assert other.board.rules.broken == world.bot.board.rules.broken
    assert other.board.rules.broken
