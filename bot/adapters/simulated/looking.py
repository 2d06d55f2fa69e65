"""The simulated clusters of a running bot, for who only looks. Never changes their file."""

from __future__ import annotations

import os
import sqlite3
from urllib.parse import quote

from bot.adapters.simulated.file import FleetFile
from bot.adapters.simulated.fleet import SimulatedFleet
from bot.model.plan import JSON
from bot.ports import Clock, Unreachable


class _FileForLooking(FleetFile):
    """The file, opened for reading only; what would be kept is forgotten."""

    def __init__(self, path: str) -> None:
        super().__init__(None)
        try:
            self._db = sqlite3.connect(
                f"file:{quote(os.path.abspath(path))}?mode=ro",
                uri=True,
                timeout=30,
                check_same_thread=False,
                isolation_level=None,
            )
            self._version = -1
            self._db.execute("select 1 from clusters limit 1")
        except sqlite3.Error as broken:
            raise Unreachable(f"{path}: {broken}") from broken

    def keep(self, states: dict[str, JSON], writes: list[tuple[str, JSON]]) -> None:
        """Looking changes nothing."""


class FleetForLooking(SimulatedFleet):
    """SimulatedFleet on a file of another process; `path` None: clusters never written to."""

    def __init__(self, clock: Clock, path: str | None = None) -> None:
        super().__init__(clock)
        if path is not None:
            self._file = _FileForLooking(path)

    def connect_kept(self) -> tuple[str, ...]:
        """Every cluster of the file, as the bot connected it last; for when main cannot be read."""
        with self._lock:
            self._known = {name: {} for name in self._file.names()}
            return tuple(self._known)
