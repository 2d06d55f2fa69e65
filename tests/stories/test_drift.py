"""Drift: somebody edited what we applied. Before a batch it stops and asks: keep or overwrite.

And no false alarms: what a server, a controller or a batch of ours does is no edit.
"""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.messages_listing import queue
from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from tests import repo_files
from tests.world import World

EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"
DAEMON_SET = ObjectRef("apps.kruise.io/v1beta1", "DaemonSet", "infra", "node-agent")
CONFIG = ObjectRef("v1", "ConfigMap", "infra", "node-agent")


def edit(world: World, cluster: str, ref: ObjectRef, body: Any, by: str = "kubectl-edit") -> None:
    write = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body=body)
    world.fleet.write(cluster, write, fence="", manager=by)


def certified(world: World) -> None:
    """2.5.0 is applied everywhere, by us."""
    first = world.releases()
    world.run_to_the_end(first)


def second(world: World, **spec: Any) -> str:
    return world.releases("node-agent-2-6-0", "2.6.0", **spec)


def edited(world: World) -> str:
    """Somebody set the level in eu-1 by hand; then 2.6.0 comes there."""
    certified(world)
    edit(world, "eu-1", CONFIG, {"data": {"level": "debug"}})
    release = second(world)
    world.run_for(hours=3)
    return release


def level(world: World, cluster: str) -> str:
    return str(world.live(cluster, "ConfigMap")["data"]["level"])


def test_an_edit_stops_the_unit_and_says_who_and_what(world: World) -> None:
    """Nothing is overwritten that somebody meant, and nothing is kept that nobody wants."""
    release = edited(world)
    assert world.unit(release, EU_1).phase == "PENDING"
    assert world.running()["eu-1"] == "2.5.0×4"
    assert world.running()["eu-2"] == "2.6.0×4", "other units go on"
    why = world.why(release)
    for part in ("[drift]", "ConfigMap infra/node-agent data.level: info → debug", "kubectl-edit"):
        assert part in why
    assert len(world.events(release, "unit.drifted")) == 1, "told once"
    assert world.phase(release) == "PROGRESSING"
    assert "needs decision" in world.chat.cards[f"card/{release}"]


def test_what_stands_for_an_edit_waits_for_somebody(world: World) -> None:
    """`status` that shows it as undecided and ends with "nothing waits" is believed the second."""
    release = edited(world)
    assert queue([world.view(release)]) == f"{release}  waits for somebody  why {release}"


def test_a_question_that_waits_writes_nothing_more_into_the_audit(world: World) -> None:
    """Checks before a batch speak of the moment at which it begins: to ask them again every two
    minutes of a weekend would bury the story under hundreds of lines.
    """
    checks = {"before": ["workload"], "after": ["workload"]}
    text = repo_files.component(checks=checks)
    world.changes({"components/node-agent/component.yaml": text})
    release = edited(world)
    before = [e for e in world.events(release) if e.unit == EU_1]
    world.run_for(hours=5)
    assert [e for e in world.events(release) if e.unit == EU_1] == before
    assert world.says(f"override {EU_1} --gate drift --reason ours", by="dan").code == 0
    world.run_to_the_end(release)
    after = [e for e in world.events(release) if e.unit == EU_1][len(before) :]
    kinds = [(e.kind, e.data.get("when")) for e in after]
    began = kinds.index(("batch.applying", None))
    assert ("check", "before") in kinds[:began], "asked anew before the batch begins"


def test_accept_keeps_the_edit_where_the_release_does_not_touch_it(world: World) -> None:
    """The new version goes in, the level stays; and the next release is not asked about it."""
    release = edited(world)
    said = world.says(f"accept {EU_1}", by="ben")
    assert said.code == 0, said.text
    world.run_to_the_end(release)
    assert world.running()["eu-1"] == "2.6.0×4"
    assert level(world, "eu-1") == "debug"
    assert [e.who for e in world.events(release, "unit.drift-kept")] == ["ben"]
    third = world.releases("node-agent-2-7-0", "2.7.0")
    world.run_to_the_end(third)
    assert not world.events(third, "unit.drifted")
    assert level(world, "eu-1") == "info", "main says info, and the next release brings it"


def test_override_overwrites_it(world: World) -> None:
    """What main says is brought; an admin says so, with a reason."""
    release = edited(world)
    assert world.says(f"override {EU_1} --gate drift --reason x", by="ben").code == 3
    said = world.says(f"override {EU_1} --gate drift --reason 'it was a test'", by="dan")
    assert said.body["overridden"] == ["drift"]
    world.run_to_the_end(release)
    assert level(world, "eu-1") == "info"
    assert world.running()["eu-1"] == "2.6.0×4"


def test_taken_back_by_hand_it_goes_on_by_itself(world: World) -> None:
    """The gate is about what is, not about what was."""
    release = edited(world)
    edit(world, "eu-1", CONFIG, {"data": {"level": "info"}})
    world.run_to_the_end(release)
    assert world.running()["eu-1"] == "2.6.0×4"


def test_an_answer_is_to_the_edits_that_were_shown(world: World) -> None:
    """Another edit after the yes is asked about anew."""
    release = edited(world)
    world.says("pause all")
    world.says(f"accept {EU_1}", by="ben")
    edit(world, "eu-1", CONFIG, {"data": {"level": "trace"}})
    world.says("resume all")
    world.run_for(hours=1)
    assert world.unit(release, EU_1).phase == "PENDING"
    assert "info → trace" in world.why(release)
    assert len(world.events(release, "unit.drifted")) == 2


def test_an_edit_between_two_batches_is_asked_about(world: World) -> None:
    """Also of what this very release brought: somebody took the image back by hand."""
    certified(world)
    release = second(world)
    world.run_for(minutes=2)
    assert world.unit(release, ST_1).done == 0
    old = world.live("st-1", "DaemonSet")["spec"]["template"]
    before = repo_files.running("2.5.0")[1]["spec"]["template"]
    assert old != before
    edit(world, "st-1", DAEMON_SET, {"spec": {"template": before}})
    world.says(f"pause {release} --finish-batch")
    world.run_for(minutes=30)
    world.says(f"resume {release}")
    unit = world.unit(release, ST_1)
    if unit.phase == "PENDING":
        world.run_for(minutes=1)
        assert "[drift]" in world.why(release)
    else:
        assert unit.phase == "FAILED", "the soak saw it first"


def test_an_edit_of_what_the_release_changes_anyhow_needs_an_answer_too(world: World) -> None:
    """A hotfix image by hand: 2.6.0 would overwrite it, and may not have the fix."""
    certified(world)
    containers = [{"name": "agent", "image": "registry.local/node-agent:2.5.1-hotfix"}]
    edit(world, "st-1", DAEMON_SET, {"spec": {"template": {"spec": {"containers": containers}}}})
    release = second(world)
    world.run_for(minutes=30)
    assert "spec.template.spec.containers[agent].image" in world.why(release)
    assert world.says(f"accept {ST_1}", by="ben").code == 0
    world.run_for(hours=1)
    assert world.unit(release, ST_1).phase == "SUCCEEDED"
    assert world.pods("st-1", "2.6.0"), "where the release touches it, the release wins"


def test_what_was_brought_by_hand_already_is_no_edit(world: World) -> None:
    """Somebody put 2.6.0 there: that is what we are about to apply."""
    certified(world)
    containers = [{"name": "agent", "image": "registry.local/node-agent:2.6.0"}]
    edit(world, "st-1", DAEMON_SET, {"spec": {"template": {"spec": {"containers": containers}}}})
    release = second(world, units={"names": ["st-1"]})
    world.run_to_the_end(release)
    assert not world.events(release, "unit.drifted")


@pytest.mark.parametrize(
    ("ref", "body"),
    [
        (CONFIG, {"metadata": {"labels": {"team": "x"}}}),
        (CONFIG, {"data": {"other": "1"}}),
        (DAEMON_SET, {"spec": {"revisionHistoryLimit": 3}}),
        (DAEMON_SET, {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 1}}}}),
        (DAEMON_SET, {"spec": {"updateStrategy": {"rollingUpdate": {"paused": True}}}}),
        (
            DAEMON_SET,
            {"spec": {"template": {"metadata": {"annotations": {"restartedAt": "now"}}}}},
        ),
    ],
)
def test_what_we_did_not_apply_is_no_edit_of_ours(world: World, ref: ObjectRef, body: Any) -> None:
    """Labels of others, defaults, restarts, what a batch leaves: nobody is asked about them."""
    certified(world)
    edit(world, "st-1", ref, body)
    release = second(world, units={"names": ["st-1"]})
    world.run_to_the_end(release)
    assert not world.events(release, "unit.drifted")
    assert world.running()["st-1"] == "2.6.0×2"


def test_no_alarm_after_a_rollback(world: World) -> None:
    """What we put back is what we applied last."""
    certified(world)
    release = second(world)
    world.run_for(minutes=40)
    world.says(f"rollback {release} bad")
    world.run_for(hours=1)
    assert world.phase(release) == "ROLLED_BACK"
    third = world.releases("node-agent-2-7-0", "2.7.0")
    world.run_to_the_end(third)
    assert not world.events(third, "unit.drifted")


def test_a_rollback_keeps_an_edit_that_was_kept(world: World) -> None:
    """It puts back what was there before the release, and the edit was."""
    release = edited(world)
    world.says(f"accept {release}", by="ben")
    world.run_for(hours=1)
    assert world.unit(release, EU_1).phase == "SUCCEEDED"
    world.says(f"rollback {EU_1} bad")
    world.run_for(minutes=30)
    assert world.running()["eu-1"] == "2.5.0×4"
    assert level(world, "eu-1") == "debug"


def test_what_was_deleted_is_put_back_or_left_out_and_not_kept(world: World) -> None:
    """There is nothing to keep; whoever deleted it may have had a reason."""
    certified(world)
    there = world.live("eu-1", "ConfigMap")
    gone = Write(ref=CONFIG, verb="delete", purpose=Purpose.FORWARD, uid=there["metadata"]["uid"])
    world.fleet.write("eu-1", gone, fence="", manager="kubectl")
    release = second(world)
    world.run_for(hours=3)
    assert "ConfigMap infra/node-agent was deleted" in world.why(release)
    assert world.says(f"accept {EU_1}", by="ben").code == 3
    world.says(f"override {EU_1} --gate drift --reason 'by mistake'", by="dan")
    world.run_to_the_end(release)
    assert level(world, "eu-1") == "info"
