"""doctor on a store that was damaged: every flaw by name, what to do, and exit 1."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.cli.terminal import Town


def by_hand(town: Town, statement: str) -> None:
    with closing(sqlite3.connect(town.db)) as connection:
        assert connection.execute(statement).rowcount
        connection.commit()


def test_each_flaw_is_named_with_how_to_mend_it(town: Town) -> None:
    """Whoever is called at night reads one page, and knows what to put back."""
    name = town.merged()
    assert town.sluice("pause", name, "--as", "ana").code == 0
    by_hand(town, f"DELETE FROM unit WHERE key = '{name}/agent@eu-1'")
    by_hand(town, "UPDATE inbox SET body = 'x'")
    said = town.sluice("doctor", "--as", "ana", "--json")
    assert said.code == 1
    bad = [one for one in said.json["checks"] if one["name"] == "store" and not one["ok"]]
    assert any("no row of agent@eu-1" in one["found"] for one in bad)
    assert any("the inbox 1 cannot be read" in one["found"] for one in bad)
    assert all("sluice backup" in one["mend"] for one in bad)


def test_a_store_of_a_later_version_is_not_called_damaged(town: Town) -> None:
    """Putting back a backup would be the wrong cure."""
    town.merged()
    with closing(sqlite3.connect(town.db)) as connection:
        connection.execute("PRAGMA user_version = 999")
    said = town.sluice("doctor", "--as", "ana", "--json")
    (bad,) = [one for one in said.json["checks"] if one["name"] == "store"]
    assert not bad["ok"]
    assert bad["mend"] == "start the version of Sluice that wrote it, or a later one"


def test_what_all_flaws_need_is_said_once_below_them(town: Town) -> None:
    """Sixty-five times the same advice hides what is damaged."""
    name = town.merged()
    by_hand(town, f"DELETE FROM unit WHERE release = '{name}'")
    by_hand(town, "DELETE FROM mark")
    text = town.sluice("doctor", "--as", "ana").out
    assert text.count("WRONG") >= 4
    assert text.count("mend: ") == 1
    assert text.index("mend: ") > text.rindex("WRONG")


def test_a_table_that_was_dropped_is_damage_and_no_failing_disk(town: Town) -> None:
    """Whoever looks at mounts and cables all night does not put back the backup."""
    town.merged()
    with closing(sqlite3.connect(town.db)) as connection:
        connection.execute("DROP TABLE unit")
    said = town.sluice("status")
    assert said.code == 4
    assert "is damaged" in said.err
    assert "disk" not in said.err
    said = town.sluice("doctor", "--as", "ana", "--json")
    bad = [one["found"] for one in said.json["checks"] if one["name"] == "store" and not one["ok"]]
    assert bad[0] == "the table unit is gone, with all its rows"
    assert len(bad) == 2, "the flaw and their number"
