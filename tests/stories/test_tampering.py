"""Who edits the record is found, offline, on nothing but a copy of the store file: whatever row,
whatever way. Who rewrites all of it is found by one line that somebody noted elsewhere.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.sqlite import SqliteStore
from bot.core import chain
from bot.core.chain import Flaw
from bot.core.chain_rows import Record, verify
from bot.model.state import Certificate, Decision, Intent
from tests import repo_files
from tests.stories.breaking import Crash, Fuse, Fused
from tests.world import World

NAME = "node-agent-2-5-0"
POLICY = {
    "windows": {"attended": "5m"},
    "approvals": [{"components": {}, "count": 2, "roles": ["approver"]}],
}
Db = sqlite3.Connection


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of a release that was approved by two, lost an answer, and was rolled back."""
    folder = tmp_path_factory.mktemp("record")
    world = World(folder, db=str(folder / "sluice.db"))
    lose = {"do": "loseAnswers", "every": 3}
    world.write({"policy/policy.yaml": repo_files.doc("Policy", "policy", POLICY)})
    world.write({"fleet/clusters/eu-1.yaml": repo_files.cluster("eu-1", "prod", 4, [lose])})
    world.push("The fleet as it is")
    world.start()
    for cluster in ("st-1", "eu-1", "eu-2"):
        world.fleet.seed(cluster, repo_files.running())
    release = world.releases()
    for person in ("ana", "ben"):
        assert world.says(f"approve {release}#1", by=person).code == 0
    world.run_to_the_end(release)
    world.says(f"rollback {release} leak")
    world.run_for(minutes=20)
    assert world.phase(release) == "ROLLED_BACK"
    world.close()
    return folder / "sluice.db"


@pytest.fixture
def store(kept: Path, tmp_path: Path) -> Path:
    """A copy of the file alone: no Git, no fleet, no bot."""
    return Path(shutil.copy(kept, tmp_path / "copy.db"))


def record(path: Path, known: dict[int, str] | None = None) -> Record:
    with SqliteStore.reader(path) as store:
        return Record(
            lines=tuple(store.events()),
            count=store.event_count(),
            certificates=store.rows(Certificate),
            intents=store.rows(Intent),
            decisions=store.rows(Decision),
            known=known,
        )


def free(db: Db) -> None:
    """An attacker takes the triggers away first."""
    names = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        db.execute(f"DROP TRIGGER {name}")


def edit(table: str, **changes: Any) -> Callable[[Db], None]:
    """Fields of the body of the first row of a table."""

    def tamper(db: Db) -> None:
        key, body = _first(db, table)
        db.execute(
            f"UPDATE {table} SET body = ? WHERE key = ?",
            (json.dumps({**json.loads(body), **changes}), key),
        )

    return tamper


def line(seq: int, **changes: Any) -> Callable[[Db], None]:
    def tamper(db: Db) -> None:
        free(db)
        (body,) = db.execute("SELECT body FROM event WHERE seq = ?", (seq,)).fetchone()
        text = json.dumps({**json.loads(body), **changes})
        db.execute("UPDATE event SET body = ? WHERE seq = ?", (text, seq))

    return tamper


def sql(*statements: str) -> Callable[[Db], None]:
    def tamper(db: Db) -> None:
        free(db)
        for statement in statements:
            db.execute(statement)

    return tamper


def _first(db: Db, table: str) -> tuple[str, str]:
    found: tuple[str, str] = db.execute(
        f"SELECT key, body FROM {table} ORDER BY key LIMIT 1"
    ).fetchone()
    return found


def swapped(db: Db) -> None:
    """Two lines change places."""
    free(db)
    for old, new in ((10, 100_000), (11, 10), (100_000, 11)):
        db.execute("UPDATE event SET seq = ? WHERE seq = ?", (new, old))


def copied_proof(db: Db) -> None:
    """The proof of one batch is put in the place of another."""
    (good, body), (other, _) = db.execute(
        "SELECT key, body FROM certificate ORDER BY key LIMIT 2"
    ).fetchall()
    assert good != other
    db.execute("UPDATE certificate SET body = ? WHERE key = ?", (body, other))


def one_more_vote(db: Db) -> None:
    key, body = _first(db, "decision")
    row = json.loads(body)
    row["votes"] = [*row["votes"], {**row["votes"][0], "by": "mallory"}]
    db.execute("UPDATE decision SET body = ? WHERE key = ?", (json.dumps(row), key))


def lost_answer_hidden(db: Db) -> None:
    """A write whose answer was lost is made one that went well."""
    for key, body in db.execute("SELECT key, body FROM intent").fetchall():
        row = json.loads(body)
        if row["status"] == "UNKNOWN":
            text = json.dumps({**row, "status": "DONE", "outcome": ""})
            db.execute("UPDATE intent SET body = ? WHERE key = ?", (text, key))
            return
    raise AssertionError("no answer was lost")


def rehashed(db: Db) -> None:
    """A line is edited, and its own hash worked out anew."""
    line(8, who="mallory")(db)
    with_hash = record_of(db)
    db.execute("UPDATE event SET hash = ? WHERE seq = 8", (with_hash[7],))


def record_of(db: Db) -> list[str]:
    """The hashes that the lines of a store would have, worked out anew."""
    from bot.adapters.sqlite_rows import event_of

    rows = db.execute("SELECT seq, hash, release, body FROM event ORDER BY seq").fetchall()
    before, hashes = "", []
    for row in rows:
        before = chain.link(before, event_of(*row))
        hashes.append(before)
    return hashes


TAMPERING: dict[str, Callable[[Db], None]] = {
    "who of a line": line(5, who="mallory"),
    "kind of a line": line(5, kind="nothing"),
    "unit of a line": line(12, unit="node-agent@eu-9"),
    "batch of a line": line(12, batch=9),
    "time of a line": line(7, at="2026-11-20T09:00:00Z"),
    "data of a line": line(9, data={}),
    "hash of a line": sql("UPDATE event SET hash = hash || '0' WHERE seq = 6"),
    "release of a line": sql("UPDATE event SET release = 'other' WHERE seq = 6"),
    "a line is edited and hashed anew": rehashed,
    "the first line is gone": sql("DELETE FROM event WHERE seq = 1"),
    "a line in the middle is gone": sql("DELETE FROM event WHERE seq = 20"),
    "the last line is gone": sql("DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)"),
    "the last ten lines are gone": sql(
        "DELETE FROM event WHERE seq > (SELECT max(seq) FROM event) - 10"
    ),
    "the end is gone, and the count with it": sql(
        "DELETE FROM event WHERE seq > 40", "UPDATE sqlite_sequence SET seq = 40"
    ),
    "all lines are gone": sql("DELETE FROM event"),
    "two lines are swapped": swapped,
    "a line is put in": sql(
        "UPDATE event SET seq = seq + 100000 WHERE seq > 15",
        "INSERT INTO event SELECT 16, release, hash, body FROM event WHERE seq = 15",
        "UPDATE event SET seq = seq - 99999 WHERE seq > 100000",
    ),
    "a line is added at the end": sql(
        "INSERT INTO event (release, hash, body) SELECT release, hash, body FROM event"
        " WHERE seq = 5"
    ),
    "approvers of a proof": edit("certificate", approvers=["mallory"]),
    "plan hash of a proof": edit("certificate", plan_hash="sha256:0"),
    "pods of a proof": edit("certificate", pods=[]),
    "checks of a proof": edit("certificate", checks=[]),
    "soak of a proof": edit("certificate", soak_until="2026-11-24T23:00:00Z"),
    "revision of a proof": edit("certificate", revision="2.6.0@000000000000"),
    "a proof is gone": sql("DELETE FROM certificate WHERE rowid IN"
                           " (SELECT rowid FROM certificate ORDER BY key LIMIT 1)"),
    "all proofs are gone": sql("DELETE FROM certificate"),
    "a proof is copied": copied_proof,
    "a proof is added": sql(
        "INSERT INTO certificate SELECT key || '9', release, open, version,"
        " json_set(body, '$.batch', 99) FROM certificate LIMIT 1"
    ),
    "an intent is gone": sql("DELETE FROM intent WHERE rowid IN"
                             " (SELECT rowid FROM intent ORDER BY key LIMIT 1)"),
    "digest of an intent": edit("intent", digest="sha256:0"),
    "approvers of an intent": edit("intent", approvers=["mallory"]),
    "fence of an intent": edit("intent", fence="9.9"),
    "batch of an intent": edit("intent", batch=7),
    "time of an intent": edit("intent", at="2026-11-24T01:00:00Z"),
    "outcome of an intent": edit("intent", status="REFUSED", outcome="never happened"),
    "a lost answer is hidden": lost_answer_hidden,
    "an intent is added": sql(
        "INSERT INTO intent SELECT release || '/9999', release, open, version,"
        " json_set(body, '$.seq', 9999) FROM intent LIMIT 1"
    ),
    "a vote is added": one_more_vote,
    "a no becomes a yes": edit("decision", status="REJECTED"),
    "a decision is added": sql(
        "INSERT INTO decision SELECT release || '#77', release, open, version,"
        " json_set(body, '$.number', 77) FROM decision LIMIT 1"
    ),
}  # fmt: skip


def test_an_untouched_record_holds(store: Path) -> None:
    """No false alarm: lost answers, votes, a rollback and what it restored included."""
    found = record(store)
    assert verify(found) is None
    assert any(event.kind == "write.outcome" for event in found.lines)
    assert len(TAMPERING) >= 30


def test_a_crash_leaves_a_record_that_holds(tmp_path: Path) -> None:
    """Nobody knows what came of a write under which the process died: the chain says just that."""
    world = World(tmp_path, db=str(tmp_path / "sluice.db"))
    world.push("The fleet as it is")
    world.start()
    for cluster in ("st-1", "eu-1", "eu-2"):
        world.fleet.seed(cluster, repo_files.running())
    release = world.releases(units={"names": ["st-1"]})
    world.run_until("2026-11-24T08:59:00Z")

    fuse = Fuse(at=1)
    world.around = lambda ports: replace(ports, fleet=Fused(ports.fleet, "write", fuse))
    world.start()
    with pytest.raises(Crash):
        world.run_until("2026-11-24T09:05:00Z")
    assert world.store is not None
    world.store.close()
    world.dies()
    world.start()
    world.run_to_the_end(release)
    world.close()
    found = record(tmp_path / "sluice.db")
    assert verify(found) is None
    (told,) = [event for event in found.lines if event.kind == "write.outcome"]
    assert (told.data["status"], told.data["why"]) == ("UNKNOWN", "the bot ended")


@pytest.mark.parametrize("how", TAMPERING)
def test_whatever_is_touched_is_found(store: Path, how: str) -> None:
    with closing(sqlite3.connect(store)) as db:
        TAMPERING[how](db)
        db.commit()
    assert verify(record(store)) is not None


def test_who_rewrites_the_whole_chain_is_found_by_one_noted_line(store: Path) -> None:
    """Every hash anew and every row with it: the record is whole, and another one."""
    lines = record(store).lines
    noted = {lines[-1].seq: lines[-1].hash}
    assert verify(record(store, noted)) is None
    with closing(sqlite3.connect(store)) as db:
        line(3, who="mallory")(db)
        for seq, text in enumerate(record_of(db), start=1):
            db.execute("UPDATE event SET hash = ? WHERE seq = ?", (text, seq))
        db.commit()
    assert verify(record(store)) is None, "by itself it cannot be told"
    broken = verify(record(store, noted))
    assert broken is not None
    assert broken.flaw is Flaw.OTHER_RECORD
