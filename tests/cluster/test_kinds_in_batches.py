"""Workloads of every kind with pods, moved in batches on the real controllers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.cluster.drive import Mode
from bot.model.effects import Purpose, Write
from bot.ports import Refused, Unreachable
from tests.cluster.api import Object
from tests.cluster.control_plane import Cluster
from tests.cluster.driven import COUNT, Driven, Release
from tests.cluster.kinds import KINDS, MOST, NATIVE, OPEN_KRUISE, release
from tests.cluster.workloads import KRUISE, KRUISE_STATEFUL

__all__ = ["release"]  # the fixture

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_batches_of_one_five_and_all_stop_exactly_there(release: Release, kind: str) -> None:
    """The promise of a canary: one pod, and not one more for as long as nobody says so."""
    unit = release(kind)
    for updated in (1, 5):
        assert unit.forward(updated).converged
        assert unit.most_new == updated
        unit.stays(_mixed(unit, updated))
    assert unit.forward(COUNT).converged
    assert unit.counts() == {"2": COUNT}
    assert unit.all_ready()


@every_kind
def test_the_end_leaves_only_the_new_version_behind(release: Release, kind: str) -> None:
    """What was borrowed for the batches (gate, strategy, pause) is given back."""
    unit = release(kind)
    before = _own(unit)
    for updated in (3, COUNT):
        assert unit.forward(updated).converged
    after = _own(unit)
    assert after["template"]["spec"]["containers"][0].pop("image") == "agent:2"
    assert before["template"]["spec"]["containers"][0].pop("image") == "agent:1"
    assert after == before


@every_kind
def test_a_pause_stops_what_rolls_and_resume_goes_on(release: Release, kind: str) -> None:
    """In the middle of a batch: pods under way arrive, the others stay old."""
    unit = release(kind, notes={"sluice.test/ready-after": "1s"})
    # A surge makes its whole batch at once: what can be stopped there is the last one.
    updated = COUNT if kind == "Deployment" else 8
    unit.forward_until(updated, lambda: unit.most_new >= 2)
    assert unit.stop(updated).converged
    unit.until(unit.all_ready)
    stopped = unit.counts()
    assert 2 <= stopped["2"] < updated
    unit.stays(stopped, seconds=3)
    assert unit.forward(updated).converged
    assert unit.most_new == updated


@every_kind
@pytest.mark.parametrize("applied", [True, False], ids=["ours", "found"])
def test_a_rollback_in_the_middle_brings_everything_back(
    release: Release, kind: str, applied: bool
) -> None:
    """Also where the first contact with an object was this release: its baseline comes back."""
    unit = release(kind, applied=applied)
    before = _own(unit)
    assert unit.forward(4).converged
    unit.forward_until(9, lambda: unit.most_new >= 6)
    assert unit.restore().converged
    unit.until(lambda: unit.counts() == {"1": COUNT} and unit.all_ready())
    assert _own(unit) == before


@every_kind
def test_a_pod_that_never_gets_ready_holds_its_batch_and_is_taken_back(
    release: Release, kind: str
) -> None:
    """The canary did its work: nothing else is touched, and one pod is all that suffers."""
    unit = release(kind, "2-never-ready")
    progress = unit.forward(1, seconds=4)
    assert not progress.converged
    assert not progress.healthy
    assert (progress.waiting, progress.detail["good"]) == ("progress", 0)
    assert unit.counts()["2-never-ready"] == 1
    assert unit.fewest_ready >= COUNT - 1
    assert unit.restore().converged
    unit.until(lambda: unit.counts() == {"1": COUNT} and unit.all_ready())


@every_kind
def test_a_crashing_version_is_never_taken_for_healthy(release: Release, kind: str) -> None:
    """It restarts again and again: counts of pods alone would not say so."""
    unit = release(kind, "2-crash")
    progress = unit.forward(2, seconds=5)
    assert not progress.converged
    assert progress.detail["reason"] == "CrashLoopBackOff"
    assert unit.most_new <= 2
    assert unit.restore().converged
    unit.until(lambda: unit.counts() == {"1": COUNT} and unit.all_ready())


@pytest.mark.parametrize("kind", NATIVE)
def test_a_controller_that_stands_still_is_lag_and_never_success(
    release: Release, cluster: Cluster, kind: str
) -> None:
    """All its counts say ten of ten, of the revision before."""
    unit = release(kind)
    with cluster.frozen(unit.controller):
        progress = unit.forward(5, seconds=2)
        assert not progress.converged
        assert progress.waiting == "controller-lag"
        assert unit.counts().get("2", 0) == 0
    assert unit.run(unit.goal(Mode.FORWARD, 5), 40).converged
    assert unit.most_new == 5


@pytest.mark.parametrize("kind", OPEN_KRUISE)
def test_a_manager_that_stands_still_in_the_middle_is_waited_for(
    release: Release, cluster: Cluster, kind: str
) -> None:
    """What was observed does not move: the batch is not done, and not forgotten."""
    unit = release(kind)
    unit.forward_until(5, lambda: unit.most_new >= 1)
    goal = unit.goal(Mode.FORWARD, 5)
    with cluster.frozen(unit.controller):
        progress = unit.run(goal, 2)
        if unit.counts().get("2", 0) < 5:
            assert not progress.converged
    assert unit.run(goal, 40).converged
    assert unit.most_new == 5


def test_a_manager_that_stands_still_takes_no_write_and_says_so(
    release: Release, cluster: Cluster
) -> None:
    """OpenKruise's webhooks are in its manager: nothing of its kinds can be changed meanwhile."""
    unit = release("CloneSet")
    before = unit.live()["spec"]
    with cluster.frozen(unit.controller), pytest.raises(Unreachable, match="webhook"):
        unit.forward(5, seconds=2)
    assert unit.live()["spec"] == before
    assert unit.forward(5).converged
    assert unit.most_new == 5


def test_the_version_of_a_kind_that_the_cluster_has_is_named(release: Release) -> None:
    """OpenKruise before 1.9 has its DaemonSet in v1alpha1 alone, while v1beta1 is there as well."""
    unit = release("Kruise-DaemonSet")
    newer = replace(unit.ref, api_version=KRUISE_STATEFUL)
    assert unit.fleet.get(unit.cluster.name, newer) is None
    body = unit.new | {"apiVersion": KRUISE_STATEFUL}
    write = Write(ref=newer, verb="create", purpose=Purpose.FORWARD, body=body)
    with pytest.raises(Refused, match=f"of {KRUISE_STATEFUL}, but that of {KRUISE}"):
        unit.fleet.dry_run(unit.cluster.name, write, fence="1.1")


@pytest.mark.parametrize("kind", [name for name in MOST if "DaemonSet" in name])
def test_nodes_may_join_and_leave_in_the_middle(
    release: Release, cluster: Cluster, kind: str
) -> None:
    """A new node has the new version at once, and nothing to do with the batch in hand."""
    unit = release(kind)
    assert unit.forward(2).converged
    cluster.add_nodes("ten-more", pool="ten")
    try:
        unit.until(lambda: len(unit.pods()) == COUNT + 1 and unit.all_ready())
        assert unit.counts() == {"1": 8, "2": 3}
        progress = unit.run(unit.goal(Mode.FORWARD, 2), 10)
        assert progress.converged
        assert progress.detail["leak"] == 1
    finally:
        cluster.remove_node("ten-more")
    assert unit.forward(5).converged
    assert unit.counts() == {"1": 5, "2": 5}


def _own(unit: Driven) -> Object:
    """Its spec, but for gates that are open and what is empty: servers fill such in, or drop it."""
    spec = unit.live()["spec"]
    for container in spec["template"]["spec"]["containers"]:
        if not container.get("resources", True):
            del container["resources"]
    strategy = spec.get("updateStrategy") or {}
    for roll in (strategy, strategy.get("rollingUpdate") or {}):
        for name in [name for name in ("partition", "paused") if not roll.get(name, True)]:
            del roll[name]
    return spec


def _mixed(unit: Driven, updated: int) -> dict[str, int]:
    """Old and new side by side: a surge leaves every old pod where it is."""
    old = COUNT if unit.ref.kind == "Deployment" else COUNT - updated
    return {"1": old, "2": updated}
