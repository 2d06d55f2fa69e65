"""What a pull request shows of its plan: the frozen plans and all that is told beside them.

Data only. `Known` is what a store could add; without one everything in it is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.calendar import EmergencyFreeze
from bot.core.diff import Change
from bot.core.exposure import Exposure
from bot.core.forecast import Forecast
from bot.core.forecast_waits import Delay
from bot.core.plan_asked import Said, Would
from bot.model.plan import (
    JSON,
    ApprovalAsk,
    ComponentPlan,
    ObjectRef,
    PlannedRelease,
    ReleasePlan,
)
from bot.model.state import Applied, Blocked
from release_repo_schema.findings import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Facts of the store that a plan is compared with."""

    applied: Mapping[str, Applied] = field(default_factory=dict)
    """Unit → what was last applied there."""
    running: Mapping[str, ReleasePlan] = field(default_factory=dict)
    """Releases that have not ended."""
    broken: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Running release → its units that failed or stand half-way."""
    blocked: tuple[Blocked, ...] = ()
    emergency: tuple[EmergencyFreeze, ...] = ()
    """Emergency freezes in force, for the forecast."""
    blob: Callable[[str], JSON | None] = lambda digest: None
    """Digest → the object, of what was applied."""
    taken: Callable[[str], bool] = lambda name: False
    """Whether a release of this name has come to main before: a name is unique for ever."""
    ran: Callable[[str], bool] = lambda name: False
    """Whether a release was run by this bot: where it has been, something was applied."""
    stands: Callable[[str, ObjectRef], bool | None] = lambda cluster, ref: None
    """Whether a cluster has an object now; None where nobody may look before the merge."""
    beside: Callable[[str], Sequence[tuple[ObjectRef, JSON]]] = lambda cluster: ()
    """Cluster → objects of all components that were last applied there."""


NOTHING_KNOWN = Known()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitShown:
    """What is told of a unit beside its place. `counts` None: nobody knows yet."""

    batches: tuple[int | str, ...]
    counts: tuple[int, ...] | None
    version: str | None
    """What it has now: last applied, or the best guess; None: not known."""
    up_to_date: bool = False
    """Its revision is what was applied and certified: it ends without a write."""
    new: bool = False
    """Nothing of it stands in its cluster, for certain."""
    note: str = ""
    """Where its version comes from, where the release does not say it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One approval that the release will ask for. `what`: release | before | after | eachWave, or
    install or guard of a `component`.
    """

    what: str
    stage: str | None
    times: int
    ask: ApprovalAsk
    component: str | None = None


@dataclass(frozen=True, slots=True)
class GuardShown:
    """One guarded change: what people read of it, and the units in which it is the same."""

    component: str
    change: Mapping[str, JSON]
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavesShown:
    """An object that is rendered no more. `does`: ask | allow | keep; `why`: of what is kept."""

    component: str
    object: str
    does: str
    why: str
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseShown:
    """One planned release with everything that people look at before they merge it."""

    planned: PlannedRelease
    units: Mapping[str, UnitShown]
    forecast: Forecast
    exposure: Exposure
    changes: tuple[Change, ...]
    approvals: tuple[Asked, ...]
    warnings: tuple[str, ...]
    delays: tuple[Delay, ...] = ()
    """Where the forecast waits for the calendar."""
    guarded: tuple[GuardShown, ...] = ()
    """Changes that the guard blocks, asks about, or leaves alone, as far as the files tell."""
    leaves: tuple[LeavesShown, ...] = ()
    """Objects that left the template."""
    said: Mapping[str, Said] | None = None
    """Unit → what its cluster would say; None: no cluster was asked."""

    @property
    def plan(self) -> ReleasePlan:
        return self.planned.plan

    def versions(self, component: ComponentPlan) -> Mapping[str | None, int]:
        """The version that units of a component have now → how many of them, most units first."""
        found: dict[str | None, int] = {}
        for unit in self.plan.units:
            if unit.component == component.name and unit.version in ("", component.version):
                version = self.units[unit.unit].version
                found[version] = found.get(version, 0) + 1
        return dict(sorted(found.items(), key=lambda item: (-item[1], str(item[0]))))

    def from_version(self, component: ComponentPlan) -> str | None:
        """The version that most units of it have now."""
        return next(iter(self.versions(component)), None)

    def said_of(self, units: Sequence[str]) -> tuple[Said, ...]:
        """What clusters would say to these units, as far as any was asked."""
        said = self.said or {}
        return tuple(said[name] for name in units if name in said)

    @property
    def needs(self) -> Mapping[str, tuple[str, ...]]:
        """Component → those of the release that go before it in a cluster."""
        return {one.name: one.after for one in self.plan.components}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreleased:
    """Templates or values that changed without a Release that carries them to the clusters."""

    component: str
    paths: tuple[str, ...]
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPlan:
    """What merging head into base would do."""

    base: str
    head: str
    releases: tuple[ReleaseShown, ...] = ()
    removed: tuple[str, ...] = ()
    """Releases whose file the pull request takes away."""
    unreleased: tuple[Unreleased, ...] = ()
    findings: tuple[Finding, ...] = ()
    tree: str = ""
    """Id of the tree that merging gives; "" on a conflict."""
    conflicts: tuple[str, ...] = ()

    @property
    def has_errors(self) -> bool:
        return any(finding.level == "error" for finding in self.findings)

    @property
    def refused(self) -> bool:
        """Whether a cluster that was asked would refuse something."""
        said = (one for shown in self.releases for one in (shown.said or {}).values())
        return any(one.would is Would.REFUSE for one in said)

    @property
    def hashes(self) -> Mapping[str, str]:
        """Release → plan hash: what approvals bind to."""
        return {shown.plan.release: shown.plan.plan_hash for shown in self.releases}


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePlan:
    """What a commit on main brought. A release is in `releases` or in `failed`, never in both."""

    commit: str
    releases: tuple[PlannedRelease, ...] = ()
    failed: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    """Release → why it cannot be planned."""
    edited: tuple[str, ...] = ()
    specs: Mapping[str, JSON] = field(default_factory=dict)
    """Edited release → its spec as it stands now, as a plan would keep it."""
    """Releases whose spec the commit changed."""
    removed: tuple[str, ...] = ()
    """Releases whose file the commit took away."""
