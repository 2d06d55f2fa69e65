"""status, list, why, audit, fleet, backup, doctor: what is true now, and the record of it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from bot.adapters.sqlite import SqliteStore
from bot.model.state import Certificate
from bot.ports import Changes
from tests.cli.terminal import Town, sluice

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_status_has_the_shape_of_the_contract(town: Town) -> None:
    """Scripts read it while the bot is being replaced."""
    name = town.merged()
    said = town.sluice("status", "--json")
    assert said.code == 0
    (release,) = said.json["releases"]
    assert release == release | {"release": name, "phase": "SCHEDULED", "holds": []}
    assert release["commit"] == town.repo.git("rev-parse", "main")
    assert release["planHash"].startswith("sha256:")
    (decision,) = release["decisions"]
    assert decision == decision | {
        "id": f"{name}#1",
        "roles": ["approver"],
        "count": 1,
        "by": [],
        "who": ["ana", "ben"],
    }
    assert release["units"][1] == release["units"][1] | {
        "unit": "agent@eu-2",
        "stage": "production",
        "wave": 2,
        "phase": "PENDING",
        "batch": 0,
        "batches": 3,
        "updated": 0,
        "total": 0,
    }
    text = town.sluice("status")
    assert f"approve {name}#1" in text.out
    assert "No bot runs on this store" in text.err


def test_why_says_who_can_clear_it_and_where_the_rule_stands(town: Town) -> None:
    """Everything that waits can say why."""
    name = town.merged()
    why = town.sluice("why", name, "--json").json
    assert why["release"] == name
    first, second = why["waiting"]
    assert (first["unit"], first["gate"], first["who"]) == (
        "agent@eu-1",
        "approval",
        ["ana", "ben"],
    )
    assert set(first) >= {"unit", "gate", "why", "until", "who", "source"}
    unit = town.sluice("why", "agent@eu-2", "--json").json
    assert unit["waiting"] == [second]
    assert "Needs decision" in town.sluice("why", name).out


def test_why_of_a_unit_that_rolls_looks_at_its_cluster(town: Town) -> None:
    """What it waits for then is in the cluster, and in no row of the store."""
    name = town.merged()
    town.sluice("approve", name, "--as", "ana")
    town.tick()
    (waits,) = town.sluice("why", "agent@eu-1", "--json").json["waiting"]
    assert waits["gate"] == "converged"
    (eu1,) = town.sluice("fleet", "eu-1", "--json").json["clusters"]
    assert eu1["reachable"] is True
    assert [write["verb"] for write in eu1["writes"]] == ["create"]
    assert eu1["objects"][0]["kind"] == "DaemonSet"
    assert "1 write received" in town.sluice("fleet", "eu-1").out


def test_looking_at_the_fleet_changes_nothing_in_it(town: Town) -> None:
    """A question beside a running bot must not write into its file."""
    name = town.merged()
    town.sluice("approve", name, "--as", "ana")
    town.tick()
    file = Path(f"{town.db}.fleet")
    before = file.read_bytes()
    town.sluice("fleet")
    town.sluice("why", name)
    assert file.read_bytes() == before


def test_unknown_names_are_refused_with_near_ones(town: Town) -> None:
    """The same everywhere: exit 3, and what was probably meant."""
    name = town.merged()
    for words, near in (
        (("status", "agent-2-0"), name),
        (("why", "agent-2-0"), name),
        (("why", "agent@eu1"), "agent@eu-1"),
        (("audit", "agent-2-0"), name),
        (("fleet", "eu1"), "eu-1"),
    ):
        said = town.sluice(*words, "--json")
        assert said.code == 2, words
        assert near in said.json["refused"]["why"]


def test_release_files_that_stood_before_are_listed_and_never_run(town: Town) -> None:
    """With an empty store the present head is the starting line."""
    old = town.repo.propose("1.0.0")
    town.repo.merge(old)
    town.tick()
    (listed,) = town.sluice("list", "--json").json["releases"]
    assert (listed["release"], listed["phase"]) == (old, "BEFORE_US")
    assert f"never runs by itself: {old}" in town.sluice("list").out
    assert town.sluice("why", old).out.startswith(f"Release {old} has ended: BEFORE_US")
    assert town.sluice("status", old).code == 0


def test_audit_verify_finds_a_line_that_was_changed(town: Town) -> None:
    """The record is worth what its chain is worth."""
    name = town.merged()
    good = town.sluice("audit", name, "--verify", "--json")
    assert (good.code, good.json["verified"]) == (0, True)
    assert set(good.json["events"][0]) == {
        "seq", "at", "kind", "release", "unit", "batch", "who", "data", "hash",
    }  # fmt: skip
    with closing(sqlite3.connect(town.db, isolation_level=None)) as anybody:
        for (trigger,) in anybody.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            anybody.execute(f"DROP TRIGGER {trigger}")
        anybody.execute("UPDATE event SET body = replace(body, 'Release', 'Rollback')")
    bad = town.sluice("audit", name, "--verify", "--json")
    assert bad.code == 1
    assert bad.json["broken"] == {"seq": 1, "flaw": "changed"}


def test_audit_verify_finds_a_certificate_that_nobody_gave(town: Town) -> None:
    """The lines may all stand, and the proof beside them be forged."""
    name = town.merged()
    forged = Certificate(
        release=name,
        unit="agent@eu-1",
        batch=1,
        plan_hash="sha256:0",
        revision="1.0.0@0",
        updated=1,
        total=1,
        pods=(),
        checks=(),
        soak_from=AT,
        soak_until=AT,
        approvers=("ana",),
        at=AT,
    )
    with SqliteStore(town.db) as store:
        store.commit(Changes(puts=(forged,)))
    bad = town.sluice("audit", name, "--verify", "--json")
    assert bad.code == 1
    key = f"{name}/agent@eu-1/1"
    assert bad.json["broken"] == {"seq": None, "flaw": "added-certificate", "certificate": key}
    assert key in town.sluice("audit", name, "--verify").out


def test_a_backup_can_be_asked_like_the_store(town: Town, tmp_path: Path) -> None:
    """A copy that cannot be read is none; it is taken while the bot may run."""
    name = town.merged()
    copy = tmp_path / "copy.db"
    assert town.sluice("backup", copy, "--json").json["file"] == str(copy)
    said = sluice("--repo", town.repo.bare, "--db", copy, "status", name, "--json")
    assert said.json["releases"][0]["phase"] == "SCHEDULED"
    assert town.sluice("backup", copy).code == 3


def test_a_question_without_a_store_says_so(town: Town) -> None:
    """`No release` would be a lie: nobody knows."""
    said = town.sluice("status", "--json")
    assert said.code == 4
    assert "There is no store" in said.json["error"]["why"]


def test_doctor_tells_what_is_missing_and_how_to_mend_it(town: Town) -> None:
    """The first command when something does not work; it must not need anything to work."""
    well = town.sluice("doctor", "--as", "ana", "--json")
    assert well.code == 0, well.out
    checks = {one["name"]: one for one in well.json["checks"]}
    assert {
        "git",
        "repo",
        "main lints",
        "who I am",
        "store",
        "disk",
        "bot",
        "clusters",
        "sandbox",
    } <= set(checks)
    assert all(set(one) == {"name", "ok", "found", "mend"} for one in checks.values())
    ill = sluice(
        "doctor", "--repo", town.db.parent / "none", "--db", town.db / "none/x.db", "--json"
    )
    assert ill.code == 1
    missing = {one["name"] for one in ill.json["checks"] if not one["ok"]}
    assert missing == {"repo", "store"}
    assert all(one["mend"] for one in ill.json["checks"] if not one["ok"])
