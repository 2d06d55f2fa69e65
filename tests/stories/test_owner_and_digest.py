"""Objects say whose they are and what was applied last: a store that disagrees is not believed."""

from __future__ import annotations

from typing import Any

from bot.cluster.fence import fence_of
from bot.cluster.marks import APPLIED, stamp_of
from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.model.state import Applied
from bot.ports import Changes
from tests.world import World

EU_1 = "node-agent@eu-1"
ROLLS = ObjectRef("apps.kruise.io/v1beta1", "DaemonSet", "infra", "node-agent")
STRANGE = "sha256:" + "7" * 64


def applied(world: World) -> Any:
    """2.5.0 is applied everywhere; the row of eu-1."""
    world.run_to_the_end(world.releases())
    return world.store.get(Applied, EU_1)


def live(world: World) -> Any:
    return world.live("eu-1", "DaemonSet")


def writes(world: World, body: Any, *, fence: str = "", by: str = "another-sluice") -> None:
    write = Write(ref=ROLLS, verb="patch", purpose=Purpose.FORWARD, body=body)
    world.fleet.write("eu-1", write, fence=fence, manager=by)


def newer(world: World) -> str:
    """The fence of a write that came after all of ours, and before the next release."""
    position, sequence = fence_of(live(world))
    return f"{position}.{sequence + 100}"


def noted(digest: str) -> Any:
    return {"metadata": {"annotations": {APPLIED: digest}}}


def second(world: World) -> str:
    release = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_to_the_end(release)
    return release


def test_objects_tell_their_owner_and_the_digest_of_what_the_store_has(world: World) -> None:
    """A look at a cluster leads to the component, and to the row of the store."""
    row = applied(world)
    metadata = live(world)["metadata"]
    assert metadata["labels"]["sluice/component"] == "node-agent"
    assert stamp_of(live(world)) == row.objects[ROLLS.key]
    assert "sluice/component" not in str(world.store.blob(stamp_of(live(world))))


def test_what_needs_no_write_gets_none_for_a_label(world: World) -> None:
    """A release that changes an image makes no call for the ConfigMap beside it."""
    applied(world)
    assert not [one for one in world.writes("eu-1") if "ConfigMap" in one]
    assert "labels" not in world.live("eu-1", "ConfigMap")["metadata"]


def test_a_way_back_leaves_the_digest_of_what_stood(world: World) -> None:
    """The next release compares with what is there, and finds no stranger."""
    row = applied(world)
    release = second(world)
    assert stamp_of(live(world)) != row.objects[ROLLS.key]
    world.says(f"rollback {release} slow")
    world.run_for(hours=2)
    assert world.phase(release, ended=True) == "ROLLED_BACK"
    assert stamp_of(live(world)) == row.objects[ROLLS.key]
    third = world.releases("node-agent-2-7-0", "2.7.0")
    world.run_to_the_end(third)
    assert world.events(third, "unit.disagreed") == []


def test_an_object_that_another_store_wrote_last_is_adopted(world: World) -> None:
    """What our store has of it is no reason to take anything away there: the live object is the
    baseline, and that is told in the audit and in the thread.
    """
    applied(world)
    writes(world, noted(STRANGE), fence=newer(world))
    release = second(world)
    assert world.phase(release, ended=True) == "SUCCEEDED"
    (told,) = world.events(release, "unit.disagreed")
    (one,) = told.data["objects"]
    assert told.unit == EU_1
    assert (one["object"], one["why"]) == ("DaemonSet infra/node-agent", "another-store")
    assert one["applied"] == STRANGE
    (before,) = [b for b in world.unit(release, EU_1).before or () if b.ref == ROLLS]
    assert before.source == "foreign"
    assert "applied last by a store that is not this one" in world.thread(release)
    row = world.store.get(Applied, EU_1)
    assert row is not None
    assert stamp_of(live(world)) == row.objects[ROLLS.key], "from now on they agree"


def test_a_rollback_after_an_adoption_restores_what_the_other_store_left(world: World) -> None:
    """Not what an old row of ours has: that was overtaken long ago."""
    applied(world)
    theirs = noted(STRANGE) | {"spec": {"minReadySeconds": 7}}
    writes(world, theirs, fence=newer(world))
    release = second(world)
    assert live(world)["spec"]["minReadySeconds"] == 7, "what theirs holds stays"
    world.says(f"rollback {release} slow")
    world.run_for(hours=2)
    assert world.phase(release, ended=True) == "ROLLED_BACK"
    assert live(world)["spec"]["minReadySeconds"] == 7
    assert world.running()["eu-1"] == "2.5.0×4"


def test_where_another_store_left_other_values_somebody_is_asked(world: World) -> None:
    """`why` says who it was: nobody looks for a person with kubectl who never was."""
    applied(world)
    fence = newer(world)
    roll = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}}}
    writes(world, noted(STRANGE) | {"spec": roll}, fence=fence)
    release = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_for(hours=3)
    why = world.why(release)
    assert f"another Sluice wrote DaemonSet infra/node-agent (fence {fence}) last" in why
    assert "maxUnavailable: 2 → 1" in why
    assert world.running()["eu-1"] == "2.5.0×4"
    assert world.says(f"override {EU_1} --gate drift --reason ours", by="dan").code == 0
    world.run_to_the_end(release)
    assert live(world)["spec"]["updateStrategy"]["rollingUpdate"]["maxUnavailable"] == 2


def test_a_digest_that_was_forged_makes_nobody_forget_what_is_ours(world: World) -> None:
    """Without a newer fence no Sluice wrote it: what we applied is still taken away and put back
    by our record, and the forgery is told.
    """
    row = applied(world)
    writes(world, noted(STRANGE), by="kubectl-edit")
    release = second(world)
    (told,) = world.events(release, "unit.disagreed")
    assert [one["why"] for one in told.data["objects"]] == ["by-hand"]
    (before,) = [b for b in world.unit(release, EU_1).before or () if b.ref == ROLLS]
    assert (before.source, before.digest) == ("applied", row.objects[ROLLS.key])
    assert "changed by somebody who is no Sluice" in world.thread(release)


def test_a_forged_digest_does_not_get_an_edit_past_the_question(world: World) -> None:
    """Else whoever may annotate could have an edit certified."""
    applied(world)
    roll = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}}}
    writes(world, noted(STRANGE) | {"spec": roll}, by="kubectl-edit")
    release = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_for(hours=3)
    assert "edited since we applied it" in world.why(release)
    assert world.running()["eu-1"] == "2.5.0×4"


def test_a_spec_that_the_store_knows_is_ours_whatever_the_row_says(world: World) -> None:
    """A write whose answer was lost is no other store's."""
    first = stamp_of(live(world)) or applied(world).objects[ROLLS.key]
    second(world)
    writes(world, noted(first), fence=newer(world))
    third = world.releases("node-agent-2-7-0", "2.7.0")
    world.run_to_the_end(third)
    assert world.events(third, "unit.disagreed") == []


def test_a_lost_store_adopts_what_is_live_and_says_so(world: World) -> None:
    """First contact again: nothing is taken away, and the way back leads to what was there."""
    applied(world)
    writes(world, noted(STRANGE) | {"spec": {"minReadySeconds": 7}}, fence=newer(world))
    world.store.commit(Changes(drops=((Applied, EU_1),)))
    world.dies()
    world.start()
    release = second(world)
    assert live(world)["spec"]["minReadySeconds"] == 7
    (told,) = world.events(release, "unit.disagreed")
    assert [one["why"] for one in told.data["objects"]] == ["no-record"]
    (before,) = [b for b in world.unit(release, EU_1).before or () if b.ref == ROLLS]
    assert before.source == "baseline"


def test_an_object_that_was_made_anew_by_hand_is_asked_about_and_not_adopted(world: World) -> None:
    """It has neither owner nor digest nor fence: what differs from our record is an edit."""
    applied(world)
    bare = {"sluice/fence": None, APPLIED: None}
    roll = {"updateStrategy": {"rollingUpdate": {"maxUnavailable": 1}}}
    writes(world, {"metadata": {"annotations": bare}, "spec": roll}, by="kubectl-replace")
    release = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_for(hours=3)
    assert "maxUnavailable: 2 → 1" in world.why(release)
    world.says(f"override {EU_1} --gate drift --reason ours", by="dan")
    world.run_to_the_end(release)
    assert live(world)["metadata"]["labels"]["sluice/component"] == "node-agent"


def test_an_object_of_another_component_is_taken_over_by_a_yes_only(world: World) -> None:
    """One question for all units: two components of one name would undo each other for ever."""
    applied(world)
    owner = {"metadata": {"labels": {"sluice/component": "other-agent"}}}
    writes(world, owner, by="sluice")
    release = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_for(hours=3)
    assert world.running()["eu-1"] == "2.5.0×4"
    why = world.why(release)
    assert "sluice/component" in why
    assert "other-agent → node-agent" in why
    assert "another component brought the object" in why
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(release)
    assert world.running()["eu-1"] == "2.6.0×4"
    assert live(world)["metadata"]["labels"]["sluice/component"] == "node-agent"


def test_whoever_takes_the_label_away_starts_no_question(world: World) -> None:
    """An object that nobody claims is taken as any other: the next write labels it again."""
    applied(world)
    writes(world, {"metadata": {"labels": {"sluice/component": None}}}, by="kubectl-label")
    second(world)
    assert live(world)["metadata"]["labels"]["sluice/component"] == "node-agent"
