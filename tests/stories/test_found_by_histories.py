"""What seeded histories found, told once each: a release that waits for nobody, a bot in a rush."""

from __future__ import annotations

from datetime import timedelta

from tests import repo_files
from tests.world import World

AFTER = {"when": "after", "roles": ["approver"], "count": 1}


def asks_after_staging(world: World) -> None:
    """A pipeline whose first stage is to be judged after it has ended."""
    stages = [
        {
            "name": "staging",
            "units": {"matchLabels": {"environment": "staging"}},
            "approval": AFTER,
        },
        {"name": "production", "units": {}},
    ]
    text = repo_files.doc("Pipeline", "standard", {"stages": stages})
    world.changes({"pipelines/standard.yaml": text})


def test_a_stage_is_judged_though_all_after_it_was_left_out(world: World) -> None:
    """Nothing is left to begin: the question is asked all the same, or the release never ends."""
    asks_after_staging(world)
    release = world.releases()
    for unit in ("node-agent@eu-1", "node-agent@eu-2"):
        assert world.says(f"skip {unit} --reason later").code == 0
    world.run_until("2026-11-24T12:00:00Z")
    assert "approval" in world.why(release)
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_for(minutes=1)
    assert world.phase(release) == "SUCCEEDED"


def test_a_release_of_which_all_was_left_out_ends(world: World) -> None:
    """Nobody is asked whether it may begin: there is nothing to begin."""
    asks_after_staging(world)
    release = world.releases()
    for unit in ("node-agent@st-1", "node-agent@eu-1", "node-agent@eu-2"):
        assert world.says(f"skip {unit} --reason never").code == 0
    world.run_for(minutes=1)
    assert "approval" in world.why(release)
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_for(minutes=1)
    assert world.phase(release) == "SUCCEEDED"


def test_a_unit_that_waits_for_its_turn_makes_nobody_tick(world: World) -> None:
    """Its cluster did not answer once; now another wave is in front: due is what can move."""
    world.breaks("eu-1", {"do": "unreachable", "from": "2026-11-24T09:00:00Z", "to": AGAIN})
    world.breaks("st-1", {"do": "unreachable", "from": "2026-11-24T08:00:00Z", "to": AGAIN},
                 group="staging")  # fmt: skip
    world.releases()
    world.run_until("2026-11-24T10:05:00Z")
    ticks = 0
    end = world.clock.at + timedelta(minutes=10)
    while world.clock.at < end and ticks < 400:
        world.tick()
        due = world.bot.next_due()
        world.clock.at = max(due or end, world.clock.at + timedelta(seconds=1))
        ticks += 1
    assert ticks < 200, "it is due again and again, and nothing can happen"


AGAIN = "2026-11-24T10:03:00Z"
