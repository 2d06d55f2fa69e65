"""StatefulSets, native and OpenKruise's: positions, order, and the pod that blocks its own undo."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cluster.drive import Mode
from bot.cluster.kinds import Gate, row_for
from bot.model.effects import Purpose
from bot.ports import Refused
from tests.cluster_rules.unit import KRUISE, Unit, release, workload

BOTH = pytest.mark.parametrize("api_version", ["apps/v1", KRUISE])
PARALLEL = {"podManagementPolicy": "Parallel"}
CRASH = {"do": "crashLoop", "image": "registry.local/agent:2"}


def stateful_set(api_version: str = "apps/v1", **changed: Any) -> Unit:
    return release(api_version, "StatefulSet", **changed)


def names_on(unit: Unit, version: str) -> list[str]:
    return sorted(p["metadata"]["name"] for p in unit.pods() if unit.version(p) == version)


def rolling(unit: Unit) -> Any:
    return unit.live()["spec"]["updateStrategy"]["rollingUpdate"]


def unordered(api_version: str = KRUISE) -> dict[str, Any]:
    fields = {"unorderedUpdate": {"priorityStrategy": {}}, "maxUnavailable": 2}
    return PARALLEL | {"updateStrategy": {"rollingUpdate": fields}}


@BOTH
def test_updated_three_of_ten_is_partition_seven(api_version: str) -> None:
    """From the last position down, as the controllers go."""
    unit = stateful_set(api_version)
    assert unit.forward(3).converged
    assert rolling(unit)["partition"] == 7
    assert names_on(unit, "2") == ["agent-7", "agent-8", "agent-9"]


def test_partition_counts_positions_where_ordinals_start_later() -> None:
    unit = stateful_set(spec={"ordinals": {"start": 100}})
    assert unit.forward(2).converged
    assert rolling(unit)["partition"] == 8
    assert names_on(unit, "2") == ["agent-108", "agent-109"]


def test_partition_counts_slots_where_ordinals_are_reserved() -> None:
    """Ten pods up to agent-12: the number in the name is not the position."""
    unit = stateful_set(KRUISE, spec={"reserveOrdinals": [3, "5-6"]})
    assert unit.forward(2).converged
    assert rolling(unit)["partition"] == 8
    assert names_on(unit, "2") == ["agent-11", "agent-12"]


def test_unordered_means_a_count_of_old_pods() -> None:
    """Whichever goes: so many stay."""
    unit = stateful_set(KRUISE, spec=unordered())
    assert unit.forward(4).converged
    assert rolling(unit)["partition"] == 6
    assert unit.images() == {"1": 6, "2": 4}
    assert row_for(unit.ref, unit.new[0]).gate is Gate.KEPT_OLD
    assert row_for(unit.ref, workload(KRUISE, "StatefulSet")).gate is Gate.ORDINAL


@BOTH
def test_raising_partition_brings_nothing_back(api_version: str) -> None:
    """Trap (b)."""
    unit = stateful_set(api_version)
    unit.forward(3)
    unit.patch({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 10}}}})
    unit.clock.pass_by(600)
    assert unit.images() == {"1": 7, "2": 3}


def test_unordered_the_old_template_with_partition_left_set_brings_nothing_back() -> None:
    """Trap (a) has come to StatefulSets with the count."""
    unit = stateful_set(KRUISE, spec=unordered())
    unit.forward(4)
    unit.patch({"spec": {"template": unit.old[0]["spec"]["template"]}})
    unit.clock.pass_by(600)
    assert unit.images() == {"1": 6, "2": 4}
    assert unit.restore().converged
    assert unit.images() == {"1": 10}


@BOTH
def test_the_old_template_alone_does_not_undo_a_crash(api_version: str) -> None:
    """Trap (g), shown on the controllers: they wait for the broken pod, for ever."""
    unit = stateful_set(api_version, faults=[CRASH])
    unit.forward(3, seconds=120)
    assert unit.images() == {"1": 9, "2": 1}
    gate = {"updateStrategy": {"rollingUpdate": {"partition": 0}}}
    unit.patch({"spec": {"template": unit.old[0]["spec"]["template"], **gate}})
    unit.clock.pass_by(3600)
    assert unit.images() == {"1": 9, "2": 1}


@BOTH
def test_a_restore_deletes_the_pod_that_blocks_its_own_undo(api_version: str) -> None:
    """The answer to trap (g): by uid, and only after the old template is back and seen."""
    unit = stateful_set(api_version, faults=[CRASH])
    unit.forward(3, seconds=120)
    (broken,) = [p for p in unit.pods() if unit.version(p) == "2"]
    unit.sent.clear()
    assert unit.restore().converged
    assert [w.verb for w in unit.sent] == ["patch", "delete"]
    assert unit.sent[1].uid == broken["metadata"]["uid"]
    assert unit.sent[1].purpose is Purpose.RESTORE
    assert unit.images() == {"1": 10}


@BOTH
def test_in_parallel_nothing_blocks_and_nothing_is_deleted_by_us(api_version: str) -> None:
    unit = stateful_set(api_version, spec=PARALLEL, faults=[CRASH])
    unit.forward(3, seconds=120)
    unit.sent.clear()
    assert unit.restore().converged
    assert [w.verb for w in unit.sent] == ["patch"]


@BOTH
def test_a_restore_of_pods_that_serve_deletes_none(api_version: str) -> None:
    """The controller brings them back by itself, one after the other."""
    unit = stateful_set(api_version)
    unit.forward(3)
    unit.sent.clear()
    assert unit.restore().converged
    assert [w.verb for w in unit.sent] == ["patch"]
    assert unit.images() == {"1": 10}


@BOTH
def test_the_next_version_heals_what_a_crashing_one_left(api_version: str) -> None:
    """Else the fix could never reach the pod that needs it."""
    unit = stateful_set(api_version, faults=[CRASH])
    unit.forward(1, seconds=120)
    unit.objects = ((unit.ref, workload(api_version, "StatefulSet", "3")),)
    assert unit.forward(1, unavailable_before=1).converged
    assert unit.images() == {"1": 9, "3": 1}
    assert unit.sent[-1].purpose is Purpose.FORWARD


def test_an_old_pod_outside_the_batch_is_never_deleted() -> None:
    """It came down while the batch went: that is collateral, and for people to see."""
    unit = stateful_set()
    unit.run(unit.goal(Mode.FORWARD, 2), seconds=2)
    unit.fleet.sicken("c", ["agent-1"])
    unit.clock.pass_by(1200)
    unit.forward(2, seconds=60)
    assert {w.verb for w in unit.sent} == {"patch"}


@BOTH
def test_a_stop_leaves_the_old_pods_old(api_version: str) -> None:
    """The native kind has no `paused`: partition at the highest pod that is still old."""
    unit = stateful_set(api_version)
    unit.run(unit.goal(Mode.FORWARD, 8), seconds=25)
    assert unit.stop(8).converged
    unit.clock.pass_by(600)
    updated = unit.images()["2"]
    assert 0 < updated < 8
    assert rolling(unit)["partition"] == 10 - updated
    assert rolling(unit).get("paused", False) is (api_version == KRUISE)
    assert unit.forward(8).converged
    assert unit.images()["2"] == 8


def test_a_stop_while_an_old_pod_is_missing_does_not_let_another_one_go() -> None:
    """Evicted meanwhile: a count of old pods would move the floor under one of them."""
    unit = stateful_set(spec=PARALLEL)
    unit.run(unit.goal(Mode.FORWARD, 8), seconds=12)
    unit.delete_pod("1")
    old = {p["metadata"]["uid"] for p in unit.pods() if unit.version(p) == "1"}
    unit.stop(8)
    unit.clock.pass_by(600)
    assert len(old) >= 2
    assert old <= {p["metadata"]["uid"] for p in unit.pods() if unit.version(p) == "1"}


def test_a_scale_comes_with_the_last_batch() -> None:
    """New pods at the end would all be of the new version."""
    unit = stateful_set()
    unit.objects = ((unit.ref, workload("apps/v1", "StatefulSet", "2", replicas=14)),)
    assert unit.forward(2).converged
    assert unit.images() == {"1": 8, "2": 2}
    assert unit.finish().converged
    assert unit.images() == {"2": 14}


def test_on_delete_goes_from_the_last_pod_down() -> None:
    unit = stateful_set(spec={"updateStrategy": {"type": "OnDelete"}})
    assert unit.forward(2).converged
    assert names_on(unit, "2") == ["agent-8", "agent-9"]


def test_the_kruise_kind_has_its_min_ready_seconds_inside_the_strategy() -> None:
    unit = stateful_set(KRUISE, spec={"updateStrategy": {"rollingUpdate": {"minReadySeconds": 60}}})
    assert not unit.forward(1, seconds=55).converged
    assert unit.run(unit.goal(Mode.FORWARD, 1), seconds=60).converged


@BOTH
def test_a_percentage_for_partition_is_refused(api_version: str) -> None:
    """It is a position: the API servers take a number only."""
    unit = stateful_set(api_version)
    with pytest.raises(Refused, match="partition"):
        unit.patch({"spec": {"updateStrategy": {"rollingUpdate": {"partition": "50%"}}}})


def test_what_only_parallel_can_do_is_refused_in_order() -> None:
    unit = stateful_set(KRUISE)
    only_parallel: list[dict[str, Any]] = [{"maxUnavailable": 2}, {"unorderedUpdate": {}}]
    for fields in only_parallel:
        with pytest.raises(Refused, match="Parallel"):
            unit.patch({"spec": {"updateStrategy": {"rollingUpdate": fields}}})


def test_identity_fields_cannot_be_changed() -> None:
    unit = stateful_set()
    with pytest.raises(Refused, match="podManagementPolicy"):
        unit.patch({"spec": PARALLEL})
