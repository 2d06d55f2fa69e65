"""What Sluice takes back by itself it takes back once: the second time it asks people."""

from __future__ import annotations

from tests import repo_files
from tests.world import World

COMPONENT = "components/node-agent/component.yaml"
CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
ST_1 = "node-agent@st-1"


def failing(world: World, how: str) -> str:
    world.changes({COMPONENT: repo_files.component(onFailure=how)})
    world.breaks("st-1", CRASH, group="staging")
    release = world.releases()
    world.run_for(hours=3)
    return release


def test_a_unit_is_taken_back_by_itself_once(world: World) -> None:
    """Retried into the same failure, it holds where it stands: no forward and back all night."""
    release = failing(world, "rollbackUnit")
    assert world.unit(release, ST_1).phase == "ROLLED_BACK"
    assert world.running()["st-1"] == "2.4.1×2"
    assert world.says(f"retry {ST_1}").code == 0
    world.run_for(hours=3)
    unit = world.unit(release, ST_1)
    assert unit.phase == "FAILED"
    assert "once before" in (unit.failure or "")
    assert len(world.events(release, "unit.rolling-back")) == 1
    assert any(hold.release == release for hold in world.bot.board.holds.values())
    assert world.says(f"rollback {ST_1} --reason 'by hand'").code == 0
    world.run_for(minutes=15)
    assert world.running()["st-1"] == "2.4.1×2"


def test_leaving_it_out_and_trying_again_does_not_begin_the_count_anew(world: World) -> None:
    release = failing(world, "rollbackUnit")
    assert world.says(f"skip {ST_1} --reason later").code == 0
    assert world.says(f"retry {ST_1}").code == 0
    world.run_for(hours=3)
    assert world.unit(release, ST_1).phase == "FAILED"
    assert len(world.events(release, "unit.rolling-back")) == 1


def test_a_release_is_taken_back_by_itself_once_and_stays(world: World) -> None:
    """`onFailure: rollbackRelease`: it ends, it is blocked, and nothing brings it forward again."""
    release = failing(world, "rollbackRelease")
    assert world.phase(release) == "ROLLED_BACK"
    assert set(world.running().values()) == {"2.4.1×2", "2.4.1×4"}
    assert world.says(f"retry {ST_1}").code != 0
    world.run_for(days=2)
    assert len(world.events(release, "release.rolling-back")) == 1
