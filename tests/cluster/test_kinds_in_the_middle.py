"""What happens to workloads of every kind while a release of them is under way."""

from __future__ import annotations

import pytest

from bot.cluster.drive import Mode
from bot.ports import Unreachable
from tests.cluster.control_plane import Cluster
from tests.cluster.driven import COUNT, Release
from tests.cluster.kinds import MOST, NATIVE, release
from tests.cluster.kubelets import Broken
from tests.cluster.workloads import with_image

__all__ = ["release"]  # the fixture

every_kind = pytest.mark.parametrize("kind", MOST)


@every_kind
def test_a_newer_release_takes_over_and_the_older_one_is_fenced_off(
    release: Release, kind: str
) -> None:
    """Two plans at once: the newer one wins whatever the older still has in mind."""
    unit = release(kind)
    assert unit.forward(5).converged
    stale = unit.goal(Mode.FORWARD, 8)
    newer = unit.followed_by("3", generation=2)
    assert newer.forward(1).converged
    assert newer.counts()["3"] == 1
    unit.sent.clear()
    unit.until(lambda: bool(unit.step(stale) and unit.fenced), seconds=10)
    assert newer.counts()["3"] == 1
    assert newer.forward(COUNT).converged
    assert newer.counts() == {"3": COUNT}


@every_kind
def test_pods_that_somebody_deletes_come_back_as_what_they_were(
    release: Release, kind: str
) -> None:
    """A drain in the middle: batches stay as large as they are, and the end is the same."""
    unit = release(kind)
    assert unit.forward(3).converged
    for pod in unit.pods()[:4]:
        unit.cluster.api.delete("Pod", pod["metadata"]["name"], unit.namespace)
    unit.until(lambda: sum(unit.counts().values()) >= COUNT and unit.all_ready())
    assert unit.run(unit.goal(Mode.FORWARD, 3), 20).converged
    if unit.ref.kind == "StatefulSet":  # its partition is of places, not of a number
        assert unit.counts() == {"1": 7, "2": 3}
    assert unit.forward(COUNT).converged
    assert unit.counts() == {"2": COUNT}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "CloneSet", "Kruise-StatefulSet"])
def test_scaling_in_the_middle_is_kept(release: Release, kind: str) -> None:
    """An autoscaler does not ask the release: its number stands, and the roll ends with it."""
    unit = release(kind)
    assert unit.forward(4).converged
    unit.merge({"spec": {"replicas": 12}})
    unit.new["spec"].pop("replicas")
    unit.old["spec"].pop("replicas")
    assert unit.forward(COUNT).converged
    unit.until(lambda: unit.counts() == {"2": 12} and unit.all_ready())
    assert unit.live()["spec"]["replicas"] == 12


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet"])
def test_an_outage_of_the_api_server_forgets_nothing(
    release: Release, cluster: Cluster, kind: str
) -> None:
    """Nobody knows what goes on meanwhile; afterwards the batch goes on where it is."""
    unit = release(kind)
    unit.forward_until(3, lambda: unit.most_new >= 1)
    with cluster.without_api(), pytest.raises(Unreachable):
        unit.look()
    assert unit.run(unit.goal(Mode.FORWARD, 3), 40).converged
    assert unit.most_new <= 3


@every_kind
def test_kubelets_that_stand_still_make_no_pod_ready(
    release: Release, cluster: Cluster, kind: str
) -> None:
    """A pod that was made is not a pod that serves."""
    unit = release(kind)
    with cluster.frozen("kwok"):
        progress = unit.forward(1, seconds=3)
        assert not progress.converged
        assert progress.waiting == "progress"
    assert unit.run(unit.goal(Mode.FORWARD, 1), 40).converged


@every_kind
def test_old_pods_that_fall_ill_hold_the_next_batch(
    release: Release, cluster: Cluster, kind: str
) -> None:
    """A controller replaces unavailable old pods without counting them: the batch would grow."""
    unit = release(kind)
    assert unit.forward(1).converged
    cluster.break_image("agent:1", Broken.CRASH)
    try:
        unit.until(lambda: not unit.all_ready())
        sent = len(unit.sent)
        progress = unit.forward(5, seconds=3)
        assert not progress.converged
        assert len(unit.sent) == sent
        assert unit.counts()["2"] == 1
    finally:
        cluster.mend_image("agent:1")
    assert unit.forward(5, seconds=60).converged


@pytest.mark.parametrize("kind", NATIVE)
def test_a_rollback_while_the_controller_stands_still_comes_through_afterwards(
    release: Release, cluster: Cluster, kind: str
) -> None:
    """The order to go back does not get lost, and is not called done before it is."""
    unit = release(kind)
    assert unit.forward(3).converged
    with cluster.frozen(unit.controller):
        assert not unit.restore(seconds=2).converged
    assert unit.restore().converged
    unit.until(lambda: unit.counts() == {"1": COUNT} and unit.all_ready())


def test_a_recreated_deployment_goes_all_at_once_in_its_last_batch(release: Release) -> None:
    """It cannot stand between two versions, so nothing of it moves before."""
    unit = release("Deployment", strategy={"type": "Recreate"})
    assert unit.forward(5).converged
    assert unit.counts() == {"1": COUNT}
    assert unit.forward(COUNT).converged
    assert unit.counts() == {"2": COUNT}


def test_a_change_by_hand_is_not_our_revision(release: Release) -> None:
    """Somebody sets another image in the middle: no pod of it counts for us."""
    unit = release("Deployment")
    assert unit.forward(2).converged
    unit.merge(with_image("agent:9"))
    progress = unit.step(unit.goal(Mode.FORWARD, 2))
    assert not progress.converged
    assert unit.run(unit.goal(Mode.FORWARD, 2), 40).converged
    assert unit.counts().get("9", 0) == 0


def test_an_empty_map_that_the_server_drops_is_written_once(release: Release) -> None:
    """Charts are full of them: `annotations: {}`, `env: []`. A batch must end all the same."""
    unit = release("Deployment")
    pod = unit.new["spec"]["template"]
    pod["metadata"]["annotations"] = {}
    pod["spec"] |= {"securityContext": {}, "imagePullSecrets": [], "volumes": []}
    pod["spec"]["containers"][0] |= {"env": [], "resources": {}, "ports": []}
    unit.new["metadata"]["annotations"] = {}
    assert unit.forward(2, seconds=15).converged
    assert len(unit.sent) == 1
    assert unit.forward(COUNT).converged


def test_a_stateful_set_of_open_kruise_that_keeps_its_order(release: Release) -> None:
    """A pod that never gets ready stops its controller for good, also on the way back: it goes
    first. Then the same in good order, from the last place down, left in the middle."""
    one_by_one = {
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate"},
    }
    unit = release("Kruise-StatefulSet", "2-never-ready", **one_by_one)
    progress = unit.forward(3, seconds=4)
    assert not progress.converged
    assert unit.counts() == {"1": 9, "2-never-ready": 1}, "one after the other: it gets no further"
    assert unit.restore().converged
    unit.until(lambda: unit.counts() == {"1": COUNT} and unit.all_ready())
    unit.new, unit.generation, unit.most_new = unit.with_version(unit.new, "2"), 2, 0
    for updated in (1, 5):
        assert unit.forward(updated).converged
        assert unit.most_new == updated
    new = [p for p in unit.pods() if p["spec"]["containers"][0]["image"] == "agent:2"]
    assert {p["metadata"]["name"] for p in new} == {f"agent-{n}" for n in range(5, COUNT)}
    unit.forward_until(9, lambda: unit.most_new >= 6)
    assert unit.stop(9).converged
    unit.until(unit.all_ready)
    unit.stays(unit.counts())
    assert unit.restore().converged
    assert unit.counts() == {"1": COUNT}
