"""What clusters answer: lost, in conflict, refused; and a store that takes no more writes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.model.state import Intent, IntentStatus
from bot.ports import Conflict, Refused, StoreLocked
from bot.reconciler.tick import Ports
from tests import repo_files
from tests.stories.breaking import FullDisk
from tests.world import World

DAEMON_SET = ObjectRef("apps.kruise.io/v1beta1", "DaemonSet", "infra", "node-agent")
CONFIG = ObjectRef("v1", "ConfigMap", "infra", "node-agent")


class Meddling:
    """A fleet in which something happens just before a write arrives."""

    def __init__(self, ports: Ports) -> None:
        self.fleet = ports.fleet
        self.before: list[object] = []
        self.struck = DAEMON_SET

    def __getattr__(self, name: str) -> object:
        return getattr(self.fleet, name)

    def write(self, cluster: str, write: Write, *, fence: str, manager: str = "sluice") -> object:
        if write.verb == "patch" and write.ref == self.struck and self.before:
            happens = self.before.pop(0)
            if isinstance(happens, BaseException):
                raise happens
            assert callable(happens)
            happens()
        return self.fleet.write(cluster, write, fence=fence, manager=manager)


def meddled(world: World) -> Meddling:
    """Start the bot again with a fleet in which things happen."""
    found: list[Meddling] = []

    def around(ports: Ports) -> Ports:
        found.append(Meddling(ports))
        return replace(ports, fleet=found[-1])  # type: ignore[arg-type]

    world.around = around
    world.start()
    return found[-1]


def intents(world: World) -> list[Intent]:
    return sorted(world.bot.ports.store.rows(Intent), key=lambda row: row.seq)


def images(world: World, cluster: str = "st-1") -> int:
    """How many patches brought the new image."""
    return sum("node-agent:2.5.0" in str(entry["patch"]) for entry in world.fleet.writes(cluster))


def test_a_lost_answer_is_looked_after_and_not_sent_again(world: World) -> None:
    """Law 6: "the answer was lost" is an ordinary outcome."""
    world.breaks("st-1", {"do": "loseAnswers", "every": 1}, group="staging")
    release = world.releases(units={"names": ["st-1"]})
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running()["st-1"] == "2.5.0×2"
    assert images(world) == 1
    assert {row.status for row in intents(world)} == {IntentStatus.UNKNOWN}


def test_somebody_edits_between_the_look_and_the_write(world: World) -> None:
    """The write was meant for what was seen: it is not forced, the cluster is looked at again."""
    release = world.releases(units={"names": ["st-1"]})
    fleet = meddled(world)

    def scale_cpu() -> None:
        body = {"metadata": {"annotations": {"team/note": "hands off"}}}
        edit = Write(ref=DAEMON_SET, verb="patch", purpose=Purpose.FORWARD, body=body)
        world.fleet.write("st-1", edit, fence="", manager="kubectl")

    fleet.before = [scale_cpu]
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    conflicts = [row for row in intents(world) if row.outcome.startswith("conflict")]
    assert [row.status for row in conflicts] == [IntentStatus.NOT_SENT]
    live = world.fleet.get("st-1", DAEMON_SET)
    assert live is not None
    assert live["metadata"]["annotations"]["team/note"] == "hands off"


def test_what_a_cluster_refuses_fails_the_unit_with_its_words(world: World) -> None:
    """Asking again changes nothing: a person reads what the API server said, and decides."""
    release = world.releases(units={"names": ["st-1"]})
    fleet = meddled(world)
    fleet.before = [Refused('admission webhook "guard" denied the request: image not signed')]
    world.run_until("2026-11-24T09:10:00Z")
    unit = world.unit(release, "node-agent@st-1")
    assert unit.phase == "FAILED"
    assert "image not signed" in (unit.failure or "")
    assert "image not signed" in world.thread(release)
    assert world.says(f"retry {release}").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_after_a_refused_object_nothing_more_of_the_unit_is_sent(world: World) -> None:
    """The workload would read a configuration that is not there: the next look tells what is."""
    louder = repo_files.VALUES.replace("level: info", "level: debug")
    world.changes({"components/node-agent/values/default.yaml": louder})
    release = world.releases(units={"names": ["st-1"]})
    fleet = meddled(world)
    fleet.struck = CONFIG
    fleet.before = [Refused("exceeded quota: configmaps")]
    world.run_until("2026-11-24T09:10:00Z")
    assert world.unit(release, "node-agent@st-1").phase == "FAILED"
    assert "exceeded quota" in world.thread(release)
    assert images(world) == 0
    outcomes = {row.ref: row.status for row in intents(world)}
    assert outcomes == {CONFIG: IntentStatus.REFUSED, DAEMON_SET: IntentStatus.NOT_SENT}


def test_a_conflict_for_ever_ends_at_the_deadline(world: World) -> None:
    """Two who fight over an object: this one stops and says so."""
    release = world.releases(units={"names": ["st-1"]})
    fleet = meddled(world)
    fleet.before = [Conflict("the object has been modified") for _ in range(5_000)]
    world.run_until("2026-11-24T09:30:00Z")
    assert world.unit(release, "node-agent@st-1").phase == "FAILED"
    assert images(world) == 0


@pytest.mark.parametrize("kind", ["full", "locked"])
def test_without_a_store_nothing_is_written_to_a_cluster(world: World, kind: str) -> None:
    """What cannot be recorded is not done; when the disk has room again it goes on by itself."""
    release = world.releases(units={"names": ["st-1"]})
    disk = FullDisk(kind)
    world.around = disk.around
    world.start()
    world.clock.at = world.clock.at.replace(hour=9)
    disk.full = True
    for _ in range(3):
        with pytest.raises(StoreLocked):
            world.tick()
    assert world.fleet.writes("st-1") == []
    disk.full = False
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert images(world) == 1
    kinds = [event.kind for event in world.bot.ports.store.events(release=release)]
    assert kinds.count("release.began") == 1


def test_the_disk_fills_up_while_a_batch_is_on_its_way(world: World) -> None:
    """The writes have left and their outcome cannot be kept: the next look tells, not memory."""
    release = world.releases(units={"names": ["st-1"]})
    disk = FullDisk()

    def around(ports: Ports) -> Ports:
        fleet = Meddling(ports)
        fleet.before = [lambda: setattr(disk, "full", True)]
        return replace(disk.around(ports), fleet=fleet)  # type: ignore[arg-type]

    world.around = around
    world.start()
    world.clock.at = world.clock.at.replace(hour=9)
    with pytest.raises(StoreLocked):
        world.tick()
    assert images(world) == 1
    disk.full = False
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert images(world) == 1


def test_a_batch_that_never_left_is_not_late_because_the_bot_was_down(world: World) -> None:
    """Recorded, then hours without a bot: its deadline passed, but nobody had looked."""
    release = world.releases(units={"names": ["st-1"]})
    fleet = meddled(world)
    fleet.before = [KeyboardInterrupt()]
    world.clock.at = world.clock.at.replace(hour=9)
    with pytest.raises(KeyboardInterrupt):
        world.tick()
    world.dies()
    world.around = lambda ports: ports
    world.clock.at = world.clock.at.replace(hour=14)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.events(release, "unit.failed") == []
