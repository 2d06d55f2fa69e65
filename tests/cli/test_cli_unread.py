"""The release repo is out of reach: what runs goes on, and so must the people who steer it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.cli.terminal import Town


@contextmanager
def repo_gone(town: Town) -> Iterator[None]:
    """Its disk is lost, and comes back at the end."""
    away = town.repo.bare.with_name("gone.git")
    town.repo.bare.rename(away)
    yield
    away.rename(town.repo.bare)


STEERING = (
    ("pause", "all"),
    ("resume", "all"),
    ("approve", "{name}"),
    ("rollback", "{name}", "--reason", "bad"),
    ("freeze", "all", "--until", "2h", "--reason", "fire"),
)


def test_every_verb_is_recorded_for_the_bot_to_judge(town: Town) -> None:
    """A rollback is wanted most in the very hour in which Git is down."""
    name = town.merged()
    with repo_gone(town):
        for words in STEERING:
            said = town.sluice(*(word.format(name=name) for word in words), "--as", "ana", "--json")
            assert (said.code, said.json["pending"]) == (0, True), words
            assert "could not be judged here" in said.err
        assert len(town.sluice("status", "--json").json["recorded"]) == len(STEERING)


def test_what_was_recorded_unjudged_is_judged_by_the_bot(town: Town) -> None:
    """Recording is no permission: who may not, may not later either."""
    name = town.merged()
    with repo_gone(town):
        town.sluice("approve", name, "--as", "chris")
    town.tick()
    (release,) = town.sluice("status", name, "--json").json["releases"]
    assert [one["by"] for one in release["decisions"]] == [[]]


def test_status_and_list_answer_from_the_store(town: Town) -> None:
    """Phases, holds, units and decisions are rows of the store; rules are not, and none is told."""
    name = town.merged()
    town.sluice("pause", name, "--as", "ana", "--reason", "lunch")
    town.tick()
    (before,) = town.sluice("status", name, "--json").json["releases"]
    with repo_gone(town):
        said = town.sluice("status", name, "--json")
        assert said.code == 0
        assert "the release repo cannot be read: " in said.err
        (release,) = said.json["releases"]
        for key in ("phase", "holds", "units", "planHash"):
            assert release[key] == before[key]
        (decision,) = release["decisions"]
        assert (decision["id"], decision["count"]) == (f"{name}#1", 1)
        assert release["waiting"] == []
        page, listed = town.sluice("status"), town.sluice("list")
        assert (page.code, listed.code) == (0, 0)
        assert f"approve {name}#1" in page.out
        assert name in listed.out
        assert "cannot be read" in listed.err


def test_why_tells_what_the_store_knows_and_else_asks_for_the_repo(town: Town) -> None:
    """`Nothing is in the way` would be a guess."""
    name = town.merged()
    with repo_gone(town):
        said = town.sluice("why", name)
        assert (said.code, said.out.startswith(f"Needs decision: {name}#1")) == (0, True)
        assert "cannot be read" in said.err
        asked = town.sluice("why", name, "--json").json
        assert (asked["waiting"], asked["decisions"][0]["id"]) == ([], f"{name}#1")
    town.sluice("approve", name, "--as", "ana")
    town.tick()
    with repo_gone(town):
        nothing = town.sluice("why", name, "--json")
        assert nothing.code == 4
        assert "needs the release repo" in nothing.json["error"]["why"]


def test_the_fleet_is_told_from_its_own_file(town: Town) -> None:
    """What the clusters run stands beside the store, and needs no repo."""
    name = town.merged()
    town.sluice("approve", name, "--as", "ana")
    town.tick()
    there = town.sluice("fleet", "--json").json
    with repo_gone(town):
        said = town.sluice("fleet", "--json")
        assert said.code == 0
        assert "cannot be read" in said.err
        assert [one["cluster"] for one in said.json["clusters"]] == ["eu-1", "eu-2"]
        assert said.json["clusters"][0]["writes"] == there["clusters"][0]["writes"]
        assert town.sluice("fleet", "eu1").code == 2
