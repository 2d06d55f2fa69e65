"""What a release added, where others come into it: people who create it first, a fix that has it
too.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.model.effects import Purpose, Write
from bot.ports import Refused
from tests.stories.test_added import REF, adds, audit, back
from tests.stories.test_leftovers import EXTRA, OLD, ST_1, open_ones, there
from tests.world import World

THEIRS = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "old", "namespace": "infra"},
    "data": {"mine": "yes"},
}


class MayNotCreate:
    """A fleet whose quota leaves no room for the object."""

    def __init__(self, fleet: Any) -> None:
        self.fleet = fleet

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fleet, name)

    def write(self, cluster: str, write: Write, **said: str) -> Any:
        if write.verb == "create" and write.ref == REF:
            raise Refused("no room: quota")
        return self.fleet.write(cluster, write, **said)


def test_what_somebody_created_after_first_contact_is_never_deleted(world: World) -> None:
    """A person helped out while our write was refused: the object is theirs, whatever was there
    when the release came.
    """
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({EXTRA: OLD})
    world.dies()
    world.around = lambda ports: replace(ports, fleet=MayNotCreate(ports.fleet))
    world.start()
    release = world.releases()
    world.run_for(minutes=5)
    assert there(world) == []
    write = Write(ref=REF, verb="create", purpose=Purpose.FORWARD, body=THEIRS)
    world.fleet.write("st-1", write, fence="", manager="kubectl")
    assert world.says(f"retry {ST_1}", by="ana").code == 0
    world.run_for(minutes=5)
    live = world.live("st-1", "ConfigMap", "old")
    assert live is not None
    assert live["data"] == {"a": "1", "mine": "yes"}
    back(world, release)
    assert world.phase(release, ended=True) == "ROLLED_BACK"
    assert not world.events(release, "decision.asked")
    live = world.live("st-1", "ConfigMap", "old")
    assert live is not None
    assert live["data"] == {"mine": "yes"}
    assert "ConfigMap infra/old was created by somebody else meanwhile" in audit(world, release)


def test_a_fix_that_renders_it_and_goes_back_asks_about_it_again(world: World) -> None:
    """Nobody has answered yet: what waited for an answer is no part of what the fix found there."""
    release = adds(world)
    back(world, release)
    world.changes({EXTRA: OLD.replace('"1"', '"2"')})
    fix = world.releases("fix", "2.6.0")
    world.run_to_the_end(fix)
    assert there(world) == ["st-1", "eu-1", "eu-2"]
    back(world, fix)
    (asked,) = open_ones(world, fix)
    assert "the release added ConfigMap infra/old" in asked
    assert world.says(f"approve {fix}", by="ben").code == 0
    world.run_to_the_end(fix)
    assert world.phase(fix) == "ROLLED_BACK"
    assert there(world) == []
