"""Two things at once that each work alone: what one stops or undoes must not reach the other."""

from __future__ import annotations

import pytest

from bot.cluster.plain import patch
from bot.model.effects import Purpose
from tests import repo_files
from tests.addons import addons, brings, crashes, in_flight, until
from tests.world import World

EU_1, EU_3, ST_1 = "node-agent@eu-1", "node-agent@eu-3", "node-agent@st-1"


def test_a_failure_hold_stops_no_write_of_another_release(world: World) -> None:
    """The hold of a failed component is made for its release: another release of that component,
    in another cluster, writes and ends.
    """
    brings(world, {"coredns": (), "logs": ()}, waves=None)
    crashes(world, "coredns", "eu-1")
    first = addons(world, "coredns", "logs", units={"names": ["eu-1"]})
    until(world, lambda: world.unit(first, "coredns@eu-1").phase == "FAILED")
    second = addons(world, "coredns", name="other", units={"names": ["eu-2"]})
    until(world, lambda: world.phase(second, ended=True) != "", minutes=24 * 60)
    assert world.phase(second) == "SUCCEEDED"
    assert world.running("coredns")["eu-2"] == "1.1×4"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_catch_up_that_fails_takes_nothing_of_a_newer_release_back(
    world: World, restarted: bool
) -> None:
    """eu-3 was owed 2.5.0 while 2.5.1 went to the others. It catches up, crashes, and its component
    says rollbackRelease: what runs 2.5.1 by now is not this release's any more.
    """
    text = repo_files.component(onFailure="rollbackRelease")
    world.write({"fleet/clusters/eu-3.yaml": repo_files.cluster("eu-3", "prod", 4)})
    world.changes({"components/node-agent/component.yaml": text})
    world.fleet.seed("eu-3", repo_files.running())
    silent = {"do": "unreachable", "from": "2026-11-24T08:00:00Z", "to": "2026-11-26T12:00:00Z"}
    crash = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
    world.breaks("eu-3", silent, crash)
    first = world.releases()
    world.run_to_the_end(first)
    assert world.unit(first, EU_3).phase == "QUARANTINED"
    second = world.releases("node-agent-2-5-1", "2.5.1", units={"names": ["st-1", "eu-1", "eu-2"]})
    world.run_to_the_end(second)
    assert world.running()["eu-1"] == "2.5.1×4"
    world.run_until("2026-11-26T13:00:00Z")
    assert world.says(f"retry {EU_3}").code == 0
    if restarted:
        until(world, lambda: world.unit(first, EU_3).phase == "APPLYING")
        world.dies()
    world.run_to_the_end(first)
    assert world.phase(first) == "ROLLED_BACK"
    assert world.unit(first, EU_3).phase == "ROLLED_BACK"
    assert world.running()["eu-1"] == "2.5.1×4"
    assert world.running()["eu-2"] == "2.5.1×4"


def test_what_was_replaced_never_rolls_forward_when_the_rest_goes_back(world: World) -> None:
    """2.5.0 rolled in eu-1 when 2.5.1 took over there. Taking back what 2.5.0 left elsewhere must
    not wake up its batch in eu-1.
    """
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(waves=[1, "100%"])})
    slow = {"do": "neverReady", "image": "registry.local/node-agent:2.5.0"}
    world.breaks("eu-1", slow)
    first = world.releases()
    until(world, lambda: world.unit(first, EU_1).phase == "APPLYING")
    second = world.releases(
        "node-agent-2-5-1", "2.5.1", supersedes=[first], units={"names": ["eu-1", "eu-2"]}
    )
    until(world, lambda: world.unit(second, EU_1).began is not None)
    assert world.phase(first) == "SUPERSEDED"
    assert world.says(f"rollback {first} odd").code == 0
    assert in_flight(world, first) == {ST_1}
    assert EU_1 in in_flight(world, second)
    world.run_to_the_end(first)
    assert world.phase(first) == "ROLLED_BACK"
    assert [e.unit for e in world.events(first, "unit.skipped")] == [EU_1]
    world.run_to_the_end(second)
    assert world.phase(second) == "SUCCEEDED"


def test_what_depends_on_it_goes_back_only_where_no_newer_release_brought_it(world: World) -> None:
    """mesh 1.2 came after and its rows are on no board any more: taking coredns back by name does
    not even try mesh, and ends.
    """
    brings(world)
    release = addons(world, "coredns", "mesh")
    world.run_to_the_end(release)
    newer = world.releases("mesh-1-2", "1.2", components=[{"name": "mesh", "version": "1.2"}])
    world.run_to_the_end(newer)
    world.dies()
    assert world.says("rollback coredns@eu-1 --reason odd").body["along"] == []
    world.run_to_the_end(release)
    assert world.unit(release, "coredns@eu-1").phase == "ROLLED_BACK"
    assert world.unit(release, "mesh@eu-1").phase == "SUCCEEDED"
    assert world.running("mesh")["eu-1"] == "1.2×4"


def test_a_write_that_a_newer_plan_stopped_is_told_at_once(world: World) -> None:
    """The hold comes of the answer to a write, after all was decided: the thread has it too."""
    release = world.releases()
    until(world, lambda: world.unit(release, ST_1).phase == "SOAKING")
    live = world.live("st-1", "DaemonSet")
    ref = next(one.ref for one in world.active(release).index.units[ST_1].objects
               if one.ref.kind == "DaemonSet")  # fmt: skip
    change = patch(ref, live, {"metadata": {"labels": {"by": "newer"}}}, Purpose.FORWARD)
    world.fleet.write("st-1", change, fence="99.1")
    until(world, lambda: "fenced" in str(world.events(release, "hold.set")))
    assert "a newer plan has written to node-agent@st-1" in world.thread(release)


def newer_writes(world: World, release: str, fence: str) -> None:
    """Somebody else's bot, or a newer release, writes the DaemonSet of st-1."""
    live = world.live("st-1", "DaemonSet")
    ref = next(one.ref for one in world.active(release).index.units[ST_1].objects
               if one.ref.kind == "DaemonSet")  # fmt: skip
    change = patch(ref, live, {"metadata": {"labels": {"by": "newer"}}}, Purpose.FORWARD)
    world.fleet.write("st-1", change, fence=fence)


def test_a_way_back_that_a_newer_plan_stopped_is_held_and_not_sent_for_ever(world: World) -> None:
    """One write that was refused, one hold that says so; who has looked resumes, or leaves it."""
    release = world.releases()
    until(world, lambda: world.unit(release, EU_1).phase == "SOAKING")
    newer_writes(world, release, "99.1")
    assert world.says(f"rollback {release} --reason leak").code == 0
    world.run_for(hours=1)
    assert len(world.events(release, "write.outcome")) == 1, "sent once, refused once"
    assert world.running()["eu-1"] == "2.4.1×4", "the others go back all the same"
    assert f"{ST_1} [not_fenced] Stopped" in world.why(release)
    assert "a newer plan has written" in world.why(release)
    assert world.says(f"resume {release}").code == 0
    world.run_for(minutes=10)
    assert len(world.events(release, "write.outcome")) == 2, "once more, and held again"
    assert world.says(f"skip {ST_1} --reason 'newer is right'").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"


def test_a_release_that_goes_on_after_its_end_has_all_its_places_again(world: World) -> None:
    """eu-3 catches up: until that has ended a newer release waits in every cluster that the older
    one has, as it would after a restart.
    """
    world.changes({"fleet/clusters/eu-3.yaml": repo_files.cluster("eu-3", "prod", 4)})
    world.fleet.seed("eu-3", repo_files.running())
    silent = {"do": "unreachable", "from": "2026-11-24T08:00:00Z", "to": "2026-11-24T10:30:00Z"}
    world.breaks("eu-3", silent)
    first = world.releases()
    world.run_to_the_end(first)
    world.run_until("2026-11-24T11:00:00Z")
    assert world.says(f"retry {EU_3}").code == 0
    second = world.releases("node-agent-2-5-1", "2.5.1", units={"names": ["st-1", "eu-1"]})
    world.run_for(minutes=2)
    assert world.unit(second, ST_1).began is None
    assert f"{ST_1} [unit_free] Waiting: release {first} is at work" in world.why(second)
    world.run_to_the_end(second)
    assert world.phase(first) == "SUCCEEDED"
    assert world.phase(second) == "SUCCEEDED"


def test_a_unit_is_tried_again_where_a_newer_release_came_and_went(world: World) -> None:
    """2.5.1 wrote eu-1 and went back; so did 2.5.0, by name. Tried again it writes above what
    stands there, and is not taken for an older plan than the one that is gone.
    """
    first = world.releases()
    world.run_to_the_end(first)
    second = world.releases("node-agent-2-5-1", "2.5.1")
    world.run_to_the_end(second)
    assert world.says(f"rollback {second} odd").code == 0
    world.run_to_the_end(second)
    assert world.running()["eu-1"] == "2.5.0×4"
    assert world.says(f"rollback {EU_1} odd").code == 0
    world.says(f"pause {first}")
    until(world, lambda: world.unit(first, EU_1).phase == "ROLLED_BACK")
    assert world.says(f"retry {EU_1}").code == 0
    world.says(f"resume {first}")
    world.run_to_the_end(first)
    assert world.phase(first) == "SUCCEEDED"
    assert world.running()["eu-1"] == "2.5.0×4"


def test_a_stage_that_went_back_is_asked_about_again(world: World) -> None:
    """An approver's yes was before anybody knew of the leak; an operator's retry is no new one."""
    asks = {"when": "before", "roles": ["approver"], "count": 1}
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(approval=asks)})
    release = world.releases()
    world.run_until("2026-11-24T09:30:00Z")
    assert world.says(f"approve {release}", by="ben").code == 0
    until(world, lambda: world.unit(release, EU_1).phase == "SUCCEEDED")
    assert world.says(f"rollback {release}/production leak").code == 0
    until(world, lambda: world.unit(release, EU_1).phase == "ROLLED_BACK")
    assert world.says(f"retry {release}/production").code == 0
    world.run_for(hours=1)
    assert world.unit(release, EU_1).began is None
    assert f"(approve {release}#2)" in world.why(release)
    assert "taken back since" in world.thread(release)
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
