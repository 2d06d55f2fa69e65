"""A version that a rollback blocked: whoever tries it again is told before it is too late."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.adapters.sqlite import SqliteStore
from bot.model.state import Blocked
from bot.ports import Changes
from tests.cli.terminal import Said, Town

WHY = "agent 2.0.0 is blocked since the rollback of agent-0: drops packets"


def blocked(town: Town) -> None:
    """What a rollback leaves in the store while nobody has merged its revert."""
    town.tick()
    row = Blocked(
        component="agent",
        version="2.0.0",
        content="",
        reason="drops packets",
        release="agent-0",
        at=datetime(2026, 11, 23, tzinfo=UTC),
    )
    with SqliteStore(town.db) as store:
        store.commit(Changes(puts=[row]))


def errors(said: Said) -> list[str]:
    return [one["message"] for one in said.json["findings"] if one["level"] == "error"]


def test_bump_writes_no_release_of_what_a_rollback_blocked(town: Town) -> None:
    """The pull request could not pass: better to hear it now."""
    blocked(town)
    said = town.sluice("bump", "agent", "2.0.0", "--as", "ana", "--json")
    assert said.code == 1
    assert errors(said) == [WHY]
    assert town.sluice("bump", "agent", "3.0.0", "--as", "ana").code == 0


def test_lint_and_doctor_tell_a_release_that_waits_at_such_a_block(town: Town) -> None:
    """It waits without an end, and main itself has no mistake that anybody could find."""
    blocked(town)
    name = town.merged()
    assert town.sluice("accept", name, "--as", "ana").code == 0, "its check was red"
    town.tick()
    said = town.sluice("lint", "--json", "--no-render")
    assert (said.code, errors(said)) == (1, [WHY])
    said = town.sluice("doctor", "--as", "ana", "--json")
    (found,) = [one for one in said.json["checks"] if one["name"] == name]
    assert not found["ok"]
    assert "drops packets" in found["found"]
    assert f"override {name} --gate blocked" in found["mend"]
    words = ("override", name, "--gate", "blocked", "--reason", "x", "--as", "ana")
    assert town.sluice(*words).code == 0
    town.tick()
    said = town.sluice("doctor", "--as", "ana", "--json")
    assert name not in [one["name"] for one in said.json["checks"]]
