"""Where simulated clusters are kept: one SQLite file, so that they do not die with the bot.

A cluster and its log are stored together, before a write is answered. Never interprets them.
"""

from __future__ import annotations

import json
import sqlite3

from bot.model.plan import JSON
from bot.ports import Unreachable

_TABLES = """
create table if not exists clusters (name text primary key, state text not null);
create table if not exists writes (
  id integer primary key, cluster text not null, at text not null, verb text not null,
  object text not null, manager text not null, patch text not null, outcome text not null);
create index if not exists writes_by_cluster on writes (cluster, id);
"""
_COLUMNS = ("at", "verb", "object", "manager", "patch", "outcome")


class FleetFile:
    """One file; `path` None keeps the log in memory and no state at all."""

    def __init__(self, path: str | None) -> None:
        self._log: dict[str, list[JSON]] = {}
        self._db: sqlite3.Connection | None = None
        if path is None:
            return
        try:
            db = sqlite3.connect(path, timeout=30, check_same_thread=False, isolation_level=None)
            db.execute("pragma journal_mode = wal")
            # Enough for a killed process; after a power cut the whole world of the demo is gone.
            db.execute("pragma synchronous = normal")
            db.executescript(_TABLES)
        except sqlite3.Error as broken:
            raise Unreachable(f"{path}: {broken}") from broken
        self._db, self._version = db, -1

    @property
    def forgets(self) -> bool:
        """Whether states need not be given to it: nothing outlives the process."""
        return self._db is None

    def changed(self) -> bool:
        """Whether another process wrote since the last question."""
        if self._db is None:
            return False
        version = int(self._db.execute("pragma data_version").fetchone()[0])
        changed, self._version = version != self._version, version
        return changed

    def state(self, cluster: str) -> JSON | None:
        if self._db is None:
            return None
        found = self._db.execute("select state from clusters where name = ?", (cluster,)).fetchone()
        return json.loads(found[0]) if found else None

    def names(self) -> list[str]:
        if self._db is None:
            return []
        return [name for (name,) in self._db.execute("select name from clusters order by name")]

    def keep(self, states: dict[str, JSON], writes: list[tuple[str, JSON]]) -> None:
        """Clusters and what they received, in one transaction."""
        if self._db is None:
            for cluster, entry in writes:
                self._log.setdefault(cluster, []).append(entry)
            return
        if not states and not writes:
            return
        self._db.execute("begin immediate")
        try:
            self._db.executemany(
                "insert or replace into clusters (name, state) values (?, ?)",
                [(name, json.dumps(state)) for name, state in states.items()],
            )
            self._db.executemany(
                "insert into writes (cluster, at, verb, object, manager, patch, outcome)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                [(name, *_row(entry)) for name, entry in writes],
            )
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def writes(self, cluster: str) -> list[JSON]:
        if self._db is None:
            return list(self._log.get(cluster, ()))
        rows = self._db.execute(
            "select at, verb, object, manager, patch, outcome from writes"
            " where cluster = ? order by id",
            (cluster,),
        )
        return [
            dict(zip(_COLUMNS, row, strict=True)) | {"patch": json.loads(row[4])} for row in rows
        ]

    def close(self) -> None:
        if self._db is not None:
            self._db.close()


def _row(entry: JSON) -> tuple[str, ...]:
    return tuple(json.dumps(entry[c]) if c == "patch" else entry[c] for c in _COLUMNS)
