"""The tables of the store and their migrations. Never touches a row's content.

sqlite-utils is loaded only when there is something to migrate: a store that stands costs no import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.adapters.sqlite_seal import seal_all

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from sqlite_utils import Database

APPLICATION_ID = 0x536C7563
"""`Sluc` in the head of the file: tells a store from somebody else's SQLite file."""

_MIGRATION_SET = "sluice"
_ROW_TABLES_1 = (
    *("release", "unit", "hold", "emergency", "decision", "pull", "intent", "applied"),
    *("certificate", "blocked", "cluster", "plan", "post"),
)
ROW_TABLES = (*_ROW_TABLES_1, "tally", "pipelinerun", "taskrun")
_TABLES = (*ROW_TABLES, "standing", "event", "inbox", "blob", "mark", "seal")


def _first(db: Database) -> None:
    """`body` is the row as JSON; `open` keeps a row live beyond the end of its release."""
    for table in _ROW_TABLES_1:
        _row_table(db, table)
    # Which releases have not ended. Kept apart from the rows: ending a release of ten thousand
    # rows changes one.
    db.execute(
        "CREATE TABLE standing (release TEXT PRIMARY KEY NOT NULL, live INTEGER NOT NULL)"
        " WITHOUT ROWID"
    )
    db.execute("CREATE INDEX standing_live ON standing (release) WHERE live = 1")
    _audit(db)
    db.execute(
        "CREATE TABLE inbox (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE,"
        " body TEXT NOT NULL, answer TEXT)"
    )
    db.execute("CREATE INDEX inbox_unanswered ON inbox (id) WHERE answer IS NULL")
    db.execute(
        "CREATE TABLE blob (digest TEXT PRIMARY KEY NOT NULL, packed INTEGER NOT NULL,"
        " body BLOB NOT NULL)"
    )
    db.execute(
        "CREATE TABLE mark (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID"
    )


def _second(db: Database) -> None:
    """Units that began or failed in the last day, for limits over all releases."""
    _row_table(db, "tally")


def _third(db: Database) -> None:
    """Runs, in Tekton's words: one a release, and one for each step of it."""
    _row_table(db, "pipelinerun")
    _row_table(db, "taskrun")


def _fourth(db: Database) -> None:
    """What was written last, row by row, so that what somebody changes by hand is found."""
    seal_all(db.conn, ROW_TABLES)


def _row_table(db: Database, table: str) -> None:
    db.execute(
        f"CREATE TABLE {table} (key TEXT PRIMARY KEY NOT NULL, release TEXT NOT NULL,"
        " open INTEGER NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL)"
    )
    db.execute(f"CREATE INDEX {table}_release ON {table} (release)")
    db.execute(f"CREATE INDEX {table}_open ON {table} (key) WHERE open = 1")


def _audit(db: Database) -> None:
    """Lines are added at the end and never change: not even by hand with a database tool."""
    db.execute(
        "CREATE TABLE event (seq INTEGER PRIMARY KEY AUTOINCREMENT, release TEXT NOT NULL,"
        " hash TEXT NOT NULL, body TEXT NOT NULL)"
    )
    db.execute("CREATE INDEX event_release ON event (release, seq)")
    for verb in ("UPDATE", "DELETE"):
        db.execute(
            f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event"
            " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
        )
    # Without this, REPLACE would overwrite a line without a DELETE that a trigger sees.
    db.execute(
        "CREATE TRIGGER event_at_the_end BEFORE INSERT ON event"
        " WHEN NEW.seq <> 1 + (SELECT coalesce(max(seq), 0) FROM event)"
        " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"
    )


_MIGRATIONS: tuple[tuple[str, Callable[[Database], None]], ...] = (
    ("0001_first", _first),
    ("0002_tally", _second),
    ("0003_runs", _third),
    ("0004_seals", _fourth),
)

VERSION = len(_MIGRATIONS)
"""`PRAGMA user_version` of a store that is up to date."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the file up to date in one transaction, which the caller has begun."""
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    migrations = Migrations(_MIGRATION_SET)
    for name, step in _MIGRATIONS:
        migrations(name=name)(step)
    migrations.apply(Database(connection, execute_plugins=False, recursive_triggers=False))
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def unknown(connection: sqlite3.Connection) -> bool:
    """Whether a migration was applied that this version does not know."""
    names = connection.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (_MIGRATION_SET,)
    )
    return not {name for (name,) in names} <= {name for name, _ in _MIGRATIONS}


def missing(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Tables that a store of this version has, and this one has no more."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return tuple(sorted(set(_TABLES) - {name for (name,) in found}))
