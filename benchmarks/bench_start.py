"""How fast a question answers beside the start of an interpreter that imports pydantic and yaml.

Both sides are run in turn in the same minute, the fastest of each counts: what is gated on is the
ratio, at most 4.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST = 4.0
ROUNDS = 15
PEER = "from pydantic import BaseModel; import yaml"
SCRIPT = "import sys; from bot.cli import main; sys.exit(main())"


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        repo = f"{folder}/repo"
        runs = {
            "interpreter with pydantic and yaml": [PEER],
            "sluice windows": [SCRIPT, "--repo", repo, "windows"],
            "sluice lint": [SCRIPT, "lint", repo],
            "sluice lint --no-render": [SCRIPT, "lint", repo, "--no-render"],
            "sluice schema Release": [SCRIPT, "schema", "Release"],
        }
        _timed([SCRIPT, "init", repo])
        best = {name: _timed(words) for name, words in runs.items()}
        for _ in range(ROUNDS - 1):
            for name, words in runs.items():
                best[name] = min(best[name], _timed(words))
    peer = best["interpreter with pydantic and yaml"]
    for name, seconds in best.items():
        print(f"{name:<36} {seconds * 1000:7.0f} ms   {seconds / peer:5.2f} ×")
    slow = [name for name, seconds in best.items() if seconds > MOST * peer]
    print(f"more than {MOST:g} ×: {', '.join(slow) or 'none'}")
    return 1 if slow else 0


def _timed(words: list[str]) -> float:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", *words], capture_output=True, env=environment, check=False
    )
    took = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    return took


if __name__ == "__main__":
    sys.exit(main())
