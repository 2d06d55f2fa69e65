"""A store whose disk fails, wherever it can: all of a tick or nothing, and the reason."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.sqlite import SqliteStore
from bot.core import chain
from bot.model.state import Hold, ReleasePhase, ReleaseState, UnitPhase, UnitState
from bot.ports import Answer, Changes, StoreLocked
from tests.contracts.stores import NOW, event, hold, post, release, stored, unit


class Faulty(sqlite3.Connection):
    """A connection whose statement number `fails_at` (counted from 1) fails with `code`."""

    last: Faulty
    fails_at = 0
    code = sqlite3.SQLITE_IOERR
    count = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        Faulty.last = self

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        self.count += 1
        if self.count == self.fails_at:
            error = sqlite3.OperationalError("fault of the test")
            error.sqlite_errorcode = self.code
            error.sqlite_errorname = "SQLITE_TEST"
            raise error
        return super().execute(sql, *values)


def arm(connection: Faulty, at: int, code: int = sqlite3.SQLITE_IOERR) -> None:
    connection.count, connection.fails_at, connection.code = 0, at, code


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqliteStore]:
    """A store with something of everything in it."""
    path = ":memory:" if request.param == "memory" else tmp_path / "sluice.db"
    with SqliteStore(path, wait=0, factory=Faulty) as opened:
        opened.note("k", "pause all", by="ana", surface="cli", at=NOW, data={})
        opened.commit(
            Changes(
                puts=(release(), unit(), hold()), events=(event("begin"),), marks={"main": "c1"}
            )
        )
        yield opened


def tick(store: SqliteStore) -> Changes:
    """A tick that touches everything that a tick can touch."""
    ended = replace(stored(store, ReleaseState, release().key), phase=ReleasePhase.SUCCEEDED)
    done = replace(stored(store, UnitState, unit().key), phase=UnitPhase.SUCCEEDED)
    return Changes(
        puts=(ended, done, post(), hold(name="h2")),
        drops=((Hold, "h1"),),
        events=(event("a"), event("b")),
        blobs={"sha256:1": {"a": 1}, "sha256:2": ["x"] * 2000},
        answers={1: Answer(code=0, body={}, text="Paused.")},
        marks={"main": "c2", "old": None},
    )


def failure_of(store: SqliteStore, changes: Changes) -> StoreLocked | None:
    try:
        store.commit(changes)
    except StoreLocked as error:
        return error
    return None


def everything(store: SqliteStore) -> list[str]:
    store.mark("main")  # whatever a failed tick left open ends before anything is read
    return list(Faulty.last.iterdump())


def test_a_tick_is_all_or_nothing_whichever_statement_fails(store: SqliteStore) -> None:
    """Half a tick would be a state that nobody decided. Every statement fails once, COMMIT too."""
    changes, before = tick(store), everything(store)
    counters = (store.commits, store.writes)
    for at in range(1, 200):
        arm(Faulty.last, at)
        failure = failure_of(store, changes)
        arm(Faulty.last, 0)
        if failure is None:
            break
        assert failure.kind == "broken"
        assert "fault of the test" in failure.why
        assert everything(store) == before, f"statement {at} left something"
        assert (store.commits, store.writes) == counters
    assert at > 18, "the fault was not reached"
    assert stored(store, UnitState, unit().key).phase is UnitPhase.SUCCEEDED
    assert [line.kind for line in store.events()] == ["begin", "a", "b"]
    assert chain.verify(store.events(), count=store.event_count()) is None
    assert store.commits == counters[0] + 1


def test_a_tick_is_all_or_nothing_wherever_sqlite_stops(store: SqliteStore) -> None:
    """The same from inside SQLite: stopped in the midst of statements, at ever later steps."""
    changes, before = tick(store), everything(store)
    stops = 0
    for step in range(1, 4000, 9):
        Faulty.last.set_progress_handler(partial(next, repeat(0, step), 1), 1)
        failure = failure_of(store, changes)
        Faulty.last.set_progress_handler(None, 1)
        if failure is None:
            break
        stops += 1
        assert everything(store) == before, f"step {step} left something"
    assert stops > 20
    assert store.mark("main") == "c2"


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (sqlite3.SQLITE_BUSY, "locked", "Another process is writing"),
        (sqlite3.SQLITE_LOCKED, "locked", "Another process is writing"),
        (sqlite3.SQLITE_FULL, "full", "Make room"),
        (sqlite3.SQLITE_READONLY, "broken", "read-only"),
        (sqlite3.SQLITE_IOERR_FSYNC, "broken", "Look at the disk"),
        (sqlite3.SQLITE_CORRUPT, "broken", "damaged"),
        (sqlite3.SQLITE_CANTOPEN, "broken", "cannot be opened"),
    ],
)
def test_each_fault_has_its_kind_and_its_next_step(
    store: SqliteStore, code: int, kind: str, words: str
) -> None:
    """The engine stops new writes by the kind; the person at the terminal goes by the words."""
    arm(Faulty.last, 2, code)
    with pytest.raises(StoreLocked, match=words) as caught:
        store.commit(Changes(marks={"main": "c2"}))
    assert caught.value.kind == kind
    arm(Faulty.last, 1, code)
    with pytest.raises(StoreLocked, match=words):
        store.mark("main")


def test_a_full_disk_loses_nothing_and_goes_on_when_there_is_room(store: SqliteStore) -> None:
    """The rollout stops at a full disk; it must go on from there, not from a mended file."""
    connection = Faulty.last
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    large = Changes(
        puts=tuple(hold(name=f"full-{number}") for number in range(500)), events=(event("full"),)
    )
    before = everything(store)
    with pytest.raises(StoreLocked, match="full") as caught:
        store.commit(large)
    assert caught.value.kind == "full"
    assert everything(store) == before
    connection.execute("PRAGMA max_page_count = 1000000")
    store.commit(large)
    assert len(store.rows(Hold)) == 501


def test_a_writer_that_does_not_let_go_is_told_as_locked(tmp_path: Path) -> None:
    """Waiting for ever would be a silent bot; it waits a moment, then says what holds it."""
    path = tmp_path / "sluice.db"
    with SqliteStore(path, factory=Faulty) as store, SqliteStore(path, wait=0.01) as other:
        Faulty.last.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreLocked) as caught:
            other.note("k", "pause all", by="ana", surface="cli", at=NOW, data={})
        assert caught.value.kind == "locked"
        Faulty.last.execute("ROLLBACK")
        assert other.note("k", "pause all", by="ana", surface="cli", at=NOW, data={}) == 1
        assert len(store.notes()) == 1


def test_a_tick_that_failed_lets_go_of_the_store(tmp_path: Path) -> None:
    """People's commands come through another process; they must not wait for the next tick."""
    path = tmp_path / "sluice.db"
    with SqliteStore(path, factory=Faulty) as store, SqliteStore(path, wait=0) as other:
        arm(Faulty.last, 2)
        assert failure_of(store, Changes(marks={"main": "c1"}))
        assert other.note("k", "pause all", by="ana", surface="cli", at=NOW, data={}) == 1


def test_a_row_that_cannot_be_written_down_stops_before_the_store(store: SqliteStore) -> None:
    """A mistake in the bot is a bug, and a bug writes nothing."""
    before = everything(store)
    with pytest.raises(TypeError):
        store.commit(Changes(marks={"main": "c2"}, events=(event(data={"x": object()}),)))
    assert everything(store) == before


def test_the_audit_refuses_to_be_changed(store: SqliteStore) -> None:
    """Not even a hand with a database tool rewrites it by accident."""
    for statement in (
        "UPDATE event SET body = '{}'",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event (seq, release, hash, body) VALUES (1, '', '', '{}')",
        "INSERT INTO event (seq, release, hash, body) VALUES (9, '', '', '{}')",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            Faulty.last.execute(statement)
    assert chain.verify(store.events(), count=store.event_count()) is None
