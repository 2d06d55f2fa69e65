"""What the store costs: by what is active, never by what ever was. Counted, not timed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from bot.adapters.sqlite import SqliteStore
from bot.model.message import Post
from bot.model.plan import ReleasePlan
from bot.model.state import Decision, Hold, Intent, ReleasePhase, ReleaseState, UnitState
from bot.ports import Answer, Changes
from tests.contracts.stores import NOW, event, hold, intent, plan, post, release, stored, unit


class Watched(sqlite3.Connection):
    """A connection that lets a test watch it."""

    last: Watched

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        Watched.last = self


def watched(path: Path | str = ":memory:") -> SqliteStore:
    return SqliteStore(path, factory=Watched)


def statements(act: Callable[[], object]) -> list[str]:
    said: list[str] = []
    Watched.last.set_trace_callback(said.append)
    act()
    Watched.last.set_trace_callback(None)
    return said


def steps(act: Callable[[], object]) -> int:
    """How many steps of SQLite's machine it takes: the same on every computer."""
    counter = count()
    Watched.last.set_progress_handler(lambda: next(counter) < 0, 1)
    act()
    Watched.last.set_progress_handler(None, 1)
    return next(counter)


def add(store: SqliteStore, names: list[str], phase: ReleasePhase) -> None:
    rows: list[Any] = []
    for name in names:
        rows += [release(name, phase=phase), plan(name), post(f"card/{name}", release=name)]
        rows[-1] = replace(rows[-1], sent=True)
        rows += [unit(name, f"c@{number}") for number in range(5)]
        rows += [replace(intent(number), release=name) for number in range(5)]
    store.commit(Changes(puts=tuple(rows), events=tuple(event(release=name) for name in names)))


def read_active(store: SqliteStore) -> None:
    for type_ in (ReleaseState, ReleasePlan, UnitState, Intent, Hold, Decision, Post):
        store.rows(type_, live=True)
    store.notes()
    store.mark("main")


def tick(store: SqliteStore) -> Changes:
    stands = stored(store, UnitState, "active-0/c@0")
    return Changes(
        puts=(stands, intent(99, release="active-0"), hold()),
        drops=((Hold, "none"),),
        events=(event(release="active-0"),),
        blobs={"sha256:1": {}},
        marks={"main": "c"},
    )


def test_reading_what_is_active_does_not_grow_with_history(tmp_path: Path) -> None:
    """A restart after a year is as quick as one on the first day."""
    costs, reads = [], []
    for ended in (10, 1000):
        path = tmp_path / f"{ended}.db"
        with watched(path) as store:
            add(store, [f"ended-{number}" for number in range(ended)], ReleasePhase.SUCCEEDED)
            add(store, [f"active-{number}" for number in range(20)], ReleasePhase.PROGRESSING)
        with watched(path) as store:
            costs.append(steps(partial(read_active, store)))
            reads.append(store.reads)
            costs[-1] += steps(partial(store.commit, tick(store)))
    assert reads[0] == reads[1] == 20 * (1 + 1 + 1 + 5 + 5)
    assert costs[1] <= 1.1 * costs[0]


def test_no_question_of_a_tick_walks_through_a_table() -> None:
    """Every statement of a tick finds its rows by an index, so that none grows with the years."""
    with watched() as store:
        add(store, ["active-0"], ReleasePhase.PROGRESSING)
        note = store.note("k", "x", by="ana", surface="cli", at=NOW, data={})

        def act() -> None:
            read_active(store)
            for type_ in (UnitState, Intent, Hold, Decision, Post):
                store.rows(type_, parent="active-0")
                store.rows(type_, open=True)
                store.rows(type_, parent="active-0", live=True)
            store.commit(tick(store))
            store.commit(Changes(answers={note: Answer(code=0, body={}, text="")}))
            store.note("k2", "x", by="ana", surface="cli", at=NOW, data={})
            store.answer(note)
            store.blob("sha256:1")
            store.events(release="active-0", after=1)
            store.events(after=1, limit=5)
            store.event_count()

        said = [each for each in statements(act) if each.split()[0] in _PLANNED]
        assert len(said) > 30
        for statement in said:
            for _, _, _, detail in Watched.last.execute(f"EXPLAIN QUERY PLAN {statement}"):
                # A scan of a partial index reads only what is open, live or unanswered.
                walks = detail.startswith("SCAN") and not detail.endswith(_SMALL)
                assert not walks, f"{detail} in {statement}"
                if "FROM event WHERE release =" in statement:
                    assert "USING INDEX event_release" in detail


_PLANNED = ("SELECT", "UPDATE", "DELETE", "INSERT")
_SMALL = ("_open", "standing_live", "inbox_unanswered", "sqlite_sequence")


def test_ending_a_large_release_writes_one_row() -> None:
    """Ten thousand rows need not be told that their release has ended."""
    with watched() as store:
        units = tuple(unit(name=f"c@{number}") for number in range(3000))
        store.commit(Changes(puts=(release(), *units)))
        before = Watched.last.total_changes
        ended = replace(stored(store, ReleaseState, release().key), phase=ReleasePhase.SUCCEEDED)
        store.commit(Changes(puts=(ended,)))
        # The release, its seal, and that it stands no more.
        assert Watched.last.total_changes - before <= 3
        assert store.rows(UnitState, live=True) == ()


def test_nothing_to_say_is_no_statement() -> None:
    """A tick with nothing due writes nothing, and asks the disk for nothing."""
    with watched() as store:
        said = statements(lambda: store.commit(Changes()))
        assert said == []
        assert (store.commits, store.writes) == (0, 0)


def test_a_tick_is_one_transaction_whatever_is_in_it() -> None:
    """One sync of the disk a tick makes durable intents cheap; the counters are for /metrics."""
    with watched() as store:
        add(store, ["active-0"], ReleasePhase.PROGRESSING)
        commits, writes = store.commits, store.writes
        said = statements(lambda: store.commit(tick(store)))
        assert [each for each in said if each.startswith(("BEGIN", "COMMIT"))] == [
            "BEGIN IMMEDIATE",
            "COMMIT",
        ]
        assert store.commits == commits + 1
        # A trigger lets its statement appear once more.
        wrote = {each for each in said if each.startswith(("INSERT", "UPDATE", "DELETE"))}
        assert store.writes == writes + len(wrote)


def test_a_blob_that_stands_is_not_packed_again() -> None:
    """A thousand clusters render the same object; it is stored and compressed once."""
    with watched() as store:
        blobs = {"sha256:1": {"a": ["x"] * 5000}}
        store.commit(Changes(blobs=blobs))
        writes = store.writes
        store.commit(Changes(blobs=blobs))
        assert store.writes == writes
        (size,) = Watched.last.execute("SELECT length(body) FROM blob").fetchone()
        assert size < 1000
