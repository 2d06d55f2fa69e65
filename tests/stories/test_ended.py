"""Commands on what has ended, is not there, or could be several: the truth, and what to do."""

from __future__ import annotations

from tests import repo_files
from tests.stories.test_unreachable import EU_1, ST_1, away
from tests.world import World


def owed_in_eu_1(world: World) -> str:
    """A release that has succeeded without eu-1, which answers again."""
    world.breaks("eu-1", away("09:00", "13:00"))
    release = world.releases()
    world.run_until("2026-11-24T13:30:00Z")
    assert world.phase(release) == "SUCCEEDED"
    return release


def test_a_unit_that_is_owed_is_brought_in_by_its_own_name(world: World) -> None:
    """The release has ended and is in no memory any more; its unit is known all the same."""
    release = owed_in_eu_1(world)
    said = world.says(f"retry {EU_1}")
    assert said.code == 0, said.text
    assert said.body["units"] == [EU_1]
    world.run_to_the_end(release)
    assert world.running()["eu-1"] == "2.5.0×4"


def test_a_retry_of_what_came_to_a_good_end_says_so(world: World) -> None:
    """Not `there is no such unit`: how its release ended, and what is still owed."""
    release = owed_in_eu_1(world)
    said = world.says(f"retry {ST_1}")
    assert said.code == 3
    assert said.body["refused"]["code"] == "ended"
    for part in (release, "SUCCEEDED", f"{ST_1} is SUCCEEDED there", f"Still owed: {EU_1}"):
        assert part in said.text


def test_a_unit_that_is_owed_by_a_release_that_has_ended_is_not_skipped(world: World) -> None:
    """It is left out already; the answer names the release, and the way on."""
    release = owed_in_eu_1(world)
    said = world.says(f"skip {EU_1} 'we give it up'")
    assert said.body["refused"]["code"] == "ended"
    assert f"{EU_1} is QUARANTINED there" in said.text
    assert f"retry {release}" in said.text


def test_what_was_taken_back_or_given_up_says_how_it_ended(world: World) -> None:
    """Nothing of it goes forward again; a new release is the way on."""
    first = world.releases()
    world.says(f"cancel {first} 'not today'")
    world.tick()
    for verb in ("retry", "pause", "cancel", "snooze --until 1h", "skip", "approve"):
        words = verb.partition(" ")
        said = world.says(f"{words[0]} {first} {words[2]} --reason x")
        assert said.body["refused"]["code"] == "ended", f"{verb}: {said.text}"
        assert "CANCELLED" in said.text
        assert "not today" in said.text
        assert "new release is the way on" in said.text
    assert world.bot.board.holds == {}
    assert first not in world.bot.board.releases


def test_a_release_from_before_is_told_from_one_that_nobody_knows(world: World) -> None:
    """It stands on main, but this bot never ran it; run --since would."""
    text = repo_files.release("old-one", "2.4.1")
    world.write({"releases/2025/old-one.yaml": text})
    world.push("as it was")
    world.store = None
    world.start()
    said = world.says("retry old-one")
    assert said.body["refused"]["code"] == "ended"
    assert "run --since" in said.text


def test_a_name_that_several_releases_begin_with_lists_them(world: World) -> None:
    """Nothing is done to one of them by luck; a running one is named before one that has ended."""
    first = world.releases()
    world.says(f"cancel {first} 'not today'")
    second = world.releases("node-agent-2-5-1", "2.5.1")
    said = world.says("pause node-agent-2-5")
    assert said.code == 2
    assert said.body["refused"]["candidates"] == [second, first]
    assert "node-agent-2-5-1 or node-agent-2-5-0" in said.text
    assert world.bot.board.holds == {}


def test_a_slip_of_the_finger_is_held_against_ended_releases_too(world: World) -> None:
    """The release that somebody wants to take back has mostly ended."""
    first = world.releases()
    world.says(f"cancel {first} 'not today'")
    world.tick()
    said = world.says("rollback node-agent-2-5-O 'crash loop'")
    assert said.code == 2
    assert f"Did you mean {first}?" in said.text


def test_a_unit_that_is_begun_lists_those_it_could_be(world: World) -> None:
    """`skip node-agent@eu` is one of two."""
    world.releases()
    said = world.says("skip node-agent@eu 'slow'")
    assert said.code == 2
    assert said.body["refused"]["candidates"] == ["node-agent@eu-1", "node-agent@eu-2"]


def test_the_file_of_what_has_ended_may_be_edited_or_deleted(world: World) -> None:
    """It is history: no hold, no fault, nothing begins, and lint does not read it."""
    release = world.releases()
    world.says(f"cancel {release} 'not today'")
    world.tick()
    path = f"releases/2026/{release}.yaml"
    for text in (repo_files.release(release, "9.9.9", pipeline="gone"), None):
        world.changes({path: text})
        world.run_for(minutes=5)
        assert world.bot.problems == []
        assert world.bot.board.holds == {}
        assert world.phase(release) == "CANCELLED"
    assert world.fleet.writes("st-1") == []
