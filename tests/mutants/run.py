"""`make mutants`: plants each defect in a copy of the project and asks whether the tests see it.

First the tests that know the place best, then all stories and properties, then the simulation for
a bounded time. A defect that all of them miss is printed; the last line says how many were caught.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from time import monotonic

from tests.mutants.defect import Defect, plant
from tests.mutants.defects import DEFECTS

PROJECT = Path(__file__).parents[2]
NEVER_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".tools", ".*_cache", "__pycache__", ".hypothesis", "build", "dist"
)
ALL_TESTS = ("tests/stories", "tests/properties", "tests/calendar", "tests/cluster_rules")
PYTEST = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
# Why a test fails is not asked: to work out how two long texts differ takes minutes.
PYTEST += ["--assert=plain", "--tb=no"]
SIMULATED = 120
"""Seconds that the simulation plays histories for."""
TIME_LIMIT = 1200
"""Seconds for one question to the tests: a defect that makes them hang is seen, too."""
NEAREST, ALL, SIMULATION = "the tests nearest to it", "stories and properties", "the simulation"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a defect was seen, by what, and how long that took in seconds."""

    defect: Defect
    caught_by: str
    took: float


def questions(defect: Defect) -> list[tuple[str, list[str]]]:
    """What is asked of a copy, in this order; the first that fails has caught the defect."""
    command_line = "import sys; from bot.cli import main; sys.exit(main())"
    simulation = [sys.executable, "-c", command_line, "sim", "--seconds", str(SIMULATED), "--json"]
    return [
        (NEAREST, [*PYTEST, *defect.first]),
        (ALL, [*PYTEST, *ALL_TESTS]),
        (SIMULATION, simulation),
    ]


def judge(defect: Defect, copy: Path) -> Verdict:
    """Plant, ask, take the defect out again."""
    there = copy / defect.path
    good = there.read_text()
    began = monotonic()
    plant(defect, copy)
    try:
        for name, command in questions(defect):
            if _fails(command, copy):
                return Verdict(defect, name, monotonic() - began)
        return Verdict(defect, "", monotonic() - began)
    finally:
        there.write_text(good)


def _fails(command: list[str], copy: Path) -> bool:
    environment = os.environ | {
        "PYTHONPATH": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_PROFILE": "mutants",
    }
    try:
        done = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, timeout=TIME_LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


def _sound(chosen: list[Defect], free: SimpleQueue[Path], pool: ThreadPoolExecutor) -> bool:
    """Whether a copy without a defect passes: one that fails anyway would catch everything."""
    asked = sorted({test for defect in chosen for test in defect.first})
    parts = [part for n in range(free.qsize()) if (part := asked[n :: free.qsize()])]

    def passes(part: list[str]) -> bool:
        copy = free.get()
        try:
            return not _fails([*PYTEST, *part], copy)
        finally:
            free.put(copy)

    return all(pool.map(passes, parts))


def copies(number: int, folder: Path) -> SimpleQueue[Path]:
    """So many copies of the project, each for one defect at a time."""
    free: SimpleQueue[Path] = SimpleQueue()
    for one in range(number):
        copy = folder / f"copy-{one}"
        shutil.copytree(PROJECT, copy, ignore=NEVER_COPIED, symlinks=True)
        free.put(copy)
    return free


def main() -> int:
    """Judge all defects, or those whose names have a word; 1 when one was missed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("words", nargs="*", help="only defects whose names have one of these words")
    asked.add_argument("--jobs", type=int, default=2)
    options = asked.parse_args()
    words = options.words or [""]
    chosen = [d for d in DEFECTS if any(word in d.name for word in words)]
    if not chosen:
        print("mutants: no defect has such a name", file=sys.stderr)
        return 2
    began = monotonic()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        free = copies(options.jobs, Path(folder))
        if not _sound(chosen, free, pool):
            print("mutants: the tests fail without any defect", file=sys.stderr)
            return 2

        def one(defect: Defect) -> Verdict:
            copy = free.get()
            try:
                verdict = judge(defect, copy)
            finally:
                free.put(copy)
            said = f"caught by {verdict.caught_by}" if verdict.caught_by else "MISSED"
            print(f"{verdict.took:6.1f} s  {defect.name}: {said}", flush=True)
            return verdict

        verdicts = list(pool.map(one, chosen))
    by = Counter(verdict.caught_by for verdict in verdicts if verdict.caught_by)
    caught = by.total()
    told = [f"{by[name]} by {name}" for name in (NEAREST, ALL, SIMULATION) if by[name]]
    print(f"{', '.join(told)}; {monotonic() - began:.0f} s in all")
    print(f"mutants: {caught}/{len(chosen)} caught")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
