"""How long a rehearsal over 1,000 clusters takes, batches, soaks, windows and approvals included.

Counts first: every unit ends well, and no soak is watched step by step.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.engine import commit, git
from benchmarks.figures import Figures, timed
from benchmarks.generate_repo import BUMPED, release, write
from bot.adapters.git import LocalGitHost
from bot.rehearse import Asked, rehearse

CLUSTERS = 1_000
BRANCH = "pr/next"
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def main(clusters: int = CLUSTERS) -> int:
    """Generate, rehearse, print; 1 when a count is wrong."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        repo = Path(folder, "repo")
        write(repo, clusters=clusters, components=2)
        git(repo, "init", "-q", "-b", "main")
        commit(repo, {}, "A large fleet")
        name = f"{BUMPED}-2-5-0"
        commit(repo, {f"releases/2026/{name}.yaml": release(BUMPED, "2.5.0")}, "Bump", BRANCH)
        git(repo, "checkout", "-q", "main")
        with LocalGitHost(str(repo)) as host:
            head = host.head(BRANCH)
            assert head is not None
            with timed() as clock:
                told = rehearse(Asked(release=None, at=AT), host, head, None)
    (end,) = told.endings
    figures.count("units that ended well", end.units.get("SUCCEEDED", 0), clusters)
    figures.seconds(f"a rehearsal of {clusters} clusters", clock, 60)
    print(f"  {end.batches} batches in {told.ticks} ticks, {end.at - told.began} of its own time")
    return figures.end()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
