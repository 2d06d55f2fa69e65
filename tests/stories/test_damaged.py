"""A store damaged by hand or by a disk: named, held, and nothing of it reaches a cluster."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.sqlite_inspect import inspect
from bot.ports import StoreLocked
from tests import repo_files
from tests.stories.test_stores import ST_1, store_of
from tests.world import World


@pytest.fixture
def filed(tmp_path: Path) -> Iterator[World]:
    """A world whose store is a file, with a release whose first batch is about to begin."""
    found = World(tmp_path, db=str(tmp_path / "store.db"))
    found.push("The fleet as it is")
    found.start()
    for cluster in ("st-1", "eu-1", "eu-2"):
        found.fleet.seed(cluster, repo_files.running())
    found.releases()
    found.run_until("2026-11-24T08:59:00Z")
    yield found
    found.close()


RELEASE = "node-agent-2-5-0"


def by_hand(world: World, *statements: str, start: bool = True) -> None:
    """Somebody opens the file with a database tool while the bot is down."""
    world.dies()
    store_of(world).close()
    with closing(sqlite3.connect(world.db)) as connection:
        for trigger in ("event_no_update", "event_no_delete"):
            connection.execute(f"DROP TRIGGER {trigger}")
        for statement in statements:
            assert connection.execute(statement).rowcount, f"it changes nothing: {statement}"
        connection.commit()
    if start:
        world.start()


def test_a_sound_store_has_no_flaw(filed: World) -> None:
    """At every moment of a release: a doctor who cries wolf is not asked any more."""
    assert inspect(Path(filed.db)) == ()
    filed.run_until("2026-11-24T09:00:30Z")
    assert inspect(Path(filed.db)) == ()
    filed.says(f"rollback {RELEASE} bad")
    filed.run_for(minutes=20)
    assert inspect(Path(filed.db)) == ()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (f"DELETE FROM unit WHERE key = '{RELEASE}/{ST_1}'", f"no row of {ST_1}"),
        (f"DELETE FROM plan WHERE key = '{RELEASE}'", f"the plan of {RELEASE} is missing"),
        (
            "UPDATE plan SET body = replace(body, 'PT300S', 'PT0S')",
            "is not the one of its hash",
        ),
    ],
)
def test_rows_that_do_not_fit_hold_everything(filed: World, statement: str, named: str) -> None:
    """Not only the release that they are of: who knows what else is not as it was."""
    by_hand(filed, statement)
    filed.run_for(hours=2)
    for cluster in ("st-1", "eu-1", "eu-2"):
        assert filed.fleet.writes(cluster) == []
    hold = filed.bot.board.holds["store/damaged"]
    assert named in hold.reason
    assert any(named in flaw for flaw in inspect(Path(filed.db)))
    assert filed.says("pause all").code == 0, "stopping is always possible"
    assert filed.says("resume all").code == 0
    assert "store/damaged" in filed.bot.board.holds
    said = filed.says("resume all")
    assert (said.code, said.body["refused"]["who"]) == (3, ["ana", "dan"])


def test_nothing_is_put_back_by_a_damaged_store_either(filed: World) -> None:
    """What it says was there before may be as wrong as the rest."""
    filed.run_until("2026-11-24T09:20:00Z")
    before = len(filed.fleet.writes("st-1"))
    by_hand(filed, f"DELETE FROM unit WHERE key = '{RELEASE}/node-agent@eu-2'")
    filed.says(f"rollback {RELEASE} bad")
    filed.run_for(hours=1)
    assert len(filed.fleet.writes("st-1")) == before
    assert "damaged" in filed.why(RELEASE)


def test_a_store_that_is_put_back_lets_go_by_itself(filed: World) -> None:
    """The hold is of the damage: a whole copy has none."""
    copy = filed.path / "copy.db"
    store_of(filed).backup(copy, at=filed.clock.at)
    by_hand(filed, f"DELETE FROM unit WHERE key = '{RELEASE}/{ST_1}'")
    filed.tick()
    filed.dies()
    store_of(filed).close()
    for name in ("store.db-wal", "store.db-shm"):
        (filed.path / name).unlink(missing_ok=True)
    shutil.copy(copy, filed.db)
    filed.start()
    filed.run_for(seconds=1)
    assert filed.bot.board.holds == {}
    filed.run_to_the_end(RELEASE)
    assert filed.phase(RELEASE) == "SUCCEEDED"


def test_flipped_bytes_of_an_object_reach_no_cluster(filed: World) -> None:
    """It still reads as JSON, and asks for another image: only the digest knows."""
    filed.dies()
    with closing(sqlite3.connect(filed.db)) as connection:
        rows = connection.execute("SELECT digest, body FROM blob WHERE packed = 0").fetchall()
    digest = next(d for d, body in rows if b"2.5.0" in body)
    by_hand(
        filed,
        "UPDATE blob SET body = CAST(replace(CAST(body AS TEXT), '2.5.0', '2.6.0') AS BLOB)"
        f" WHERE digest = '{digest}'",
    )
    filed.clock.at = filed.clock.at.replace(hour=9, minute=5)
    for _ in range(3):
        with pytest.raises(StoreLocked, match="is not what its digest says"):
            filed.bot.tick()
        filed.start()
    assert filed.fleet.writes("st-1") == []
    assert any(digest[:19] in flaw for flaw in inspect(Path(filed.db)))


def test_a_row_that_cannot_be_read_lets_no_bot_begin(filed: World) -> None:
    """It is named, with what to do; and nothing is written while it stands."""
    by_hand(filed, f"UPDATE unit SET body = '{{' WHERE key = '{RELEASE}/{ST_1}'", start=False)
    with pytest.raises(StoreLocked) as caught:
        filed.start()
    assert f"{RELEASE}/{ST_1}" in caught.value.why
    assert "sluice backup" in caught.value.why
    assert any(f"the unit {RELEASE}/{ST_1} cannot be read" in f for f in inspect(Path(filed.db)))


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE event SET body = replace(body, '\"release\"', '\"RELEASE\"') WHERE seq = 2", "2"),
        ("DELETE FROM event WHERE seq = 3", "line 3: missing"),
        (f"UPDATE standing SET live = 0 WHERE release = '{RELEASE}'", "listed as live"),
        ("UPDATE inbox SET body = 'x' WHERE id = 1", "the inbox 1 cannot be read"),
        (
            f"UPDATE unit SET key = '{RELEASE}/node-agent@xx' WHERE key = '{RELEASE}/{ST_1}'",
            "is not the row of its key",
        ),
        ("DELETE FROM blob", f"objects of {RELEASE} are missing"),
    ],
)
def test_the_doctor_names_what_was_changed_by_hand(
    filed: World, statement: str, named: str
) -> None:
    """Each by itself: who mends a store wants to know how far the damage goes."""
    filed.says(f"snooze {RELEASE} --until 1h --reason x")
    by_hand(filed, statement, start=False)
    found = inspect(Path(filed.db))
    assert any(named in flaw for flaw in found), found


def test_damaged_pages_are_named_and_do_not_hide_the_rest(filed: World) -> None:
    """A disk that flips bytes: the doctor answers, whatever SQLite can still read."""
    by_hand(filed, f"UPDATE unit SET body = '{{' WHERE key = '{RELEASE}/{ST_1}'", start=False)
    with closing(sqlite3.connect(filed.db)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'event'")
        at = (root.fetchone()[0] - 1) * page
    data = bytearray(Path(filed.db).read_bytes())
    data[at : at + 64] = bytes(64)
    Path(filed.db).write_bytes(bytes(data))
    found = inspect(Path(filed.db))
    assert any("pages cannot be looked through" in flaw for flaw in found), found
    assert any("cannot be read" in flaw for flaw in found), json.dumps(found)
