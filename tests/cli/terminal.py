"""A terminal in this process: words in, exit code and text out; and a bot that ticks when told."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.adapters.clock import SystemClock
from bot.adapters.git import LocalGitHost
from bot.adapters.sandbox import SandboxRenderer
from bot.adapters.simulated.fleet import SimulatedFleet
from bot.adapters.sqlite import SqliteStore
from bot.adapters.terminal_chat import TerminalChat
from bot.cli import main
from bot.reconciler.tick import Ports, Reconciler
from tests.run.release_repo import ReleaseRepo


@dataclass(frozen=True)
class Said:
    """What a command said. `json` is the document on stdout."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def sluice(*words: object) -> Said:
    """One command, as typed."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(word) for word in words])
    return Said(code, out.getvalue(), err.getvalue())


class Town:
    """A release repo, a store, and a bot that looks at the world only when it is told to."""

    def __init__(self, folder: Path) -> None:
        self.repo = ReleaseRepo(folder)
        self.db = folder / "sluice.db"

    def sluice(self, *words: object) -> Said:
        return sluice("--repo", self.repo.bare, "--db", self.db, *words)

    @contextmanager
    def bot(self) -> Iterator[Reconciler]:
        clock = SystemClock()
        fleet = SimulatedFleet(clock, f"{self.db}.fleet")
        with (
            LocalGitHost(self.repo.bare) as git,
            SqliteStore(self.db) as store,
            SandboxRenderer() as renderer,
        ):
            chat = TerminalChat(io.StringIO(), plain=True)
            ports = Ports(
                git=git, chat=chat, fleet=fleet, store=store, clock=clock, renderer=renderer
            )
            yield Reconciler(ports)
        fleet.close()

    def tick(self, times: int = 1) -> None:
        with self.bot() as bot:
            for _ in range(times):
                bot.tick()

    def merged(self, version: str = "2.0.0") -> str:
        """A release that was seen as a pull request, merged, and waits for its approval."""
        with self.bot() as bot:
            bot.tick()
            name = self.repo.propose(version)
            bot.tick()
            self.repo.merge(name)
            bot.tick()
        return name
