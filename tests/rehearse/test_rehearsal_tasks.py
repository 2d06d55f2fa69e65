"""Rehearsing what is more than one component: tasks of stages, and calls that nobody makes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from bot.rehearse import Asked, Rehearsal, rehearse
from bot.rehearse.text import rehearsal_text
from tests import repo_files
from tests.stories.test_tasks import stages, task
from tests.world import World, moment

RELEASE = "node-agent-2-5-0"
AT = moment("2026-11-24T09:00:00Z")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A job before the component and a call after it, in every cluster; one release proposed."""
    found = World(tmp_path)
    call = {"url": "https://ops.example.com/{{ cluster.name }}"}
    found.write(
        {
            "releases/2025/old.yaml": repo_files.release("old", "2.4.1"),
            **task(),
            **task("tell", job=None, undo=None, webhook=call),
            **stages(before=["drain-cache"], after=["tell"]),
        }
    )
    found.push("The fleet as it is")
    text = repo_files.release(RELEASE, "2.5.0")
    found.proposes(RELEASE, {f"releases/2026/{RELEASE}.yaml": text})
    found.start()
    yield found
    found.close()


def rehearsed(world: World) -> Rehearsal:
    assert world.git is not None
    head = world.git.head(f"pr/{RELEASE}")
    assert head is not None
    return rehearse(Asked(release=None, at=AT), world.git, head, None)


def test_a_call_is_named_and_taken_as_answered(world: World) -> None:
    """Nobody outside hears of a rehearsal; people see whom the release would call, and when."""
    told = rehearsed(world)

    assert told.endings[0].phase == "SUCCEEDED"
    assert [line.text for line in told.lines if line.kind == "call"] == [
        f"https://ops.example.com/{cluster}" for cluster in ("st-1", "eu-1", "eu-2")
    ]
    assert "(here the bot would call https://ops.example.com/st-1" in rehearsal_text(told)


def test_a_task_exposes_nobody_to_the_new_version(world: World) -> None:
    """The curve counts nodes of the component, and begins with its first batch, not with a Job."""
    told = rehearsed(world)

    curve = told.exposure[RELEASE]
    assert (curve.clusters, curve.nodes) == (3, 10)
    begins = min(line.at for line in told.lines if line.text.startswith("node-agent@st-1: batch 1"))
    assert curve.points[0].at == begins.replace(second=0)


def test_the_forecast_has_the_waves_in_the_order_in_which_they_then_go(world: World) -> None:
    """Whole clusters go together: no wave begins before the one before it has ended."""
    assert world.git is not None
    planner, main = world.bot.planner, world.git.head()
    head = world.git.head(f"pr/{RELEASE}")
    assert main is not None
    assert head is not None
    shown = planner.pull(main, head, now=AT).releases[0]

    waves = [wave for stage in shown.forecast.stages for wave in stage.waves]

    assert len(waves) == 3
    for before, after in pairwise(waves):
        assert before.end is not None
        assert after.start == before.end
    told = rehearsed(world)
    assert shown.forecast.end is not None
    assert told.endings[0].at <= shown.forecast.end
