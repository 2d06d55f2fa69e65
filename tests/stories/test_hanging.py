"""A cluster whose calls hang: the others are released meanwhile, and its own order is kept.

The calls hang until the story lets them go; patience is a blink, so that no story takes long.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from bot.model.effects import Write
from bot.model.plan import ObjectRef
from bot.model.state import Intent, IntentStatus
from bot.reconciler.lanes import THREADS
from bot.reconciler.tick import Ports
from tests import repo_files
from tests.world import World, moment


class Hanging:
    """A fleet of which one cluster takes a call and does not answer it."""

    def __init__(self, ports: Ports) -> None:
        self.fleet = ports.fleet
        self.looks = Event()
        self.writes = Event()
        self.cluster = "eu-2"
        self.begun: list[str] = []
        self.go_on()

    def go_on(self) -> None:
        self.looks.set()
        self.writes.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fleet, name)

    def get(self, cluster: str, ref: ObjectRef) -> Any:
        if cluster == self.cluster:
            self.begun.append(f"get {ref.kind}")
            assert self.looks.wait(20)
        return self.fleet.get(cluster, ref)

    def write(self, cluster: str, write: Write, *, fence: str, manager: str = "sluice") -> Any:
        if cluster == self.cluster:
            self.begun.append(f"{write.verb} {write.ref.kind}")
            assert self.writes.wait(20)
        return self.fleet.write(cluster, write, fence=fence, manager=manager)


@pytest.fixture
def hangs(world: World) -> Iterator[Hanging]:
    """The bot with a pool, and a cluster that can be made to hang."""
    made: list[Hanging] = []
    with ThreadPoolExecutor(THREADS) as pool:

        def around(ports: Ports) -> Ports:
            made.append(Hanging(ports))
            found = replace(ports, fleet=made[-1], pool=pool)  # type: ignore[arg-type]
            found.lanes.patience = 0.2
            return found

        world.around = around
        world.start()
        yield made[-1]
        made[-1].go_on()


def release_both(world: World) -> str:
    quick = repo_files.component(batches=["100%"], soak="0s", batchTakes="1m")
    world.write({"components/node-agent/component.yaml": quick})
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(maxConcurrency=2, waves=[2])})
    world.clock.at = moment("2026-11-24T10:00:00Z")
    return world.releases(units={"names": ["eu-1", "eu-2"]})


def settle(world: World) -> None:
    """Wait for what was left behind to come in, without letting time pass."""
    lanes = world.bot.ports.lanes
    with lanes._change:
        assert lanes._change.wait_for(lambda: not lanes.behind, 20)


def test_the_other_clusters_are_released_while_one_does_not_answer(
    world: World, hangs: Hanging
) -> None:
    """One bad link is one line in the report; the rest of the wave goes its way to the end."""
    hangs.looks.clear()
    name = release_both(world)
    world.run_for(minutes=3)
    assert world.running()["eu-1"] == "2.5.0×4", world.why(name)
    assert world.running()["eu-2"] == "2.4.1×4"
    assert world.phase(name) == "PROGRESSING"
    hangs.go_on()
    settle(world)
    world.run_to_the_end(name)
    assert world.running()["eu-2"] == "2.5.0×4"


def test_one_call_hangs_and_no_second_one_is_sent_behind_it(world: World, hangs: Hanging) -> None:
    """Ticks go on every few seconds; the cluster that hangs is not asked at each of them."""
    hangs.looks.clear()
    release_both(world)
    before = len(hangs.begun)
    world.run_for(minutes=5)
    assert len(hangs.begun) - before <= 1


def test_a_write_that_hangs_is_not_sent_again_and_its_outcome_is_told_when_it_comes(
    world: World, hangs: Hanging
) -> None:
    """Neither lost nor done twice: it is simply not over yet, and the record says so."""
    hangs.writes.clear()
    name = release_both(world)
    world.run_for(minutes=3)
    (open_one,) = open_writes(world)
    assert open_one.unit.endswith("@eu-2")
    assert [one for one in hangs.begun if one.startswith("patch")] == ["patch DaemonSet"]
    hangs.go_on()
    settle(world)
    world.run_to_the_end(name)
    assert open_writes(world) == []
    assert {row.status for row in world.bot.ports.store.rows(Intent)} == {IntentStatus.DONE}


def test_a_cluster_that_is_silent_for_long_is_said_to_be_unreachable(
    world: World, hangs: Hanging
) -> None:
    """Everything that waits says why: a hang that no time-out of the network ends, too."""
    world.bot.ports.lanes.silent = 0.0
    hangs.looks.clear()
    name = release_both(world)
    world.run_for(minutes=1)
    assert "cluster eu-2 did not answer" in world.why(name)


def test_a_pause_while_a_write_hangs_lets_nothing_more_leave(world: World, hangs: Hanging) -> None:
    """What has left has left; what stood behind it in the same unit stays here."""
    hangs.writes.clear()
    name = release_both(world)
    world.run_for(minutes=2)
    world.says(f"/sluice pause {name} because it hangs")
    sent = [one for one in hangs.begun if one.startswith(("patch", "create"))]
    hangs.go_on()
    settle(world)
    world.run_for(minutes=3)
    forward = [
        row
        for row in world.bot.ports.store.rows(Intent)
        if row.purpose == "forward" and row.unit.endswith("@eu-2")
    ]
    assert len(forward) == len(sent) == 1


def open_writes(world: World) -> list[Intent]:
    rows = world.bot.ports.store.rows(Intent)
    return [row for row in rows if row.status is IntentStatus.INTENDED]
