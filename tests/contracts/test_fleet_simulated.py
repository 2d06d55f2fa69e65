"""The embedded fleet passes the port's suite, shows its faults, and outlives the process."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.simulated import SimulatedFleet
from bot.ports import AnswerLost, Conflict, Connection, Refused, Unreachable
from tests.contracts.fleet_answers import AnswerStories
from tests.contracts.fleet_patches import CustomPatchStories
from tests.contracts.fleet_status import StatusStories
from tests.contracts.fleet_suite import (
    FleetStories,
    config_map,
    creating,
    daemon_set,
    deleting,
    deployment,
    patching,
    ref_of,
)

NINE = datetime(2026, 11, 24, 9, tzinfo=UTC)
IMAGE = "registry.local/web:1"


class HandClock:
    """A clock that a story turns by hand."""

    def __init__(self, at: datetime = NINE) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def named(cluster: str = "c", nodes: int = 3, *faults: dict[str, Any]) -> Connection:
    simulated = {"nodes": nodes, "faults": list(faults)}
    return Connection(cluster=cluster, connection={"simulated": simulated})


@dataclass
class SimulatedWorld:
    """One simulated cluster whose time a story turns."""

    fleet: SimulatedFleet
    clock: HandClock
    cluster: str = "c"
    namespace: str = "infra"

    def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(600):
            if holds():
                return
            self.clock.pass_by(1)
        raise AssertionError("it never came to hold")

    def faulty(self, *faults: dict[str, Any], nodes: int = 3) -> None:
        self.fleet.connect([named("c", nodes, *faults)])


@pytest.fixture(params=["memory", "file"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SimulatedWorld]:
    clock = HandClock()
    path = str(tmp_path / "fleet.db") if request.param == "file" else None
    fleet = SimulatedFleet(clock, path)
    fleet.connect([named()])
    yield SimulatedWorld(fleet, clock)
    fleet.close()


class TestSimulatedFleet(FleetStories):
    """Every promise of the port, in memory and in a file."""


class TestStatusOfSimulatedFleet(StatusStories):
    """What the embedded controllers show of a workload."""


class TestPatchesOfSimulatedFleet(CustomPatchStories, AnswerStories):
    """Every type of patch, in memory and in a file."""


def ready(world: SimulatedWorld) -> list[bool]:
    return [
        condition["status"] == "True"
        for pod in world.fleet.pods("c")
        for condition in pod["status"]["conditions"]
        if condition["type"] == "Ready"
    ]


# -- faults


def test_crash_looping_pods_restart_and_never_become_ready(world: SimulatedWorld) -> None:
    """As many pods of the image as the fault names, and a replaced one crashes again."""
    world.faulty({"do": "crashLoop", "image": IMAGE, "pods": 2})
    world.fleet.write("c", creating(daemon_set(world)), fence="1.1")
    world.clock.pass_by(60)
    crashing = [
        p for p in world.fleet.pods("c") if p["status"]["containerStatuses"][0]["restartCount"]
    ]
    assert len(crashing) == 2
    state = crashing[0]["status"]["containerStatuses"][0]["state"]
    assert state == {"waiting": {"reason": "CrashLoopBackOff"}}
    assert sorted(ready(world)) == [False, False, True]
    restarts = crashing[0]["status"]["containerStatuses"][0]["restartCount"]
    world.clock.pass_by(300)
    later = world.fleet.get("c", ref_of(crashing[0]))
    assert later is not None
    assert later["status"]["containerStatuses"][0]["restartCount"] > restarts
    world.fleet.write("c", deleting(crashing[0]), fence="1.2")
    world.clock.pass_by(60)
    assert sorted(ready(world)) == [False, False, True]


def test_pods_that_never_become_ready_run_all_the_same(world: SimulatedWorld) -> None:
    world.faulty({"do": "neverReady", "image": IMAGE})
    world.fleet.write("c", creating(deployment(world)), fence="1.1")
    world.clock.pass_by(3600)
    assert ready(world) == [False, False]
    assert {p["status"]["phase"] for p in world.fleet.pods("c")} == {"Running"}


@pytest.mark.parametrize("takes", ["5m", 300])
def test_slow_pods_become_ready_late(world: SimulatedWorld, takes: Any) -> None:
    world.faulty({"do": "slow", "image": IMAGE, "takes": takes})
    world.fleet.write("c", creating(deployment(world)), fence="1.1")
    world.clock.pass_by(290)
    assert ready(world) == [False, False]
    world.clock.pass_by(20)
    assert ready(world) == [True, True]


def test_a_fault_of_another_image_strikes_nobody(world: SimulatedWorld) -> None:
    world.faulty({"do": "crashLoop", "image": "registry.local/web:2"})
    world.fleet.write("c", creating(deployment(world)), fence="1.1")
    world.clock.pass_by(60)
    assert ready(world) == [True, True]


def test_an_unreachable_cluster_answers_nothing_and_goes_on_inside(world: SimulatedWorld) -> None:
    """Half open, to the second; its controllers do not need us."""
    world.fleet.write("c", creating(deployment(world)), fence="1.1")
    world.faulty(
        {"do": "unreachable", "from": "2026-11-24T09:10:00Z", "to": "2026-11-24T09:20:00Z"}
    )
    world.clock.at = NINE + timedelta(minutes=10)
    for ask in (
        lambda: world.fleet.uid("c"),
        lambda: world.fleet.get("c", ref_of(deployment(world))),
        lambda: world.fleet.write("c", creating(config_map(world)), fence="1.2"),
    ):
        with pytest.raises(Unreachable):
            ask()
    assert not world.fleet.reachable("c")
    world.clock.at = NINE + timedelta(minutes=20)
    assert world.fleet.reachable("c")
    assert ready(world) == [True, True]
    assert [w["object"] for w in world.fleet.writes("c")] == [ref_of(deployment(world)).key]


def test_every_nth_answer_is_lost_and_the_write_stands(world: SimulatedWorld) -> None:
    """The ordinary outcome that everything above must be able to live with."""
    world.faulty({"do": "loseAnswers", "every": 2})
    names = ["one", "two", "three", "four"]
    lost = []
    for number, name in enumerate(names):
        try:
            world.fleet.write("c", creating(config_map(world, name)), fence=f"1.{number}")
        except AnswerLost:
            lost.append(name)
    assert lost == ["two", "four"]
    assert all(world.fleet.get("c", ref_of(config_map(world, name))) for name in names)


# -- the record


def test_every_write_that_was_received_is_told_in_order(world: SimulatedWorld) -> None:
    """Also those that were refused: the record is of what arrived."""
    obj = config_map(world, a="1")
    world.fleet.write("c", creating(obj), fence="2.1")
    world.clock.pass_by(5)
    world.fleet.write("c", patching(obj, {"data": {"a": "2"}}), fence="2.2", manager="somebody")
    with pytest.raises(Conflict):
        world.fleet.write("c", patching(obj, {"data": {"a": "3"}}), fence="1.9")
    with pytest.raises(Refused):
        world.fleet.write("c", deleting(config_map(world, "none")), fence="2.3")
    told = world.fleet.writes("c")
    assert [(w["verb"], w["manager"], w["outcome"]) for w in told] == [
        ("create", "sluice", "done"),
        ("patch", "somebody", "done"),
        ("patch", "sluice", "fenced"),
        ("delete", "sluice", "refused"),
    ]
    assert told[1]["at"] == "2026-11-24T09:00:05Z"
    assert told[1]["object"] == "v1/ConfigMap/infra/settings"
    assert told[1]["patch"] == {"data": {"a": "2"}}


def test_seeded_objects_have_stood_for_long(world: SimulatedWorld) -> None:
    """A demo begins with a fleet that runs; what others did before us is not in the record."""
    world.fleet.seed("c", [config_map(world), daemon_set(world)])
    assert ready(world) == [True, True, True]
    live = world.fleet.get("c", ref_of(daemon_set(world)))
    assert live is not None
    assert live["status"]["observedGeneration"] == 1
    assert live["metadata"]["managedFields"][0]["manager"] == "kubectl"
    assert "sluice/fence" not in live["metadata"].get("annotations", {})
    assert world.fleet.writes("c") == []
    assert [o["kind"] for o in world.fleet.objects("c")] == ["ConfigMap", "DaemonSet"]


# -- nodes and identity


def test_nodes_join_and_leave_as_main_says(world: SimulatedWorld) -> None:
    world.fleet.seed("c", [daemon_set(world)])
    for nodes in (5, 2):
        world.fleet.connect([named("c", nodes)])
        world.clock.pass_by(60)
        on = sorted(p["spec"]["nodeName"] for p in world.fleet.pods("c"))
        assert on == [f"n-{number}" for number in range(1, nodes + 1)]
    assert world.fleet.get("c", ref_of({**_node("n-2")})) is not None
    assert world.fleet.get("c", ref_of({**_node("n-3")})) is None


def _node(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}


def test_a_rebuilt_cluster_is_empty_and_another_one(world: SimulatedWorld) -> None:
    world.fleet.seed("c", [daemon_set(world)])
    uid = world.fleet.uid("c")
    world.fleet.rebuild("c")
    assert world.fleet.uid("c") != uid
    assert world.fleet.objects("c") == ()


def test_a_cluster_that_left_main_cannot_be_reached(world: SimulatedWorld) -> None:
    uid = world.fleet.uid("c")
    world.fleet.connect([named("other")])
    with pytest.raises(Unreachable):
        world.fleet.uid("c")
    world.fleet.connect([named("c"), named("other")])
    assert world.fleet.uid("c") == uid


# -- time


def test_looking_often_or_seldom_shows_the_same_world() -> None:
    """What happens between two looks does not depend on who looks."""

    def pods_after(steps: int) -> Any:
        clock = HandClock()
        fleet = SimulatedFleet(clock)
        fleet.connect(
            [named("c", 6, {"do": "crashLoop", "image": "registry.local/web:2", "pods": 1})]
        )
        world = SimulatedWorld(fleet, clock)
        fleet.seed("c", [daemon_set(world)])
        template = daemon_set(world, "2")["spec"]["template"]
        fleet.write("c", patching(daemon_set(world), {"spec": {"template": template}}), fence="1.1")
        for _ in range(steps):
            clock.pass_by(120 / steps)
            fleet.get("c", ref_of(daemon_set(world)))
        return fleet.pods("c"), fleet.objects("c")

    assert pods_after(1) == pods_after(120) == pods_after(240)


# -- the file


def test_another_process_may_look_while_this_one_writes(tmp_path: Path) -> None:
    """`sluice fleet` in another terminal."""
    path, clock = str(tmp_path / "fleet.db"), HandClock()
    bot, reader = SimulatedFleet(clock, path), SimulatedFleet(clock, path)
    world = SimulatedWorld(bot, clock)
    bot.connect([named()])
    reader.connect([named()])
    assert reader.uid("c") == bot.uid("c")
    for version in ("1", "2"):
        obj = config_map(world, f"v{version}")
        bot.write("c", creating(obj), fence=f"1.{version}")
        assert reader.get("c", ref_of(obj)) == bot.get("c", ref_of(obj))
    assert reader.writes("c") == bot.writes("c")
    reader.close()
    bot.close()


def test_what_rolled_when_the_process_was_killed_goes_on_rolling(tmp_path: Path) -> None:
    """Clusters do not die with the bot: the same second shows the same pods, killed or not."""
    clock = HandClock()
    path = str(tmp_path / "fleet.db")
    fleets = [SimulatedFleet(clock), SimulatedFleet(clock, path)]
    for fleet in fleets:
        fleet.connect([named("c", 6)])
        world = SimulatedWorld(fleet, clock)
        fleet.seed("c", [daemon_set(world)])
        template = daemon_set(world, "2")["spec"]["template"]
        fleet.write("c", patching(daemon_set(world), {"spec": {"template": template}}), fence="1.1")
    fleets[1].close()
    for seconds in (1, 4, 9, 30, 100):
        clock.at = NINE + timedelta(seconds=seconds)
        again = SimulatedFleet(clock, path)
        again.connect([named("c", 6)])
        assert again.pods("c") == fleets[0].pods("c")
        assert again.objects("c") == fleets[0].objects("c")
        again.close()


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from bot.adapters.simulated import SimulatedFleet
from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.ports import Connection

class Nine:
    def now(self):
        return datetime(2026, 11, 24, 9, tzinfo=UTC)

fleet = SimulatedFleet(Nine(), sys.argv[1])
fleet.connect([Connection(cluster="c", connection={"simulated": {"nodes": 3}})])
body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "infra"}}
ref = ObjectRef("v1", "ConfigMap", "infra", "x")
write = Write(ref=ref, verb="create", purpose=Purpose.FORWARD, body=body)
fleet.write("c", write, fence="1.1")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_write_that_was_answered_survives_kill_nine(tmp_path: Path) -> None:
    path = str(tmp_path / "fleet.db")
    killed = subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    assert killed.returncode == -9
    fleet = SimulatedFleet(HandClock(), path)
    fleet.connect([named()])
    assert [o["metadata"]["name"] for o in fleet.objects("c")] == ["x"]
    assert [w["outcome"] for w in fleet.writes("c")] == ["done"]
    fleet.close()


def test_a_file_that_takes_no_write_refuses_before_anything_happens(tmp_path: Path) -> None:
    """What could not be kept did not happen, also not in memory."""
    path = tmp_path / "fleet.db"
    fleet = SimulatedFleet(HandClock(), str(path))
    fleet.connect([named()])
    world = SimulatedWorld(fleet, HandClock())
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("drop table writes")
    with pytest.raises(Unreachable):
        fleet.write("c", creating(config_map(world)), fence="1.1")
    assert fleet.get("c", ref_of(config_map(world))) is None
    other.close()
    fleet.close()
