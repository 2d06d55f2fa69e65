"""A copy of the store while it is in use. Never changes the original and overwrites nothing."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

from bot.adapters import sqlite_file, sqlite_seal
from bot.core import messages_store as say
from bot.ports import Refused


def copy(path: str, connection: sqlite3.Connection, target: Path, mark: tuple[str, str]) -> None:
    """Copy to `target`, with `mark` set in the copy only; the target appears whole or not at all.

    A file is read over a connection of its own, so that nobody waits; memory over `connection`.
    """
    if target.exists():
        raise Refused(say.backup_exists(str(target)))
    part = target.with_name(f"{target.name}.part-{os.getpid()}")
    try:
        if path == sqlite_file.MEMORY:
            _fill(connection, part, mark)
        else:
            with sqlite_file.translated(path):
                source = sqlite3.connect(f"file:{quote(os.path.abspath(path))}?mode=ro", uri=True)
            try:
                _fill(source, part, mark)
            finally:
                source.close()
        _publish(part, target)
    except (sqlite3.DatabaseError, OSError) as error:
        raise Refused(say.backup_failed(str(target), str(error))) from error
    finally:
        part.unlink(missing_ok=True)


def _fill(source: sqlite3.Connection, part: Path, mark: tuple[str, str]) -> None:
    copied = sqlite3.connect(part, isolation_level=None)
    try:
        source.backup(copied)
        # One file, without a log beside it that somebody could forget to copy.
        copied.execute("PRAGMA journal_mode = DELETE")
        copied.execute("PRAGMA synchronous = FULL")
        copied.execute("INSERT OR REPLACE INTO mark (name, value) VALUES (?, ?)", mark)
        copied.execute(
            sqlite_seal.PUT, (sqlite_seal.MARK, mark[0], sqlite_seal.seal_of("", mark[1]))
        )
    finally:
        copied.close()


def _publish(part: Path, target: Path) -> None:
    with open(part, "rb") as file:
        os.fsync(file.fileno())
    try:
        os.link(part, target)
    except FileExistsError:
        raise Refused(say.backup_exists(str(target))) from None
    except OSError:  # a file system without hard links
        os.rename(part, target)
    sqlite_file.sync_folder(target)
