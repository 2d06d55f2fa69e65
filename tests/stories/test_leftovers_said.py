"""What people said of an object that left the template stays said."""

from __future__ import annotations

from tests.stories.test_leftovers import (
    EU_1,
    EU_2,
    EVERY,
    EXTRA,
    OLD,
    ST_1,
    fates,
    leaves,
    open_ones,
    there,
)
from tests.world import World


def test_a_no_holds_after_a_restart_and_for_units_that_the_release_left_out(world: World) -> None:
    """What was said is in the rows that the next release begins with, whoever has them in memory;
    eu-2 was skipped before anybody looked at it.
    """
    release = leaves(world)
    assert world.says(f"skip {EU_2} --reason 'in repair'", by="ana").code == 0
    world.run_for(days=1)
    world.start()
    assert world.says(f"reject {release}#1 --reason 'read by cron'", by="ben").code == 0
    world.run_to_the_end(release)
    again = world.releases("third", "2.6.0")
    world.run_to_the_end(again)
    assert not world.events(again, "decision.asked")
    assert there(world) == list(EVERY)
    assert fates(world, again, EU_2) == [("kept", "no")]
    assert [one.detail for one in world.unit(again, EU_2).leftovers] == ["ben"]


def test_a_no_holds_after_a_rollback_until_it_is_rendered_again(world: World) -> None:
    """Another try with the same template asks nothing. Once it was rendered again, it is another
    matter.
    """
    release = leaves(world)
    world.run_for(minutes=20)
    assert world.says(f"reject {release}#1 --reason 'read by cron'", by="ben").code == 0
    assert world.says(f"rollback {release} --reason slow", by="ana").code == 0
    world.run_to_the_end(release)
    again = world.releases("third", "2.6.0")
    world.run_to_the_end(again)
    assert not world.events(again, "decision.asked")
    assert there(world) == list(EVERY)
    world.changes({EXTRA: OLD.replace('"1"', '"2"')})
    world.run_to_the_end(world.releases("fourth", "2.7.0"))
    world.changes({EXTRA: None})
    last = world.releases("fifth", "2.8.0")
    world.run_for(days=1)
    assert len(open_ones(world, last)) == 1


def test_a_skip_is_a_no_for_its_unit_alone_and_for_the_next_release_too(world: World) -> None:
    """One cluster keeps it; those that come later are not of its mind, and nobody asks it again."""
    release = leaves(world)
    world.says("pause group:prod", by="ana")
    world.run_until("2026-11-24T20:00:00Z")
    world.says(f"approve {release}#1", by="ben")
    assert world.says(f"skip {ST_1} --reason 'needed there'", by="ana").code == 0
    assert world.unit(release, EU_1).before is None, "nobody has looked there yet"
    world.says("resume group:prod", by="ana")
    world.run_to_the_end(release)
    assert there(world) == ["st-1"]
    again = world.releases("third", "2.6.0")
    world.run_to_the_end(again)
    assert not world.events(again, "decision.asked")
    assert there(world) == ["st-1"]
