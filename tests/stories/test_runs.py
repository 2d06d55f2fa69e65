"""Runs in Tekton's words: what a post-mortem counts, and where a resume goes on."""

from __future__ import annotations

from bot.model.runs import PipelineRun, RunStatus, TaskRun
from tests.world import World


def runs(world: World, release: str) -> list[TaskRun]:
    found = world.bot.ports.store.rows(TaskRun, parent=release)
    return sorted(found, key=lambda run: (run.started, run.batch, run.unit, run.task))


def whole(world: World, release: str) -> PipelineRun:
    run = world.bot.ports.store.get(PipelineRun, release)
    assert run is not None
    found: PipelineRun = run
    return found


def of(world: World, release: str, unit: str) -> list[tuple[int, str, str]]:
    return [(r.batch, r.task, r.status.value) for r in runs(world, release) if r.unit == unit]


def test_a_release_is_a_run_of_its_pipeline_and_each_step_of_a_task(world: World) -> None:
    release = world.releases()
    assert whole(world, release).status is RunStatus.PENDING
    world.run_to_the_end(release)
    run = whole(world, release)
    assert (run.pipeline, run.status) == ("standard", RunStatus.SUCCEEDED)
    assert run.started is not None
    assert run.completed is not None
    assert of(world, release, "node-agent@st-1") == [
        (1, "batch", "Succeeded"),
        (1, "soak", "Succeeded"),
        (1, "check/workload", "Succeeded"),
        (2, "batch", "Succeeded"),
        (2, "soak", "Succeeded"),
        (2, "check/workload", "Succeeded"),
    ]
    soaks = [r for r in runs(world, release) if r.task == "soak" and r.unit == "node-agent@st-1"]
    took = [run.completed - run.started for run in soaks if run.completed]
    assert [one.total_seconds() for one in took] == [300, 600], "batchSoak, then soak"


def test_a_retry_goes_on_from_the_step_that_failed(world: World) -> None:
    """What succeeded is not run again; the failed batch is a second run of the same step."""
    world.breaks("eu-1", {"do": "neverReady", "image": "registry.local/node-agent:2.5.0"})
    release = world.releases()
    world.run_until("2026-11-24T11:00:00Z")
    before = of(world, release, "node-agent@eu-1")
    assert before[-1] == (1, "batch", "Failed")
    world.heals("eu-1")
    world.says(f"retry {release}")
    world.run_to_the_end(release)
    again = of(world, release, "node-agent@eu-1")[len(before) :]
    assert again[0] == (1, "batch", "Succeeded")
    assert len([run for run in runs(world, release) if run.unit == "node-agent@st-1"]) == 6


def test_a_rollback_cancels_what_ran_and_is_a_run_itself(world: World) -> None:
    release = world.releases()
    world.run_until("2026-11-24T09:02:00Z")
    world.says(f"rollback {release} --reason odd")
    world.run_to_the_end(release)
    assert of(world, release, "node-agent@st-1") == [
        (1, "batch", "Succeeded"),
        (1, "soak", "Cancelled"),
        (1, "rollback", "Succeeded"),
    ]
    run = whole(world, release)
    assert (run.status, run.reason) == (RunStatus.FAILED, "rolled-back")


def test_an_approval_is_a_run_that_waits_for_people(world: World) -> None:
    """How long people took is in the record."""
    world.changes({"pipelines/standard.yaml": approvals()})
    release = world.releases()
    world.run_for(hours=2)
    assert of(world, release, "")[0] == (0, "approval/1", "Running")
    world.says(f"approve {release}", by="ben")
    first = next(run for run in runs(world, release) if run.task == "approval/1")
    assert first.status is RunStatus.SUCCEEDED
    assert first.completed is not None
    assert (first.completed - first.started).total_seconds() > 2000


def test_runs_survive_a_restart(world: World) -> None:
    """What ran when the bot died is ended by the bot that comes after it, once."""
    release = world.releases()
    world.run_until("2026-11-24T09:02:00Z")
    world.dies()
    world.start()
    world.run_to_the_end(release)
    assert all(run.completed is not None for run in runs(world, release))
    assert len(of(world, release, "node-agent@st-1")) == 6


def approvals() -> str:
    from tests import repo_files

    return repo_files.pipeline(approval={"when": "before"})
