"""A block that only the store has: a rollback left it, and nobody has merged the revert."""

from __future__ import annotations

from tests import repo_files
from tests.world import World

FIRST, AGAIN = "node-agent-2-5-0", "again"


def rolled_back(world: World) -> None:
    """2.5.0 runs in staging and goes back; the revert stays open, so main has no block."""
    world.releases(FIRST)
    world.run_until("2026-11-24T09:22:00Z")
    assert world.says(f"rollback {FIRST} log storm").code == 0
    world.run_for(minutes=20)
    assert world.phase(FIRST) == "ROLLED_BACK"


def merged_again(world: World) -> None:
    """Somebody merges the version again, against the check of the pull request."""
    text = repo_files.release(AGAIN, "2.5.0")
    world.proposes(AGAIN, {f"releases/2026/{AGAIN}.yaml": text})
    world.tick()
    assert "blocked since the rollback" in world.chat.cards[f"pull/pr/{AGAIN}"]
    world.merges(AGAIN)
    world.tick()
    assert world.says(f"accept {AGAIN}", by="ben").code == 0, "its check was red: a person vouches"
    world.run_for(hours=2)


def test_what_only_the_store_blocks_is_planned_and_waits_at_its_gate(world: World) -> None:
    """A release that could not even be planned has nothing that an admin could override."""
    rolled_back(world)
    merged_again(world)
    assert "[not_blocked]" in world.why(AGAIN)
    assert "log storm" in world.why(AGAIN)
    assert world.running()["st-1"] == "2.4.1×2"


def test_an_admin_overrides_it_and_the_record_has_the_name(world: World) -> None:
    """The block was of eu alone: an admin who has seen it says so, and the release goes out."""
    rolled_back(world)
    merged_again(world)
    assert world.says(f"override {AGAIN} --gate blocked --reason 'eu only'", by="ben").code == 3
    said = world.says(f"override {AGAIN} --gate blocked --reason 'eu only'", by="dan")
    assert said.code == 0, said.text
    world.run_to_the_end(AGAIN)
    assert world.phase(AGAIN) == "SUCCEEDED"
    assert {event.who for event in world.events(AGAIN, "override")} == {"dan"}


def test_a_version_that_main_blocks_is_planned_and_waits_too(world: World) -> None:
    """The block in policy/ has an end: when it is over the release goes on, without a commit."""
    policy = {
        "windows": {"attended": "5m"},
        "blocked": [
            {"component": "node-agent", "version": "2.5.0", "reason": "x", "until": "2026-11-25"}
        ],
    }
    world.changes({"policy/policy.yaml": repo_files.doc("Policy", "policy", policy)})
    text = repo_files.release(AGAIN, "2.5.0")
    world.proposes(AGAIN, {f"releases/2026/{AGAIN}.yaml": text})
    world.tick()
    world.merges(AGAIN)
    world.tick()
    assert world.says(f"accept {AGAIN}", by="ben").code == 0
    world.run_for(hours=2)
    assert "[not_blocked]" in world.why(AGAIN)
    world.run_to_the_end(AGAIN)
    assert world.phase(AGAIN) == "SUCCEEDED"
