"""Which units a release has: of which components, in which version, in which stage.

Asked before anything is rendered. Pure: it places no unit in a wave and makes no plan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from bot.core.candidates import candidates
from bot.core.graph import Needs, in_order, needs_among
from bot.core.order import Candidate, Placement, StageRule, divide, place
from release_repo_schema.floors import floor_of
from release_repo_schema.models import Component, Release, Stage, Task
from release_repo_schema.repo import Repo


@dataclass(frozen=True, slots=True)
class Brought:
    """A component in the version that the release brings."""

    component: Component
    version: str
    task: Task | None = None
    """The task that it stands for, where it is no component."""

    @property
    def name(self) -> str:
        return self.component.name

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.version


@dataclass(frozen=True, kw_only=True)
class Membership:
    """Which units a release has, stage by stage. Stages that select none of them are left out."""

    components: tuple[Brought, ...]
    stages: tuple[tuple[Stage, tuple[Candidate, ...]], ...]
    weights: Mapping[str, int]
    needs: Needs
    """Component → those of the release that go before it in a cluster."""
    left: tuple[Candidate, ...] = ()
    """Selected by the release, and in no stage."""
    first_wave: int | None = None
    """The most units that the policy's floor lets into a first wave."""
    labels: Mapping[str, Mapping[str, str]]
    """Cluster → its labels."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Unit → where its version comes from, where the release does not say it."""

    @property
    def units(self) -> tuple[Candidate, ...]:
        return tuple(unit for _, members in self.stages for unit in members)

    @property
    def whole_clusters(self) -> bool:
        """Several components: all units of a cluster go in one wave."""
        return len(self.needs) > 1

    @cached_property
    def versions(self) -> Mapping[str, str]:
        """Component → its version, where all its units get the same."""
        return {one.name: one.version for one in self.components}

    def version(self, unit: Candidate) -> str:
        return unit.version or self.versions[unit.component]

    def of(self, brought: Brought) -> tuple[Candidate, ...]:
        """The units that get this component in this version."""
        return tuple(
            unit
            for unit in self.units
            if unit.component == brought.name and self.version(unit) == brought.version
        )

    def seats(self, units: Collection[Candidate]) -> int:
        """How many the steps of a stage's waves count: units, or clusters."""
        return len({unit.cluster for unit in units}) if self.whole_clusters else len(units)

    def placed(
        self, stage: Stage, units: tuple[Candidate, ...], broken: Mapping[str, Collection[str]]
    ) -> tuple[Placement, ...]:
        """Every unit of a stage in its wave, in order."""
        rule = stage_rule(stage, self.first_wave)
        if not self.whole_clusters:
            return place(units, rule, weights=self.weights, broken=broken)
        inside: dict[str, list[Candidate]] = {}
        for unit in units:
            inside.setdefault(unit.cluster, []).append(unit)
        seats = [
            Candidate(unit=name, cluster=name, labels=self.labels[name]) for name in sorted(inside)
        ]
        harmed = {
            name: sorted(by)
            for name, members in inside.items()
            if (by := {release for unit in members for release in broken.get(unit.unit, ())})
        }
        ranks = {name: rank for rank, name in enumerate(in_order(self.needs))}
        return tuple(
            replace(where, unit=unit.unit)
            for where in place(seats, rule, weights=self.weights, broken=harmed)
            for unit in sorted(inside[where.unit], key=lambda one: ranks[one.component])
        )


def membership(repo: Repo, release: Release) -> Membership | None:
    """The units of a release, by stage. None: what it names is not there."""
    spec = release.spec
    names = [one.name for one in spec.components]
    if len(set(names)) < len(names) or any(n not in repo.components for n in names):
        return None
    stages = stages_of(repo, release)
    if stages is None or not (names or any(stage.tasks.names for stage in stages)):
        return None
    brought = tuple(Brought(repo.components[one.name], one.version) for one in spec.components)
    chosen = [
        unit
        for name in names
        for unit in candidates(repo, name)
        if spec.units.matches(unit.labels, unit.cluster)
    ]
    return members_of(repo, release, brought, chosen)


def members_of(
    repo: Repo, release: Release, brought: tuple[Brought, ...], chosen: Sequence[Candidate]
) -> Membership | None:
    """These units, divided among the stages of the release. None: it has no stages."""
    stages = stages_of(repo, release)
    if stages is None:
        return None
    spec = release.spec
    pipeline = repo.pipelines.get(spec.pipeline) if spec.pipeline else None
    names = list(dict.fromkeys(one.name for one in brought))
    members, left = divide(chosen, [stage_rule(stage) for stage in stages])
    floors = [floor_of(repo.policy, one.component).first_wave for one in brought]
    return Membership(
        components=brought,
        stages=tuple((s, units) for s, units in zip(stages, members, strict=True) if units),
        weights=pipeline.spec.weights if pipeline else {},
        needs=needs_of(repo, names),
        left=left,
        first_wave=min((most for most in floors if most is not None), default=None),
        labels={unit.cluster: repo.labels_of(unit.cluster) for unit in chosen},
    )


def stages_of(repo: Repo, release: Release) -> tuple[Stage, ...] | None:
    """The stages of a release, its own or its pipeline's; None where neither is there."""
    if release.spec.pipeline is None:
        return release.spec.stages
    pipeline = repo.pipelines.get(release.spec.pipeline)
    return pipeline.spec.stages if pipeline is not None else None


def needs_of(repo: Repo, names: list[str]) -> Needs:
    """Component → those among the names that go before it in a cluster."""

    def depends_on(name: str) -> tuple[str, ...]:
        found = repo.components.get(name)
        return found.spec.depends_on if found is not None else ()

    return needs_among(names, depends_on)


def stage_rule(stage: Stage, first_wave: int | None = None) -> StageRule:
    """What a stage of the repo says about the order inside it."""

    def selects(unit: Candidate) -> bool:
        return stage.units.matches(unit.labels, unit.cluster)

    return StageRule(
        name=stage.name,
        selects=selects,
        names=stage.units.names,
        order=stage.order,
        waves=stage.waves,
        first_wave=first_wave,
        spread=stage.spread,
        coverage=stage.coverage,
    )
