"""How many clusters may be left out because they do not answer: a few; beyond it people are asked.

Skipping unreachable clusters hides the release that made them so.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests import repo_files
from tests.stories.test_unreachable import EU_1, EU_2, ST_1, away
from tests.world import World


def silent(world: World, *clusters: str, until: str = "16:00") -> None:
    for name in clusters:
        world.breaks(name, away("09:00", until))


def stage(world: World, **spec: Any) -> None:
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(**spec)})


def test_beyond_the_tolerance_the_stage_asks_instead_of_leaving_more_out(world: World) -> None:
    """Two of two are silent, one is tolerated: the second waits, and a person looks."""
    silent(world, "eu-1", "eu-2")
    release = world.releases()
    world.run_until("2026-11-24T10:30:00Z")
    phases = sorted(world.unit(release, unit).phase for unit in (EU_1, EU_2))
    assert phases == ["PENDING", "QUARANTINED"]
    (asked,) = world.events(release, "decision.asked")
    assert "stage production" in asked.data["asks"]
    assert f"approve {release}#1 leaves them out" in world.why(release)
    assert world.phase(release) == "PROGRESSING"
    card = world.chat.cards[f"card/{release}"]
    assert f"approve {release}#1" in card


def test_a_yes_leaves_out_what_was_asked_about_and_it_is_owed(world: World) -> None:
    """The release ends; both are listed, and a retry brings them in."""
    silent(world, "eu-1", "eu-2", until="11:00")
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    assert world.says(f"approve {release}#1", by="ben").code == 0
    world.run_for(seconds=10)
    assert {world.unit(release, unit).phase for unit in (EU_1, EU_2)} == {"QUARANTINED"}
    assert world.phase(release) == "SUCCEEDED"
    assert world.events(release, "release.succeeded")[0].data["owed"] == 2
    world.run_until("2026-11-24T11:01:00Z")
    assert world.says(f"retry {release}").code == 0
    world.run_to_the_end(release)
    assert world.running()["eu-2"] == "2.5.0×4"


def test_a_no_holds_the_release(world: World) -> None:
    """Nobody goes on over clusters that somebody wants back first; they answer, and it is lifted
    by hand.
    """
    silent(world, "eu-1", "eu-2", until="11:00")
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    assert world.says(f"reject {release}#1 'the release broke them'", by="ben").code == 0
    world.run_until("2026-11-24T12:00:00Z")
    assert "[holds]" in world.why(release)
    assert len(world.events(release, "decision.asked")) == 1, "a no is not asked again"


def test_what_answers_again_needs_no_yes(world: World) -> None:
    """The question is about silence; where it is over, the unit goes on by its gates."""
    silent(world, "eu-1", "eu-2", until="10:10")
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    assert world.events(release, "decision.asked")
    world.run_to_the_end(release)
    assert world.running() == {"eu-1": "2.5.0×4", "eu-2": "2.5.0×4", "st-1": "2.5.0×2"}


@pytest.mark.parametrize(("most", "out"), [(0, 0), (2, 2), ("50%", 1), ("100%", 2)])
def test_a_stage_may_say_how_many(world: World, most: Any, out: int) -> None:
    """A number, or a share of the stage rounded down; none at all, too."""
    silent(world, "eu-1", "eu-2")
    stage(world, maxUnreachable=most)
    release = world.releases()
    world.run_until("2026-11-24T10:30:00Z")
    phases = [world.unit(release, unit).phase for unit in (EU_1, EU_2)]
    assert phases.count("QUARANTINED") == out
    assert bool(world.events(release, "decision.asked")) is (out < 2)


def test_more_that_fall_silent_are_a_new_question(world: World) -> None:
    """A yes to one cluster is no yes to two."""
    stage(world, maxUnreachable=0)
    silent(world, "eu-1")
    release = world.releases()
    world.says(f"pause {EU_2}")
    world.run_until("2026-11-24T09:32:00Z")
    world.breaks("eu-2", away("09:32", "16:00"))
    world.says(f"resume {EU_2}")
    world.run_until("2026-11-24T09:40:00Z")
    assert [e.data["id"] for e in world.events(release, "decision.asked")] == [f"{release}#1"]
    world.run_until("2026-11-24T10:00:00Z")
    assert [e.data["id"] for e in world.events(release, "decision.void")] == [f"{release}#1"]
    assert world.says(f"approve {release}#1", by="ben").code == 3
    asked = world.events(release, "decision.asked")[-1].data["asks"]
    assert EU_1 in asked
    assert EU_2 in asked


def test_between_two_batches_it_fails_and_is_never_left_out(world: World) -> None:
    """It answered before the first batch and not after it: that is what the release did."""
    world.breaks("st-1", away("09:08", "16:00"), group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:02:00Z")
    world.says(f"pause {release} --finish-batch")
    world.run_until("2026-11-24T09:10:00Z")
    assert (world.unit(release, ST_1).phase, world.unit(release, ST_1).done) == ("PENDING", 1)
    world.says(f"resume {release}")
    world.run_until("2026-11-24T10:30:00Z")
    unit = world.unit(release, ST_1)
    assert unit.began is not None
    assert unit.phase == "FAILED"
    assert not world.events(release, "unit.quarantined")


def test_tried_again_while_still_silent_it_fails_again(world: World) -> None:
    """A retry does not turn a cluster that fell silent under a batch into one that always was."""
    gone = {**away("09:00", "16:00"), "from": "2026-11-24T09:00:02Z"}
    world.breaks("st-1", gone, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:25:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert world.says(f"retry {ST_1}").code == 0
    world.run_until("2026-11-24T10:30:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert not world.events(release, "unit.quarantined")
