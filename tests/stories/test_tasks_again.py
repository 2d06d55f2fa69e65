"""Tasks that are taken back while they run, and done again after they were taken back."""

from __future__ import annotations

from tests.addons import until
from tests.stories.test_tasks import hooked, jobs, stages, task
from tests.world import World

DRAIN, AGENT = "drain-cache@st-1", "node-agent@st-1"


def verbs(world: World) -> list[str]:
    """What became of the Jobs of st-1, in order: `create drain-cache`, `create …-undo`."""
    return [
        f"{one['verb']} {'undo' if one['object'].endswith('-undo') else 'task'}"
        for one in world.fleet.writes("st-1")
        if "/Job/" in one["object"]
    ]


def test_what_was_undone_is_done_again(world: World) -> None:
    """The old Job ended well once, but it was undone since: that is no proof. And what is done
    again can be undone again.
    """
    world.changes(task() | stages(before=["drain-cache"]))
    release = world.releases()
    until(world, lambda: world.unit(release, DRAIN).phase == "SUCCEEDED")
    assert world.says(f"rollback {DRAIN} odd").code == 0
    until(world, lambda: world.unit(release, DRAIN).phase == "ROLLED_BACK")
    assert verbs(world) == ["create task", "create undo"]
    assert world.says(f"retry {DRAIN}").code == 0
    until(world, lambda: world.unit(release, DRAIN).phase == "SUCCEEDED")
    assert verbs(world)[2:] == ["delete task", "create task"]
    assert world.says(f"rollback {DRAIN} odd again").code == 0
    until(world, lambda: world.unit(release, DRAIN).phase == "ROLLED_BACK")
    assert verbs(world)[4:] == ["delete undo", "create undo"]
    assert jobs(world, "st-1") == ["drain-cache", "drain-cache-undo"]


def test_a_job_that_still_runs_ends_before_it_is_undone(world: World) -> None:
    """Side by side the Job would win: it is let end, and then undone."""
    world.changes(task() | stages(before=["drain-cache"]))
    release = world.releases()
    world.run_until("2026-11-24T09:00:02Z")
    assert verbs(world) == ["create task"]
    assert world.says(f"rollback {release} odd").code == 0
    assert verbs(world) == ["create task"]
    world.run_to_the_end(release)
    assert verbs(world) == ["create task", "create undo"]
    made = {obj["metadata"]["name"].endswith("-undo"): obj for obj in world.fleet.objects("st-1")
            if obj["kind"] == "Job"}  # fmt: skip
    ended = made[False]["status"]["completionTime"]
    assert made[True]["metadata"]["creationTimestamp"] >= ended


def test_a_call_that_is_made_again_after_it_was_undone_is_another_call(world: World) -> None:
    """A service that does each call once must do this one: it is known by another key."""
    release, calls = hooked(world)
    until(world, lambda: world.unit(release, DRAIN).phase == "SUCCEEDED")
    world.says(f"rollback {DRAIN} odd")
    until(world, lambda: world.unit(release, DRAIN).phase == "ROLLED_BACK")
    world.says(f"retry {DRAIN}")
    until(world, lambda: world.unit(release, DRAIN).phase == "SUCCEEDED")
    drains = [key for url, key in zip(calls.urls, calls.keys, strict=True) if "/drain/st-1" in url]
    assert len(drains) == 2
    assert drains[0] != drains[1]
