"""An older copy of the store takes its place: what it does not know of any more is asked about
anew, never forgotten, and never deleted unasked.
"""

from __future__ import annotations

from pathlib import Path

from tests import repo_files
from tests.stories.test_added import back
from tests.stories.test_leftovers import COMPONENT, EXTRA, OLD, open_ones, there
from tests.stories.test_stores import filed, restore, store_of
from tests.world import World

__all__ = ["filed"]


def backup_of(world: World) -> Path:
    backup = world.path / "backup.db"
    store_of(world).backup(backup, at=world.clock.at)
    return backup


def restored_after_a_no(world: World) -> str:
    """2.5.0 added the object and went back, and a person said no; then a copy from before all that
    takes the place of the store, and the release runs once more.
    """
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({EXTRA: OLD})
    backup = backup_of(world)
    release = world.releases()
    while "eu-1" not in there(world):
        world.run_for(minutes=5)
    back(world, release)
    assert world.says(f"reject {release} --reason 'read by cron'", by="ben").code == 0
    world.run_to_the_end(release)
    assert there(world)
    restore(world, backup)
    world.run_for(minutes=5)
    assert world.says("override all --reason 'looked'", by="dan").code == 0
    assert world.says(f"accept {release}", by="ben").code == 0
    world.run_for(hours=3)
    assert "2.5.0" in world.running()["eu-1"]
    return release


def test_a_no_that_the_copy_does_not_know_is_asked_for_again(filed: World) -> None:
    """What stands there is no part of what the release found: it had been added by itself."""
    release = restored_after_a_no(filed)
    back(filed, release)
    (asked,) = open_ones(filed, release)
    assert "ConfigMap infra/old" in asked
    assert {"st-1", "eu-1"} <= set(there(filed))
    assert filed.running()["eu-1"] == "2.4.1×4"
    assert filed.says(f"approve {release}", by="ben").code == 0
    filed.run_to_the_end(release)
    assert there(filed) == []


def test_what_may_go_unasked_is_asked_about_where_an_answer_may_be_lost(filed: World) -> None:
    """`guard.delete.allow` is for what the store knows all of: a skip had kept it, perhaps."""
    allow = repo_files.component(guard={"delete": {"allow": ["ConfigMap"]}})
    release = restored_after_a_no(filed)
    filed.changes({COMPONENT: allow})
    filed.run_for(minutes=2)
    back(filed, release)
    assert len(open_ones(filed, release)) == 1
    assert {"st-1", "eu-1"} <= set(there(filed))
