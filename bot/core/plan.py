"""From a Release file and the rendered objects of its units to the frozen plan and its hash.

Pure. It renders nothing, reads no calendar, and knows no forecast: those are shown beside a plan
and are no part of it. Membership is asked first (`members`: which units need rendering), the plan
is built after.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from bot.cluster.render import digest
from bot.cluster.tasks import split
from bot.core.additions import as_merged
from bot.core.asked import policy_ask
from bot.core.guard_lists import guard_lists
from bot.core.members import Brought, Membership
from bot.core.order import Candidate, Placement, lanes, left_out
from bot.model.plan import (
    BACK_AT_ONCE,
    JSON,
    ApprovalAsk,
    ComponentPlan,
    GuardLists,
    Irreversible,
    PlannedObject,
    ReleasePlan,
    StagePlan,
    UnitPlan,
)
from release_repo_schema.models import (
    CheckSpec,
    Empty,
    Release,
    ReleaseSpec,
    Stage,
    duration_text,
)
from release_repo_schema.repo import Repo

BUILT_IN_CHECKS: Mapping[str, CheckSpec] = {"workload": CheckSpec(workload=Empty())}


@dataclass(frozen=True, slots=True)
class Rendered:
    """What one unit renders to: its objects in the order of applying, and their revision."""

    objects: tuple[PlannedObject, ...]
    revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a plan comes from: no part of its hash."""

    commit: str = ""
    position: int = 0
    pull: str | None = None
    authors: tuple[str, ...] = ()
    unchanged: Collection[tuple[str, str]] = ()
    """(component, version) that every unit of it has already."""
    broken: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Unit → the superseded releases that broke it. (It moves units, so it shows in the hash.)"""


def build(
    repo: Repo,
    release: Release,
    members: Membership,
    rendered: Mapping[str, Rendered],
    origin: Origin | None = None,
) -> ReleasePlan:
    """The plan of a release. `rendered`: unit → what it renders to, for every unit of `members`."""
    origin = origin or Origin()
    stages, units = _placed(members, rendered, origin.broken)
    components = tuple(
        component_plan(
            repo, one, members.needs[one.name], version_changed=one.key not in origin.unchanged
        )
        for one in members.components
    )
    asked = [name for one in components for name in (*one.checks_before, *one.checks_after)]
    plan = ReleasePlan(
        release=release.name,
        plan_hash="",
        commit=origin.commit,
        position=origin.position,
        spec=spec_json(release.spec),
        components=components,
        stages=stages,
        units=units,
        approval=policy_ask(repo.policy, ((one.labels, one.name) for one in components)),
        checks=_checks(repo, asked),
        reason=release.spec.reason,
        pull=origin.pull,
        authors=origin.authors,
    )
    return replace(plan, plan_hash=plan_hash(plan))


def unplanned(release: str, origin: Origin) -> ReleasePlan:
    """What stands in the place of a plan while there is none: nothing that could be done."""
    return ReleasePlan(
        release=release,
        plan_hash="",
        commit=origin.commit,
        position=origin.position,
        spec={},
        components=(),
        stages=(),
        units=(),
        pull=origin.pull,
        authors=origin.authors,
    )


def spec_json(spec: ReleaseSpec) -> dict[str, JSON]:
    """A Release's spec in the file's own field names; what is not written stands as its default.

    Reads back as the same ReleaseSpec. Writing a default out changes nothing.
    """
    written = spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    whole = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {
        key: written.get(key, {} if isinstance(value, dict) else value)
        for key, value in whole.items()
    }


def plan_hash(plan: ReleasePlan) -> str:
    """`sha256:<hex>` over what the contract says the hash covers, and nothing else.

    In it: spec, units in order, waves, batches, digests of rendered objects, checks, soak,
    approvals, and how stages and batches run. Not in it: reasons, labels, commit, authors, and
    what joined it since.
    """
    plan = as_merged(plan)
    covered = {
        "release": plan.release,
        "spec": plan.spec,
        "components": [_component_facts(component) for component in plan.components],
        "stages": [_stage_facts(stage) for stage in plan.stages],
        "units": [
            [
                unit.unit,
                unit.stage,
                unit.wave,
                unit.revision,
                [[o.ref.key, o.digest] for o in unit.objects],
                *([asdict(unit.nodes)] if unit.nodes is not None else []),
                *([[o.ref.key, o.digest] for o in unit.undo]),
            ]
            for unit in plan.units
        ],
        **({"rows": list(plan.rows)} if plan.rows else {}),
        "approval": _ask_facts(plan.approval),
        "checks": plan.checks,
    }
    return digest(covered)


def component_plan(
    repo: Repo, brought: Brought, after: tuple[str, ...] = (), *, version_changed: bool = True
) -> ComponentPlan:
    """What the component brings to every unit."""
    found, spec = brought.component, brought.component.spec
    return ComponentPlan(
        name=found.name,
        version=brought.version,
        labels=dict(found.metadata.labels),
        owners=spec.owners,
        depends_on=spec.depends_on,
        after=after,
        content=digest([found.name, brought.version])
        if brought.task
        else content_digest(repo, found.name, brought.version),
        version_changed=version_changed,
        batches=spec.batches,
        batch_soak=spec.batch_soak,
        soak=spec.soak,
        batch_takes=spec.batch_takes,
        batch_deadline=spec.batch_deadline,
        checks_before=spec.checks.before,
        checks_after=spec.checks.after,
        on_failure=spec.on_failure,
        evidence_required=spec.releasable.evidence == "required",
        irreversible=tuple(
            Irreversible(pair.from_, pair.reason)
            for pair in spec.irreversible
            if fnmatchcase(brought.version, pair.to)
        ),
        guard=guard_lists(found),
        task=brought.task.spec.does if brought.task else "",
    )


def content_digest(repo: Repo, component: str, version: str) -> str:
    """What a rollback blocks: every template and values file, the version, and its images."""
    known = repo.versions.get((component, version))
    images = {} if known is None else known.spec.model_dump(mode="json")["images"]
    return digest({"files": content_files(repo, component), "version": version, "images": images})


def content_files(repo: Repo, component: str) -> list[tuple[str, str]]:
    """(path, content id) of the files that its objects are rendered from, by path."""
    folder = f"{repo.components[component].spec.render.folder}/"
    entries = repo.tree.entries()
    found = [
        (inside, entries[path].key)
        for inside, path in repo.component_files(component).items()
        if inside.startswith(folder)
    ]
    found += [
        (f"values/{scope}", content_key(repo, component, scope))
        for scope in repo.values.get(component, ())
    ]
    return sorted(found)


def content_key(repo: Repo, component: str, scope: str) -> str:
    """The content id of a values file."""
    entry = repo.tree.entries()[repo.values_paths[component, scope]]
    # The id of a link is that of its target's name, not of what stands there.
    return entry.key if entry.link is None else digest(repo.values[component][scope])


def _placed(
    members: Membership, rendered: Mapping[str, Rendered], broken: Mapping[str, Collection[str]]
) -> tuple[tuple[StagePlan, ...], tuple[UnitPlan, ...]]:
    stages: list[StagePlan] = []
    units: list[UnitPlan] = []
    tasks = {one.name for one in members.components if one.task is not None}
    for stage, chosen in members.stages:
        placed = members.placed(stage, chosen, broken)
        known = {unit.unit: unit for unit in chosen}
        units += [
            _unit(
                len(stages),
                where,
                known[where.unit],
                rendered[where.unit],
                task=known[where.unit].component in tasks,
            )
            for where in placed
        ]
        stages.append(_stage(stage, placed, members.seats(chosen)))
    return tuple(stages), tuple(units)


def _unit(
    stage: int, where: Placement, unit: Candidate, rendered: Rendered, *, task: bool
) -> UnitPlan:
    objects, undo = split(rendered.objects) if task else (rendered.objects, ())
    return UnitPlan(
        unit=unit.unit,
        component=unit.component,
        cluster=unit.cluster,
        scope=unit.scope,
        place=unit.place,
        version=unit.version,
        nodes=unit.nodes,
        stage=stage,
        wave=where.wave,
        reason=where.reason,
        labels=unit.labels,
        revision=rendered.revision,
        objects=objects,
        undo=undo,
    )


def _stage(stage: Stage, placed: tuple[Placement, ...], seats: int) -> StagePlan:
    """`seats`: the units, or the clusters where all units of one go together."""
    waves: list[list[str]] = [[] for _ in range(placed[-1].wave + 1)]
    for where in placed:
        waves[where.wave].append(where.unit)
    ask = stage.approval
    return StagePlan(
        name=stage.name,
        waves=tuple(tuple(wave) for wave in waves),
        max_concurrency=lanes(stage.max_concurrency, len(placed)),
        back_at_once=_back_at_once(stage, len(placed)),
        max_failures=stage.max_failures,
        max_unreachable=left_out(stage.max_unreachable, seats),
        soak=stage.soak or timedelta(),
        approval=ApprovalAsk(when=ask.when, roles=ask.roles, count=ask.count) if ask else None,
    )


def _back_at_once(stage: Stage, units: int) -> int:
    asked = stage.rollback.max_concurrency
    return BACK_AT_ONCE if asked == BACK_AT_ONCE else lanes(asked, units) or 1


def _checks(repo: Repo, names: Iterable[str]) -> dict[str, JSON]:
    found: dict[str, JSON] = {}
    for name in sorted(set(names)):
        check = repo.checks.get(name)
        spec = check.spec if check is not None else BUILT_IN_CHECKS.get(name)
        if spec is not None:
            found[name] = spec.model_dump(mode="json", by_alias=True, exclude_none=True)
    return found


def _component_facts(component: ComponentPlan) -> dict[str, Any]:
    return {
        "name": component.name,
        "version": component.version,
        "dependsOn": list(component.depends_on),
        "batches": list(component.batches),
        "batchSoak": duration_text(component.batch_soak),
        "soak": duration_text(component.soak),
        "batchTakes": duration_text(component.batch_takes),
        "batchDeadline": duration_text(component.batch_deadline),
        "before": list(component.checks_before),
        "after": list(component.checks_after),
        "onFailure": component.on_failure,
        "evidence": component.evidence_required,
        **(
            {"irreversible": [[pair.before, pair.reason] for pair in component.irreversible]}
            if component.irreversible
            else {}
        ),
        **({"guard": _guard_facts(component.guard)} if component.guard else {}),
        **({"follows": list(component.after)} if component.after else {}),
        **({"task": component.task} if component.task else {}),
    }


def _guard_facts(lists: GuardLists) -> dict[str, Any]:
    facts = asdict(lists)
    return facts if lists.delete else {key: facts[key] for key in ("block", "ignore", "ask")}


def _stage_facts(stage: StagePlan) -> dict[str, Any]:
    return {
        "name": stage.name,
        "waves": [list(wave) for wave in stage.waves],
        "maxConcurrency": stage.max_concurrency,
        **({"back": stage.back_at_once} if stage.back_at_once != BACK_AT_ONCE else {}),
        "maxFailures": stage.max_failures,
        "soak": duration_text(stage.soak),
        "approval": _ask_facts(stage.approval),
        **_written(maxUnreachable=stage.max_unreachable),
    }


def _written(**facts: JSON) -> dict[str, JSON]:
    """Facts that came later: where they are not written, a plan keeps the hash that it had."""
    return {name: value for name, value in facts.items() if value is not None}


def _ask_facts(ask: ApprovalAsk | None) -> dict[str, Any] | None:
    if ask is None:
        return None
    expires = None if ask.expires is None else duration_text(ask.expires)
    return {"when": ask.when, "roles": sorted(ask.roles), "count": ask.count, "expires": expires}
