"""Lint of the generated repo, beside yamllint on the same files in the same run.

yamllint looks at spelling and knows no kinds; lint reads every file into its kind, tells every
place, and checks all references. The ratio is what to watch: times drift with the machine.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from release_repo_schema.load import load_repo
from release_repo_schema.rules import lint
from release_repo_schema.tree import FolderTree

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from benchmarks.figures import Figures, timed
from benchmarks.generate_repo import write

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
YAMLLINT = "{extends: relaxed, rules: {line-length: disable}, ignore: ['**/templates/**']}"


def main() -> int:
    """Generate, lint with both, print; 1 when lint finds what is not there."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        print(f"{write(Path(folder))} files")
        with timed() as load:
            repo = load_repo(FolderTree(folder))
        with timed() as rules:
            findings = lint(repo, now=NOW)
        load.wall, load.cpu = load.wall + rules.wall, load.cpu + rules.cpu
        figures.seconds("lint of the whole repo", load, 30)
        figures.seconds("  of which the rules between files", rules, 5)
        figures.count("  findings in a repo without mistakes", len(findings), 0)
        command = [sys.executable, "-m", "yamllint", "-d", YAMLLINT, "--no-warnings", folder]
        with timed() as peer:
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
        print(f"  {'yamllint on the same files':<58} {peer.wall:7.3f} s")
        figures.ratio("lint : yamllint", load.wall, peer.wall)
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
