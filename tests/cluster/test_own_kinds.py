"""A custom resource that a row of the release repo makes a workload, and an operator behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.control_plane import Cluster
from tests.cluster.driven import COUNT
from tests.cluster.widgets import BY_STATUS, ROW, Widgets, widgets_of

Release = Callable[..., Widgets]
ROWS = {"by its pods": ROW, "by its counts": BY_STATUS}
either_row = pytest.mark.parametrize("row", ROWS)


@pytest.fixture
def release(cluster: Cluster, namespace: str) -> Iterator[Release]:
    """`release("by its pods", "2")`: version 1 runs on ten pods, that one is to run."""
    operator = widgets_of(cluster, namespace)
    made: list[Widgets] = []

    def make(row: str, version: str = "2") -> Widgets:
        made.append(Widgets(operator, cluster, ROWS[row], version))
        return made[-1]

    try:
        yield make
    finally:
        operator.close()
        for each in made:
            each.close()


@either_row
def test_batches_stop_where_they_are_told_and_the_middle_goes_back(
    release: Release, row: str
) -> None:
    """A canary of one, five, then a batch that is left half done."""
    unit = release(row)
    before = unit.live()["spec"]
    for updated in (1, 5):
        assert unit.forward(updated).converged
        assert unit.most_new == updated
        unit.stays({"1": COUNT - updated, "2": updated})
    unit.forward_until(9, lambda: unit.most_new >= 6)
    assert unit.stop(9).converged
    unit.until(lambda: unit.all_ready() and len(unit.pods()) == COUNT)
    stopped = unit.counts()
    assert stopped["2"] < COUNT
    unit.stays(stopped)
    assert unit.restore().converged
    assert unit.counts() == {"1": COUNT}
    after = unit.live()["spec"]
    for gate in ("hold", "stopped"):  # one that is open may stand there, or not
        assert not after["roll"].pop(gate, None)
    assert after == before
    assert unit.forward(COUNT).converged
    assert unit.counts() == {"2": COUNT}


@either_row
def test_a_pod_that_never_gets_ready_holds_its_batch_and_is_taken_back(
    release: Release, row: str
) -> None:
    unit = release(row, "2-never-ready")
    progress = unit.forward(1, seconds=3)
    assert not progress.converged
    assert not progress.healthy
    assert (progress.waiting, progress.detail["good"]) == ("progress", 0)
    assert unit.counts()["2-never-ready"] == 1
    assert unit.restore().converged
    unit.until(lambda: unit.counts() == {"1": COUNT} and unit.all_ready())


@either_row
def test_an_operator_that_stands_still_is_lag_and_never_success(release: Release, row: str) -> None:
    """Its counts are those of the version before, and its pods too."""
    unit = release(row)
    with unit.operator.frozen():
        progress = unit.forward(5, seconds=1)
        assert not progress.converged
        assert progress.waiting == "controller-lag"
        assert not unit.restore(seconds=1).converged
    assert unit.restore().converged
    assert unit.forward(5).converged
    assert unit.counts() == {"1": 5, "2": 5}
