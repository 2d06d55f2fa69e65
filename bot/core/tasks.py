"""Tasks of stages as the planner sees them: units beside those of components, and their objects.

A task is planned, gated, soaked and taken back like a component of one batch. Pure; renders nothing
and calls nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.cluster.render import digest, names_used, strings_in
from bot.cluster.tasks import TASK_LABEL, UNDO, WEBHOOK_API, WEBHOOK_KIND
from bot.core.graph import Needs
from bot.core.members import Brought, Membership, membership, stage_rule, stages_of
from bot.core.order import Candidate, divide
from bot.core.plan_jobs import Layer, Reads, Source
from bot.model.plan import JSON
from release_repo_schema.models import (
    Component,
    ComponentSpec,
    JobTask,
    Release,
    Render,
    Stage,
    Task,
    WebhookTask,
)
from release_repo_schema.models.component import ComponentChecks
from release_repo_schema.repo import Repo

_TEMPLATE = b"{% for one in values.objects %}\n---\n{{ one | toyaml }}{% endfor %}\n"
_LONGEST_NAME = 63
_FILE = "templates/task.yaml"


def as_component(task: Task) -> Component:
    """What a task asks of its units, in the words of a component."""
    spec = task.spec
    return Component(
        metadata=task.metadata,
        spec=ComponentSpec(
            owners=spec.owners,
            render=Render(jinja="templates/"),
            batches=("100%",),
            batch_soak=timedelta(),
            soak=spec.soak,
            batch_takes=spec.takes,
            batch_deadline=spec.deadline,
            checks=ComponentChecks(before=(), after=spec.checks),
            on_failure=spec.on_failure,
        ),
    )


def version_of(task: Task) -> str:
    """What stands for a version: 12 hex of all that the task says."""
    return digest(task.spec.model_dump(mode="json", by_alias=True)).partition(":")[2][:12]


def all_members(
    repo: Repo, release: Release, members: Membership | None = None
) -> Membership | None:
    """The units of a release, those of tasks among them. None: what it names is not there."""
    members, stages = members or membership(repo, release), stages_of(repo, release)
    return _with_tasks(repo, release, stages, members) if members and stages else members


def _with_tasks(
    repo: Repo, release: Release, stages: Sequence[Stage], members: Membership
) -> Membership:
    """The membership with a unit for each task of a stage in each cluster of it."""
    names = dict.fromkeys(
        name for stage in stages for name in stage.tasks.names if name in repo.tasks
    )
    if not names:
        return members
    clusters = [
        Candidate(unit=name, cluster=name, labels=repo.labels_of(name))
        for name in sorted(repo.clusters)
        if release.spec.units.matches(repo.labels_of(name), name)
    ]
    divided, _ = divide(clusters, [stage_rule(stage) for stage in stages])
    had = {stage.name: units for stage, units in members.stages}
    found: list[tuple[Stage, tuple[Candidate, ...]]] = []
    for stage, places in zip(stages, divided, strict=True):
        units = [
            replace(place, unit=f"{name}@{place.cluster}", component=name)
            for name in stage.tasks.names
            if name in repo.tasks
            for place in places
        ]
        if whole := (*had.get(stage.name, ()), *units):
            found.append((stage, whole))
    tasks = [repo.tasks[name] for name in names]
    return replace(
        members,
        components=(
            *members.components,
            *(Brought(as_component(task), version_of(task), task) for task in tasks),
        ),
        stages=tuple(found),
        needs=_needs(stages, members.needs, names),
        labels={place.cluster: place.labels for place in clusters},
    )


def _needs(stages: Sequence[Stage], components: Needs, tasks: Mapping[str, None]) -> Needs:
    """In a cluster: the tasks before one after another, the components, the tasks after."""
    before = dict.fromkeys(n for stage in stages for n in stage.tasks.before if n in tasks)
    after = dict.fromkeys(n for stage in stages for n in stage.tasks.after if n in tasks)
    found: dict[str, tuple[str, ...]] = {}
    so_far: tuple[str, ...] = ()
    for name in before:
        found[name] = so_far
        so_far = (*so_far, name)
    for name, needs in components.items():
        found[name] = (*so_far, *needs)
    so_far = (*so_far, *components)
    for name in after:
        found.setdefault(name, so_far)
        so_far = (*so_far, name)
    return found


def source_of_task(repo: Repo, task: Task, release: str, reads: Reads) -> Source:
    """What the units of a task are rendered from: its objects, as values of a fixed template."""
    values = {"objects": _objects(task, release)}
    text = json.dumps(values, sort_keys=True)
    document = repo.documents["Task", task.name]
    key, template = digest(text), digest(_TEMPLATE.decode())
    reads.data[template] = _TEMPLATE
    used = names_used(*strings_in(values))
    return Source(
        repo=repo,
        component=task.name,
        kind="jinja",
        file_keys=((_FILE, template),),
        layers={"default": Layer("default", document.file.path, key, values, used)},
        used=names_used(_TEMPLATE.decode()),
        reads=reads,
    )


def _objects(task: Task, release: str) -> list[JSON]:
    """What is created to do it, and what is created to take it back.

    The name holds the release: each release does it anew, and does it once.
    """
    salt = digest([release, version_of(task)]).partition(":")[2][:8]
    name = f"{task.name[: _LONGEST_NAME - len(salt) - len(UNDO) - 1]}-{salt}"
    spec = task.spec
    labels = {"app.kubernetes.io/managed-by": "sluice", TASK_LABEL: task.name,
              "sluice/release": release}  # fmt: skip
    found = [_object(name, labels, spec.job or spec.webhook, spec.deadline)]
    if spec.undo is not None:
        undo = spec.undo.job or spec.undo.webhook
        found.append(_object(f"{name}{UNDO}", labels, undo, spec.deadline))
    return found


def _object(
    name: str, labels: Mapping[str, str], work: JobTask | WebhookTask | None, deadline: timedelta
) -> JSON:
    if isinstance(work, WebhookTask):
        spec: dict[str, Any] = {"url": work.url, "body": work.body}
        if work.secret is not None:
            spec["secret"] = work.secret
        return {
            "apiVersion": WEBHOOK_API,
            "kind": WEBHOOK_KIND,
            "metadata": {"name": name, "labels": dict(labels)},
            "spec": spec,
        }
    assert work is not None
    container: dict[str, Any] = {"name": "task", "image": work.image}
    if work.command:
        container["command"] = list(work.command)
    if work.args:
        container["args"] = list(work.args)
    if work.env:
        container["env"] = [{"name": key, "value": value} for key, value in work.env.items()]
    pod: dict[str, Any] = {"restartPolicy": "Never", "containers": [container]}
    if work.service_account is not None:
        pod["serviceAccountName"] = work.service_account
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": work.namespace, "labels": dict(labels)},
        "spec": {
            "backoffLimit": work.retries,
            "activeDeadlineSeconds": int(deadline.total_seconds()),
            "template": {"metadata": {"labels": dict(labels)}, "spec": pod},
        },
    }
