"""Backups: a whole copy while the bot runs, which knows that it is one."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.sqlite import RESTORED_FROM, SqliteStore
from bot.core import chain
from bot.model.state import UnitState
from bot.ports import Changes, Refused
from tests.contracts.stores import NOW, event, release, unit


def filled(path: Path | str) -> SqliteStore:
    store = SqliteStore(path)
    store.commit(Changes(puts=(release(), unit()), events=(event("a"), event("b"))))
    store.note("k", "pause all", by="ana", surface="cli", at=NOW, data={})
    return store


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


@pytest.mark.parametrize("source", ["file", "memory"])
def test_a_backup_is_a_whole_store_that_knows_that_it_is_one(tmp_path: Path, source: str) -> None:
    """Started from yesterday's state, a bot would repeat today's batches: the mark holds it."""
    (tmp_path / "out").mkdir()
    copy = tmp_path / "out" / "copy.db"
    with filled(":memory:" if source == "memory" else tmp_path / "sluice.db") as store:
        store.backup(copy, at=NOW)
        assert names(copy.parent) == ["copy.db"]
        # And it stays one file for whoever looks into it: no log beside it to forget.
        assert copy.read_bytes()[18:20] == b"\x01\x01"
        with SqliteStore(copy) as restored:
            assert restored.mark(RESTORED_FROM) == "2026-11-24T09:00:00.123456+00:00 event 2"
            assert restored.rows(UnitState) == store.rows(UnitState)
            assert restored.notes() == store.notes()
            assert restored.events() == store.events()
            (line,) = restored.commit(Changes(events=(event("restored"),)))
            assert line.seq == 3
            assert chain.verify(restored.events(), count=restored.event_count()) is None
        assert store.mark(RESTORED_FROM) is None


def test_a_backup_does_not_wait_for_the_writer_nor_hold_it_up(tmp_path: Path) -> None:
    """It is made while releases run, and it holds only what was committed."""
    path = tmp_path / "sluice.db"
    with filled(path) as store, closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO mark (name, value) VALUES ('half', 'done')")
        store.backup(tmp_path / "copy.db", at=NOW)
        writer.execute("COMMIT")
    with SqliteStore.reader(tmp_path / "copy.db") as copy:
        assert copy.mark("half") is None
        assert len(copy.events()) == 2


def test_a_backup_can_be_made_by_one_who_only_reads(tmp_path: Path) -> None:
    """`sluice backup` runs beside the bot, in a process of its own."""
    filled(tmp_path / "sluice.db").close()
    with SqliteStore.reader(tmp_path / "sluice.db") as reader:
        reader.backup(tmp_path / "copy.db", at=NOW)
    with SqliteStore.reader(tmp_path / "copy.db") as copy:
        assert copy.mark(RESTORED_FROM) is not None


def test_a_backup_overwrites_nothing_and_leaves_no_half(tmp_path: Path) -> None:
    """A copy that replaced an older good one with half a file would be worse than none."""
    (tmp_path / "copy.db").write_text("precious")
    with filled(":memory:") as store:
        with pytest.raises(Refused, match="overwrites nothing"):
            store.backup(tmp_path / "copy.db", at=NOW)
        with pytest.raises(Refused, match=r"nowhere/copy\.db could not be written"):
            store.backup(tmp_path / "nowhere" / "copy.db", at=NOW)
    assert names(tmp_path) == ["copy.db"]
    assert (tmp_path / "copy.db").read_text() == "precious"
