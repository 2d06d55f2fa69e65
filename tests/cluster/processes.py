"""Programs of a control plane as one group that cannot outlive its owner.

Every program joins the process group of a guardian (guardian.py), which ends them all when we
close its pipe or are no more. Output goes to a file a program. Never waits for readiness.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO


class Programs:
    """Started by name, stopped and continued by name, all gone at `close`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-cluster-")).resolve()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).with_name("guardian.py")), self.folder],
            stdin=subprocess.PIPE,
            process_group=0,  # of our session, so that others may join it
        )

    def start(
        self, name: str, command: Sequence[object], environment: Mapping[str, str] | None = None
    ) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [str(each) for each in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", ""), **(environment or {})},
                process_group=self._guardian.pid,
            )

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def names(self) -> list[str]:
        return list(self._running)

    def alive(self, name: str) -> bool:
        return name in self._running and self._running[name].poll() is None

    def signal(self, name: str, number: signal.Signals) -> None:
        self._running[name].send_signal(number)

    def kill(self, name: str) -> None:
        """As a crash would: no chance to say goodbye."""
        process = self._running.pop(name)
        if process.poll() is None:
            process.kill()
        process.wait()

    def log(self, name: str, lines: int = 20) -> str:
        path = self.folder / f"{name}.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def close(self) -> None:
        """The very way that our own death would take, so that it is tried every day."""
        guardian = self._guardian
        if guardian.stdin is not None and not guardian.stdin.closed:
            guardian.stdin.close()
            guardian.wait()
            for process in self._running.values():
                process.wait()
            self._running.clear()


@contextmanager
def frozen(programs: Programs, name: str) -> Iterator[None]:
    """The program stands still inside the block: alive, its connections open, doing nothing."""
    programs.signal(name, signal.SIGSTOP)
    try:
        yield
    finally:
        programs.signal(name, signal.SIGCONT)


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, below those the kernel gives to outgoing connections.

    Out of blocks that this process alone may take from, for as long as it lives: two test runs
    side by side would else find the same port free at the same moment.
    """
    found: list[int] = []
    while len(found) < count:
        if not _OURS:
            _OURS.extend(_block())
        port = _OURS.pop(0)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
    return found


def _block() -> range:
    """A hundred ports that no other process takes: who dies gives them back."""
    folder = Path(tempfile.gettempdir()) / f"sluice-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    first = os.getpid() % _BLOCKS
    for number in [*range(first, _BLOCKS), *range(first)]:
        if number in _HELD:
            continue
        held = (folder / str(number)).open("w")
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            held.close()
            continue
        _HELD[number] = held
        return range(20_000 + number * _BLOCK, 20_000 + (number + 1) * _BLOCK)
    raise AssertionError("no free ports on loopback")


_BLOCK, _BLOCKS = 100, 120
_HELD: dict[int, TextIO] = {}  # kept open for as long as this process lives
_OURS: list[int] = []
