"""What stands in chat while a release moves: times and plans as people can read them."""

from __future__ import annotations

from tests import repo_files
from tests.world import World

CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}


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


def test_a_rollback_is_not_told_as_a_resume(world: World) -> None:
    """It lifts the hold of the failure; "goes on by its gates" would frighten who reads it."""
    world.write({"fleet/clusters/eu-1.yaml": repo_files.cluster("eu-1", "prod", faults=[CRASH])})
    world.push()
    release = world.releases()
    world.run_until("2026-11-24T12:00:00Z")
    assert "eu-1" in world.thread(release), "it stopped there"
    world.says(f"rollback {release} crash loop")
    world.run_for(minutes=10)
    assert world.phase(release) == "ROLLED_BACK"
    assert "Resumed" not in world.thread(release)


def test_a_card_counts_the_batches_that_a_small_cluster_really_has(world: World) -> None:
    """1, 50 % and 100 % of two nodes are two batches: "2 of 3" would look unfinished for ever."""
    release = world.releases()
    world.run_until("2026-11-24T09:25:00Z")
    rows = world.chat.cards[f"card/{release}"].split("\n")
    done = next(row.split() for row in rows if row.startswith("node-agent@st-1"))
    assert done == ["node-agent@st-1", "SUCCEEDED", "2", "of", "2", "2", "of", "2"]


def test_a_first_install_tells_how_many_pods_it_brings(world: World) -> None:
    """Nothing ran there before, so nothing could be counted: "3 of 0 pods" helps nobody."""
    world.write({"fleet/clusters/st-0.yaml": repo_files.cluster("st-0", "staging", 3)})
    world.push()
    release = world.releases()
    world.run_until("2026-11-24T09:00:05Z")
    assert "Rolling out" in world.why(release)
    assert "of 0 pods" not in world.why(release)
