"""What stands in chat while a release moves: times and plans as people can read them."""

from __future__ import annotations

from tests import repo_files
from tests.world import World


def test_a_card_tells_times_in_the_zone_of_the_window(world: World) -> None:
    """Who reads "opens 09:00" in Berlin must not have to know that the bot thinks in UTC."""
    world.write({"calendar/windows.yaml": repo_files.window(zone="Europe/Berlin")})
    world.push()
    world.clock.at = world.clock.at.replace(hour=17)
    release = world.releases()
    card = world.chat.cards[f"card/{release}"]
    assert "Window opens Wed 25 Nov 09:00" in card
    assert "(Europe/Berlin)" in card
    world.run_until("2026-11-25T08:01:00Z")
    assert "soaking until Wed 25 Nov 09:05 Europe/Berlin" in world.thread(release)


def test_the_plan_of_a_pull_request_keeps_its_lines_in_chat(world: World) -> None:
    """A table of waves on one endless line is a plan that nobody reads."""
    name = "node-agent-2-5-0"
    world.proposes(name, {f"releases/2026/{name}.yaml": repo_files.release(name, "2.5.0")})
    world.tick()
    lines = world.chat.cards[f"pull/pr/{name}"].split("\n")
    assert any(line.split()[:4] == ["stage", "wave", "units", "batches"] for line in lines)
    assert any(line.strip().startswith("+") and "2.5.0" in line for line in lines), "the diff"
    assert "    " in next(line for line in lines if "registry.local" in line)[:8], "indentation"
