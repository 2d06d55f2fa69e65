"""OpenKruise's DaemonSet by partition: the traps of its controller, one story each."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cluster.drive import Mode
from bot.model.effects import Purpose
from bot.ports import Refused
from tests.cluster_rules.unit import KRUISE, KRUISE_ALPHA, Unit, release, workload


def daemon_set(api_version: str = KRUISE, **changed: Any) -> Unit:
    return release(api_version, "DaemonSet", **changed)


def rolling(unit: Unit) -> Any:
    return unit.live()["spec"]["updateStrategy"]["rollingUpdate"]


@pytest.mark.parametrize("api_version", [KRUISE, KRUISE_ALPHA])
def test_updated_five_of_ten_is_partition_five(api_version: str) -> None:
    """Trap (i): the revision has another name in v1alpha1; both are read."""
    unit = daemon_set(api_version)
    progress = unit.forward(5)
    assert progress.converged
    assert unit.images() == {"1": 5, "2": 5}
    assert rolling(unit)["partition"] == 5
    assert progress.updated == 5


def test_partition_is_always_a_number() -> None:
    """Percents drift when nodes join, and a number as text is refused (trap j)."""
    unit = daemon_set()
    for updated in (1, 3):
        unit.forward(updated)
        assert type(rolling(unit)["partition"]) is int


def test_nodes_are_taken_by_name_from_the_end() -> None:
    unit = daemon_set()
    unit.forward(2)
    assert unit.nodes_on("2") == ["n-8", "n-9"]


def test_the_old_template_with_partition_left_set_brings_nothing_back() -> None:
    """Trap (a), shown on the controller itself: this is what a naive rollback does."""
    unit = daemon_set()
    unit.forward(4)
    unit.patch({"spec": {"template": unit.old[0]["spec"]["template"]}})
    unit.clock.pass_by(600)
    assert unit.images() == {"1": 6, "2": 4}


def test_raising_partition_brings_nothing_back() -> None:
    """Trap (b)."""
    unit = daemon_set()
    unit.forward(4)
    unit.patch({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 10}}}})
    unit.clock.pass_by(600)
    assert unit.images() == {"1": 6, "2": 4}


def test_a_restore_is_old_template_and_open_partition_in_one_patch() -> None:
    """The answer to trap (a)."""
    unit = daemon_set()
    unit.forward(4)
    unit.sent.clear()
    assert unit.restore().converged
    (write,) = unit.sent
    assert write.body["spec"]["updateStrategy"]["rollingUpdate"]["partition"] == 0
    assert "template" in write.body["spec"]
    assert unit.images() == {"1": 10}


def test_a_restore_out_of_a_stop_takes_the_stop_back_too() -> None:
    unit = daemon_set()
    unit.run(unit.goal(Mode.FORWARD, 8), seconds=12)
    unit.stop(8)
    assert rolling(unit)["paused"] is True
    assert unit.restore().converged
    assert "paused" not in rolling(unit), "it was not there when we came"
    assert unit.images() == {"1": 10}


def test_a_crashing_version_is_replaced_at_once_by_a_restore() -> None:
    fault = {"do": "crashLoop", "image": "registry.local/agent:2", "pods": 2}
    unit = daemon_set(faults=[fault])
    assert unit.forward(3, seconds=120).detail["reason"] == "CrashLoopBackOff"
    assert unit.restore().converged
    assert unit.images() == {"1": 10}


def test_no_batch_begins_while_an_old_pod_is_unavailable() -> None:
    """Trap (c): the controller replaces unavailable pods without counting them."""
    unit = daemon_set()
    sick = [p["metadata"]["name"] for p in unit.pods()][:2]
    unit.fleet.sicken("c", sick)
    unit.clock.pass_by(1)
    progress = unit.forward(1, seconds=30)
    assert unit.sent == []
    assert progress.waiting == "old-unavailable"
    assert sorted(progress.detail["pods"]) == sorted(sick)
    unit.fleet.sicken("c", sick, well=True)
    assert unit.forward(1).converged


def test_without_that_wait_the_controller_takes_more_than_max_unavailable() -> None:
    """Trap (c), shown on the controller: all sick pods go at once, though maxUnavailable is 1."""
    unit = daemon_set()
    sick = [p["metadata"]["name"] for p in unit.pods()][:4]
    unit.fleet.sicken("c", sick)
    unit.patch({"spec": {"template": unit.new[0]["spec"]["template"]}})
    unit.clock.pass_by(1)
    assert unit.images().get("1", 0) == 6


def test_a_pod_that_may_come_back_is_waited_for_even_where_it_is_tolerated() -> None:
    """A node restarts, or the version before is still starting: minutes, not for ever."""
    unit = daemon_set()
    sick = [unit.pods()[0]["metadata"]["name"]]
    unit.fleet.sicken("c", sick)
    unit.clock.pass_by(1)
    assert unit.forward(1, unavailable_before=1, seconds=60).waiting == "old-unavailable"
    assert unit.sent == []
    unit.fleet.sicken("c", sick, well=True)
    assert unit.forward(1, unavailable_before=1).converged


def test_pods_that_are_broken_for_good_do_not_keep_the_fix_away() -> None:
    """Tolerated, and not coming back: a release must be able to heal what is broken."""
    unit = daemon_set()
    unit.fleet.sicken("c", [unit.pods()[0]["metadata"]["name"]])
    unit.clock.pass_by(900)
    assert unit.forward(1).waiting == "old-unavailable"
    assert unit.forward(1, unavailable_before=1).converged


def test_the_next_version_heals_what_a_crashing_one_left() -> None:
    """A release that supersedes finds crash-looping pods: they are what it is for."""
    fault = {"do": "crashLoop", "image": "registry.local/agent:2"}
    unit = daemon_set(faults=[fault])
    unit.forward(2, seconds=60)
    broken = unit.images()
    unit.objects = ((unit.ref, workload(KRUISE, "DaemonSet", "3")),)
    assert unit.forward(2, unavailable_before=broken["2"]).converged
    assert unit.images()["3"] == 2
    assert unit.finish().converged


def test_a_node_that_joins_gets_the_new_version_whatever_partition_says() -> None:
    """Trap (d): it is no failure of the batch, but it is shown."""
    unit = daemon_set()
    unit.forward(2)
    unit.nodes = 11
    unit.connect()
    progress = unit.run(unit.goal(Mode.FORWARD, 2))
    assert unit.images() == {"1": 8, "2": 3}
    assert progress.converged
    assert progress.detail["leak"] == 1
    assert len(unit.sent) == 1


def test_paused_does_not_stop_a_new_node() -> None:
    """Trap (e)."""
    unit = daemon_set()
    unit.run(unit.goal(Mode.FORWARD, 5), seconds=3)
    unit.stop(5)
    before = unit.images().get("2", 0)
    unit.nodes = 12
    unit.connect()
    unit.clock.pass_by(60)
    assert unit.images()["2"] >= before + 2


def test_a_node_that_leaves_does_not_keep_the_batch_from_ending() -> None:
    """Six of ten wanted, one old node gone: still six."""
    unit = daemon_set()
    unit.run(unit.goal(Mode.FORWARD, 6), seconds=10)
    unit.nodes = 7
    unit.connect()
    assert unit.run(unit.goal(Mode.FORWARD, 6)).converged
    assert unit.images()["2"] == 6


def test_a_node_that_leaves_in_the_soak_is_no_illness() -> None:
    """It took its pod along; nothing broke."""
    unit = daemon_set()
    unit.forward(5)
    unit.nodes = 8
    unit.connect()
    unit.clock.pass_by(5)
    assert unit.step(unit.goal(Mode.FORWARD, 5)).healthy


def test_a_stop_freezes_partition_at_what_is_updated() -> None:
    """Two guards, because paused alone is one field that anybody can lift."""
    unit = daemon_set(spec={"updateStrategy": {"rollingUpdate": {"maxUnavailable": 3}}})
    unit.run(unit.goal(Mode.FORWARD, 9), seconds=12)
    assert unit.stop(9).converged
    unit.clock.pass_by(600)
    stopped = unit.sent[-1]
    updated = unit.images()["2"]
    assert stopped.purpose is Purpose.STOP
    assert 0 < updated < 9
    assert rolling(unit)["partition"] == 10 - updated
    assert rolling(unit)["paused"] is True


def test_going_on_after_a_stop_has_a_purpose_of_its_own() -> None:
    unit = daemon_set()
    unit.run(unit.goal(Mode.FORWARD, 6), seconds=12)
    unit.stop(6)
    unit.clock.pass_by(60)
    assert unit.forward(6).converged
    assert unit.sent[-1].purpose is Purpose.GO_ON
    assert unit.images()["2"] == 6


def test_a_stop_between_two_batches_writes_nothing() -> None:
    """Nothing rolls, so there is nothing to stop."""
    unit = daemon_set()
    unit.forward(2)
    unit.sent.clear()
    assert unit.stop(2).converged
    assert unit.sent == []


def test_a_component_that_says_on_delete_is_moved_by_deletion() -> None:
    """Its controller ignores partition then: waiting for it would never end."""
    unit = daemon_set(spec={"updateStrategy": {"type": "OnDelete"}})
    assert unit.forward(2).converged
    assert unit.images() == {"1": 8, "2": 2}
    assert unit.finish().converged
    assert unit.live()["spec"]["updateStrategy"] == {"type": "OnDelete"}


def test_a_smaller_number_takes_nothing_back() -> None:
    """A batch says how far it may go, never that what is new becomes old again."""
    unit = daemon_set()
    unit.forward(5)
    assert unit.forward(2).converged
    assert unit.images() == {"1": 5, "2": 5}


def test_a_number_written_as_text_is_refused() -> None:
    """Trap (j): since OpenKruise 1.9 the API server takes numbers and percentages only."""
    unit = daemon_set()
    with pytest.raises(Refused, match="maxUnavailable"):
        unit.patch({"spec": {"updateStrategy": {"rollingUpdate": {"maxUnavailable": "5"}}}})
