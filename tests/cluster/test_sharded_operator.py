"""An operator released namespace by namespace on a real API server: what it wrote is the proof."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from bot.cluster.drive import Mode
from tests.cluster.control_plane import Cluster
from tests.cluster.shards import TEAMS, Shards

Release = Callable[..., Shards]
ALL = len(TEAMS)


@pytest.fixture
def release(cluster: Cluster, namespace: str) -> Iterator[Release]:
    """`release("2")`: op-1 serves six teams, op-2 is to serve them."""
    made: list[Shards] = []

    def make(version: str = "2") -> Shards:
        made.append(Shards(cluster, namespace, version))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_namespaces_move_in_batches_pause_between_and_go_back(release: Release) -> None:
    """1, 3, 6 of six; the old version goes when it has none, and comes back before it gets any."""
    unit = release()
    for updated in (1, 3):
        progress = unit.forward(updated)
        assert progress.converged, progress
        assert (progress.updated, progress.total) == (updated, ALL)
        assert unit.most_new == updated
        assert unit.kept() == list(TEAMS[updated:])
    assert [one["name"].rpartition("-")[2] for one in progress.pods] == list(TEAMS[:3])
    assert progress.pods[0]["objects"] == 2
    assert unit.stop(4).converged
    unit.stays({"op-2": 3, "op-1": 3})
    assert unit.forward(ALL).converged
    assert unit.by() == {"op-2": ALL}
    assert (unit.replicas("op-1"), unit.replicas("op-2")) == (0, 1)
    assert unit.restore().converged
    assert unit.by() == {"op-1": ALL}
    assert (unit.replicas("op-1"), unit.replicas("op-2")) == (1, None)
    assert unit.live()["spec"] == unit.old["spec"]
    assert "sluice/moved" not in (unit.live()["metadata"].get("annotations") or {})


def test_a_version_that_stands_still_is_not_believed_and_its_namespaces_go_back(
    release: Release,
) -> None:
    """Its pod is ready and nothing else happens; on the way back the old one has nothing to write,
    for nothing differs from what it wrote long ago."""
    unit = release()
    assert unit.forward(1).converged
    with unit.versions["op-2"].rounds.frozen():
        progress = unit.forward(3, seconds=2)
        assert not progress.converged
        assert (progress.waiting, progress.detail["good"]) == ("progress", 1)
        assert "2 of 2 objects not reconciled by op-2" in str(progress.detail["reason"])
        assert unit.by() == {"op-1": 5, "op-2": 1}
        progress = unit.restore(seconds=20)
        assert progress.converged, progress
    assert unit.by() == {"op-1": ALL}
    assert unit.replicas("op-2") is None


def test_an_old_version_that_stands_still_holds_the_way_back(release: Release) -> None:
    """What it wrote before its namespaces were taken away proves nothing now, on whosever clock;
    and a batch that goes forward once more does not live on what was written the first time."""
    unit = release()
    unit.off = timedelta(minutes=-10)
    assert unit.forward(3).converged
    with unit.versions["op-1"].rounds.frozen():
        progress = unit.restore(seconds=2)
        assert not progress.converged
        assert progress.waiting == "progress"
        assert unit.by() == {"op-2": 3, "op-1": 3}
        assert unit.replicas("op-2") == 1
    assert unit.restore().converged
    assert unit.by() == {"op-1": ALL}


def test_a_clock_that_is_ahead_finds_the_proof_all_the_same(release: Release) -> None:
    """Ten minutes of the bot's are no reason to wait for ten minutes."""
    unit = release()
    unit.off = timedelta(minutes=10)
    progress = unit.forward(3, seconds=15)
    assert progress.converged, progress
    assert unit.restore(seconds=15).converged
    assert unit.by() == {"op-1": ALL}


def test_a_version_that_never_gets_ready_gets_no_namespace(release: Release) -> None:
    unit = release("2-never-ready")
    progress = unit.forward(1, seconds=3)
    assert not progress.converged
    assert unit.by() == {"op-1": ALL}
    assert unit.live()["spec"]["version"] == "op-1"
    assert unit.restore().converged
    assert unit.replicas("op-2-never-ready") is None


def test_namespaces_may_come_and_go_in_the_middle(release: Release) -> None:
    """One that comes has the new version, and is proved too; one that goes is not waited for."""
    unit = release()
    assert unit.forward(2).converged
    unit.add_team(f"{unit.namespace}-g")
    unit.names.append(f"{unit.namespace}-g")
    unit.until(lambda: unit.by() == {"op-2": 3, "op-1": 4}, 10)
    assert unit.run(unit.goal(Mode.FORWARD, 2), 10).detail.get("leak") == 1
    gone = unit.names.pop(0)
    unit.cluster.api.delete("Namespace", gone)
    unit.until(lambda: unit.look().objects[unit.ref.key].live is not None, 5)
    assert unit.forward(ALL).converged
    assert unit.by() == {"op-2": ALL}
