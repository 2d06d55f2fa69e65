"""A stage or a wave goes back, and the release holds there: later waves are still to come."""

from __future__ import annotations

import pytest

from bot.core.messages_card import summary
from tests import repo_files
from tests.world import World

EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"
OLD = {"eu-1": "2.4.1×4", "eu-2": "2.4.1×4", "st-1": "2.4.1×2"}
NEW = {"eu-1": "2.5.0×4", "eu-2": "2.5.0×4", "st-1": "2.5.0×2"}


def in_waves(world: World, until: str) -> str:
    """Production goes in two waves: eu-1, then eu-2."""
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(waves=[1, "100%"])})
    release = world.releases()
    world.run_until(until)
    return release


def test_a_wave_goes_back_and_the_next_one_does_not_begin(world: World) -> None:
    """Wave 1 of production shows harm while wave 2 is waiting: it alone goes back, and it stays."""
    release = in_waves(world, "2026-11-24T09:25:00Z")
    assert world.unit(release, EU_1).phase in ("SOAKING", "APPLYING", "PENDING")
    said = world.says(f"rollback {release}/production/1 --reason 'drops packets'")
    assert said.code == 0, said.text
    assert f"{release}/production/1" in said.text
    world.run_for(hours=6)
    assert world.running() == OLD | {"st-1": "2.5.0×2"}, "staging keeps it, production has none"
    assert world.phase(release) == "PROGRESSING"
    assert world.unit(release, EU_2).began is None
    assert f"{release}/production/1 was rolled back: drops packets" in world.why(release)
    assert f"{release}/production/1 was rolled back" in world.chat.cards[f"card/{release}"]


def test_resuming_does_not_bring_it_forward_and_retrying_does(world: World) -> None:
    """Only a person who names the wave sends it forward again; then the next one follows."""
    release = in_waves(world, "2026-11-24T09:25:00Z")
    world.says(f"rollback {release}/production/1 'drops packets'")
    world.run_for(minutes=10)
    said = world.says(f"resume {release}")
    assert said.body["refused"]["code"] == "still-held"
    said = world.says(f"retry {release}")
    assert said.body["refused"]["code"] == "still-held"
    assert f"retry {release}/production/1" in said.text
    assert world.says(f"retry {release}/production/1").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running() == NEW


def test_a_wave_that_is_left_out_lets_the_next_one_begin(world: World) -> None:
    """Its units are skipped one by one, by name: then nothing holds the others."""
    release = in_waves(world, "2026-11-24T09:25:00Z")
    world.says(f"rollback {release}/production/1 'drops packets'")
    world.run_for(minutes=10)
    assert world.says(f"skip {EU_1} --reason 'old kernel'").code == 0
    world.run_to_the_end(release)
    assert world.running() == NEW | {"eu-1": "2.4.1×4"}
    assert world.unit(release, EU_1).phase == "SKIPPED"


def test_a_stage_of_a_release_that_succeeded_goes_back_newest_first(world: World) -> None:
    """All of production, hours later: wave 2 before wave 1, staging stays, nothing is blocked."""
    release = in_waves(world, "2026-11-24T08:01:00Z")
    world.run_to_the_end(release)
    assert world.says(f"rollback {release}/production --reason 'leaks in a day'").code == 0
    world.run_for(minutes=20)
    assert world.running() == OLD | {"st-1": "2.5.0×2"}
    ends = [e.unit for e in world.events(release, "unit.rolled-back")]
    assert ends == [EU_2, EU_1]
    assert world.phase(release) == "PROGRESSING"
    assert not world.bot.board.rules.blocked
    assert world.says(f"rollback {release} --reason 'staging too'").code == 0
    world.run_for(minutes=20)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD
    assert not world.bot.board.holds, "the hold of the stage went with the release"


def test_a_stage_is_paused_alone(world: World) -> None:
    """The same words pause: staging goes on, production does not begin."""
    release = in_waves(world, "2026-11-24T09:01:00Z")
    assert world.says(f"pause {release}/production --reason 'wait for Ben'").code == 0
    world.run_for(hours=3)
    assert world.running() == OLD | {"st-1": "2.5.0×2"}
    assert world.says(f"resume {release}").body["refused"]["code"] == "not-held"
    assert world.says(f"resume {release}/production").code == 0
    world.run_to_the_end(release)
    assert world.running() == NEW


def test_a_stage_is_frozen_alone(world: World) -> None:
    """An emergency freeze of one stage of one release."""
    release = in_waves(world, "2026-11-24T09:01:00Z")
    assert world.says(f"freeze {release}/production --until 2h --reason audit").code == 0
    world.run_for(minutes=90)
    assert world.running() == OLD | {"st-1": "2.5.0×2"}
    world.run_to_the_end(release)
    assert world.running() == NEW


def test_a_stage_that_is_not_there_is_named_with_those_that_are(world: World) -> None:
    """A slip of the finger stops nothing silently: exit 2, did you mean, and the whole list."""
    release = in_waves(world, "2026-11-24T09:25:00Z")
    for scope, hint in (
        (f"{release}/prodcution/1", f"Did you mean {release}/production/1?"),
        (f"{release}/production/7", "production (2 waves)"),
        (f"{release}/production/0", "staging (1 wave)"),
        ("node-agent-2-5-1/production", f"Did you mean {release}?"),
    ):
        said = world.says(f"rollback {scope} --reason oops")
        assert said.code == 2, said.text
        assert hint in said.text
    said = world.says(f"rollback {release}/production/one --reason oops")
    assert said.body["refused"]["code"] == "unknown-scope"
    assert world.running()["st-1"] == "2.5.0×2"


def test_a_wave_that_has_not_begun_has_nothing_to_take_back(world: World) -> None:
    release = in_waves(world, "2026-11-24T09:25:00Z")
    said = world.says(f"rollback {release}/production/2 --reason early")
    assert said.body["refused"]["code"] == "not-begun"
    assert "Cancel" not in said.text, "a wave cannot be cancelled, and the release has begun"
    assert "Pause it, and it does not begin" in said.text
    assert not world.bot.board.holds


def test_a_unit_that_a_person_took_back_is_tried_again_when_it_is_named(world: World) -> None:
    """It did not fail: only its own name brings it forward again."""
    release = in_waves(world, "2026-11-24T09:25:00Z")
    world.says(f"rollback {ST_1} --reason 'noisy disks'")
    world.run_for(minutes=5)
    assert world.unit(release, ST_1).phase == "ROLLED_BACK"
    assert world.says(f"retry {ST_1}").code == 0
    world.run_to_the_end(release)
    assert world.running() == NEW


def test_a_release_of_which_all_is_back_can_still_be_given_up(world: World) -> None:
    """Wave by wave everything was taken back: then the release itself goes, and that sticks."""
    release = in_waves(world, "2026-11-24T09:12:00Z")
    world.says(f"rollback {release}/staging 'drops packets'")
    world.run_for(minutes=10)
    assert world.running() == OLD
    assert world.says(f"cancel {release} --reason over").body["refused"]["code"] == "begun"
    said = world.says(f"rollback {release} --reason 'not this version'")
    assert said.code == 0, said.text
    world.run_for(minutes=1)
    assert world.phase(release) == "ROLLED_BACK"
    assert [row.version for row in world.bot.board.rules.blocked] == ["2.5.0"]
    assert not world.bot.board.holds


@pytest.mark.parametrize("scope", ["cluster:eu-1", "group:prod", "label:environment=production"])
def test_what_goes_back_by_a_label_holds_its_release(world: World, scope: str) -> None:
    """Who takes back production means no unit of it to be next, seconds later."""
    release = in_waves(world, "2026-11-24T09:25:00Z")
    said = world.says(f"rollback {scope} --reason 'drops packets'")
    assert said.code == 0, said.text
    assert "the release holds there" in said.text
    assert "revert" not in said.text
    world.run_for(hours=6)
    assert world.running() == OLD | {"st-1": "2.5.0×2"}
    assert world.unit(release, EU_2).began is None
    assert f"{scope} was rolled back: drops packets" in world.why(release)
    assert f"retry {scope}" in world.says(f"retry {release}").text
    assert world.says(f"resume {release}").body["refused"]["code"] == "still-held"

    assert world.says(f"retry {scope}").code == 0
    world.run_to_the_end(release)
    assert world.running() == NEW


def test_a_label_gives_up_what_it_reaches_whole_and_holds_what_it_reaches_in_part(
    world: World,
) -> None:
    """The answer says of each what became of it: only the one that is given up is blocked."""
    for name, group, nodes in (("st-1", "staging", 2), ("eu-1", "prod", 4)):
        text = repo_files.cluster(name, group, nodes, zone="z1")
        world.changes({f"fleet/clusters/{name}.yaml": text})
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(waves=[1, "100%"])})
    staging = world.releases("only-staging", "2.5.0", units={"names": ["st-1"]})
    production = world.releases("only-prod", "2.5.0", units={"names": ["eu-*"]})
    world.run_until("2026-11-24T09:15:00Z")
    assert world.unit(production, EU_2).began is None

    said = world.says("rollback label:zone=z1 --reason 'drops packets'")

    assert sorted(said.body["releases"]) == sorted([staging, production])
    assert "and the release holds there" in said.text
    assert f"All of {staging} goes back: its content is blocked, and a revert is" in said.text
    world.run_for(minutes=30)
    assert world.running() == OLD
    assert world.phase(staging) == "ROLLED_BACK"
    assert world.phase(production) == "PROGRESSING"


def test_a_release_that_goes_back_tells_how_far_it_is(world: World) -> None:
    """That what never began may not go forward is nobody's concern while the rest goes back."""
    release = in_waves(world, "2026-11-24T09:25:00Z")
    assert world.says(f"rollback {release} --reason 'drops packets'").code == 0
    world.run_for(seconds=20)
    assert world.phase(release) == "ROLLING_BACK"
    assert world.unit(release, EU_2).phase == "PENDING"
    assert not [line for line in world.view(release).waiting if line.unit == EU_2]
    assert summary(world.view(release)).startswith("Rolling back: ")
    assert "may not go forward" not in world.why(release)
    assert "may not go forward" not in world.chat.cards[f"card/{release}"]
