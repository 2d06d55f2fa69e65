"""A version of something on the nodes themselves, moved in batches: members are nodes, not pods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bot.cluster.drive import Mode
from tests.cluster.control_plane import Cluster
from tests.cluster.driven import COUNT
from tests.cluster.machines import Controller, Machines, machines

Release = Callable[..., Machines]


@pytest.fixture
def release(cluster: Cluster, namespace: str) -> Iterator[Release]:
    """`release("2")`: version 1 is on ten nodes, that one is to be there."""
    names = machines(cluster)
    operator = Controller(cluster.api, namespace)
    made: list[Machines] = []

    def make(version: str = "2", **spec: Any) -> Machines:
        made.append(Machines(cluster, operator, version, **spec))
        return made[-1]

    try:
        yield make
    finally:
        operator.close()
        for each in made:
            each.close()
        for name in names:
            cluster.remove_node(name)


def test_batches_of_one_five_and_all_stop_exactly_there(release: Release) -> None:
    """A node is a large thing to break: one, and not one more for as long as nobody says so."""
    unit = release()
    before = unit.live()["spec"]
    for updated in (1, 5):
        progress = unit.forward(updated)
        assert progress.converged
        assert progress.updated == updated
        assert unit.most_new == updated
        unit.stays({"1": COUNT - updated, "2": updated})
    assert unit.fewest_ready >= COUNT - 3, "never more at once than the set allows"
    assert unit.forward(COUNT).converged
    assert unit.counts() == {"2": COUNT}
    assert unit.live()["spec"] | {"version": "1", "partition": 0} == before | {"partition": 0}


def test_a_pause_stops_what_rolls_and_resume_goes_on(release: Release) -> None:
    """Nodes under way arrive, the others keep what they have."""
    unit = release(maxUnavailable=1)
    unit.forward_until(8, lambda: unit.most_new >= 2)
    assert unit.stop(8).converged
    unit.until(unit.all_ready)
    stopped = unit.counts()
    assert 2 <= stopped["2"] < 8
    unit.stays(stopped)
    assert unit.forward(8).converged
    assert unit.most_new == 8


def test_a_rollback_in_the_middle_brings_everything_back(release: Release) -> None:
    unit = release()
    before = unit.live()["spec"]
    assert unit.forward(4).converged
    unit.forward_until(9, lambda: unit.most_new >= 6)
    assert unit.restore().converged
    unit.until(lambda: unit.counts() == {"1": COUNT} and unit.all_ready())
    assert unit.live()["spec"] | {"partition": 0} == before | {"partition": 0}


def test_a_node_that_never_gets_ready_holds_its_batch_and_is_taken_back(release: Release) -> None:
    """It has the version, and does not serve: that is no success."""
    unit = release("2-never-ready")
    progress = unit.forward(1, seconds=3)
    assert not progress.converged
    assert not progress.healthy
    assert (progress.waiting, progress.detail["good"]) == ("progress", 0)
    assert unit.counts()["2-never-ready"] == 1
    assert unit.restore().converged
    unit.until(lambda: unit.counts() == {"1": COUNT} and unit.all_ready())


def test_a_newer_release_takes_over_and_the_older_one_is_fenced_off(release: Release) -> None:
    """Two plans at once: the newer one wins whatever the older still has in mind."""
    unit = release()
    assert unit.forward(5).converged
    stale = unit.goal(Mode.FORWARD, 8)
    newer = unit.followed_by("3", generation=2)
    assert newer.forward(1).converged
    unit.sent.clear()
    unit.until(lambda: bool(unit.step(stale) and unit.fenced), seconds=10)
    assert newer.counts()["3"] == 1
    assert newer.forward(COUNT).converged
    assert newer.counts() == {"3": COUNT}


def test_nodes_may_join_and_leave_in_the_middle(release: Release, cluster: Cluster) -> None:
    """A new node has the new version at once; one that left takes its version along."""
    unit = release()
    assert unit.forward(2).converged
    cluster.add_nodes("machine-more", pool="machines")
    try:
        unit.until(lambda: unit.counts() == {"1": 8, "2": 3} and unit.all_ready())
        progress = unit.run(unit.goal(Mode.FORWARD, 2), 10)
        assert progress.converged
        assert progress.detail["leak"] == 1
    finally:
        cluster.remove_node("machine-more")
    assert unit.forward(5).converged
    assert unit.counts() == {"1": 5, "2": 5}


def test_a_controller_that_stands_still_is_lag_and_never_success(release: Release) -> None:
    """All its counts say ten of ten, of the version before."""
    unit = release()
    with unit.operator.frozen():
        progress = unit.forward(5, seconds=1)
        assert not progress.converged
        assert progress.waiting == "controller-lag"
        assert unit.counts() == {"1": COUNT}
        assert not unit.restore(seconds=1).converged
    assert unit.restore().converged
    assert unit.forward(5).converged
    assert unit.counts() == {"1": 5, "2": 5}
