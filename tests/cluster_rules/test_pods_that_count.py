"""Which pods count for a batch: ready is not enough."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.cluster.drive import Mode, Progress, drive
from tests.cluster_rules.unit import KINDS, KRUISE, Unit, release

EVERY_KIND = pytest.mark.parametrize(("api_version", "kind"), KINDS)


def judged(unit: Unit, change: Callable[[Any], None]) -> Progress:
    """What is said of the unit when its first pod of version 2 is seen changed."""
    seen = unit.look()
    there = seen.objects[unit.ref.key]
    children = tuple(copy.deepcopy(child) for child in there.children)  # each by itself
    pods = [c for c in children if c["kind"] == "Pod"]
    change(next(p for p in pods if unit.version(p) == "2"))
    seen = replace(seen, objects={unit.ref.key: replace(there, children=children)})
    return drive(unit.goal(Mode.FORWARD, 2), seen, unit.clock.now())


def restarted(ended: str) -> Callable[[Any], None]:
    def change(pod: Any) -> None:
        status = pod["status"]["containerStatuses"][0]
        status["restartCount"] = 1
        status["lastState"] = {"terminated": {"exitCode": 1, "finishedAt": ended}}

    return change


@EVERY_KIND
def test_a_pod_that_restarted_since_the_batch_began_does_not_count(
    api_version: str, kind: str
) -> None:
    """Ready again, and yet a version that falls over once in a while is not well."""
    unit = release(api_version, kind)
    assert unit.forward(2).converged
    progress = judged(unit, restarted(unit.clock.now().isoformat()))
    assert (progress.converged, progress.healthy) == (False, False)
    assert progress.waiting == "progress"


@pytest.mark.parametrize("api_version", [KRUISE, "apps/v1"])
def test_a_pod_beyond_those_wanted_that_restarts_is_a_sign_of_illness(api_version: str) -> None:
    """A node that joined has the new version, too: there are enough good ones, and yet it fell."""
    unit = release(api_version, "DaemonSet")
    assert unit.forward(2).converged
    unit.nodes = 11
    unit.connect()
    joined = unit.run(unit.goal(Mode.FORWARD, 2), seconds=60)
    assert (joined.converged, joined.healthy, joined.detail["leak"]) == (True, True, 1)
    assert not judged(unit, restarted(unit.clock.now().isoformat())).healthy


@EVERY_KIND
def test_a_restart_before_the_batch_is_history(api_version: str, kind: str) -> None:
    """What happened in an earlier batch was judged there."""
    unit = release(api_version, kind)
    unit.forward(2)
    before = unit.since - timedelta(minutes=5)
    progress = judged(unit, restarted(before.isoformat()))
    assert (progress.converged, progress.healthy) == (True, True)


@pytest.mark.parametrize(("later", "counts"), [(20, True), (300, False)])
def test_an_update_in_place_costs_one_restart(later: int, counts: bool) -> None:
    """OpenKruise ends the old container itself; what ends minutes later fell over."""
    unit = release(KRUISE, "CloneSet")
    unit.forward(2)
    updated = unit.clock.now()

    def in_place(pod: Any) -> None:
        state = {"revision": "agent-2", "updateTimestamp": updated.isoformat()}
        notes = {"apps.kruise.io/inplace-update-state": json.dumps(state)}
        pod["metadata"] |= {"annotations": notes, "creationTimestamp": "2026-11-01T00:00:00Z"}
        restarted((updated + timedelta(seconds=later)).isoformat())(pod)

    assert judged(unit, in_place).healthy is counts


def test_a_pod_that_is_as_young_as_its_batch_may_be_updated_in_place() -> None:
    """Its one restart is the update: how old the pod is says nothing of it."""
    unit = release(KRUISE, "CloneSet")
    unit.forward(2)
    updated = unit.clock.now().isoformat()

    def in_place(pod: Any) -> None:
        state = {"revision": "agent-2", "updateTimestamp": updated}
        pod["metadata"] |= {
            "annotations": {"apps.kruise.io/inplace-update-state": json.dumps(state)}
        }
        pod["metadata"]["creationTimestamp"] = updated
        restarted(updated)(pod)

    assert judged(unit, in_place).healthy


@EVERY_KIND
def test_a_pod_counts_by_the_digest_that_it_really_runs(api_version: str, kind: str) -> None:
    """A tag may be moved, a digest may not: the image that runs must be the one that is named."""
    unit = release(api_version, kind)
    unit.forward(2)
    wanted, other = "sha256:" + "a" * 64, "sha256:" + "b" * 64

    def runs(digest: str) -> Callable[[Any], None]:
        def change(pod: Any) -> None:
            pod["spec"]["containers"][0]["image"] = f"registry.local/agent@{wanted}"
            pod["status"]["containerStatuses"][0]["imageID"] = f"registry.local/agent@{digest}"

        return change

    def known_by_its_own_id(pod: Any) -> None:
        runs(other)(pod)
        pod["status"]["containerStatuses"][0]["imageID"] = other

    assert judged(unit, runs(wanted)).converged
    assert not judged(unit, runs(other)).converged
    assert judged(unit, known_by_its_own_id).converged, "a runtime's own id proves nothing"


@EVERY_KIND
def test_a_pod_on_its_way_out_does_not_count(api_version: str, kind: str) -> None:
    unit = release(api_version, kind)
    unit.forward(2)

    def leave(pod: Any) -> None:
        pod["metadata"]["deletionTimestamp"] = unit.clock.now().isoformat()

    progress = judged(unit, leave)
    assert not progress.converged
    assert progress.updated == 1


@EVERY_KIND
def test_a_restore_is_over_when_the_last_new_pod_is_gone(api_version: str, kind: str) -> None:
    """On its way out it still serves the version that was taken back."""
    unit = release(api_version, kind)
    unit.forward(2)
    for _ in range(300):
        progress = unit.step(unit.goal(Mode.RESTORE))
        if progress.converged:
            break
        unit.clock.pass_by(1)
    assert {unit.version(p) for p in unit.fleet.pods("c")} == {"1"}
