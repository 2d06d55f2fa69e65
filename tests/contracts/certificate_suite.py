"""When a batch is done, and when it is no longer: the same on embedded and on real controllers.

A subclass gives `CertificateStories` the fixture `rolling`, as in `tests/contracts/fleet_suite.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

import pytest

from bot.cluster.drive import Goal, Mode, Progress

DIGEST = "a" * 64
OF_A_KIND = pytest.mark.parametrize("kind", ["StatefulSet", "CloneSet"])

ALL = {"readyReplicas": 10, "availableReplicas": 10}
IN_THE_MIDDLE: dict[str, dict[str, Any]] = {
    "Deployment": {
        "replicas": 13,
        "updatedReplicas": 3,
        "readyReplicas": 13,
        "availableReplicas": 10,
        "unavailableReplicas": 3,
        "terminatingReplicas": 0,
    },
    "StatefulSet": {
        **ALL,
        "replicas": 10,
        "updatedReplicas": 3,
        "currentReplicas": 7,
        "collisionCount": 0,
    },
    "DaemonSet": {
        "desiredNumberScheduled": 10,
        "currentNumberScheduled": 10,
        "updatedNumberScheduled": 3,
        "numberReady": 10,
        "numberAvailable": 10,
        "numberMisscheduled": 0,
    },
    "CloneSet": {
        **ALL,
        "replicas": 10,
        "updatedReplicas": 3,
        "updatedReadyReplicas": 3,
        "updatedAvailableReplicas": 3,
        "expectedUpdatedReplicas": 3,
        "collisionCount": 0,
        "labelSelector": "app=agent",
    },
}
"""Every count of a status after a batch of three of ten, as real controllers write it."""
NAMES = ("currentRevision", "updateRevision", "conditions")


class Rolling(Protocol):
    """A unit of ten pods on version 1 that goes to another one, and what befalls its pods."""

    def goal(self, mode: Mode, updated: int = 0) -> Goal: ...

    def step(self, goal: Goal) -> Progress: ...

    def run(self, goal: Goal, seconds: int) -> Progress: ...

    def forward(self, updated: int) -> Progress: ...

    def named(self, version: str) -> list[str]:
        """Its pods of that version, not on their way out."""
        ...

    def ready(self, version: str) -> list[str]: ...

    def live(self) -> Any: ...

    def until(self, holds: Callable[[], bool]) -> None: ...

    def merge(self, patch: Any) -> None:
        """Somebody else writes to the workload."""
        ...

    def delete_named(self, name: str) -> None: ...

    def falls(self, name: str) -> None:
        """A container of the pod ends and is started again; this returns when it is ready."""
        ...

    def sick(self, name: str) -> AbstractContextManager[None]:
        """Inside the block that pod is not ready."""
        ...

    def another_digest(self, name: str) -> AbstractContextManager[None]:
        """Inside the block its node says that the pod runs another image than the one named."""
        ...

    def controller_stands_still(self) -> AbstractContextManager[None]: ...


Begin = Callable[..., Rolling]


class CertificateStories:
    """Each condition on its own: it closes the gate, and opens it again when it holds."""

    @pytest.mark.parametrize("kind", IN_THE_MIDDLE)
    def test_a_status_in_the_middle_of_a_release_has_these_counts_and_no_others(
        self, rolling: Begin, kind: str
    ) -> None:
        """A field that one side lacks is a rule that was tried on the other side only."""
        unit = rolling(kind)
        assert unit.forward(3).converged

        def told() -> Any:
            status = unit.live()["status"]
            return {name: value for name, value in status.items() if name not in NAMES}

        generation = unit.live()["metadata"]["generation"]
        unit.until(lambda: told() == {**IN_THE_MIDDLE[kind], "observedGeneration": generation})
        if kind == "Deployment":  # without a deadline nothing is said of progress
            types = [one["type"] for one in unit.live()["status"]["conditions"]]
            assert types == ["Available"]

    @pytest.mark.parametrize("kind", ["Deployment", "DaemonSet"])
    def test_ready_is_not_available_before_min_ready_seconds(
        self, rolling: Begin, kind: str
    ) -> None:
        unit = rolling(kind, minReadySeconds=5)
        goal = unit.goal(Mode.FORWARD, 1)
        unit.until(lambda: bool(unit.step(goal)) and bool(unit.ready("2")))
        early = unit.step(goal)
        assert (early.converged, early.waiting, early.healthy) == (False, "progress", False)
        assert (early.updated, early.pods) == (1, ())
        done = unit.run(goal, 40)
        assert (done.converged, done.healthy, len(done.pods)) == (True, True, 1)

    @OF_A_KIND
    def test_a_pod_counts_by_the_digest_that_it_runs(self, rolling: Begin, kind: str) -> None:
        """A tag that was moved, a registry that was tampered with: all is ready, and not ours."""
        unit = rolling(kind, f"2@sha256:{DIGEST}")
        assert unit.forward(2).converged
        goal = unit.goal(Mode.FORWARD, 2)
        with unit.another_digest(unit.named(DIGEST)[0]):
            other = unit.step(goal)
            assert (other.converged, other.waiting, other.healthy) == (False, "progress", False)
            assert (other.updated, len(other.pods), other.unavailable) == (2, 1, 0)
        proof = unit.step(goal)
        assert (proof.converged, proof.healthy) == (True, True)
        assert [pod["digests"] for pod in proof.pods] == [[f"sha256:{DIGEST}"]] * 2

    @OF_A_KIND
    def test_a_pod_that_fell_and_is_ready_again_does_not_count(
        self, rolling: Begin, kind: str
    ) -> None:
        """Every number of the status is as it was, and yet the version is not well."""
        unit = rolling(kind)
        assert unit.forward(2).healthy
        goal = unit.goal(Mode.FORWARD, 2)
        unit.falls(unit.named("2")[0])
        fallen = unit.step(goal)
        assert len(unit.ready("2")) == 2
        assert (fallen.converged, fallen.waiting, fallen.healthy) == (False, "progress", False)
        assert (len(fallen.pods), fallen.unavailable) == (1, 0)
        later = unit.forward(3)  # looked at by somebody, and retried: history
        assert (later.converged, later.healthy, len(later.pods)) == (True, True, 3)
        assert sorted(pod["restarts"] for pod in later.pods) == [0, 0, 1]

    @OF_A_KIND
    def test_old_pods_that_break_close_the_gate_in_the_batch_and_in_the_silence(
        self, rolling: Begin, kind: str
    ) -> None:
        unit = rolling(kind)
        assert unit.forward(2).healthy
        goal = unit.goal(Mode.FORWARD, 2)
        with unit.sick(unit.named("1")[0]):
            unit.until(lambda: len(unit.ready("1")) == 7)
            broken = unit.step(goal)
            assert (broken.converged, broken.waiting) == (False, "collateral")
            assert (broken.healthy, broken.unavailable, len(broken.pods)) == (False, 1, 2)
            assert broken.detail["pods"]
        unit.until(lambda: len(unit.ready("1")) == 8)
        done = unit.run(goal, 40)
        assert (done.converged, done.healthy) == (True, True)

    @pytest.mark.parametrize("kind", ["Deployment", "DaemonSet"])
    def test_a_controller_that_stands_still_is_neither_done_nor_healthy(
        self, rolling: Begin, kind: str
    ) -> None:
        """Ten of ten are ready, of the version before: nothing of it is ours."""
        unit = rolling(kind)
        goal = unit.goal(Mode.FORWARD, 2)
        with unit.controller_stands_still():
            assert unit.step(goal).writes
            lag = unit.step(goal)
            assert (lag.converged, lag.waiting, lag.healthy) == (False, "controller-lag", False)
            assert lag.pods == ()
        assert unit.run(goal, 60).healthy

    @OF_A_KIND
    def test_a_pod_that_counted_and_went_is_missed_until_its_successor_is_good(
        self, rolling: Begin, kind: str
    ) -> None:
        """An eviction in the silence."""
        unit = rolling(kind)
        done = unit.forward(2)
        goal = unit.goal(Mode.FORWARD, 2)
        gone = unit.named("2")[0]
        before = {pod["name"] for pod in done.pods}
        unit.delete_named(gone)
        missed = unit.step(goal)
        assert (missed.converged, missed.healthy) == (False, False)
        again = unit.run(goal, 60)
        assert (again.converged, again.healthy, len(again.pods)) == (True, True, 2)
        names = {pod["name"] for pod in again.pods}
        assert (names == before) == (kind == "StatefulSet"), "a place of its own, or another name"

    @OF_A_KIND
    def test_a_gate_that_somebody_opened_is_closed_and_what_came_through_is_told(
        self, rolling: Begin, kind: str
    ) -> None:
        """No controller takes back what it has updated: it is told, watched, and counted on."""
        unit = rolling(kind)
        assert unit.forward(2).converged
        goal = unit.goal(Mode.FORWARD, 2)
        opened = {"partition": 6}
        strategy = opened if kind == "CloneSet" else {"rollingUpdate": opened}
        unit.merge({"spec": {"updateStrategy": strategy}})
        unit.until(lambda: len(unit.named("2")) >= 3)
        assert unit.step(goal).writes, "it is closed again"
        done = unit.run(goal, 60)
        leak = len(unit.named("2")) - 2
        assert (done.converged, done.detail["leak"]) == (True, leak)
        assert 1 <= leak <= 2
        unit.falls(unit.named("2")[0])
        assert not unit.step(goal).healthy, "also what nobody wanted yet is watched"
