"""Rows that somebody took away or changed by hand and that still read well: doctor names them."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.sqlite import SqliteStore
from bot.adapters.sqlite_inspect import inspect
from tests import repo_files
from tests.stories.test_stores import store_of
from tests.world import World

RELEASE = "node-agent-2-5-0"


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a bot that took 2.5.0 back and brought 2.6.0 to all clusters."""
    folder = tmp_path_factory.mktemp("lived")
    world = World(folder, db=str(folder / "store.db"))
    world.push("The fleet as it is")
    world.start()
    for cluster in ("st-1", "eu-1", "eu-2"):
        world.fleet.seed(cluster, repo_files.running())
    world.releases()
    world.run_until("2026-11-24T09:22:00Z")
    assert world.says(f"rollback {RELEASE} leak").code == 0
    world.run_for(minutes=15)
    world.releases("next", "2.6.0")
    world.run_to_the_end("next")
    assert world.says("freeze all --until 2h --reason fair").code == 0
    assert world.says("unfreeze all").code == 0
    store_of(world).close()
    world.store = None
    world.close()
    return Path(world.db)


def by_hand(lived: Path, tmp_path: Path, statement: str) -> Path:
    copy = tmp_path / "copy.db"
    shutil.copy(lived, copy)
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute(statement).rowcount, "it changes nothing"
        connection.commit()
    return copy


def test_a_life_with_everything_in_it_has_no_flaw(lived: Path) -> None:
    """A doctor who cries wolf is not asked any more."""
    assert inspect(lived) == ()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("DELETE FROM blocked", "the blocked node-agent/2.5.0/ is gone"),
        (
            "DELETE FROM applied WHERE key = 'node-agent@eu-1'",
            "the applied node-agent@eu-1 is gone",
        ),
        (f"DELETE FROM pull WHERE key = 'pr/{RELEASE}'", f"the pull pr/{RELEASE} is gone"),
        ("DELETE FROM mark WHERE name = 'main'", "the mark main is gone"),
        (
            "UPDATE mark SET value = 'x' WHERE name = 'main'",
            "the mark main is not what was written",
        ),
        ("DELETE FROM cluster WHERE key = 'eu-1'", "the cluster eu-1 is gone"),
        (
            "UPDATE unit SET body = replace(body, 'SUCCEEDED', 'SKIPPED')"
            " WHERE key = 'next/node-agent@eu-2'",
            "the unit next/node-agent@eu-2 is not what was written",
        ),
        (
            "UPDATE release SET body = replace(body, 'SUCCEEDED', 'CANCELLED') WHERE key = 'next'",
            "the release next is not what was written",
        ),
        ("DELETE FROM unit WHERE key = 'next/node-agent@eu-2'", "next/node-agent@eu-2 is gone"),
        (
            "INSERT INTO applied SELECT 'node-agent@eu-9', release, open, version,"
            " replace(body, 'eu-1', 'eu-9') FROM applied WHERE key = 'node-agent@eu-1'",
            "the applied node-agent@eu-9 was put in by hand",
        ),
        ("UPDATE post SET open = 1 WHERE key = 'card/next'", "the post card/next is not the row"),
    ],
)
def test_the_doctor_names_the_row(lived: Path, tmp_path: Path, statement: str, named: str) -> None:
    """Rolled back content may go out again when its block is gone: somebody has to be told."""
    found = inspect(by_hand(lived, tmp_path, statement))
    assert any(named in flaw for flaw in found), found
    assert len(found) == 1, found


def test_a_store_from_before_is_sealed_as_it_is(lived: Path, tmp_path: Path) -> None:
    """Who upgrades must not hear that their whole history was forged."""
    old = tmp_path / "old.db"
    shutil.copy(lived, old)
    with closing(sqlite3.connect(old)) as connection:
        connection.execute("DROP TABLE seal")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = '0004_seals'")
        connection.execute("PRAGMA user_version = 3")
        connection.commit()
    SqliteStore(old).close()
    assert inspect(old) == ()
    connection = sqlite3.connect(old)
    with closing(connection):
        connection.execute("DELETE FROM blocked")
        connection.commit()
    assert len(inspect(old)) == 1


def test_a_backup_is_whole_too(lived: Path, tmp_path: Path) -> None:
    """The mark that it is one is written into the copy, and is no forgery."""
    with SqliteStore(lived) as store:
        store.backup(tmp_path / "backup.db", at=datetime(2026, 11, 24, tzinfo=UTC))
    assert inspect(tmp_path / "backup.db") == ()
