"""A pause, recorded at any moment of any phase: how many forward writes begin after it. None may.

A try puts the pause in front of the n-th call that a tick makes to a port (store, cluster, chat),
lets the tick end and the next one run, counts what left, and resumes. n goes through all places in
turn; the phases in which units were met are counted.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.engine import Engine, base, commit, doc, git, objects, release
from benchmarks.figures import Figures
from bot.model.effects import Write

TRIES, CLUSTERS, DEEPEST = 10_000, 4, 24
PHASES = ("PENDING", "APPLYING", "SOAKING", "VERIFYING", "SUCCEEDED")


class Watched:
    """A port whose calls are counted by a trap, and its writes told to it."""

    def __init__(self, port: Any, trap: Trap) -> None:
        self._port, self._trap = port, trap

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found) or name in ("note", "answer"):
            return found

        def call(*args: Any, **named: Any) -> Any:
            if name == "write":
                # It has begun: a pause from here on finds it on the wire.
                self._trap.write(args[1])
            self._trap.sprung()
            return found(*args, **named)

        return call


class Trap:
    """Records a pause before the n-th call, and what begins after it."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.left, self.paused = engine, -1, False
        self.forward = self.tries = 0

    def sprung(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.says("stop --reason now")
            self.paused = True

    def write(self, write: Write) -> None:
        self.forward += self.paused and write.purpose.forward

    def says(self, text: str) -> None:
        self.tries += 1
        engine = self.engine
        engine.store.note(
            f"try/{self.tries}", text, by="ana", surface="bench", at=engine.clock.at, data={}
        )


def main(tries: int = TRIES) -> int:
    """Try, count, print; 1 when a forward write began after a pause."""
    figures = Figures()
    phases: Counter[str] = Counter()
    places = Counter[int]()
    number, deep = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        engine = _make(Path(folder))
        trap = Trap(engine)
        ports = engine.bot.ports
        ports.store, ports.fleet = Watched(engine.store, trap), Watched(engine.fleet, trap)
        ports.chat = Watched(engine.chat, trap)
        engine.bot._begin()
        while number < tries:
            _next_release(engine, Path(folder), number)
            while (due := engine.bot.next_due()) is not None and number < tries:
                engine.clock.at = max(due, engine.clock.at + timedelta(seconds=1))
                deep = deep % DEEPEST + 1
                trap.left = deep
                engine.bot.tick()
                trap.left = -1
                if not trap.paused:
                    continue
                number += 1
                places[deep] += 1
                active = list(engine.bot.board.releases.values())
                phases.update({str(u.phase) for a in active for u in a.units.values()})
                engine.clock.at += timedelta(seconds=5)
                engine.bot.tick()
                trap.paused = False
                trap.says("resume all")
                engine.bot.tick()
        engine.close()
    figures.count("pauses recorded in the middle of a tick", number, tries)
    print("  met: " + ", ".join(f"{name} {phases[name]}" for name in PHASES))
    print(f"  at {len(places)} places of a tick, the rarest {min(places.values())} times")
    figures.count("forward writes begun afterwards", trap.forward, 0)
    return figures.end()


def _make(folder: Path) -> Engine:
    repo = folder / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    soaks = {"batchSoak": "20s", "soak": "20s", "batchTakes": "1m"}
    asked = {"checks": {"after": ["thrice"]}}
    files = base(CLUSTERS, 1, batches=[1, 2, "100%"], **soaks, **asked)
    check = {"workload": {}, "interval": "10s", "count": 3}
    files["checks/thrice.yaml"] = doc("Check", "thrice", check)
    commit(repo, files, "A fleet")
    engine = Engine.open(folder)
    for cluster in range(CLUSTERS):
        engine.fleet.fleet.seed(f"c-{cluster}", objects("agent-0", "1.0.0"))
    return engine


def _next_release(engine: Engine, folder: Path, number: int) -> None:
    """Proposed, seen, merged: the next version, when the one before has ended."""
    if any(not a.state.phase.ended for a in engine.bot.board.releases.values()):
        raise SystemExit("a release does not end")
    repo = folder / "repo"
    commit(repo, release("agent-0", f"2.{number}.0"), f"Release {number}", "pr/next")
    git(repo, "checkout", "-q", "main")
    engine.bot.tick()
    git(repo, "merge", "-q", "--no-ff", "pr/next")
    git(repo, "branch", "-q", "-D", "pr/next")
    engine.bot.tick()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
