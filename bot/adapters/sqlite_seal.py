"""The seal of a row: the digest of what Sluice wrote last, kept apart from the row itself.

A row that somebody changed, took away or put in by hand no longer fits its seal. Whoever forges
seals as well is found by the chain of the audit, and by nothing here. Mends nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

MARK = "mark"
"""The table whose rows have a name and a value only."""
CREATE = (
    "CREATE TABLE seal (part TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL,"
    " PRIMARY KEY (part, key)) WITHOUT ROWID"
)
PUT = "INSERT OR REPLACE INTO seal (part, key, digest) VALUES (?, ?, ?)"
DROP = "DELETE FROM seal WHERE part = ? AND key = ?"

_LENGTH = 16


def seal_of(release: object, body: object) -> bytes:
    """The seal of a row as it stands; of a mark, with no release."""
    told = f"{release}\0{body}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(told).digest()[:_LENGTH]


def seal_all(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Seal every row as it stands: for a store from before there were seals."""
    connection.create_function("seal_of", 2, seal_of, deterministic=True)
    connection.execute(CREATE)
    for table in tables:
        connection.execute(
            f"INSERT INTO seal SELECT '{table}', key, seal_of(release, body) FROM {table}"
        )
    connection.execute("INSERT INTO seal SELECT 'mark', name, seal_of('', value) FROM mark")


def seals(connection: sqlite3.Connection, part: str) -> dict[str, bytes]:
    """What was written to a table and not taken away since: key → seal."""
    return dict(connection.execute("SELECT key, digest FROM seal WHERE part = ?", (part,)))


def marks(connection: sqlite3.Connection) -> Iterator[tuple[str, bytes]]:
    """Every mark that stands, with the seal that it would have."""
    for name, value in connection.execute("SELECT name, value FROM mark ORDER BY name"):
        yield str(name), seal_of("", value)
