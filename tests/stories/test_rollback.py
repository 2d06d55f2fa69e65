"""A rollback is a release backwards: at once, exact, newest first, and it sticks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests import repo_files
from tests.world import World

CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"
OLD = {"eu-1": "2.4.1×4", "eu-2": "2.4.1×4", "st-1": "2.4.1×2"}
NEW = {"eu-1": "2.5.0×4", "eu-2": "2.5.0×4", "st-1": "2.5.0×2"}
VALUES = "components/node-agent/values/default.yaml"


def begun(world: World, until: str = "2026-11-24T09:22:00Z") -> str:
    """A release that is through staging and has begun in production."""
    release = world.releases()
    world.run_until(until)
    return release


def spec_of(world: World, cluster: str, kind: str) -> Any:
    live = world.live(cluster, kind)
    return live["data"] if kind == "ConfigMap" else live["spec"]


def test_everything_goes_back_to_what_was_found(world: World) -> None:
    """Objects that kubectl made come back to the letter, ConfigMap and own strategy included."""
    world.write({VALUES: 'image: "registry.local/node-agent:{{ version }}"\nlevel: debug\n'})
    world.push("Debug with the next version")
    found = {c: spec_of(world, c, "DaemonSet") for c in OLD}
    release = begun(world)
    assert spec_of(world, "st-1", "ConfigMap") == {"level": "debug"}
    said = world.says(f"rollback {release} too slow")
    assert said.code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD
    assert {c: spec_of(world, c, "DaemonSet") for c in OLD} == found
    assert {c: spec_of(world, c, "ConfigMap")["level"] for c in OLD} == dict.fromkeys(OLD, "info")


def test_newest_wave_first_and_one_patch_a_workload(world: World) -> None:
    """Production is well again before staging is touched; no partition is left in the way."""
    release = begun(world)
    before = {cluster: len(world.fleet.writes(cluster)) for cluster in OLD}
    world.says(f"rollback {release} too slow")
    world.run_for(minutes=15)
    since = {cluster: list(world.fleet.writes(cluster)[before[cluster] :]) for cluster in OLD}
    for cluster in OLD:
        patches = [w for w in since[cluster] if "DaemonSet" in w["object"]]
        assert len(patches) == 1, f"{cluster}: one patch brings the template and opens the gate"
        assert "template" in patches[0]["patch"]["spec"]
    last_eu = max(e.at for e in world.events(release, "unit.rolled-back") if e.unit != ST_1)
    first_st = min(w["at"] for w in since["st-1"])
    assert first_st >= last_eu.isoformat().replace("+00:00", "Z")


def test_a_rollback_waits_for_no_window(world: World) -> None:
    """At night, on a Saturday: what is broken is taken back now."""
    release = begun(world)
    world.clock.at = world.clock.at.replace(day=28, hour=3)
    world.tick()
    world.says(f"rollback {release} pager")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD


def test_a_pause_does_not_stop_a_rollback(world: World) -> None:
    """A pause stops what goes forward; the way back stays open."""
    release = begun(world)
    world.says("stop --reason 'all hands'", by="dan")
    world.run_for(minutes=1)
    assert world.says(f"rollback {release} broken").code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD


def test_a_freeze_that_names_rollback_stops_it_and_says_so(world: World) -> None:
    """`actions: [rollback]`: nothing is touched during the audit, not even backwards."""
    freeze = {
        "from": "2026-11-24T09:00", "to": "2026-11-24T12:00", "zone": "UTC",
        "actions": ["rollback"], "reason": "Hands off", "owner": "ana",
    }  # fmt: skip
    release = begun(world)
    world.changes({"calendar/freezes/hands.yaml": repo_files.doc("Freeze", "hands", freeze)})
    running = world.running()
    world.says(f"rollback {release} broken")
    world.run_until("2026-11-24T11:59:00Z")
    assert "[rollback_window]" in world.why(release)
    assert "Hands off" in world.why(release)
    assert world.running()["st-1"] == running["st-1"] == "2.5.0×2"
    world.run_until("2026-11-24T12:15:00Z")
    assert world.phase(release) == "ROLLED_BACK"


def test_a_freeze_for_advancing_only_does_not_stop_it(world: World) -> None:
    """The usual freeze is about going forward."""
    freeze = {
        "from": "2026-11-24T09:00", "to": "2026-11-24T12:00", "zone": "UTC",
        "reason": "Audit", "owner": "ana",
    }  # fmt: skip
    release = begun(world)
    world.changes({"calendar/freezes/audit.yaml": repo_files.doc("Freeze", "audit", freeze)})
    world.says(f"rollback {release} broken")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"


def test_what_an_earlier_release_brought_comes_back_and_counts_as_its_own(world: World) -> None:
    """After 2.5.0 and a rollback of 2.6.0 runs 2.5.0; to release 2.5.0 again is nothing to do."""
    world.run_to_the_end(world.releases())
    later = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_for(hours=1)
    world.says(f"rollback {later} slow")
    world.run_for(minutes=15)
    assert world.phase(later) == "ROLLED_BACK"
    assert world.running() == NEW
    again = world.releases("node-agent-2-5-0-again", "2.5.0")
    before = {cluster: len(world.writes(cluster)) for cluster in NEW}
    world.run_to_the_end(again)
    assert world.phase(again) == "SUCCEEDED"
    assert {cluster: len(world.writes(cluster)) for cluster in NEW} == before
    assert world.thread(again).count("without a write") == 3


def test_one_unit_alone_goes_back_and_the_others_go_on(world: World) -> None:
    """A single cluster has trouble: it goes back, is counted, and the release goes on."""
    release = begun(world)
    world.says(f"rollback {ST_1} noisy disks")
    world.run_for(minutes=5)
    assert world.unit(release, ST_1).phase == "ROLLED_BACK"
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running() == NEW | {"st-1": "2.4.1×2"}
    assert world.events(release, "release.succeeded")[0].data["units"] == 2
    assert world.events(release, "release.succeeded")[0].data["skipped"] == 1


def test_a_release_that_succeeded_can_be_taken_back(world: World) -> None:
    """The harm shows a day later: the way back was kept."""
    release = world.releases()
    world.run_to_the_end(release)
    world.run_for(days=1)
    assert world.says(f"rollback {release} memory leak").code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD


def test_one_unit_of_a_release_that_succeeded_can_be_taken_back(world: World) -> None:
    """The harm shows in one cluster only; its unit is enough of a name."""
    release = world.releases()
    world.run_to_the_end(release)
    world.run_for(days=1)
    said = world.says(f"rollback {EU_1} kernel panic")
    assert said.code == 0, said.text
    world.run_for(minutes=15)
    assert world.running() == NEW | {"eu-1": "2.4.1×4"}
    assert world.phase(release) == "SUCCEEDED"


def test_what_a_newer_release_has_written_is_not_taken_back_under_it(world: World) -> None:
    """First in, last out: the newer one goes first, and the refusal names it."""
    first = world.releases()
    world.run_to_the_end(first)
    second = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_for(minutes=10)
    said = world.says(f"rollback {first} leak")
    assert said.code == 3
    assert said.body["refused"]["code"] == "replaced"
    assert second in said.text


@pytest.mark.parametrize(("at", "phase"), [("09:00:05", "APPLYING"), ("09:03", "SOAKING")])
def test_a_batch_in_hand_goes_back(world: World, at: str, phase: str) -> None:
    """Whatever the unit is doing: from the first write on there is a way back."""
    release = begun(world, f"2026-11-24T{at}Z")
    assert world.unit(release, ST_1).phase == phase
    world.says(f"rollback {release} wrong version")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD


def test_a_unit_goes_back_while_its_checks_are_asked(world: World) -> None:
    """VERIFYING: the answer of the check no longer matters."""
    spec = {"cel": {}, "successCondition": "result.unavailable == 0", "interval": "5m", "count": 3}
    component = repo_files.component(checks={"after": ["slow"]})
    world.write({"checks/slow.yaml": repo_files.doc("Check", "slow", spec)})
    world.changes({"components/node-agent/component.yaml": component})
    release = begun(world, "2026-11-24T09:09:00Z")
    assert world.unit(release, ST_1).phase == "VERIFYING"
    world.says(f"rollback {release} enough")
    world.run_for(minutes=15)
    assert world.running() == OLD


def test_a_unit_between_two_batches_goes_back(world: World) -> None:
    """PENDING overnight with one pod on the new version: that pod goes back."""
    world.clock.at = world.clock.at.replace(hour=16, minute=49)
    release = world.releases()
    world.run_until("2026-11-24T22:00:00Z")
    assert world.unit(release, ST_1).phase == "PENDING"
    assert world.running()["st-1"] == "2.4.1×1 2.5.0×1"
    world.says(f"rollback {release} changed my mind")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD


def test_a_failed_unit_goes_back(world: World) -> None:
    """The usual case: it crashed, somebody rolls back."""
    world.breaks("eu-1", CRASH)
    release = begun(world, "2026-11-24T12:00:00Z")
    assert world.unit(release, EU_1).phase == "FAILED"
    world.says(f"rollback {release} crash loop")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD


def test_a_unit_that_failed_before_its_first_write_has_nothing_to_take_back(world: World) -> None:
    """A check before the batch said no: that unit must not hold up the end of the rollback."""
    well = {"cel": {}, "successCondition": "result.unavailable == 0"}
    component = repo_files.component(checks={"before": ["well"]})
    world.write({"checks/well.yaml": repo_files.doc("Check", "well", well)})
    world.changes({"components/node-agent/component.yaml": component})
    world.fleet.sicken("eu-1", world.pods("eu-1", "2.4.1")[:1])
    release = begun(world, "2026-11-24T11:00:00Z")
    assert world.unit(release, EU_1).phase == "FAILED"
    world.says(f"rollback {release} give up")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD


def test_a_unit_that_was_skipped_part_way_goes_back_too(world: World) -> None:
    """Skipped with one pod updated: the rollback does not forget that pod."""
    world.clock.at = world.clock.at.replace(hour=16, minute=49)
    release = world.releases()
    world.run_until("2026-11-24T22:00:00Z")
    assert world.says(f"skip {ST_1} --reason 'hardware'").code == 0
    world.run_until("2026-11-25T09:10:00Z")
    assert world.running()["st-1"] == "2.4.1×1 2.5.0×1"
    world.says(f"rollback {release} no good")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD


def test_a_second_rollback_is_answered_and_harms_nothing(world: World) -> None:
    """A double click, and a click after the end."""
    release = begun(world)
    world.says(f"rollback {release} once")
    twice = world.says(f"rollback {release} twice")
    assert twice.body["refused"]["code"] == "going-back"
    world.run_for(minutes=15)
    again = world.says(f"rollback {release} thrice")
    assert again.body["refused"]["code"] == "ended"
    assert world.running() == OLD


def test_nothing_written_is_nothing_to_take_back(world: World) -> None:
    """Cancel is the word for that, and the refusal says so."""
    release = world.releases()
    said = world.says(f"rollback {release} oops")
    assert said.body["refused"]["code"] == "not-begun"
    assert "Cancel" in said.text


def test_an_unreachable_cluster_does_not_hold_up_the_others(world: World) -> None:
    """The older waves go back; the cluster that is away follows when it answers."""
    gone = {"do": "unreachable", "from": "2026-11-24T09:21:00Z", "to": "2026-11-24T11:00:00Z"}
    world.breaks("eu-1", gone)
    release = begun(world, "2026-11-24T09:22:00Z")
    world.says(f"rollback {release} slow")
    world.run_until("2026-11-24T10:30:00Z")
    assert world.phase(release) == "ROLLING_BACK"
    assert world.running() == OLD | {"eu-1": world.running()["eu-1"]}
    assert "2.5.0" in world.running()["eu-1"]
    assert "[reachable]" in world.why(release)
    world.run_until("2026-11-24T11:15:00Z")
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD


def test_a_unit_that_cannot_be_put_back_is_told_and_can_be_tried_again(world: World) -> None:
    """The old version has become broken as well: the rollback stops and asks."""
    release = begun(world)
    old = {"do": "neverReady", "image": "registry.local/node-agent:2.4.1"}
    world.breaks("eu-1", old)
    world.says(f"rollback {release} slow")
    world.run_for(hours=1)
    assert world.unit(release, EU_1).phase == "FAILED"
    assert world.phase(release) == "ROLLING_BACK"
    assert world.why(release), "and says what it waits for"
    world.heals("eu-1")
    assert world.says(f"retry {EU_1}").code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == OLD


def test_a_way_back_of_many_nodes_has_time_for_each_of_them(world: World) -> None:
    """`batchDeadline` is the time of one batch, and the way back is all of them at once: it fails
    when nothing moves, and not because there is much to move.
    """
    unit = "node-agent@st-2"
    steps = [1, "20%", "40%", "60%", "80%", "100%"]
    many = repo_files.component(batches=steps, batchDeadline="1m", batchSoak="1m")
    world.changes(
        {
            "components/node-agent/component.yaml": many,
            "fleet/clusters/st-2.yaml": repo_files.cluster("st-2", "staging", 24),
        }
    )
    world.fleet.seed("st-2", repo_files.running())
    release = world.releases()
    world.run_until("2026-11-24T09:58:00Z")
    assert world.unit(release, unit).phase == "SUCCEEDED"
    world.says(f"rollback {release} slow")
    began = world.clock.at
    world.run_for(hours=2)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running()["st-2"] == "2.4.1×24"
    back = next(e.at for e in world.events(release, "unit.rolled-back") if e.unit == unit)
    assert back - began > timedelta(minutes=1), "it took longer than one batch may"


def test_the_version_is_blocked_afterwards(world: World) -> None:
    """It sticks: the same version is an error in the next pull request, and the gate holds it."""
    release = begun(world)
    world.says(f"rollback {release} leak")
    world.run_for(minutes=15)
    name = "node-agent-2-5-0-again"
    world.proposes(name, {f"releases/2026/{name}.yaml": repo_files.release(name, "2.5.0")})
    world.tick()
    shown = world.chat.cards[f"pull/pr/{name}"]
    assert "blocked" in shown
    assert "2.5.0" in shown


def test_of_a_configuration_release_only_the_content_is_blocked(world: World) -> None:
    """Same version, other values: 2.5.0 itself did nothing wrong."""
    world.run_to_the_end(world.releases())
    world.write({VALUES: 'image: "registry.local/node-agent:{{ version }}"\nlevel: trace\n'})
    world.push("Trace")
    release = world.releases("node-agent-trace", "2.5.0")
    world.run_for(minutes=30)
    world.says(f"rollback {release} log storm")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.live("st-1", "ConfigMap")["data"]["level"] == "info"
    (blocked,) = world.bot.board.rules.blocked
    assert (blocked.version, blocked.content[:7]) == ("2.5.0", "sha256:")
    world.write({VALUES: 'image: "registry.local/node-agent:{{ version }}"\nlevel: warn\n'})
    world.push("Warn is enough")
    other = world.releases("node-agent-warn", "2.5.0")
    world.run_to_the_end(other)
    assert world.phase(other) == "SUCCEEDED"
    assert world.live("st-1", "ConfigMap")["data"]["level"] == "warn"
