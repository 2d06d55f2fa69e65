"""400 active releases of 20 units each in one store: what the figures of a quiet bot stand on."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.engine import Engine, base, commit, git, release

RELEASES, UNITS = 400, 20
BRANCH = "pr/all"
LATER = {"notBefore": {"at": "2026-12-24T09:00", "zone": "UTC"}, "expires": "60d"}


def make(
    folder: Path, releases: int = RELEASES, units: int = UNITS, *, fleet_file: bool = False
) -> Engine:
    """Merged and standing: half of them soak in their first cluster, half wait for their day."""
    repo = folder / "repo"
    repo.mkdir()
    git(repo, "init", "-q", "-b", "main")
    slow = {"batches": [1, "100%"], "batchSoak": "6h", "soak": "6h", "batchTakes": "1m"}
    commit(repo, base(units, releases, **slow), "A fleet")
    files: dict[str, str] = {}
    for number in range(releases):
        files |= release(f"agent-{number}", "2.0.0", **(LATER if number % 2 else {}))
    commit(repo, files, "Everything at once", BRANCH)
    git(repo, "checkout", "-q", "main")
    engine = Engine.open(folder, fleet_file=fleet_file)
    engine.bot.tick()
    git(repo, "merge", "-q", "--no-ff", BRANCH)
    git(repo, "branch", "-q", "-D", BRANCH)
    for _ in range(12):
        engine.step()
    return engine
