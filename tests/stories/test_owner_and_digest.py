"""Objects say whose they are and what was applied last: a store that disagrees is not believed."""

from __future__ import annotations

from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.model.state import Applied
from bot.ports import Changes
from tests.world import World

EU_1 = "node-agent@eu-1"
CONFIG = ObjectRef("v1", "ConfigMap", "infra", "node-agent")
STRANGE = "sha256:" + "7" * 64


def edit(world: World, body: dict[str, object]) -> None:
    write = Write(ref=CONFIG, verb="patch", purpose=Purpose.FORWARD, body=body)
    world.fleet.write("eu-1", write, fence="", manager="another-sluice")


def test_objects_tell_their_owner_and_the_digest_of_what_the_store_has(world: World) -> None:
    """A look at a cluster leads to the component, and to the row of the store."""
    world.run_to_the_end(world.releases())
    row = world.store.get(Applied, EU_1)
    assert row is not None
    for kind in ("DaemonSet", "ConfigMap"):
        metadata = world.live("eu-1", kind)["metadata"]
        assert metadata["labels"]["sluice/component"] == "node-agent"
        stamp = metadata["annotations"]["sluice/applied"]
        assert stamp in row.objects.values()
        assert world.store.blob(stamp)["metadata"]["labels"]["sluice/component"] == "node-agent"


def test_an_object_that_another_store_wrote_last_is_adopted(world: World) -> None:
    """What our store has of it is no reason to delete anything there: the live object is kept as
    the baseline, and that is told.
    """
    world.run_to_the_end(world.releases())
    edit(world, {"metadata": {"annotations": {"sluice/applied": STRANGE}}})
    release = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_to_the_end(release)
    assert world.phase(release, ended=True) == "SUCCEEDED"
    (told,) = world.events(release, "unit.disagreed")
    assert (told.unit, told.data["objects"]) == (EU_1, ["ConfigMap infra/node-agent"])
    row = world.store.get(Applied, EU_1)
    stamp = world.live("eu-1", "ConfigMap")["metadata"]["annotations"]["sluice/applied"]
    assert stamp == row.objects[CONFIG.key], "from now on they agree"


def test_a_spec_that_the_store_knows_is_ours_whatever_the_row_says(world: World) -> None:
    """A write whose answer was lost is no other store's."""
    world.run_to_the_end(world.releases())
    row = world.store.get(Applied, EU_1)
    old = {"metadata": {"annotations": {"sluice/applied": row.objects[CONFIG.key]}}}
    second = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_to_the_end(second)
    edit(world, old)
    third = world.releases("node-agent-2-7-0", "2.7.0")
    world.run_to_the_end(third)
    assert world.events(third, "unit.disagreed") == []


def test_a_lost_store_adopts_what_is_live(world: World) -> None:
    """First contact again: nothing is deleted, and the way back leads to what was there."""
    world.run_to_the_end(world.releases())
    edit(world, {"data": {"more": "theirs"}})
    row = world.store.get(Applied, EU_1)
    assert row is not None
    world.store.commit(Changes(drops=((Applied, EU_1),)))
    release = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_to_the_end(release)
    assert world.live("eu-1", "ConfigMap")["data"]["more"] == "theirs"
    (before,) = [b for b in world.unit(release, EU_1).before or () if b.ref == CONFIG]
    assert before.source == "baseline"
