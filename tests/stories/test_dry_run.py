"""What a cluster would say is asked before the first write of a batch: all leaves, or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.effects import Write
from bot.model.state import IntentStatus
from bot.ports import Refused, Unreachable
from bot.reconciler.tick import Ports
from tests import repo_files
from tests.stories.test_answers import CONFIG, DAEMON_SET, images, intents
from tests.world import World


class Asked:
    """A fleet that says something when it is asked first."""

    def __init__(self, ports: Ports) -> None:
        self.fleet = ports.fleet
        self.asked: list[tuple[str, str]] = []
        self.says: dict[str, object] = {}

    def __getattr__(self, name: str) -> object:
        return getattr(self.fleet, name)

    def dry_run(
        self, cluster: str, write: Write, *, fence: str, manager: str = "sluice"
    ) -> tuple[str, ...]:
        self.asked.append((cluster, write.ref.kind))
        said = self.says.get(write.ref.kind, ())
        if isinstance(said, BaseException):
            raise said
        self.fleet.dry_run(cluster, write, fence=fence, manager=manager)
        return said  # type: ignore[return-value]


def asked(world: World) -> Asked:
    """Start the bot again with a fleet that notes what it is asked."""
    found: list[Asked] = []

    def around(ports: Ports) -> Ports:
        found.append(Asked(ports))
        return replace(ports, fleet=found[-1])  # type: ignore[arg-type]

    world.around = around
    world.start()
    return found[-1]


def two_objects(world: World) -> str:
    """A release that changes a ConfigMap and the workload that reads it, in one cluster."""
    louder = repo_files.VALUES.replace("level: info", "level: debug")
    world.changes({"components/node-agent/values/default.yaml": louder})
    return world.releases(units={"names": ["st-1"]})


def test_where_the_second_object_would_be_refused_the_first_is_not_written(world: World) -> None:
    """Half a batch is worse than none: the new configuration would meet the old program."""
    release = two_objects(world)
    fleet = asked(world)
    fleet.says = {"DaemonSet": Refused('admission webhook "guard" denied the request: not signed')}
    world.run_until("2026-11-24T09:10:00Z")
    assert world.unit(release, "node-agent@st-1").phase == "FAILED"
    assert world.fleet.writes("st-1") == []
    told = {row.ref: row.status for row in intents(world)}
    assert told == {CONFIG: IntentStatus.NOT_SENT, DAEMON_SET: IntentStatus.REFUSED}
    assert "not signed" in world.thread(release)
    assert "nothing of the batch was sent" in world.thread(release)
    fleet.says = {}
    assert world.says(f"retry {release}").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_what_the_cluster_warns_of_is_evidence_of_the_write(world: World) -> None:
    """A deprecated field goes through today: who reads the audit later finds that it was said."""
    release = two_objects(world)
    fleet = asked(world)
    fleet.says = {"DaemonSet": ("spec.old is deprecated", "spec.x was set by kubectl")}
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    (line,) = world.events(release, "write.outcome")
    assert line.data["status"] == "DONE"
    assert line.data["why"] == "spec.old is deprecated; spec.x was set by kubectl"


def test_a_later_batch_of_one_object_is_not_asked_about_again(world: World) -> None:
    """It moves a number in what the cluster took already: the call would say nothing new."""
    release = world.releases(units={"names": ["st-1"]})
    fleet = asked(world)
    world.run_to_the_end(release)
    assert images(world) >= 1
    assert len(world.fleet.writes("st-1")) > 1
    assert fleet.asked == [("st-1", "DaemonSet")]


def test_a_cluster_that_cannot_be_asked_is_asked_again_and_nothing_is_lost(world: World) -> None:
    release = world.releases(units={"names": ["st-1"]})
    fleet = asked(world)
    fleet.says = {"DaemonSet": Unreachable("st-1: connection reset")}
    world.run_until("2026-11-24T09:02:00Z")
    assert world.fleet.writes("st-1") == []
    fleet.says = {}
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


@pytest.mark.parametrize("command", ["rollback --reason slow", "pause"])
def test_what_goes_back_or_stops_is_never_kept_waiting_by_a_question(
    world: World, command: str
) -> None:
    """Stopping is always possible: a policy that refuses the new image must not hold the old."""
    release = world.releases(units={"names": ["st-1"]})
    fleet = asked(world)
    world.run_until("2026-11-24T09:03:00Z")
    assert images(world) == 1
    fleet.asked.clear()
    fleet.says = {"DaemonSet": Refused("would be refused")}
    verb, _, reason = command.partition(" ")
    assert world.says(f"{verb} {release} {reason}").code == 0
    world.run_until("2026-11-24T09:20:00Z")
    assert fleet.asked == []
    if verb == "rollback":
        assert "2.5.0" not in world.running()["st-1"]
