"""Real `sluice run` processes, terminals beside them, and waiting for what they do.

Waits on conditions with an end, never for a fixed time.
"""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TypeVar

from bot.cli import main
from tests.run.release_repo import ReleaseRepo

ROOT = Path(__file__).resolve().parents[2]
# Nothing outlives a test run that is killed (Linux: the kernel sees to it, SIGKILL is 9).
_WITH_US = "import ctypes, sys; sys.platform == 'linux' and ctypes.CDLL(None).prctl(1, 9)"
SCRIPT = f"{_WITH_US}; from bot.cli import main; sys.exit(main())"
Seen = TypeVar("Seen")


def wait_until(what: Callable[[], Seen | None], *, within: float = 30.0) -> Seen:
    """The first truthy answer; AssertionError when none comes in time."""
    pause, until = threading.Event(), time.monotonic() + within
    while time.monotonic() < until:
        seen = what()
        if seen:
            return seen
        pause.wait(0.03)
    raise AssertionError(f"not within {within} s: {what}")


class Desk:
    """One person's place: a repo, a store, and the commands they type."""

    def __init__(self, folder: Path, repo: ReleaseRepo) -> None:
        self.folder = folder
        self.repo = repo
        self.where = str(repo.bare)
        self.db = folder / "sluice.db"

    def words(self, *words: str) -> list[str]:
        return ["--repo", self.where, "--db", str(self.db), *words]

    def ask(self, *words: str) -> Any:
        """A command in this process; its JSON."""
        code, out, err = self.type(*words, "--json")
        assert out, err
        return json.loads(out) | {"exit": code}

    def type(self, *words: str) -> tuple[int, str, str]:
        """A command in this process: exit code, stdout, stderr."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(self.words(*words))
        return code, out.getvalue(), err.getvalue()

    def from_another_process(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", SCRIPT, *self.words(*words)],
            capture_output=True,
            text=True,
            timeout=60,
            env=_environment(),
            check=False,
        )

    def phase(self, release: str) -> str:
        return str(self.release(release).get("phase", ""))

    def release(self, release: str) -> Any:
        code, out, _ = self.type("status", release, "--json")
        return json.loads(out)["releases"][0] if code == 0 else {}

    @contextmanager
    def bot(self, *words: str) -> Iterator[RunningBot]:
        """`sluice run` until the block ends; killed then, if it still lives."""
        bot = RunningBot(self, words)
        try:
            yield bot
        finally:
            bot.kill()


class RunningBot:
    """One process of `sluice run`. `log` is its stderr, `chat` its stdout."""

    def __init__(self, desk: Desk, words: tuple[str, ...]) -> None:
        self._log = desk.folder / "run.err"
        self._chat = desk.folder / "run.out"
        with open(self._log, "ab") as err, open(self._chat, "ab") as out:
            self._from = err.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-c", SCRIPT, *desk.words("run", "--tick", "100ms"), *words]
                + ([] if "--port" in words else ["--port", "0"]),
                stdout=out,
                stderr=err,
                env=_environment(),
            )

    @property
    def log(self) -> str:
        return self._log.read_bytes()[self._from :].decode()

    @property
    def chat(self) -> str:
        return self._chat.read_text()

    def begun(self) -> str:
        """Waits until it ticks; the address it answers HTTP on."""
        last = re.compile(r", (http://127\.0\.0\.1:\d+)$", re.MULTILINE)  # the repo may have one
        found = wait_until(lambda: last.search(self.log) or self._dead())
        assert isinstance(found, re.Match), self.log
        return str(found[1])

    def _dead(self) -> bool | None:
        return True if self.process.poll() is not None else None

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Asked to end; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)

    def kill(self) -> None:
        """kill -9, as the kernel or a power cut does it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}
