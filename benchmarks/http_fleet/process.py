"""The HTTP fleet in a process of its own, so that its work is not counted as the client's.

Steered by lines of JSON on its standard input; ends with it. Holds nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent


class FleetProcess:
    """A running server. Ends with the block, and when the process that began it dies."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.http_fleet"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.port = int(self.ask("port"))

    def ask(self, what: str, **words: Any) -> Any:
        """One order; the answer once it is done."""
        out, into = self._process.stdout, self._process.stdin
        assert into is not None
        assert out is not None
        if what != "port":
            into.write(json.dumps({"do": what, **words}) + "\n")
            into.flush()
        answer = json.loads(out.readline())
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def url(self, cluster: str) -> str:
        return f"http://127.0.0.1:{self.port}/clusters/{cluster}"

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()

    def __enter__(self) -> FleetProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def kubeconfig(url: str, token: str = "any") -> dict[str, Any]:
    """How one cluster is reached, as kubectl keeps it."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": url}}],
        "users": [{"name": "it", "user": {"token": token}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }
