"""Looks through a store file for damage: pages, rows, objects, record. Reads only, mends nothing.

Everything that is wrong is told, not the first; a row that cannot be read does not hide the others.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from bot.adapters import sqlite_rows, sqlite_schema
from bot.adapters.sqlite import SqliteStore
from bot.adapters.sqlite_file import open_reader
from bot.adapters.sqlite_rows import KINDS, Kind
from bot.adapters.sqlite_seal import MARK, marks, seal_of, seals
from bot.cluster.render import digest as digest_of
from bot.core import chain_rows
from bot.core import messages_store as say
from bot.core.soundness import flaws
from bot.model.plan import ReleasePlan
from bot.model.state import Certificate, Decision, Intent, ReleaseState, UnitState
from bot.ports import StoreLocked

MOST = 200
"""As many flaws as anybody reads."""


def inspect(path: Path) -> tuple[str, ...]:
    """What is damaged, one sentence each; empty: nothing was found. StoreLocked where the file
    cannot even be opened.
    """
    with closing(open_reader(str(path), wait=5.0, factory=sqlite3.Connection)) as connection:
        return tuple(islice(_all(connection, path), MOST))


def _all(connection: sqlite3.Connection, path: Path) -> Iterator[str]:
    gone = sqlite_schema.missing(connection)
    yield from (say.gone_table(table) for table in gone)
    if gone:
        # Each look at the others would only say once more what it cannot find.
        yield from _pages(connection)
        return
    for look in (_pages, _rows, _marks, _standing, _blobs, _inbox, _releases):
        try:
            yield from look(connection)
        except sqlite3.DatabaseError as error:
            yield say.unread_part(look.__name__.strip("_"), str(error))
    yield from _record(path)


def _pages(connection: sqlite3.Connection) -> Iterator[str]:
    for (said,) in connection.execute("PRAGMA integrity_check(20)"):
        if said != "ok":
            yield say.damaged_page(str(said))


def _rows(connection: sqlite3.Connection) -> Iterator[str]:
    for kind in KINDS.values():
        try:
            yield from _of_kind(connection, kind)
        except sqlite3.DatabaseError as error:
            yield say.unread_part(f"table {kind.table}", str(error))


def _of_kind(connection: sqlite3.Connection, kind: Kind) -> Iterator[str]:
    """Each row by itself, and against what was written last under its key."""
    sealed = seals(connection, kind.table)
    query = f"SELECT key, release, open, version, body FROM {kind.table} ORDER BY key"
    for key, release, opened, version, body in connection.execute(query):
        seal = sealed.pop(str(key), None)
        try:
            row = sqlite_rows.decoder(kind.type).decode(body)
        except (msgspec.MsgspecError, TypeError, UnicodeError) as error:
            yield say.damaged_row(kind.table, str(key), str(error))
            continue
        if not _fits(kind, row, key, release, version) or kind.open(row) != bool(opened):
            yield say.misplaced_row(kind.table, str(key))
        elif seal is None:
            yield say.added_row(kind.table, str(key))
        elif seal != seal_of(release, body):
            yield say.changed_row(kind.table, str(key))
    yield from (say.gone_row(kind.table, key) for key in sorted(sealed))


def _marks(connection: sqlite3.Connection) -> Iterator[str]:
    sealed = seals(connection, MARK)
    for name, stands in marks(connection):
        seal = sealed.pop(name, None)
        if seal is None:
            yield say.added_row(MARK, name)
        elif seal != stands:
            yield say.changed_row(MARK, name)
    yield from (say.gone_row(MARK, name) for name in sorted(sealed))


def _fits(kind: Kind, row: Any, key: str, release: str, version: int) -> bool:
    """Whether the row is the one of its key: what is decided by and what is read are the same."""
    if kind.counted and row.version != version:
        return False
    return kind.key(row) == key and kind.release(row) == release


def _standing(connection: sqlite3.Connection) -> Iterator[str]:
    """Which releases are live decides what is read at all."""
    live = dict(connection.execute("SELECT release, live FROM standing"))
    for key, body in connection.execute("SELECT key, body FROM release"):
        try:
            state = sqlite_rows.decoder(ReleaseState).decode(body)
        except msgspec.MsgspecError:
            continue  # told as a row
        if bool(live.get(key)) is state.phase.ended:
            yield say.wrong_standing(key)


def _blobs(connection: sqlite3.Connection) -> Iterator[str]:
    for digest, packed, body in connection.execute("SELECT digest, packed, body FROM blob"):
        try:
            sound = digest_of(sqlite_rows.unpacked(packed, body)) == digest
        except Exception:  # noqa: BLE001 whatever flipped bytes make of it
            sound = False
        if not sound:
            yield say.damaged_blob(digest)


def _inbox(connection: sqlite3.Connection) -> Iterator[str]:
    for id_, body, answer in connection.execute("SELECT id, body, answer FROM inbox"):
        try:
            sqlite_rows.note_of(id_, body)
            if answer is not None:
                sqlite_rows.answer_of(answer)
        except (msgspec.MsgspecError, TypeError, UnicodeError) as error:
            yield say.damaged_row("inbox", str(id_), str(error))


def _releases(connection: sqlite3.Connection) -> Iterator[str]:
    """Rows that each can be read, and do not fit together."""
    units: dict[str, list[str]] = {}
    for release, key in connection.execute("SELECT release, key FROM unit"):
        units.setdefault(release, []).append(key.removeprefix(f"{release}/"))
    known = {digest for (digest,) in connection.execute("SELECT digest FROM blob")}
    for state in _decoded(connection, ReleaseState):
        plan = next(iter(_decoded(connection, ReleasePlan, state.release)), None)
        if plan is None and _has(connection, state.release):
            continue  # it cannot be read, and was told as a row
        yield from flaws(state, plan, units.get(state.release, ()))
        if plan is None or state.phase.ended:
            continue
        digests = {one.digest for unit in plan.units for one in unit.objects}
        for row in _decoded(connection, UnitState, release=state.release):
            digests |= {one.digest for one in row.before or () if one.digest}
        if state.plan_hash and (gone := sorted(digests - known)):
            yield say.missing_blobs(state.release, gone)


def _has(connection: sqlite3.Connection, release: str) -> bool:
    return bool(connection.execute("SELECT 1 FROM plan WHERE key = ?", (release,)).fetchone())


def _decoded(
    connection: sqlite3.Connection, type_: type[Any], key: str = "", *, release: str = ""
) -> Iterator[Any]:
    column, value = ("release", release) if release else ("key", key)
    query = f"SELECT body FROM {KINDS[type_].table}"
    rows = connection.execute(
        f"{query} WHERE {column} = ?" if value else query, (value,) if value else ()
    )
    for (body,) in rows.fetchall():
        try:
            yield sqlite_rows.decoder(type_).decode(body)
        except (msgspec.MsgspecError, TypeError, UnicodeError):
            continue  # told as a row


def _record(path: Path) -> Iterator[str]:
    """The audit against its own chain, and the certificates against the audit."""
    try:
        with SqliteStore.reader(path) as store, store.snapshot():
            record = chain_rows.Record(
                lines=tuple(store.events()),
                count=store.event_count(),
                certificates=store.rows(Certificate),
                intents=store.rows(Intent),
                decisions=store.rows(Decision),
            )
            broken = chain_rows.verify(record)
    except StoreLocked as locked:
        yield locked.why
        return
    if broken is not None:
        yield say.broken_record(broken.seq, broken.flaw.value, broken.certificate)
