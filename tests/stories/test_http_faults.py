"""Releases over a network that breaks: two clusters behind HTTP, and everything goes wrong in one.

Each fault ends in the right word in the record, no write is done twice, and the other cluster goes
on. Faults are played on the wire, by a server that does what an API server would have done.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from benchmarks.http_fleet import Fault
from bot.model.state import Intent, IntentStatus
from bot.reconciler.tick import Ports
from tests import repo_files
from tests.contracts.http_world import HttpWorld
from tests.world import World, moment

PATCHED = {"method": "PATCH", "path": "*daemonsets*"}
TRIED = {"method": "dry", "path": "*daemonsets*"}
READ = {"method": "GET", "path": "*daemonsets*"}


@dataclass
class Network:
    """The bot, and clusters that it reaches over HTTP."""

    world: World
    http: HttpWorld

    def release(self) -> str:
        return self.world.releases(units={"names": ["eu-1", "eu-2"]})

    def breaks(self, do: str, **how: Any) -> Fault:
        fault = Fault(do, cluster="eu-2", **how)
        self.http.order(fault)
        return fault

    def runs(self, cluster: str) -> set[str]:
        """Images of the pods that run."""
        with self.http.server.lock:
            there = self.http.server.hosted[cluster].cluster
            pods = there.every("v1", "Pod", int(self.world.clock.at.timestamp()))
            return {pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in pods}

    def generation(self, cluster: str) -> int:
        with self.http.server.lock:
            objects = self.http.server.hosted[cluster].cluster.objects()
        (found,) = [one for one in objects if one["kind"] == "DaemonSet"]
        return int(found["metadata"]["generation"])

    def run(self, release: str, until: Any) -> None:
        """Ticks, a moment of real time between them: what rests after a failure wakes by it."""
        pause = Event()
        for _ in range(600):
            self.world.tick()
            if until():
                return
            self.world.clock.at += timedelta(seconds=1)
            pause.wait(0.005)
        raise AssertionError(self.world.why(release) or self.world.phase(release))

    def run_to_the_end(self, release: str) -> None:
        self.run(release, lambda: self.world.phase(release, ended=True))
        assert self.world.phase(release) == "SUCCEEDED"
        assert self.runs("eu-1") == self.runs("eu-2") == {"2.5.0"}

    def outcomes(self, cluster: str) -> list[str]:
        """What came of the writes of a cluster, in order."""
        rows = sorted(self.world.bot.ports.store.rows(Intent), key=lambda row: row.seq)
        return [row.status.value for row in rows if row.unit.endswith(f"@{cluster}")]


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """2.4.1 runs in both clusters; one wave, one batch, no soak."""
    (tmp_path / "kube").mkdir()
    world = World(tmp_path, at="2026-11-24T10:00:00Z")
    http = HttpWorld.begin(tmp_path / "kube", "eu-1", "eu-2", clock=world.clock)
    for cluster in ("eu-1", "eu-2"):
        spec = {"group": "prod", "connection": {"kubeconfig": {"name": cluster}}}
        world.write({f"fleet/clusters/{cluster}.yaml": repo_files.doc("Cluster", cluster, spec)})
        http.server.seed(cluster, repo_files.running())
    quick = repo_files.component(batches=["100%"], soak="0s", batchTakes="1m")
    pipeline = repo_files.pipeline(maxConcurrency=2, waves=[2], maxFailures=1)
    world.write({"components/node-agent/component.yaml": quick})
    world.write({"pipelines/standard.yaml": pipeline})

    def around(ports: Ports) -> Ports:
        return replace(ports, fleet=http.fleet)

    world.around = around
    world.push("The fleet as it is")
    world.start()
    yield Network(world, http)
    world.close()
    http.close()


def test_without_faults_both_clusters_are_released(network: Network) -> None:
    """What the others are held against: one write each, and its outcome is known."""
    release = network.release()
    network.run_to_the_end(release)
    assert set(network.outcomes("eu-2")) == {IntentStatus.DONE.value}


@pytest.mark.parametrize(
    ("do", "how", "word"),
    [
        ("lose", PATCHED, IntentStatus.UNKNOWN),
        ("half", PATCHED, IntentStatus.UNKNOWN),
        ("hangAfter", PATCHED, IntentStatus.UNKNOWN),
        ("reset", PATCHED, IntentStatus.UNKNOWN),
        ("garbage", PATCHED, IntentStatus.UNKNOWN),
        ("hang", PATCHED, IntentStatus.UNKNOWN),
        ("status", {**PATCHED, "status": 500}, IntentStatus.UNKNOWN),
        ("status", {**PATCHED, "status": 504}, IntentStatus.UNKNOWN),
        ("status", {**PATCHED, "status": 429, "retry_after": 60}, IntentStatus.NOT_SENT),
        ("status", {**PATCHED, "status": 403}, IntentStatus.REFUSED),
        ("lose", TRIED, IntentStatus.NOT_SENT),
        ("status", {**TRIED, "status": 500}, IntentStatus.NOT_SENT),
    ],
)
def test_a_write_that_goes_wrong_is_recorded_as_what_is_known_of_it(
    network: Network, do: str, how: dict[str, Any], word: IntentStatus
) -> None:
    """Nobody guesses: "not sent" only where nothing can have arrived."""
    fault = network.breaks(do, times=1, **how)
    release = network.release()
    network.run(release, lambda: fault.struck)
    network.run(release, lambda: IntentStatus.INTENDED.value not in network.outcomes("eu-2"))
    assert word.value in network.outcomes("eu-2")


@pytest.mark.parametrize(
    ("do", "how"),
    [
        ("lose", PATCHED),
        ("half", PATCHED),
        ("garbage", PATCHED),
        ("reset", PATCHED),
        ("status", {**PATCHED, "status": 500}),
        ("garbage", TRIED),
        ("reset", READ),
        ("half", READ),
        ("garbage", READ),
        ("hang", READ),
        ("slow", {**READ, "seconds": 3.0}),
        ("status", {**READ, "status": 503}),
        ("status", {**READ, "status": 502, "body": "html"}),
    ],
)
def test_after_one_fault_the_release_ends_well_and_nothing_was_written_twice(
    network: Network, do: str, how: dict[str, Any]
) -> None:
    """The object has as many generations where the network broke as where it did not."""
    fault = network.breaks(do, times=1, **how)
    release = network.release()
    network.run_to_the_end(release)
    assert fault.struck == 1
    assert network.generation("eu-2") == network.generation("eu-1")


@pytest.mark.parametrize(
    "how",
    [
        {"do": "status", "status": 429, "retry_after": 30},
        {"do": "status", "status": 503},
        {"do": "status", "status": 502, "body": "html"},
        {"do": "reset"},
        {"do": "garbage"},
    ],
)
def test_a_storm_over_one_cluster_does_not_hold_up_the_other(
    network: Network, how: dict[str, Any]
) -> None:
    """It is said of the stormy one that it does not answer; the other is released meanwhile."""
    storm = network.breaks(**how)
    release = network.release()
    network.run(release, lambda: network.runs("eu-1") == {"2.5.0"})
    assert network.runs("eu-2") == {"2.4.1"}
    assert "cluster eu-2 did not answer" in network.world.why(release)
    asked = storm.seen
    for _ in range(200):
        network.world.clock.at += timedelta(seconds=1)
        network.world.tick()
    assert storm.seen - asked <= 20, "a cluster in trouble is not asked at every tick"


def test_a_storm_that_passes_is_followed_by_the_release(network: Network) -> None:
    storm = network.breaks("status", status=503)
    release = network.release()
    network.run(release, lambda: storm.struck >= 2)
    network.http.server.heal()
    network.run_to_the_end(release)


def test_a_connection_that_was_idle_and_closed_is_no_fault_at_all(network: Network) -> None:
    """A balancer that is restarted closes what nobody used: the next call opens it again."""
    release = network.release()
    network.run(release, lambda: network.runs("eu-2") == {"2.5.0"})
    network.http.server.break_connections()
    network.run_to_the_end(release)
    assert set(network.outcomes("eu-2")) == {IntentStatus.DONE.value}


def test_a_token_that_is_no_longer_taken_is_named_and_a_new_one_works(network: Network) -> None:
    """Rotated without a restart: the kubeconfig is read again when its file is another."""
    network.http.server.hosted["eu-2"].token = "new"
    release = network.release()
    network.run(release, lambda: network.runs("eu-1") == {"2.5.0"})
    assert network.runs("eu-2") == {"2.4.1"}
    network.http.write_kubeconfig("eu-2", token="new")
    network.run_to_the_end(release)


def test_a_right_that_is_missing_is_named_on_the_unit(network: Network) -> None:
    """Who looks after the cluster reads the verb and the resource, not a number."""
    network.http.server.hosted["eu-2"].denied = {("patch", "daemonsets")}
    release = network.release()
    network.run(release, lambda: IntentStatus.REFUSED.value in network.outcomes("eu-2"))
    rows = network.world.bot.ports.store.rows(Intent)
    (why,) = {row.outcome for row in rows if row.status is IntentStatus.REFUSED}
    assert "lacks the right to patch daemonsets.apps.kruise.io in namespace infra" in why


def test_clusters_that_come_late_are_released_in_the_window(network: Network) -> None:
    """Slow is not broken: half a second an answer, and still both are done."""
    network.breaks("latency", seconds=0.2, every=3)
    release = network.release()
    network.run_to_the_end(release)
    assert network.world.clock.at < moment("2026-11-24T17:00:00Z")
