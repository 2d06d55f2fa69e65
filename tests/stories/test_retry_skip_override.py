"""What people may do about a unit that stands still: try again, leave out, or go on knowingly."""

from __future__ import annotations

from typing import Any

from bot.model.state import Certificate
from tests import repo_files
from tests.world import World

CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
AWAY = {"do": "unreachable", "from": "2026-11-24T08:30:00Z", "to": "2026-11-24T13:00:00Z"}
EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"


def saying_no(world: World, when: str = "after", condition: str = "result.updated < 1") -> str:
    """A release whose own check says no to its first batch in staging."""
    spec = {"cel": {}, "successCondition": condition}
    world.write({"checks/own.yaml": repo_files.doc("Check", "own", spec)})
    component = repo_files.component(checks={when: ["own"]})
    world.changes({"components/node-agent/component.yaml": component})
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    return release


def test_only_an_admin_overrides_a_check_and_the_record_has_it(world: World) -> None:
    """I have seen FAILED and go on: a name, a reason, in the audit and in the certificate."""
    release = saying_no(world)
    refused = world.says(f"override {ST_1} --reason 'known noise'", by="ben")
    assert refused.code == 3
    assert set(refused.body["refused"]["who"]) == {"ana", "dan"}
    assert world.says(f"override {ST_1}", by="dan").body["refused"]["code"] == "no-reason"
    said = world.says(f"override {ST_1} --reason 'known noise'", by="dan")
    assert said.code == 0, said.text
    world.run_for(minutes=1)
    unit = world.unit(release, ST_1)
    assert unit.batch == 2 or unit.phase == "PENDING"
    event = world.events(release, "override")[0]
    assert (event.who, event.unit, event.data["reason"]) == ("dan", ST_1, "known noise")
    assert "check own" in event.data["what"]
    certificate = certificates(world, release)[0]
    assert certificate.checks[0].overridden_by == "dan"
    assert certificate.checks[0].verdict.name == "FAILED"


def test_a_check_of_a_unit_that_was_left_out_is_not_overridden(world: World) -> None:
    """It goes nowhere by that: who reads "done" waits for a unit that never begins."""
    release = saying_no(world)
    assert world.says(f"skip {ST_1} --reason later").code == 0
    said = world.says(f"override {ST_1} --gate check --reason 'known noise'", by="dan")
    assert said.code == 3, said.text
    assert world.unit(release, ST_1).phase == "SKIPPED"
    assert not world.events(release, "override")


def certificates(world: World, release: str) -> list[Any]:
    return list(world.bot.ports.store.rows(Certificate, parent=release))


def test_an_override_holds_for_the_batch_that_was_seen(world: World) -> None:
    """The next batch is asked again: nobody has seen its answer yet."""
    release = saying_no(world)
    world.says(f"override {ST_1} --reason 'known noise'", by="dan")
    world.run_for(minutes=30)
    unit = world.unit(release, ST_1)
    assert (unit.phase, unit.batch) == ("FAILED", 2)
    assert world.phase(release) == "PROGRESSING"


def test_a_check_before_a_batch_can_be_overridden_too(world: World) -> None:
    """The unit goes on to its batch by all the other gates."""
    release = saying_no(world, when="before", condition="result.updated > 99")
    assert world.writes("st-1") == []
    said = world.says(f"override {ST_1} --reason 'it counts wrongly'", by="ana")
    assert said.code == 0, said.text
    world.run_for(minutes=1)
    assert world.running()["st-1"] == "2.4.1×1 2.5.0×1"
    assert world.phase(release) == "PROGRESSING"


def test_that_pods_do_not_come_up_is_never_overridden(world: World) -> None:
    """Convergence is a fact, no opinion: retry, skip or roll back."""
    world.breaks("st-1", CRASH, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    said = world.says(f"override {ST_1} --reason 'ship it'", by="dan")
    assert said.code == 3
    assert said.body["refused"]["code"] == "override-never"
    assert world.unit(release, ST_1).phase == "FAILED"
    gate = world.says(f"override {ST_1} --gate lock --reason 'ship it'", by="dan")
    assert gate.body["refused"]["code"] == "override-never"


def test_two_admins_open_a_closed_window_and_it_closes_again(world: World) -> None:
    """Four hours at night, in the names of two people; then the calendar counts again."""
    world.changes({"components/node-agent/component.yaml": repo_files.component(soak="230m")})
    world.clock.at = world.clock.at.replace(hour=20)
    release = world.releases()
    override = f"override {release} --gate window --reason 'CVE, cannot wait'"
    assert world.says(override, by="dan").body["have"] == 1
    world.run_for(minutes=5)
    assert world.running()["st-1"] == "2.4.1×2", "one admin is not two"
    twice = world.says(override, by="dan")
    assert twice.body["refused"]["code"] == "needs-second-person"
    assert "ana" in twice.text
    assert world.says(override, by="ana").body["have"] == 2
    world.run_for(minutes=2)
    assert world.running()["st-1"] == "2.4.1×1 2.5.0×1"
    world.run_until("2026-11-25T08:59:00Z")
    assert world.running()["st-1"] == "2.5.0×2"
    assert world.running()["eu-1"] == "2.4.1×3 2.5.0×1", "begun in time, then closed"
    assert "[window]" in world.why(release)


def test_missing_evidence_can_be_overridden_by_name(world: World) -> None:
    """`releasable: {evidence: required}`: no proof, no batch, unless an admin says so."""
    spec = repo_files.component(releasable={"evidence": "required"})
    version = {
        "component": "node-agent", "version": "2.5.0",
        "images": {"agent": {"ref": "registry.local/node-agent", "digest": f"sha256:{'a' * 64}"}},
        "evidence": [{"name": "conformance", "passed": True}],
    }  # fmt: skip
    good = repo_files.doc("ComponentVersion", "node-agent-2.5.0", version)
    world.write({"components/node-agent/versions/2.5.0.yaml": good})
    world.changes({"components/node-agent/component.yaml": spec})
    release = world.releases()
    version["evidence"] = [{"name": "conformance", "passed": False}]
    bad = repo_files.doc("ComponentVersion", "node-agent-2.5.0", version)
    world.changes({"components/node-agent/versions/2.5.0.yaml": bad}, "It did not pass after all")
    world.run_until("2026-11-24T09:30:00Z")
    assert "[releasable]" in world.why(release)
    assert world.running()["st-1"] == "2.4.1×2"
    override = f"override {release} --gate evidence --reason 'the test host was down'"
    assert "node-agent 2.5.0: conformance has not passed" in world.why(release)
    assert world.says(override, by="dan").code == 0
    world.run_until("2026-11-24T09:31:00Z")
    assert world.unit(release, ST_1).batch == 1
    version["evidence"] = [{"name": name, "passed": False} for name in ("conformance", "upgrade")]
    worse = repo_files.doc("ComponentVersion", "node-agent-2.5.0", version)
    world.changes({"components/node-agent/versions/2.5.0.yaml": worse}, "The upgrade failed too")
    world.run_until("2026-11-24T10:00:00Z")
    assert world.unit(release, ST_1).batch == 1, "of that nobody has seen anything"
    assert world.says(override, by="dan").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_quarantined_unit_can_be_skipped(world: World) -> None:
    """It will not come back this week: it is owed, and the release ends without it."""
    world.breaks("st-1", AWAY, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:30:00Z")
    assert world.unit(release, ST_1).phase == "QUARANTINED"
    said = world.says(f"skip {ST_1} --reason 'moves house'", by="cleo")
    assert said.code == 0, said.text
    world.run_until("2026-11-24T12:00:00Z")
    assert world.phase(release) == "SUCCEEDED"
    told = world.events(release, "release.succeeded")[0].data
    assert (told["units"], told["skipped"], told["owed"]) == (2, 1, 0)


def test_a_quarantined_unit_is_counted_as_owed(world: World) -> None:
    """SUCCEEDED is said with what it left out."""
    world.breaks("st-1", AWAY, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T12:00:00Z")
    assert world.phase(release) == "SUCCEEDED"
    told = world.events(release, "release.succeeded")[0].data
    assert (told["units"], told["skipped"], told["owed"]) == (2, 0, 1)
    assert "1 owed" in world.thread(release)


def test_a_quarantined_unit_can_be_retried_when_it_is_back(world: World) -> None:
    """Same plan, all gates; nobody writes a second release for one cluster."""
    world.breaks("st-1", AWAY, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T12:00:00Z")
    world.breaks("st-1", group="staging")
    said = world.says(f"retry {release}")
    assert said.code == 0, said.text
    world.run_to_the_end(release)
    assert world.running()["st-1"] == "2.5.0×2"


def test_what_was_cancelled_or_taken_back_is_never_retried(world: World) -> None:
    """Forward again is a new release, with a new plan that somebody looks at."""
    world.breaks("st-1", AWAY, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:30:00Z")
    world.says(f"rollback {release} all wrong")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"
    world.breaks("st-1", group="staging")
    said = world.says(f"retry {release}")
    assert said.code == 3
    world.run_for(hours=1)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running() == {"eu-1": "2.4.1×4", "eu-2": "2.4.1×4", "st-1": "2.4.1×2"}


def test_a_retry_of_an_early_unit_does_not_stop_what_is_in_flight_later(world: World) -> None:
    """A wave goes back to work, the units in flight behind it finish what they began."""
    world.breaks("st-1", AWAY, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:22:00Z")
    assert world.unit(release, EU_1).batch == 2
    world.breaks("st-1", group="staging")
    assert world.says(f"retry {ST_1}").code == 0
    world.run_until("2026-11-24T09:27:00Z")
    assert world.unit(release, ST_1).phase == "SOAKING", "staging has begun to catch up"
    assert world.unit(release, EU_1).batch == 3, "and production did not stand still for it"
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_skip_needs_an_approver_and_a_unit_that_stands(world: World) -> None:
    """What rolls is not left out in the middle of its rolling."""
    release = world.releases()
    world.run_until("2026-11-24T09:00:05Z")
    assert world.unit(release, ST_1).phase == "APPLYING"
    said = world.says(f"skip {ST_1} --reason 'no'", by="cleo")
    assert said.body["refused"]["code"] == "in-flight"
    assert world.says(f"skip {EU_1} --reason 'no'", by="dan").body["refused"]["code"] == "role"


def test_what_was_left_out_is_tried_again_by_its_name(world: World) -> None:
    """Its stage has not failed, and whoever asks for that is told what to ask for instead."""
    release = saying_no(world)
    assert world.says(f"skip {ST_1} --reason 'not now'").code == 0
    said = world.says(f"retry {release}/staging")
    assert said.body["refused"]["code"] == "not-failed"
    assert f"{ST_1} was left out: retry {ST_1} brings it in" in said.text
    said = world.says(f"retry {ST_1}")
    assert said.code == 0
    assert "the failed batch" not in said.text
    assert "what was left out goes on by its gates, from the batch where it stood" in said.text
