"""Opening the file of the store, and its failures in the words of the ports. Never touches a row.

A file that is newer, damaged or somebody else's is refused before anything is written to it.
"""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from bot.adapters import sqlite_schema
from bot.core import messages_store as say
from bot.ports import StoreLocked

MEMORY = ":memory:"

_CACHED_STATEMENTS = 256
_WAL_KEPT = 64 * 2**20


def open_writer(path: str, *, wait: float, factory: type[sqlite3.Connection]) -> sqlite3.Connection:
    """The file, made and brought up to date where needed; WAL, every commit synced to the disk."""
    fresh = path != MEMORY and not _look(path)
    with translated(path):
        connection = sqlite3.connect(
            path,
            timeout=wait,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_CACHED_STATEMENTS,
            factory=factory,
        )
        try:
            _bring_up_to_date(connection, path)
            if path != MEMORY:
                _durable(connection)
        except BaseException:
            connection.close()
            raise
    if fresh:
        sync_folder(Path(path))
    return connection


def open_reader(path: str, *, wait: float, factory: type[sqlite3.Connection]) -> sqlite3.Connection:
    """The file for reading only: never blocks the writer, never changes a byte of the store."""
    if not _look(path):
        raise StoreLocked(say.absent(path), "broken")
    with translated(path):
        connection = sqlite3.connect(
            f"{_url(path)}?mode=ro",
            uri=True,
            timeout=wait,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_CACHED_STATEMENTS,
            factory=factory,
        )
        try:
            if _standing_version(connection, path) < sqlite_schema.VERSION:
                raise StoreLocked(say.older(path), "broken")
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Failures of the disk and of other processes as StoreLocked; mistakes of ours pass."""
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.DataError):
        raise
    except sqlite3.DatabaseError as error:
        raise _locked(path, error) from error
    except (msgspec.MsgspecError, zlib.error) as error:
        raise StoreLocked(say.damaged(path, str(error)), "broken") from error
    except OSError as error:
        raise StoreLocked(say.cannot_open(path, error.strerror or str(error)), "broken") from error


def _locked(path: str, error: sqlite3.DatabaseError) -> StoreLocked:
    detail = f"{getattr(error, 'sqlite_errorname', '') or 'SQLite'}: {error}"
    match (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF:
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StoreLocked(say.busy(path), "locked")
        case sqlite3.SQLITE_FULL:
            return StoreLocked(say.full(path), "full")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
            return StoreLocked(say.read_only(path), "broken")
        case sqlite3.SQLITE_CANTOPEN:
            return StoreLocked(say.cannot_open(path, detail), "broken")
        case sqlite3.SQLITE_NOTADB:
            return StoreLocked(say.no_database(path), "broken")
        # Our statements are right for our tables: what they cannot find, somebody took away.
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_ERROR:
            return StoreLocked(say.damaged(path, detail), "broken")
    return StoreLocked(say.disk_error(path, detail), "broken")


def _look(path: str) -> bool:
    """Whether a store stands there, by the head of its file, leaving no trace beside it.

    Asked of SQLite: had we opened the file ourselves, closing it would end the locks that another
    connection of this process holds, and the next process would remove the log under it.
    """
    try:
        size = os.stat(path).st_size
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreLocked(say.cannot_open(path, error.strerror or str(error)), "broken") from error
    if not size:
        return False
    with translated(path), closing(sqlite3.connect(f"{_url(path)}?immutable=1", uri=True)) as head:
        try:
            version, application = _head(head)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            # Read without locks while another process makes it: opening it tells what it is.
            return True
    if version > sqlite_schema.VERSION:
        raise _refusal(path, application)
    return True


def _url(path: str) -> str:
    return f"file:{quote(os.path.abspath(path))}"


def _head(connection: sqlite3.Connection) -> tuple[int, int]:
    """What kind of file it says it is: version of the tables, and whose."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    return version, int(connection.execute("PRAGMA application_id").fetchone()[0])


def _refusal(path: str, application: int) -> StoreLocked:
    if application != sqlite_schema.APPLICATION_ID:
        return StoreLocked(say.foreign(path), "broken")
    return StoreLocked(say.newer(path), "newer")


def _standing_version(connection: sqlite3.Connection, path: str) -> int:
    """Version of the tables that stand, 0 in an empty file; refuses what is foreign or newer."""
    version, application = _head(connection)
    if application != sqlite_schema.APPLICATION_ID:
        if version or connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise _refusal(path, application)
        return 0
    if version > sqlite_schema.VERSION or sqlite_schema.unknown(connection):
        raise _refusal(path, application)
    return version


def _bring_up_to_date(connection: sqlite3.Connection, path: str) -> None:
    """Migrate in one transaction: a kill leaves the old tables or the new ones; two may race."""
    if _standing_version(connection, path) == sqlite_schema.VERSION:
        return
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _standing_version(connection, path) < sqlite_schema.VERSION:
            sqlite_schema.migrate(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _durable(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
    for attempt in range(20):
        if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            return
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            # Another process opens it too. The switch does not wait by itself; a write lock does.
            if attempt == 19:
                raise
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")


def sync_folder(file: Path) -> None:
    """A new name is durable only when its folder is."""
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
