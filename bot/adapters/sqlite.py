"""The Store on one SQLite file: everything of a tick in one transaction, durable when it returns.

One process at a time writes rows; any may leave a note or read. Decides nothing, reads no clock.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from bot.adapters import sqlite_file, sqlite_rows, sqlite_seal
from bot.adapters.sqlite_backup import copy
from bot.adapters.sqlite_rows import Kind, Put, kind_of
from bot.core import chain
from bot.core import messages_store as say
from bot.model.plan import JSON
from bot.model.state import Event, ReleaseState
from bot.ports import Answer, Changes, Note, StaleRow, StoreLocked

RESTORED_FROM = "restored-from"
"""The mark of every backup: a bot that starts on one holds everything until it has compared."""

_WAIT = 5.0
"""Seconds that a write waits for another process's short transaction."""


_LIVE = (
    "rowid IN (SELECT rowid FROM {table} WHERE open = 1 UNION SELECT rowid FROM {table}"
    " WHERE release IN (SELECT release FROM standing WHERE live = 1))"
)


class SqliteStore:
    """The store; ":memory:" is one for tests. Raises StoreLocked and StaleRow.

    `commits` and `writes` count transactions and writing statements; `reads` rows that were read.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        wait: float = _WAIT,
        read_only: bool = False,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        self.path = os.fspath(path)
        self.read_only = read_only
        self.commits = 0
        self.writes = 0
        self.reads = 0
        self._lock = threading.RLock()
        self._inside = False
        opener = sqlite_file.open_reader if read_only else sqlite_file.open_writer
        self._connection = opener(self.path, wait=wait, factory=factory)

    @classmethod
    def reader(cls, path: str | os.PathLike[str]) -> SqliteStore:
        """The store for questions: nothing can be written, and the writer is never in its way."""
        return cls(path, read_only=True)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def __enter__(self) -> SqliteStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All reads inside see the store at one moment, whatever is committed meanwhile."""
        with self._lock:
            self._read("BEGIN", ())
            self._inside = True
            try:
                yield
            finally:
                self._inside = False
                self._clean()

    # Writing

    def commit(self, changes: Changes) -> tuple[Event, ...]:
        """All or nothing, durable when it returns. The events with seq and hash."""
        if changes.empty:
            return ()
        puts = [sqlite_rows.put_of(row) for row in changes.puts]
        drops = [(kind_of(type_), key) for type_, key in changes.drops]
        settled = [sqlite_rows.settled(event) for event in changes.events]
        with self._transaction():
            for release in sorted({put.release for put in puts if put.kind.ends and put.release}):
                self._write(
                    "INSERT INTO standing (release, live) VALUES (?, 1) ON CONFLICT DO NOTHING",
                    (release,),
                )
            for put in puts:
                self._put(put)
            for kind, key in drops:
                self._drop(kind, key)
            self._blobs(changes.blobs)
            for note, answer in changes.answers.items():
                self._answer(note, answer)
            for name, value in changes.marks.items():
                self._mark(name, value)
            return self._append(settled)

    def note(
        self, key: str, text: str, *, by: str, surface: str, at: datetime, data: Mapping[str, JSON]
    ) -> int:
        """Leave a note in the inbox; its id. The same key again gives the same id."""
        note = sqlite_rows.foreign_note(
            Note(id=0, key=key, text=text, by=by, surface=surface, at=at, data=data)
        )
        known = "SELECT id FROM inbox WHERE key = ?"
        found = self._read(known, (note.key,))
        if not found:
            with self._transaction():
                self._write(
                    "INSERT INTO inbox (key, body) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (note.key, sqlite_rows.note_body(note)),
                )
            found = self._read(known, (note.key,))
        return int(found[0][0])

    def _put(self, put: Put) -> None:
        table, values = put.kind.table, (put.release, put.open, (put.expected or 0) + 1, put.body)
        if put.expected:
            written = self._write(
                f"UPDATE {table} SET release = ?, open = ?, version = ?, body = ?"
                " WHERE key = ? AND version = ?",
                (*values, put.key, put.expected),
            )
        else:
            clash = (
                "DO NOTHING"
                if put.expected == 0
                else "(key) DO UPDATE SET release = excluded.release, open = excluded.open,"
                " body = excluded.body"
            )
            written = self._write(
                f"INSERT INTO {table} (release, open, version, body, key) VALUES (?, ?, ?, ?, ?)"
                f" ON CONFLICT {clash}",
                (*values, put.key),
            )
        if written != 1:
            raise self._stale(put)
        self._seal(table, put.key, put.release, put.body)
        if put.ended is not None:
            self._write(
                "UPDATE standing SET live = ? WHERE release = ?", (not put.ended, put.release)
            )

    def _drop(self, kind: Kind, key: str) -> None:
        self._write(f"DELETE FROM {kind.table} WHERE key = ?", (key,))
        self._write(sqlite_seal.DROP, (kind.table, key))
        if kind.type is ReleaseState:
            self._write("DELETE FROM standing WHERE release = ?", (key,))

    def _seal(self, part: str, key: str, release: str, body: str) -> None:
        self._write(sqlite_seal.PUT, (part, key, sqlite_seal.seal_of(release, body)))

    def _stale(self, put: Put) -> StaleRow:
        query = f"SELECT version FROM {put.kind.table} WHERE key = ?"
        found = self._connection.execute(query, (put.key,)).fetchone()
        return StaleRow(
            say.stale_row(put.kind.table, put.key, put.expected or 0, found and found[0])
        )

    def _blobs(self, blobs: Mapping[str, JSON]) -> None:
        for digest, value in blobs.items():
            # Asked first: compressing costs more than looking, and most blobs stand already.
            if not self._connection.execute(
                "SELECT 1 FROM blob WHERE digest = ?", (digest,)
            ).fetchone():
                self._write(
                    "INSERT INTO blob (digest, packed, body) VALUES (?, ?, ?)",
                    (digest, *sqlite_rows.packed(value)),
                )

    def _answer(self, note: int, answer: Answer) -> None:
        text = sqlite_rows.answer_text(answer)
        query = "UPDATE inbox SET answer = ? WHERE id = ? AND answer IS NULL"
        if self._write(query, (text, note)) != 1:
            raise StaleRow(say.stale_note(note))

    def _mark(self, name: str, value: str | None) -> None:
        if value is None:
            self._write("DELETE FROM mark WHERE name = ?", (name,))
            self._write(sqlite_seal.DROP, (sqlite_seal.MARK, name))
        else:
            self._write("INSERT OR REPLACE INTO mark (name, value) VALUES (?, ?)", (name, value))
            self._seal(sqlite_seal.MARK, name, "", value)

    def _append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        if not events:
            return ()
        last = self._connection.execute(
            "SELECT seq, hash, release, body FROM event WHERE seq = (SELECT max(seq) FROM event)"
        ).fetchone()
        lines = chain.append(sqlite_rows.event_of(*last) if last else None, events)
        for line in lines:
            self._write(
                "INSERT INTO event (seq, release, hash, body) VALUES (?, ?, ?, ?)",
                (line.seq, line.release, line.hash, sqlite_rows.event_body(line)),
            )
        return lines

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing. Counts only what reached the disk."""
        with self._lock, sqlite_file.translated(self.path):
            self._clean()
            writes = self.writes
            self._connection.execute("BEGIN IMMEDIATE")
            self._inside = True
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self.writes = writes
                with suppress(sqlite3.DatabaseError):  # the cause must not be masked
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._inside = False
            self.commits += 1

    def _clean(self) -> None:
        """End what a failing disk did not let us end: half a tick is never read as a whole one."""
        if self._connection.in_transaction and not self._inside:
            with sqlite_file.translated(self.path):
                self._connection.execute("ROLLBACK")

    def _write(self, sql: str, values: Sequence[Any]) -> int:
        self.writes += 1
        return self._connection.execute(sql, values).rowcount

    # Reading

    def get(self, kind: type[Any], key: str) -> Any | None:
        """The row of a type by its key."""
        found = kind_of(kind)
        rows = self._read(f"SELECT key, body FROM {found.table} WHERE key = ?", (key,))
        return self._decoded(found, rows)[0] if rows else None

    def rows(
        self,
        kind: type[Any],
        *,
        parent: str | None = None,
        live: bool = False,
        open: bool = False,
    ) -> tuple[Any, ...]:
        """Rows of a type by key. `parent`: those of a release. `live`: those of releases not ended.

        `open`: those without an end yet, whatever their release does: posts that have not left,
        intents whose outcome is not known. Live are these too, and what outlives releases.
        """
        found = kind_of(kind)
        where, values = [], []
        if parent is not None:
            where.append("release = ?")
            values.append(parent)
        if open:
            where.append("open = 1")
        elif live and found.ends:
            where.append(_LIVE.format(table=found.table))
        query = f"SELECT key, body FROM {found.table}"
        if where:
            query += f" WHERE {' AND '.join(where)}"
        return self._decoded(found, self._read(f"{query} ORDER BY key", values))

    def names(self, kind: type[Any], *, ending: str = "") -> tuple[str, ...]:
        """Keys of all rows of a type, ended or not; with `ending`, those that end so."""
        table = kind_of(kind).table
        if not ending:
            return tuple(key for (key,) in self._read(f"SELECT key FROM {table}", ()))
        query = f"SELECT key FROM {table} WHERE substr(key, -?) = ?"
        return tuple(key for (key,) in self._read(query, (len(ending), ending)))

    def blob(self, digest: str) -> JSON | None:
        """The JSON that was stored under a digest."""
        found = self._read("SELECT packed, body FROM blob WHERE digest = ?", (digest,))
        with sqlite_file.translated(self.path):
            return sqlite_rows.unpacked(*found[0]) if found else None

    def mark(self, name: str) -> str | None:
        """A small named value."""
        found = self._read("SELECT value FROM mark WHERE name = ?", (name,))
        return found[0][0] if found else None

    def notes(self, after: int = 0) -> tuple[Note, ...]:
        """Inbox notes without an answer, oldest first."""
        query = "SELECT id, body FROM inbox WHERE answer IS NULL AND id > ? ORDER BY id"
        found = self._read(query, (after,))
        with sqlite_file.translated(self.path):
            return tuple(sqlite_rows.note_of(*row) for row in found)

    def answer(self, note: int) -> Answer | None:
        """What came of a note; None while nothing has."""
        found = self._read("SELECT answer FROM inbox WHERE id = ?", (note,))
        with sqlite_file.translated(self.path):
            return sqlite_rows.answer_of(found[0][0]) if found and found[0][0] else None

    def events(
        self, *, release: str | None = None, after: int = 0, limit: int | None = None
    ) -> tuple[Event, ...]:
        """Lines of the audit, oldest first."""
        where = "seq > ?"
        values: tuple[Any, ...] = (after,)
        if release is not None:
            where, values = "release = ? AND seq > ?", (release, after)
        query = f"SELECT seq, hash, release, body FROM event WHERE {where} ORDER BY seq LIMIT ?"
        rows = self._read(query, (*values, -1 if limit is None else limit))
        return tuple(sqlite_rows.event_of(*row) for row in rows)

    def event_count(self) -> int:
        """How many lines the audit ever had: what `chain.verify` holds the lines against."""
        found = self._read("SELECT seq FROM sqlite_sequence WHERE name = 'event'", ())
        return int(found[0][0]) if found else 0

    def backup(self, target: str | os.PathLike[str], *, at: datetime) -> None:
        """A copy of this moment, marked RESTORED_FROM; the bot may run. Overwrites nothing."""
        mark = (RESTORED_FROM, f"{at.isoformat()} event {self.event_count()}")
        with self._lock if self.path == sqlite_file.MEMORY else nullcontext():
            copy(self.path, self._connection, Path(target), mark)

    def _decoded(self, kind: Kind, rows: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
        decode = sqlite_rows.decoder(kind.type).decode
        try:
            return tuple([decode(body) for _, body in rows])
        except msgspec.MsgspecError:
            for key, body in rows:
                self._complain(kind, key, body)
            raise

    def _complain(self, kind: Kind, key: str, body: str) -> None:
        try:
            sqlite_rows.decoder(kind.type).decode(body)
        except msgspec.MsgspecError as error:
            why = say.unreadable_row(self.path, kind.table, key, str(error))
            raise StoreLocked(why, "broken") from error

    def _read(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._lock, sqlite_file.translated(self.path):
            self._clean()
            rows = self._connection.execute(sql, values).fetchall()
            self.reads += len(rows)
            return rows
