"""A version that does not work: found early, told with its evidence, and nothing more begins."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from bot.model.state import Certificate
from tests import repo_files
from tests.world import World

CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
NEVER = {"do": "neverReady", "image": "registry.local/node-agent:2.5.0"}
EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"


ONE_BY_ONE = repo_files.TEMPLATE.replace("maxUnavailable: 2", "maxUnavailable: 1")


def component(world: World, **spec: Any) -> None:
    world.changes({"components/node-agent/component.yaml": repo_files.component(**spec)})


def pipeline(world: World, **production: Any) -> None:
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(**production)})


def check(world: World, **spec: Any) -> None:
    """A check of the component's own, asked after every batch."""
    world.write({"checks/own.yaml": repo_files.doc("Check", "own", spec)})
    component(world, checks={"after": ["own"]})


def test_a_crash_loop_fails_the_unit_with_its_evidence(world: World) -> None:
    """Who is called at night reads what broke, where, and who may decide, without a dashboard."""
    world.breaks("st-1", CRASH, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T12:00:00Z")
    unit = world.unit(release, ST_1)
    assert unit.phase == "FAILED"
    assert world.running() == {"eu-1": "2.4.1×4", "eu-2": "2.4.1×4", "st-1": "2.4.1×1 2.5.0×1"}
    failed = world.events(release, "unit.failed")[0].data["why"]
    assert "CrashLoopBackOff" in failed
    assert world.pods("st-1", "2.5.0")[0] in failed, "the pod has a name"
    hold = world.events(release, "hold.set")[0]
    assert set(hold.data["who"]) == {"ana", "ben"}, "operators, who may retry or roll back"
    assert "[holds]" in world.why(release)
    assert "CrashLoopBackOff" in world.chat.cards[f"card/{release}"]


def test_a_pod_that_is_never_ready_fails_at_the_deadline(world: World) -> None:
    """Waiting has an end: `batchDeadline` after the batch began."""
    world.breaks("st-1", NEVER, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:19:00Z")
    assert world.unit(release, ST_1).phase == "APPLYING"
    world.run_until("2026-11-24T09:21:00Z")
    unit = world.unit(release, ST_1)
    assert unit.phase == "FAILED"
    assert unit.since.isoformat() == "2026-11-24T09:20:00+00:00"


def test_a_failed_unit_is_stopped_in_its_cluster_and_then_left_alone(world: World) -> None:
    """Half a broken rollout must not go on by itself, and what stands needs no more writes."""
    component(world, batches=["100%"])
    world.changes({"components/node-agent/templates/node-agent.yaml": ONE_BY_ONE})
    world.breaks("st-1", CRASH, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    strategy = world.live("st-1", "DaemonSet")["spec"]["updateStrategy"]["rollingUpdate"]
    assert strategy["paused"] is True
    assert strategy["partition"] == 1
    before = world.writes("st-1")
    world.run_for(hours=5)
    assert world.writes("st-1") == before
    assert world.active(release).units[ST_1].look_at is None, "and is not asked again and again"


def test_a_stage_tolerates_as_many_failures_as_it_says(world: World) -> None:
    """`maxFailures: 1`: one broken cluster of a thousand does not hold up the others."""
    pipeline(world, maxFailures=1, maxConcurrency=1)
    world.breaks("eu-1", CRASH)
    release = world.releases()
    world.run_until("2026-11-24T16:00:00Z")
    assert world.unit(release, EU_1).phase == "FAILED"
    assert world.unit(release, EU_2).phase == "SUCCEEDED"
    assert world.phase(release) == "PROGRESSING", "it has not SUCCEEDED while a unit has FAILED"
    assert world.why(release), "and says what it waits for"
    assert world.says(f"skip {EU_1} --reason 'hardware'").code == 0
    world.run_for(minutes=1)
    assert world.phase(release) == "SUCCEEDED"


def test_one_failure_more_than_tolerated_stops_the_stage(world: World) -> None:
    """The second failure is not bad luck any more."""
    component(world, batchSoak="15m")
    world.breaks("eu-1", CRASH)
    release = world.releases()
    world.run_until("2026-11-24T16:00:00Z")
    assert world.unit(release, EU_1).phase == "FAILED"
    other = world.unit(release, EU_2)
    assert (other.phase, other.batch) == ("PENDING", 2), "what was in hand ended, no more begins"
    assert world.running()["eu-2"] == "2.4.1×2 2.5.0×2"


def test_on_failure_the_unit_goes_back_by_itself(world: World) -> None:
    """`onFailure: rollbackUnit`: nobody has to get up to make the cluster well again."""
    component(world, onFailure="rollbackUnit")
    world.breaks("st-1", CRASH, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T11:00:00Z")
    assert world.unit(release, ST_1).phase == "ROLLED_BACK"
    assert world.running()["st-1"] == "2.4.1×2"
    assert world.phase(release) == "PROGRESSING"
    assert "[holds]" in world.why(release), "whether to go on is a person's to say"


def test_a_unit_that_went_back_by_itself_can_be_tried_again(world: World) -> None:
    """The network was down, not the version: retry takes it from its first batch."""
    component(world, onFailure="rollbackUnit")
    world.breaks("st-1", NEVER, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T11:00:00Z")
    world.heals("st-1", group="staging")
    said = world.says(f"retry {ST_1}")
    assert said.code == 0, said.text
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running()["st-1"] == "2.5.0×2"


def test_a_unit_that_went_back_by_itself_can_be_left_out(world: World) -> None:
    """Skipped, it is owed; the others go on."""
    component(world, onFailure="rollbackUnit")
    world.breaks("st-1", CRASH, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T11:00:00Z")
    assert world.says(f"skip {ST_1} --reason 'known bad host'").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running() == {"eu-1": "2.5.0×4", "eu-2": "2.5.0×4", "st-1": "2.4.1×2"}


def test_on_failure_the_release_goes_back_by_itself(world: World) -> None:
    """`onFailure: rollbackRelease`: a broken production cluster takes staging back too."""
    component(world, onFailure="rollbackRelease")
    world.breaks("eu-1", CRASH)
    release = world.releases()
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == {"eu-1": "2.4.1×4", "eu-2": "2.4.1×4", "st-1": "2.4.1×2"}
    assert "Rolling back by its own rules" in world.thread(release)


def test_falling_sick_in_the_silence_fails_the_unit(world: World) -> None:
    """Soak is not sleep: health must hold all the while."""
    release = world.releases()
    world.run_until("2026-11-24T09:03:00Z")
    assert world.unit(release, ST_1).phase == "SOAKING"
    world.fleet.sicken("st-1", world.pods("st-1", "2.5.0"))
    world.run_for(minutes=1)
    unit = world.unit(release, ST_1)
    assert unit.phase == "FAILED"
    assert "soak" in (unit.failure or "")
    assert world.running()["eu-1"] == "2.4.1×4"


def test_resuming_a_failure_is_refused_with_what_would_help(world: World) -> None:
    """Resuming is not overriding: a person says retry, skip, override or roll back."""
    world.breaks("st-1", CRASH, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    said = world.says(f"resume {release}")
    assert said.code == 3
    assert said.body["refused"]["code"] == "still-held"
    assert "retry" in said.text
    assert "ana" in said.text


def test_retry_begins_the_batch_again_by_all_its_gates(world: World) -> None:
    """A retry in the evening waits for the morning like every batch."""
    world.breaks("st-1", NEVER, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T18:00:00Z")
    world.heals("st-1", group="staging")
    assert world.says(f"retry {release}").code == 0
    world.run_until("2026-11-25T08:59:00Z")
    assert world.unit(release, ST_1).phase == "PENDING"
    assert "[window]" in world.why(release)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running() == {"eu-1": "2.5.0×4", "eu-2": "2.5.0×4", "st-1": "2.5.0×2"}


def test_a_check_that_says_no_stops_after_the_batch_it_was_asked_of(world: World) -> None:
    """All pods are ready, and still the answer is no: the author's own condition decides."""
    check(world, cel={}, successCondition="result.updated < 1")
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    unit = world.unit(release, ST_1)
    assert (unit.phase, unit.batch) == ("FAILED", 1)
    assert "own" in (unit.failure or "")
    assert "result.updated < 1" in (unit.failure or "")


def test_a_check_that_cannot_answer_is_no_yes(world: World) -> None:
    """A condition over a fact that is not there: unclear, asked again, and never green."""
    check(world, cel={}, successCondition="result.nosuchthing < 1")
    release = world.releases()
    world.run_until("2026-11-24T09:10:00Z")
    assert world.unit(release, ST_1).phase == "VERIFYING"
    assert "own" in world.why(release)
    world.run_until("2026-11-24T12:00:00Z")
    unit = world.unit(release, ST_1)
    assert (unit.phase, unit.batch) == ("FAILED", 1)


def test_neither_condition_holds_is_inconclusive_and_a_person_decides(world: World) -> None:
    """The three-valued outcome of Argo Rollouts: unclear stops and asks."""
    check(
        world, cel={}, successCondition="result.updated > 9", failureCondition="result.updated > 8"
    )
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    unit = world.unit(release, ST_1)
    assert unit.phase == "FAILED"
    assert unit.checks[-1].verdict.name == "INCONCLUSIVE"


def test_a_check_takes_its_measurements_over_time(world: World) -> None:
    """`count: 3, interval: 2m`: three good answers, four minutes from the first to the last."""
    check(world, cel={}, successCondition="result.unavailable == 0", interval="2m", count=3)
    release = world.releases()
    world.run_until("2026-11-24T09:12:00Z")
    done = [e for e in world.events(release, "batch.succeeded") if e.unit == ST_1]
    certificate = world.bot.ports.store.get(Certificate, f"{release}/{ST_1}/1")
    assert certificate is not None
    times = [m.at for m in certificate.checks[0].measurements]
    assert [b - a for a, b in pairwise(times)] == [timedelta(minutes=2)] * 2
    assert done[0].at == times[-1]


def test_a_check_before_a_batch_stops_it_before_the_first_write(world: World) -> None:
    """What is unwell already is not made worse."""
    sick = repo_files.doc(
        "Check", "own", {"cel": {}, "successCondition": "result.unavailable == 0"}
    )
    world.write({"checks/own.yaml": sick})
    component(world, checks={"before": ["own"]})
    world.fleet.sicken("st-1", world.pods("st-1", "2.4.1")[:1])
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert world.writes("st-1") == []
    assert world.phase(release) == "SCHEDULED"
    world.fleet.sicken("st-1", world.pods("st-1", "2.4.1")[:1], well=True)
    assert world.says(f"retry {release}").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


@pytest.mark.parametrize("fault", [CRASH, NEVER])
def test_a_broken_version_reaches_one_pod_and_no_more(world: World, fault: dict[str, str]) -> None:
    """The first batch is one pod: that is what a bad version may cost."""
    world.breaks("st-1", fault, group="staging")
    release = world.releases()
    world.run_for(hours=30)
    assert len(world.pods("st-1", "2.5.0")) == 1
    assert world.phase(release) == "PROGRESSING"
