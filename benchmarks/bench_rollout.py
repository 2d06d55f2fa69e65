"""How long a rollout to 1,000 simulated clusters takes, four batches each, on a virtual clock.

From the merge to SUCCEEDED, with a real store file. Counts first: at most two commits a tick.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.engine import Engine, base, commit, git, objects, release
from benchmarks.figures import Figures, timed
from bot.model.state import Certificate

CLUSTERS = 1_000
BATCHES = [1, "50%", "75%", "100%"]
NAME = "agent-0-2-0-0"


def main(clusters: int = CLUSTERS) -> int:
    """Generate, roll out, print; 1 when a count is wrong."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        repo = Path(folder, "repo")
        repo.mkdir()
        git(repo, "init", "-q", "-b", "main")
        quick = {"batches": BATCHES, "batchSoak": "0s", "soak": "0s", "batchTakes": "1m"}
        commit(repo, base(clusters, 1, **quick), "A large fleet")
        commit(repo, release("agent-0", "2.0.0"), "Release 2.0.0", f"pr/{NAME}")
        git(repo, "checkout", "-q", "main")
        engine = Engine.open(Path(folder))
        for number in range(clusters):
            engine.fleet.seed(f"c-{number}", objects("agent-0", "1.0.0"))
        engine.bot.tick()
        git(repo, "merge", "-q", "--no-ff", f"pr/{NAME}")
        git(repo, "branch", "-q", "-D", f"pr/{NAME}")
        _roll_out(engine, figures, clusters)
        engine.close()
    return figures.end()


def _roll_out(engine: Engine, figures: Figures, clusters: int) -> None:
    commits, calls, ticks, most = engine.store.commits, engine.fleet.total, 0, 0
    began = engine.clock.at
    with timed() as clock:
        while engine.phase(NAME) not in ("SUCCEEDED", "CANCELLED"):
            before = engine.store.commits
            engine.step()
            ticks += 1
            most = max(most, engine.store.commits - before)
    batches = len(engine.store.rows(Certificate, parent=NAME))
    figures.count("batches certified", batches, clusters * len(BATCHES))
    figures.count("most commits in a tick", most, 2)
    figures.count("writes to clusters", engine.fleet.calls["write"], clusters * len(BATCHES))
    figures.seconds(f"{clusters} clusters x {len(BATCHES)} batches", clock, 60)
    each = (engine.fleet.total - calls) / max(1, batches)
    done = engine.store.commits - commits
    print(f"  {ticks} ticks in {engine.clock.at - began} of its own time, {done} commits")
    print(f"  {each:.1f} fleet calls a batch: {engine.fleet.calls}")
    print(f"  {engine.chat.posts} posts, {engine.store.writes} SQL writes")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
