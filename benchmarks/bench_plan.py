"""How long the plan of a pull request takes on a fleet of 1,000 clusters and 400 components.

Counts first: only changed files are parsed, equal renderings are made and compared once.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters.git import LocalGitHost
from bot.adapters.sandbox import SandboxRenderer
from bot.core.messages_plan import plan_text
from bot.core.plan_json import plan_json
from bot.core.plan_shown import PullPlan
from bot.reconciler.planner import Planner

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.figures import Figures, timed
from benchmarks.generate_repo import BUMPED, VARIED, release, write

CLUSTERS = 1_000
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BRANCHES = ((BUMPED, "2.5.0"), (BUMPED, "2.6.0"), (VARIED, "2.5.0"), (VARIED, "2.6.0"))


def main() -> int:
    """Generate, measure, print; 1 when a count is wrong."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        count = write(Path(folder), clusters=CLUSTERS)
        _commit_all(folder)
        print(f"{count} files, {CLUSTERS} clusters")
        with LocalGitHost(folder) as git, SandboxRenderer() as renderer:
            _measure(git, Planner(git, renderer), figures)
    return figures.end()


def _measure(git: LocalGitHost, planner: Planner, figures: Figures) -> None:
    main_ = git.head() or ""
    with timed() as loading:
        planner.load(main_)
    with timed() as first:
        planner.pull(main_, main_, now=NOW)  # nothing proposed: what every process does once
    loading.wall, loading.cpu = loading.wall + first.wall, loading.cpu + first.cpu
    figures.seconds("cold: read, parse and lint everything", loading, 15)
    walls = {}
    for component, version in BRANCHES:
        differ = CLUSTERS if component == VARIED else 4
        again = version == "2.6.0"
        before = _counts(planner)
        with timed() as clock:
            pull = planner.pull(main_, git.head(f"pr/{component}-{version}") or "", now=NOW)
        walls[component, version] = clock.wall
        parsed, made, compared = (
            after - had for after, had in zip(_counts(planner), before, strict=True)
        )
        target = 2.0 if component == VARIED else 0.5
        values = "values differ everywhere" if component == VARIED else "values by group"
        first_or_next = "next bump" if again else "first bump"
        figures.seconds(f"warm: {first_or_next}, {values}", clock, target)
        figures.count("  units planned", len(pull.releases[0].plan.units), CLUSTERS)
        figures.count("  files parsed", parsed, 1)
        figures.count("  renderings made", made, differ if again else 2 * differ)
        _compared(figures, compared, pull)
    figures.ratio("all differ : values by group", walls[VARIED, "2.6.0"], walls[BUMPED, "2.6.0"])
    with timed() as text:
        said = plan_text(pull)
    figures.seconds(f"as text ({said.count(chr(10))} lines)", text, 0.2)
    with timed() as shape:
        plan_json(pull)
    figures.seconds("as JSON", shape, 0.2)


def _compared(figures: Figures, compared: int, pull: PullPlan) -> None:
    pairs = {(one.ref, one.digest) for unit in pull.releases[0].plan.units for one in unit.objects}
    figures.count("  objects compared (distinct pairs)", compared, len(pairs))


def _counts(planner: Planner) -> tuple[int, int, int]:
    return planner.repos.parsed, planner.renderings.made, planner.compared


def _commit_all(folder: str) -> None:
    def git(*words: str) -> None:
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        quiet = ["-c", "gc.auto=0", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", "-C", folder, *identity, *quiet, *words], check=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "A large fleet")
    for component, version in BRANCHES:
        git("checkout", "-q", "-b", f"pr/{component}-{version}", "main")
        name = f"{component}-{version.replace('.', '-')}"
        Path(folder, f"releases/2026/{name}.yaml").write_text(release(component, version))
        git("add", "-A")
        git("commit", "-q", "-m", f"Release {component} {version}")
    git("checkout", "-q", "main")


if __name__ == "__main__":
    sys.exit(main())
