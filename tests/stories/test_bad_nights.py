"""What a bad night or bad input does to the bot: nothing that a person would not expect."""

from __future__ import annotations

import pytest

from tests import repo_files
from tests.world import World


@pytest.mark.parametrize(
    "text",
    [
        "approve R#²",
        "freeze all --until 99999999999999d --reason x",
        "pause 'all",
        "\x00",
        "approve #",
    ],
)
def test_a_note_that_nobody_understands_stops_nobody(world: World, text: str) -> None:
    """It is answered, and the pause behind it is heard in the same tick."""
    release = world.releases()
    store = world.bot.ports.store
    for number, said in enumerate((text, f"pause {release}")):
        store.note(f"n/{number}", said, by="ana", surface="test", at=world.clock.at, data={})
    world.tick()
    assert not store.notes(), "both are answered"
    assert "[holds]" in world.why(release)


def test_a_pause_after_a_resume_of_the_same_tick_holds(world: World) -> None:
    """Notes are judged in the order in which they were left."""
    release = world.releases()
    world.says("pause all")
    store = world.bot.ports.store
    for number, said in enumerate(("resume all", "pause all")):
        store.note(f"n/{number}", said, by="ana", surface="test", at=world.clock.at, data={})
    world.run_until("2026-11-24T10:00:00Z")
    assert "[holds]" in world.why(release)
    assert world.running()["st-1"] == "2.4.1×2"


def test_an_owner_lifts_no_stop_of_everything(world: World) -> None:
    """cleo owns the component, but `all` reaches what others own, now and later."""
    component = repo_files.component(owners=["cleo"])
    world.write({"components/node-agent/component.yaml": component})
    world.push("cleo owns node-agent")
    release = world.releases()
    world.says("stop", by="dan")
    assert world.says("resume all", by="cleo").code == 3
    world.says(f"pause {release}", by="dan")
    assert world.says(f"resume {release}", by="cleo").code == 0, "the own release, though"


def test_a_freeze_of_one_release_closes_its_window(world: World) -> None:
    """No batch of it begins, and no deadline runs."""
    release = world.releases()
    said = world.says(f"freeze {release} --until 3h --reason audit", by="ana")
    assert said.code == 0, said.text
    world.run_until("2026-11-24T10:59:00Z")
    assert world.phase(release) == "SCHEDULED"
    assert "audit" in world.why(release)
    world.run_until("2026-11-24T11:01:00Z")
    assert world.phase(release) == "PROGRESSING"


def test_accepting_a_rewritten_main_overrides_no_check(world: World) -> None:
    """One word lifts what only it lifts, and nothing beside it."""
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.rewrites_main()
    world.tick()
    assert "[holds]" in world.why(release)
    said = world.says("override all --reason 'we moved the history'", by="ana")
    assert said.body["overridden"] == ["history-rewritten"]
    world.tick()
    assert "taken away" in world.why(release), "its file is gone from main: somebody decides"


def test_an_override_wider_than_one_release_names_what_it_means(world: World) -> None:
    """`override all` alone would be a master key."""
    world.releases()
    said = world.says("override all --reason 'let it run'", by="ana")
    assert said.code == 2
    assert "--gate" in said.text
