"""Two processes on one store by mistake: neither goes on by what it read before the other wrote."""

from __future__ import annotations

from bot.reconciler.tick import Reconciler
from tests.world import World


def second(world: World) -> Reconciler:
    """Another process on the same store, started now, with a board of its own."""
    return Reconciler(world.bot.ports)


def test_what_one_has_paused_the_other_does_not_begin(world: World) -> None:
    """Its board is from before the pause: the record is longer than what it has read."""
    release = world.releases()
    world.run_until("2026-11-24T09:00:30Z")
    other = second(world)
    assert world.says(f"pause {release} --reason odd").code == 0
    began = len(world.events(release, "batch.applying"))
    for minutes in range(1, 60):
        world.clock.at = world.clock.at.replace(minute=minutes)
        other.tick()
    assert len(world.events(release, "batch.applying")) == began
    assert [hold.scope for hold in other.board.holds.values()] == [release]


def test_what_one_has_left_out_the_other_does_not_begin(world: World) -> None:
    """Nothing was stopped, a unit was skipped: every change is told, and so is this one."""
    release = world.releases()
    world.tick()
    other = second(world)
    assert world.says("skip node-agent@eu-1 --reason later").code == 0
    other.tick()
    assert other.board.releases[release].units["node-agent@eu-1"].phase == "SKIPPED"


def test_one_process_alone_reads_its_rows_once(world: World) -> None:
    """Its own lines are known to it: the board is the same object all the way."""
    release = world.releases()
    world.tick()
    board = world.bot.board
    assert world.says(f"pause {release} --reason odd").code == 0
    assert world.says(f"resume {release}").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.bot.board is board
