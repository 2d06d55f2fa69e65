"""Opening a store: what is newer, damaged or somebody else's is refused, and stays as it was."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.sqlite import SqliteStore
from bot.model.state import ReleaseState
from bot.ports import Changes, StoreLocked
from tests.contracts.stores import NOW, release, unit
from tests.storage.other_process import ROOT


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with a release in it, closed."""
    with SqliteStore(tmp_path / "sluice.db") as store:
        store.commit(Changes(puts=(release(), unit())))
    return tmp_path / "sluice.db"


def refused(path: Path, *, reader: bool = False) -> StoreLocked:
    with pytest.raises(StoreLocked) as caught:
        SqliteStore.reader(path) if reader else SqliteStore(path)
    return caught.value


def set_pragma(path: Path, pragma: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA {pragma}")


def test_what_was_committed_is_there_after_opening_again(path: Path) -> None:
    """The state of a release must survive the process."""
    with SqliteStore(path) as store:
        assert store.get(ReleaseState, release().key) is not None


def test_a_store_is_durable_against_power_loss(path: Path) -> None:
    """FULL syncs the log before a commit returns; else an intent could be gone after its effect."""
    seen: list[sqlite3.Connection] = []

    class Watched(sqlite3.Connection):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[arg-type]
            seen.append(self)

    with SqliteStore(path, factory=Watched):
        assert seen[0].execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert seen[0].execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("reader", [False, True])
def test_a_store_of_a_newer_version_is_left_untouched(path: Path, reader: bool) -> None:
    """Going back to an older Sluice must not cost the state of the releases."""
    set_pragma(path, "user_version = 99")
    before = {file: file.read_bytes() for file in path.parent.iterdir()}
    error = refused(path, reader=reader)
    assert error.kind == "newer"
    assert "newer version of Sluice" in error.why
    assert {file: file.read_bytes() for file in path.parent.iterdir()} == before


@pytest.mark.parametrize("reader", [False, True])
def test_a_migration_that_is_not_known_means_newer(path: Path, reader: bool) -> None:
    """The name of a migration counts, also where a number was mended by hand."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('sluice', '0042_from_the_future', '')"
        )
        connection.commit()
    assert refused(path, reader=reader).kind == "newer"


def test_a_newer_store_is_known_also_by_what_is_still_in_its_log(path: Path) -> None:
    """After a crash the newest head of the file stands in the log beside it, not in the file."""
    with closing(sqlite3.connect(path)) as crashed:
        crashed.execute("PRAGMA user_version = 99")
        copy = path.with_name("copy.db")
        for end in ("", "-wal"):
            Path(f"{copy}{end}").write_bytes(Path(f"{path}{end}").read_bytes())
    assert refused(copy).kind == "newer"


@pytest.mark.parametrize(
    "content", [b"apiVersion: sluice/v1\n", b"\x00" * 4096, b"SQLite format 3\x00 cut off"]
)
def test_a_file_that_is_no_database_is_left_untouched(tmp_path: Path, content: bytes) -> None:
    """A slip in SLUICE_DB must not overwrite somebody's file."""
    path = tmp_path / "sluice.db"
    path.write_bytes(content)
    error = refused(path)
    assert error.kind == "broken"
    assert "not an SQLite file" in error.why
    assert "sluice backup" in error.why
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == ["sluice.db"]


@pytest.mark.parametrize("version", [0, 1, 7])
def test_another_programs_database_is_left_untouched(tmp_path: Path, version: int) -> None:
    """An SQLite file is not yet a store of ours."""
    path = tmp_path / "browser.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE history (url TEXT)")
        connection.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    error = refused(path)
    assert error.kind == "broken"
    assert "not a store of Sluice" in error.why
    assert path.read_bytes() == before


def test_a_damaged_store_says_how_to_mend_it(path: Path) -> None:
    """Whoever reads this at night needs the next step, not a stack of frames."""
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(content)
    error = refused(path)
    assert error.kind == "broken"
    assert "damaged" in error.why
    assert "put back a copy made with `sluice backup`" in error.why


def test_a_row_that_cannot_be_read_is_named(path: Path) -> None:
    """One bad row is found by its name, not by bisecting a file."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE release SET body = '{}'")
        connection.commit()
    with SqliteStore(path) as store, pytest.raises(StoreLocked, match=release().key) as caught:
        store.rows(ReleaseState)
    assert caught.value.kind == "broken"


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    """So does what a kill leaves, in the very moment in which a store is made."""
    path = tmp_path / "sluice.db"
    path.touch()
    with SqliteStore(path) as store:
        store.commit(Changes(marks={"main": "c1"}))
    with SqliteStore(path) as store:
        assert store.mark("main") == "c1"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The mistake is in the path; the answer names it."""
    error = refused(tmp_path / "nowhere" / "sluice.db")
    assert error.kind == "broken"
    assert "nowhere/sluice.db" in error.why
    assert refused(tmp_path).kind == "broken"  # a folder itself


def test_a_reader_makes_no_store(tmp_path: Path) -> None:
    """A question about a store that is not there leaves nothing behind."""
    error = refused(tmp_path / "sluice.db", reader=True)
    assert "no store at" in error.why
    assert os.listdir(tmp_path) == []


def test_a_reader_of_an_empty_store_says_that_there_is_none(tmp_path: Path) -> None:
    """Between the making of the file and of its tables it is no store yet."""
    (tmp_path / "sluice.db").touch()
    assert "no store at" in refused(tmp_path / "sluice.db", reader=True).why


def test_a_reader_cannot_write(path: Path) -> None:
    """Questions are safe to ask, whatever else goes wrong in them."""
    with SqliteStore.reader(path) as reader:
        with pytest.raises(StoreLocked, match="read-only") as caught:
            reader.commit(Changes(marks={"main": "c1"}))
        assert caught.value.kind == "broken"
        assert reader.mark("main") is None
        assert reader.commits == reader.writes == 0


def test_readers_and_the_writer_do_not_wait_for_each_other(path: Path) -> None:
    """`status` in a loop must not slow a rollout, and a long question sees one moment."""
    with SqliteStore(path, wait=0) as writer, SqliteStore.reader(path) as reader:
        with reader.snapshot():
            assert reader.mark("main") is None
            writer.commit(Changes(marks={"main": "c1"}))
            assert reader.mark("main") is None
        assert reader.mark("main") == "c1"


def test_a_store_is_opened_with_characters_that_mean_something_in_a_url(tmp_path: Path) -> None:
    """Paths are people's; the way a file is opened must not leak into them."""
    path = tmp_path / "a%20b?mode=memory#1 ü.db"
    with SqliteStore(path) as store:
        store.note("k", "pause all", by="ana", surface="cli", at=NOW, data={})
    with SqliteStore.reader(path) as reader:
        assert len(reader.notes()) == 1
    assert path.exists()


def test_a_store_that_stands_is_opened_without_the_heavy_library(path: Path) -> None:
    """Migrations need sqlite-utils; `status` twice a second must not pay for importing it."""
    code = (
        "import sys; from bot.adapters.sqlite import SqliteStore;"
        f" SqliteStore({str(path)!r}); sys.exit('sqlite_utils' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
