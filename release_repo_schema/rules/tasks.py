"""Rules of tasks: names exist and are nobody else's, a stage has each once, a release has work."""

from __future__ import annotations

from collections.abc import Iterator

from release_repo_schema.findings import Finding, Pointer
from release_repo_schema.loadedfile import Document
from release_repo_schema.models import Release, Stage
from release_repo_schema.rules.scene import Scene

_OF_PODS = "workload"


def tasks(scene: Scene) -> Iterator[Finding]:
    """Every task can be told from a component, and what it names is there."""
    people = scene.repo.people.spec
    owners = {member.name for member in people.members} | {team.name for team in people.teams}
    for name, task in scene.repo.tasks.items():
        document = scene.document("Task", name)
        if name in scene.repo.components:
            said = f"{name} is the name of a component, too"
            hint = "units are named by both: give the task another name"
            yield document.finding(("metadata", "name"), "name-taken", said, hint)
        for k, owner in enumerate(task.spec.owners):
            yield from scene.unknown(document, ("spec", "owners", k), "owner", owner, owners)
        for k, check in enumerate(task.spec.checks):
            pointer: Pointer = ("spec", "checks", k)
            yield from scene.unknown(document, pointer, "check", check, scene.checks())
            known = scene.repo.checks.get(check)
            if check == _OF_PODS or (known is not None and known.spec.workload is not None):
                said = f"{check} asks for pods of a workload, and a task has none"
                hint = "a job has ended well when it is complete: leave the check out"
                yield document.finding(pointer, "check-of-no-workload", said, hint)
        if task.spec.undo is None:
            said = f"{name} has no `undo`: a rollback leaves what it did as it is"
            hint = "write an undo, or say in its reason why none is needed"
            yield document.finding(("spec",), "no-undo", said, hint, level="warning", at_key=True)
    for name, pipeline in scene.repo.pipelines.items():
        yield from _stages(scene, scene.document("Pipeline", name), pipeline.spec.stages)
    for name in scene.releases:
        yield from _release(scene, scene.document("Release", name), scene.repo.releases[name])


def _stages(scene: Scene, document: Document, stages: tuple[Stage, ...]) -> Iterator[Finding]:
    for number, stage in enumerate(stages):
        seen: set[str] = set()
        for when in ("before", "after"):
            for k, name in enumerate(getattr(stage.tasks, when)):
                pointer: Pointer = ("spec", "stages", number, "tasks", when, k)
                yield from scene.unknown(document, pointer, "task", name, scene.repo.tasks)
                if name in seen:
                    said = f"the stage {stage.name} has the task {name} twice"
                    yield document.finding(pointer, "task-twice", said, "keep one of the two")
                seen.add(name)


def _release(scene: Scene, document: Document, release: Release) -> Iterator[Finding]:
    spec = release.spec
    if spec.stages is not None:
        yield from _stages(scene, document, spec.stages)
        return
    pipeline = scene.repo.pipelines.get(spec.pipeline or "")
    if pipeline is None or spec.components or spec.baseline:
        return
    if not any(stage.tasks.names for stage in pipeline.spec.stages):
        said = f"it brings no component, and the pipeline {pipeline.name} holds no task"
        hint = "write `components`: at least one name and version"
        yield document.finding(("spec",), "missing-field", said, hint, at_key=True)
