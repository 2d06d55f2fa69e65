"""The verbs of people who steer: judged at once, recorded, taken by the bot when it runs."""

from __future__ import annotations

import os
import pwd

from tests.cli.terminal import Town

ME = pwd.getpwuid(os.getuid()).pw_name
BARE = ("approve", "reject", "accept", "pause", "resume", "rollback", "retry", "skip", "cancel",
        "override", "freeze", "unfreeze")  # fmt: skip


def test_an_approval_without_a_bot_waits_and_happens_when_one_starts(town: Town) -> None:
    """People decide at night; the bot is being updated just then."""
    name = town.merged()
    said = town.sluice("approve", name, "--as", "ana", "--json")
    assert said.code == 0
    assert said.json == said.json | {"pending": True, "by": "ana"}
    assert "No bot runs on this store" in said.json["why"]
    status = town.sluice("status", name, "--json").json
    assert status["recorded"] == [f"approve {name}"]
    town.tick(2)
    status = town.sluice("status", name, "--json").json
    assert status["recorded"] == []
    (release,) = status["releases"]
    assert (release["phase"], release["decisions"]) == ("PROGRESSING", [])


def test_the_record_keeps_the_systems_user_beside_the_name_that_was_given(town: Town) -> None:
    """--as is believed on a machine of one's own; the record still tells who typed it."""
    name = town.merged()
    town.sluice("approve", name, "--as", "ana")
    town.tick()
    events = town.sluice("audit", name, "--json").json["events"]
    (vote,) = [one for one in events if one["kind"] == "decision.vote"]
    assert (vote["who"], vote["data"]["os"]) == ("ana", ME)


REFUSED = (
    (("approve", "agent-2-0-0", "--as", "chris"), "author"),
    (("approve", "agent-2-0-0", "--as", "nobody"), "not-mapped"),
    (("approve", "agent-2-0", "--as", "ana"), "unknown-release"),
    (("approve", "agent-2-0-0#7", "--as", "ana"), "unknown-decision"),
    (("resume", "agent-2-0-0", "--as", "chris"), "role"),
    (("skip", "agent@eu-9", "--as", "ana", "--reason", "x"), "unknown-unit"),
    (("freeze", "all", "--as", "chris", "--until", "2h", "--reason", "x"), "role"),
    (("override", "all", "--as", "ana", "--gate", "lock", "--reason", "x"), "override-never"),
)


def test_a_refusal_is_said_at_once_even_while_no_bot_runs(town: Town) -> None:
    """Nobody should wait for a bot to learn that they may not."""
    town.merged()
    for words, code in REFUSED:
        said = town.sluice(*words, "--json")
        assert said.code == (2 if code.startswith("unknown") else 3), words
        refused = said.json["refused"]
        assert refused["code"] == code, words
        assert set(refused) == {"code", "why", "who", "until"}
    assert town.sluice("status", "--json").json["recorded"] == []
    assert town.sluice(*REFUSED[0][0]).err.startswith("Refused: ")


def test_who_may_instead_is_named(town: Town) -> None:
    """A refusal that does not say who can sends people around the office."""
    town.merged()
    said = town.sluice("approve", "agent-2-0-0", "--as", "chris", "--json").json
    assert said["refused"]["who"] == ["ana", "ben"]


def test_a_mutating_verb_is_never_bare(town: Town) -> None:
    """`pause` without a scope would mean everything, or nothing."""
    for verb in BARE:
        said = town.sluice(verb, "--json")
        assert said.code == 2
        assert said.json["refused"]["code"] == "no-scope"


def test_wrong_words_are_wrong_usage(town: Town) -> None:
    """Exit 2: nothing was asked of anybody."""
    town.tick()
    for words in (
        ("freeze", "all", "--as", "ana", "--reason", "x"),
        ("freeze", "all", "--as", "ana", "--reason", "x", "--until", "tomorrow"),
        ("rollback", "all", "--as", "ana"),
        ("pause", "all", "--at", "2026-11-24T09:00:00Z"),
        ("pause", "all", "--finish-bach"),
        ("approve", "agent#one", "--as", "ana"),
    ):
        assert town.sluice(*words).code == 2, words


def test_several_open_decisions_are_listed(town: Town) -> None:
    """`approve R` must never guess which of two questions was answered."""
    name = town.merged()
    stop = ("--until", "2h", "--reason", "x", "--as", "ana")
    assert town.sluice("freeze", name, *stop).code == 0
    town.tick()
    town.sluice("override", name, "--gate", "window", "--reason", "x", "--as", "ana")
    town.tick()
    said = town.sluice("approve", name, "--as", "ana", "--json")
    assert said.code == 2
    assert [one["id"] for one in said.json["decisions"]] == [f"{name}#1", f"{name}#2"]
    text = town.sluice("approve", name, "--as", "ana").err
    assert f"  {name}#2  " in text


def test_a_pause_is_recorded_even_when_the_repo_cannot_be_read(town: Town) -> None:
    """Stopping is always possible: a lost disk is the moment in which it is wanted most."""
    town.tick()
    town.repo.bare.rename(town.repo.bare.with_name("gone.git"))
    said = town.sluice("pause", "all", "--as", "ana", "--json")
    assert (said.code, said.json["pending"]) == (0, True)
    town.repo.bare.with_name("gone.git").rename(town.repo.bare)
    town.tick()
    assert town.sluice("status", "--json").json["recorded"] == []
    again = town.sluice("stop", "--as", "ana", "--json")
    assert again.json["refused"]["code"] == "already-done"


def test_a_duration_counts_from_when_it_was_typed(town: Town) -> None:
    """A freeze of two hours that waits for a bot for three must not begin then."""
    town.tick()
    town.sluice("freeze", "all", "--as", "ana", "--reason", "x", "--until", "2h")
    (text,) = town.sluice("status", "--json").json["recorded"]
    assert "--until=20" in text
    assert "2h" not in text


def test_a_store_that_is_not_there_records_nothing(town: Town) -> None:
    """A pause that went into a wrong file would be believed."""
    said = town.sluice("pause", "all", "--as", "ana", "--json")
    assert said.code == 4
    assert "There is no store" in said.json["error"]["why"]
    assert not town.db.exists()
