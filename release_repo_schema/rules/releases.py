"""Rules of pipelines and releases: names exist, every unit has its stage, nothing is blocked."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from release_repo_schema.drafts import AGAIN
from release_repo_schema.findings import Finding, Pointer, did_you_mean
from release_repo_schema.fleetindex import ANY
from release_repo_schema.floors import floor_of
from release_repo_schema.loadedfile import Document
from release_repo_schema.models import (
    Component,
    Release,
    ReleaseComponent,
    Selector,
    Stage,
    duration_text,
)
from release_repo_schema.models.scalars import percent
from release_repo_schema.rules.people import enough_people
from release_repo_schema.rules.scene import Scene, listed
from release_repo_schema.rules.zones import zone_findings


def pipelines(scene: Scene) -> Iterator[Finding]:
    """Every stage of every pipeline selects somebody, and people can approve it."""
    for name, pipeline in scene.repo.pipelines.items():
        document = scene.document("Pipeline", name)
        yield from _stages(scene, document, pipeline.spec.stages)
        for key in pipeline.spec.weights:
            yield from _label_nowhere(scene, document, ("spec", "weights", key), key)


def _stages(scene: Scene, document: Document, stages: tuple[Stage, ...]) -> Iterator[Finding]:
    members = scene.members_of_stages(stages)
    for k, (stage, units) in enumerate(zip(stages, members, strict=True)):
        pointer: Pointer = ("spec", "stages", k)
        twin = stage.name.endswith(AGAIN) and scene.fleet.select(stage.units, ANY)
        if not units and scene.fleet_is_known and scene.fleet.labels and not twin:
            said = f"the stage {stage.name.partition(AGAIN)[0]} selects no cluster"
            hint = _why_nothing(scene, stage.units)
            yield document.finding((*pointer, "units"), "stage-selects-nothing", said, hint)
        for n, label in enumerate(stage.spread):
            yield from _label_nowhere(scene, document, (*pointer, "spread", n), label)
        for n, label in enumerate(stage.coverage):
            yield from _label_nowhere(scene, document, (*pointer, "coverage", n), label)
        if stage.approval is not None:
            asked = stage.approval
            at: Pointer = (*pointer, "approval", "count")
            yield from enough_people(scene, document, at, asked.count, asked.roles)


def _label_nowhere(
    scene: Scene, document: Document, pointer: Pointer, label: str
) -> Iterator[Finding]:
    keys = scene.fleet.label_keys
    if keys and label not in keys:
        said = f"no cluster has the label `{label}`"
        hint = did_you_mean(label, keys)
        yield document.finding(pointer, "unknown-label", said, hint, level="warning", at_key=True)


def _why_nothing(scene: Scene, selector: Selector) -> str:
    """The likeliest slip in a selector that selects nothing."""
    for key, value in selector.match_labels.items():
        spots = scene.fleet.spots(ANY).values()
        values = {labels[key] for _, labels in spots if key in labels}
        if not values:
            return did_you_mean(key, scene.fleet.label_keys, f"no cluster has the label `{key}`")
        if value not in values:
            known = f"{key} is {listed(values, 5)} in this fleet"
            return did_you_mean(value, values, known)
    if scene.fleet.select(selector, ANY):
        return "earlier stages take all of its clusters: a unit goes with the first that selects it"
    return "look at the labels of fleet/groups and fleet/clusters"


def releases(scene: Scene) -> Iterator[Finding]:
    """Every release that is judged names what exists and may go out, and every unit has a stage."""
    for name in scene.releases:
        release = scene.repo.releases[name]
        document = scene.document("Release", name)
        for k, asked in enumerate(release.spec.components):
            yield from _component(scene, document, k, asked)
        yield from _once(document, release)
        yield from _order(scene, document, release)
        yield from _superseded(scene, document, release)
        if release.spec.not_before is not None:
            pointer = ("spec", "notBefore", "zone")
            yield from zone_findings(document, pointer, release.spec.not_before.zone)


def _once(document: Document, release: Release) -> Iterator[Finding]:
    """A release brings a component in one version."""
    seen: dict[str, str] = {}
    for k, asked in enumerate(release.spec.components):
        if asked.name in seen:
            said = f"{asked.name} is there twice, first in version {seen[asked.name]}"
            pointer: Pointer = ("spec", "components", k, "name")
            yield document.finding(pointer, "component-twice", said, "keep one of the two")
        seen.setdefault(asked.name, asked.version)


def _component(
    scene: Scene, document: Document, k: int, asked: ReleaseComponent
) -> Iterator[Finding]:
    repo = scene.repo
    pointer: Pointer = ("spec", "components", k)
    component = repo.components.get(asked.name)
    if component is None:
        at = (*pointer, "name")
        yield from scene.unknown(document, at, "component", asked.name, repo.components)
        return
    yield from _releasable(scene, document, (*pointer, "version"), component, asked.version)
    for blocked in repo.policy.spec.blocked:
        if (blocked.component, blocked.version) != (asked.name, asked.version):
            continue
        if blocked.content is not None or (scene.now and not blocked.in_force(scene.now)):
            continue
        until = f" until {blocked.until}" if blocked.until is not None else ""
        said = f"{asked.name} {asked.version} is blocked{until}: {blocked.reason}"
        hint = "release another version; the block is in policy/"
        yield document.finding((*pointer, "version"), "version-blocked", said, hint)


def _releasable(
    scene: Scene, document: Document, pointer: Pointer, component: Component, version: str
) -> Iterator[Finding]:
    found = scene.repo.versions.get((component.name, version))
    required = component.spec.releasable.evidence == "required"
    folder = f"components/{component.name}/versions/"
    if found is None:
        if {version, f"{component.name}-{version}"} & scene.repo.broken_names:
            return  # its file is there and has findings of its own
        known = [v for c, v in scene.repo.versions if c == component.name]
        if required:
            said = f"{component.name} {version} has no ComponentVersion, and evidence is required"
            hint = did_you_mean(version, known, f"its CI writes {folder}{version}.yaml")
            yield document.finding(pointer, "no-evidence", said, hint)
        elif known:
            said = f"{component.name} {version} is not among its versions in {folder}"
            hint = did_you_mean(version, known)
            yield document.finding(pointer, "unknown-version", said, hint, level="warning")
        return
    failed = [one.name for one in found.spec.evidence if not one.passed]
    if failed or (required and not found.spec.evidence):
        what = f"did not pass {listed(failed)}" if failed else "has no evidence"
        need = ", and evidence is required" if required else ""
        said = f"{component.name} {version} {what}{need}"
        hint = f"see {scene.repo.source('ComponentVersion', found.name, ('spec', 'evidence'))}"
        level = "error" if required else "warning"
        yield document.finding(pointer, "no-evidence", said, hint, level=level)  # type: ignore[arg-type]


def _order(scene: Scene, document: Document, release: Release) -> Iterator[Finding]:
    spec = release.spec
    scope = _scope_of(scene, release)
    selected = scene.fleet.select(spec.units, scope)
    if not selected and scene.fleet_is_known:
        said = "this release selects no cluster"
        hint = _why_nothing(scene, spec.units)
        yield document.finding(("spec", "units"), "selects-nothing", said, hint)
    stages, at = spec.stages, document
    if spec.pipeline is not None:
        pipeline = scene.repo.pipelines.get(spec.pipeline)
        if pipeline is None:
            pointer = ("spec", "pipeline")
            yield from scene.unknown(
                document, pointer, "pipeline", spec.pipeline, scene.repo.pipelines
            )
            return
        stages, at = pipeline.spec.stages, scene.document("Pipeline", spec.pipeline)
    elif stages is not None:
        yield from _stages(scene, document, stages)
    if stages is None:
        return
    members = scene.members_of_stages(stages, scope)
    lost = selected.difference(*members)
    if lost and scene.fleet_is_known:
        what = "clusters" if scope == "cluster" else "places"
        said = f"these {what} are in no stage: {listed(lost)}"
        hint = "add a stage that selects them, or narrow the release by units"
        pointer = ("spec", "pipeline" if spec.pipeline else "stages")
        yield document.finding(pointer, "units-in-no-stage", said, hint, at_key=not spec.pipeline)
    for k, (stage, units) in enumerate(zip(stages, members, strict=True)):
        count = len(units & selected)
        yield from _waves_reach(document, at, k, stage, count)
        for asked in spec.components:
            if (component := scene.repo.components.get(asked.name)) is not None:
                yield from _stage_floor(scene, document, at, k, stage, component, count)


def _scope_of(scene: Scene, release: Release) -> str:
    """What the units of the release are, where all its components agree."""
    known = scene.repo.components
    found = {known[c.name].spec.scope for c in release.spec.components if c.name in known}
    return found.pop() if len(found) == 1 else "cluster"


def _told(document: Document, at: Document, said: str) -> str:
    """A release is told where it uses another's stage: the sentence names who asks."""
    return said if document is at else f"{said}, for the release {document.name}"


def _waves_reach(
    document: Document, at: Document, k: int, stage: Stage, count: int
) -> Iterator[Finding]:
    last = stage.waves[-1] if stage.waves else "100%"
    if isinstance(last, int) and last < count:
        said = f"the waves of the stage {stage.name} end at {last} of {count} units"
        pointer = ("spec", "stages", k, "waves")
        hint = "waves are cumulative: end with 100%"
        yield at.finding(pointer, "units-in-no-wave", _told(document, at, said), hint)


def _stage_floor(
    scene: Scene,
    document: Document,
    at: Document,
    k: int,
    stage: Stage,
    component: Component,
    count: int,
) -> Iterator[Finding]:
    """What a stage writes is not below the floor of the component that it rolls out."""
    floor = floor_of(scene.repo.policy, component)
    if stage.soak is not None and floor.soak is not None and stage.soak < floor.soak:
        said = (
            f"the stage {stage.name} soaks {duration_text(stage.soak)}, below the policy's floor "
            f"of {duration_text(floor.soak)}"
        )
        hint = f"write soak: {duration_text(floor.soak)} or more"
        pointer: Pointer = ("spec", "stages", k, "soak")
        yield at.finding(pointer, "below-floor", _told(document, at, said), hint)
    else:
        yield from _narrower(document, at, k, stage, component)
    if stage.waves and floor.first_wave is not None:
        share = percent(stage.waves[0])
        first = ceil(count * share / 100) if share is not None else int(stage.waves[0])
        first = min(first, count)
        if first > floor.first_wave:
            said = (
                f"the first wave of the stage {stage.name} has {first} units, and the policy's "
                f"floor allows {floor.first_wave}"
            )
            hint = f"begin waves with {floor.first_wave}"
            pointer = ("spec", "stages", k, "waves", 0)
            yield at.finding(pointer, "below-floor", _told(document, at, said), hint)


def _narrower(
    document: Document, at: Document, k: int, stage: Stage, component: Component
) -> Iterator[Finding]:
    """Nothing that is written is passed over in silence: a stage only widens."""
    if stage.soak is not None and stage.soak < component.spec.soak:
        said = (
            f"the stage {stage.name} soaks {duration_text(stage.soak)}, and {component.name} asks "
            f"for {duration_text(component.spec.soak)}, which counts"
        )
        pointer: Pointer = ("spec", "stages", k, "soak")
        hint = "stages widen what components ask, and never narrow it"
        yield at.finding(pointer, "soak-without-effect", _told(document, at, said), hint,
                         level="warning")  # fmt: skip


def _superseded(scene: Scene, document: Document, release: Release) -> Iterator[Finding]:
    mine = {asked.name for asked in release.spec.components}
    for k, name in enumerate(release.spec.supersedes):
        pointer: Pointer = ("spec", "supersedes", k)
        if name == release.name:
            said = "a release cannot supersede itself"
            yield document.finding(pointer, "supersedes-itself", said, "take it out")
            continue
        other = scene.repo.releases.get(name)
        if other is None:
            others = [one for one in scene.repo.releases if one != release.name]
            yield from scene.unknown(document, pointer, "release", name, others)
        elif not mine & {asked.name for asked in other.spec.components}:
            said = f"{name} releases no component of this release"
            hint = "a release supersedes running releases of its own components"
            yield document.finding(pointer, "supersedes-other-component", said, hint)
