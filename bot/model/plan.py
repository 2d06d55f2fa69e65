"""The frozen answer to a release: units, waves, batches, rendered objects, checks.

A plan never changes after the merge; it holds no forecast, no pod counts and no decision of a
person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

JSON = Any
"""A JSON value: dict, list, str, int, float, bool or None."""


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """Where a Kubernetes object lives in a cluster. `namespace` is "" for cluster-scoped kinds."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def key(self) -> str:
        """`apps/v1/DaemonSet/infra/node-agent`: the text by which rows and maps know the object."""
        return f"{self.api_version}/{self.kind}/{self.namespace}/{self.name}"

    @property
    def short(self) -> str:
        """`DaemonSet infra/node-agent`: what people read."""
        return (
            f"{self.kind} {self.namespace}/{self.name}"
            if self.namespace
            else f"{self.kind} {self.name}"
        )


@dataclass(frozen=True, slots=True)
class PlannedObject:
    """One rendered object of a unit. `digest` is `sha256:<hex>` of its canonical JSON, the key of
    its blob.
    """

    ref: ObjectRef
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalAsk:
    """How many people of which roles must say yes. `when`: release | before | after | eachWave."""

    when: str
    roles: tuple[str, ...]
    count: int
    expires: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Irreversible:
    """Versions that may have run before, as a glob, and why there is no simple way back to them."""

    before: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteLists:
    """What a component says of objects that left its template: `Kind` or `Kind/name`, as globs."""

    allow: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.allow or self.ask or self.keep)

    def says(self, ref: ObjectRef) -> str:
        """allow | ask | keep, the strictest that names the object; ask where none does."""
        for word, named in (("keep", self.keep), ("ask", self.ask), ("allow", self.allow)):
            if any(_names(one, ref) for one in named):
                return word
        return "ask"


def _names(text: str, ref: ObjectRef) -> bool:
    kind, _, name = text.partition("/")
    return fnmatchcase(ref.kind, kind) and fnmatchcase(ref.name, name or "*")


NO_DELETES = DeleteLists()


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLists:
    """What a component says of its own fields: texts of paths."""

    block: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    delete: DeleteLists = NO_DELETES

    def __bool__(self) -> bool:
        return bool(self.block or self.ignore or self.ask or self.delete)

    def stricter(self, other: GuardLists) -> GuardLists:
        """These, with what the other blocks and asks."""
        return GuardLists(
            block=tuple(dict.fromkeys((*self.block, *other.block))),
            ignore=self.ignore,
            ask=tuple(dict.fromkeys((*self.ask, *other.ask))),
            delete=self.delete,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentPlan:
    """What one component of the release brings, the same for all its units."""

    name: str
    version: str
    labels: Mapping[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    """Components of the same release that go before it in a cluster: those that it depends on, and
    those that something outside of the release which it depends on depends on.
    """
    content: str
    """`sha256:<hex>` of templates, values, version and images: what a rollback blocks."""
    version_changed: bool = True
    """Whether the release changes the version anywhere (else it is a configuration release)."""
    batches: tuple[int | str, ...]
    batch_soak: timedelta
    soak: timedelta
    batch_takes: timedelta
    batch_deadline: timedelta
    checks_before: tuple[str, ...] = ()
    checks_after: tuple[str, ...] = ()
    on_failure: str = "hold"
    evidence_required: bool = False
    irreversible: tuple[Irreversible, ...] = ()
    """Versions before from which its version has no simple way back."""
    guard: GuardLists = GuardLists()
    """Fields that it blocks, leaves alone, or asks about, beside the built-in list."""
    task: str = ""
    """job | webhook where it is a task of the stages and no component."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeChoice:
    """Which nodes of a cluster a unit is about, as written; which those are is seen at the time.

    A node is chosen when a name or the selector says so; `others`: when none of these selectors
    does (the node set `rest`).
    """

    names: tuple[str, ...] = ()
    selector: JSON = None
    """A selector over the labels of nodes, in the file's own field names; None: no selector."""
    others: tuple[JSON, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPlan:
    """One unit in its place. `labels` are those of group, cluster and, where it has one, node set
    or namespace as they were at the merge.
    """

    unit: str
    component: str
    cluster: str
    scope: str = "cluster"
    """cluster | nodeSet | namespace | node."""
    place: str = ""
    """The node set, namespace or node inside the cluster; "" where the unit is the cluster."""
    version: str = ""
    """The version that it gets, where units of one component differ; "": its component's."""
    nodes: NodeChoice | None = None
    """The nodes that it is about; None: all of the cluster."""
    stage: int
    wave: int
    reason: str
    labels: Mapping[str, str]
    revision: str
    """`<version>@<12 hex>` of the rendered objects: what is compared, certified, blocked, rolled
    back to.
    """
    objects: tuple[PlannedObject, ...]
    """In the order of applying: namespaces and CRDs first, workloads last."""
    undo: tuple[PlannedObject, ...] = ()
    """What takes a task back, created by a rollback."""

    @property
    def lock(self) -> str:
        """`component@cluster`: never two releases at once in it, whatever the scope."""
        return f"{self.component}@{self.cluster}"


BACK_AT_ONCE = 100
"""Units of a stage that go back at once, where its pipeline says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """One stage: its waves are tuples of unit names, every unit in exactly one wave."""

    name: str
    waves: tuple[tuple[str, ...], ...]
    max_concurrency: int | None = None
    back_at_once: int = BACK_AT_ONCE
    """Units on their way back at once."""
    max_failures: int = 0
    max_unreachable: int | None = None
    """Units that may be quarantined without asking; None: a tenth of the stage, at least one."""
    soak: timedelta = timedelta()
    approval: ApprovalAsk | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """Units that joined a plan while its release ran. `digest` covers them, and what they were
    added to.
    """

    digest: str
    at: datetime
    commit: str
    """The commit of main that brought their clusters."""
    units: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePlan:
    """The plan of one release. `plan_hash` covers all but `commit`, `position` and `pull`."""

    release: str
    plan_hash: str
    commit: str
    """The commit on main that brought the release; "" while it is only proposed."""
    position: int
    """First-parent position of `commit` on main, counted from 1: the first half of every fence."""
    spec: JSON
    """The Release's spec as JSON in the file's own field names."""
    components: tuple[ComponentPlan, ...]
    stages: tuple[StagePlan, ...]
    units: tuple[UnitPlan, ...]
    """In order: stage by stage, wave by wave."""
    approval: ApprovalAsk | None = None
    """What the policy asks before the first write."""
    checks: Mapping[str, JSON] = field(default_factory=dict)
    """Definitions of every check used: name → Check spec as JSON in the file's own field names."""
    rows: tuple[JSON, ...] = ()
    """Specs of the repo's own workload kinds that its objects are of."""
    reason: str = ""
    pull: str | None = None
    authors: tuple[str, ...] = ()
    """E-mail addresses of all authors and committers of the pull request, and who opened it."""
    additions: tuple[Addition, ...] = ()
    """What joined it since; no part of its hash."""


@dataclass(frozen=True, slots=True)
class PlannedRelease:
    """A plan with the rendered objects it names: digest → object."""

    plan: ReleasePlan
    blobs: Mapping[str, JSON]
    batches: Mapping[str, int] = field(default_factory=dict)
    """Unit → how many batches it will take, where that is known; no part of the plan."""
