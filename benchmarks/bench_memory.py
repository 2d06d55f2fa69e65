"""How much memory a bot needs with 400 active releases of 20 units, freshly started.

Measured in a process of its own that opens the store, as `sluice run` does, and ticks.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.engine import Engine
from benchmarks.figures import Figures
from benchmarks.many import RELEASES, make

TARGET = 200


def main(releases: int = RELEASES) -> int:
    """Generate, start a bot on it, print; 1 when it needs too much."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), releases).close()
        command = [sys.executable, __file__, "--measure", folder]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    active, empty, full = map(int, told.split())
    figures.count("active releases", active, releases)
    print(f"  {full} MB, {empty} of them before the store was opened  (target {TARGET})")
    if full > TARGET:
        figures.failed.append("memory")
    return figures.end()


def measure(folder: Path) -> None:
    """In the measured process: active releases, MB before and after."""
    empty = _megabytes()
    engine = Engine.open(folder)
    for _ in range(5):
        engine.step()
    active = sum(not a.state.phase.ended for a in engine.bot.board.releases.values())
    print(active, empty, _megabytes())
    engine.close()


def _megabytes() -> int:
    """What the process holds now, as the kernel counts it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    raise RuntimeError("the kernel does not tell how much memory a process holds")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]))
    else:
        sys.exit(main(*map(int, sys.argv[1:])))
