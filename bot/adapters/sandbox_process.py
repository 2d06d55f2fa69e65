"""One render worker as its parent sees it: a process, two pipes, and the batch it works on.

Starts it with an empty environment in an empty folder; never waits for it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

_START = (
    "import sys; sys.path += sys.argv[2:]; "
    "from bot.adapters.sandbox_worker import main; main(sys.argv[1:])"
)
_LIBRARIES = ("jinja2", "markupsafe", "yaml", "_yaml")


class WorkerGone(Exception):
    """The worker ended, or answers something that our worker never would."""


class WorkerProcess:
    """A running worker. `jobs` are those of its batch without an answer yet."""

    def __init__(self, limits: str) -> None:
        self.jobs: list[int] = []
        self.unsent: memoryview | None = None
        self.deadline = 0.0
        self.ready = False
        self.ended = False
        self.at: str | None = None
        self.last_words = ""
        self._heard = bytearray()
        self._eof = False
        self._folder = tempfile.TemporaryDirectory(prefix="sluice-render-")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", "-c", _START, limits, *_roots()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={},
            cwd=self._folder.name,
            bufsize=0,
            start_new_session=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.requests, self.answers = self._process.stdin, self._process.stdout
        os.set_blocking(self.requests.fileno(), False)
        os.set_blocking(self.answers.fileno(), False)
        # A renderer that nobody closed ends its workers when it is collected, at the latest.
        self._end = weakref.finalize(self, _end, self._process, self._folder)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def give(self, jobs: Sequence[int], request: bytes) -> None:
        self.jobs = list(jobs)
        self.unsent = memoryview(request)
        self.at = None

    def send(self) -> bool:
        """Sends what the pipe takes; False when nothing is left to send."""
        if self.unsent is not None:
            try:
                sent = self.requests.write(self.unsent)
            except OSError:
                sent = len(self.unsent)  # it ended; the other pipe tells
            self.unsent = self.unsent[sent or 0 :]
            if not self.unsent:
                self.unsent = None
        return self.unsent is not None

    def receive(self) -> None:
        with suppress(BlockingIOError):
            part = os.read(self.answers.fileno(), 1 << 20)
            self._heard += part
            self._eof = not part

    def answered(self, longest: int) -> Iterator[dict[str, Any]]:
        """The whole lines so far, as JSON maps."""
        *whole, rest = self._heard.split(b"\n")
        self._heard = rest
        for line in whole:
            try:
                answer = json.loads(line)
            except (ValueError, RecursionError):
                answer = None
            if not isinstance(answer, dict):
                raise WorkerGone("the renderer gave an answer that cannot be read")
            if not self.jobs and "ready" not in answer:
                raise WorkerGone("the renderer answered more than it was asked")
            yield answer
        if len(self._heard) > longest:
            raise WorkerGone("the renderer gave an answer without an end")
        if self._eof:
            raise WorkerGone("the renderer ended on it")

    def end(self) -> None:
        """Kills it and cleans up; what it said while it started is kept in `last_words`."""
        if self.ended:
            return
        self.ended = True
        self._process.kill()
        self._process.wait()
        if not self.ready and self._process.stderr is not None:
            os.set_blocking(self._process.stderr.fileno(), False)
            said = (self._process.stderr.read() or b"").decode("utf-8", "replace").strip()
            self.last_words = said.splitlines()[-1] if said else ""
        self._end()


def _end(process: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    folder.cleanup()


def _roots() -> list[str]:
    """Where the worker finds this package and the few libraries that it needs."""
    found = [str(Path(__file__).parents[2])]
    for name in _LIBRARIES:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin is not None:
            found.append(str(Path(spec.origin).parents[1]))
    return list(dict.fromkeys(found))
