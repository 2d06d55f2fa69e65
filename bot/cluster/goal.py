"""What one unit shall become, and how far it is: question and answer of `drive`. Never decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.cluster.guard import NOTHING_ALLOWED, Allowance, Guarded
from bot.cluster.kinds import BUILT_IN, Rows
from bot.cluster.rollout import Rollout
from bot.model.effects import Write
from bot.model.plan import JSON, GuardLists, ObjectRef


class Mode(StrEnum):
    FORWARD = "forward"
    """Bring the batch in hand to the target."""
    STOP = "stop"
    """Stop what rolls, where it is."""
    RESTORE = "restore"
    """Put back what was there before the release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """An object that left the template, and that may be deleted if it is still what it was."""

    ref: ObjectRef
    spec: JSON
    """As it was applied last."""
    uid: str
    component: str
    fence: tuple[int, ...]
    """That of the release: what a newer plan has written is not deleted."""
    lists: GuardLists


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is wanted of a unit now. Maps are by object key."""

    mode: Mode
    objects: tuple[tuple[ObjectRef, JSON], ...]
    """Target objects in the order of applying: workloads last."""
    last: Mapping[str, JSON | None] = field(default_factory=dict)
    """DB spec: what we last applied before this release."""
    before: Mapping[str, JSON | None] = field(default_factory=dict)
    """What was there before this release; None: nothing was."""
    applied: frozenset[str] = frozenset()
    """Keys whose `before` is what we applied ourselves, not what we found: all of it is ours."""
    owner: str = ""
    """The component, which the writes leave on its objects; "": nothing is left there."""
    adopted: frozenset[str] = frozenset()
    """Keys of what was nobody's before this release: on the way back it is nobody's again."""
    wanted: Mapping[str, str] = field(default_factory=dict)
    """Digests of the targets, which their writes leave on the objects."""
    stood: Mapping[str, str] = field(default_factory=dict)
    """The same of what was there before this release."""
    targets: Mapping[str, int] = field(default_factory=dict)
    """Workload → cumulative pods or nodes wanted on the new version."""
    totals: Mapping[str, int] = field(default_factory=dict)
    """Workload → what it counted when the batch began."""
    final: bool = False
    unavailable_before: int = 0
    """Unavailable pods that are tolerated: a batch neither starts nor ends with more. Those that
    may come back by themselves are waited for in any case."""
    since: datetime
    """When the batch began."""
    undo_installs: bool = False
    """RESTORE may delete what this release created."""
    undo_data: bool = False
    """... also where that holds data: namespaces, CRDs, claims."""
    spared: frozenset[str] = frozenset()
    """Keys of what it created and does not delete all the same: it is not its own alone now."""
    nodes: frozenset[str] | None = None
    """Only what is on these nodes is replaced and counted; None: of the whole cluster."""
    places: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Workload → those of the nodes where it runs, where that is known."""
    strays: bool = False
    """What is on other nodes and not where it should be belongs to it as well: nobody else comes
    after it."""
    undo: tuple[tuple[ObjectRef, JSON], ...] = ()
    """What takes a task back."""
    anew_above: int = 0
    """Number of the last write before a task was taken back: what is older is done anew."""
    rows: Rows = field(default_factory=lambda: BUILT_IN)
    """The workload kinds: built in, and those of the release repo."""
    leaving: tuple[Leaving, ...] = ()
    """FORWARD deletes them when all that is rendered has arrived, RESTORE when what stood before is
    back; people have said yes.
    """
    allowed: Allowance = NOTHING_ALLOWED
    """What the component guards, and which guarded changes have a yes."""

    @property
    def by_node(self) -> bool:
        return self.nodes is not None

    def nodes_of(self, ref: ObjectRef) -> frozenset[str] | None:
        """The nodes on which this object is replaced and counted; None: all of them."""
        return None if self.nodes is None else self.places.get(ref.key, self.nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One object's part of the answer. `waiting` is "" when it has converged."""

    ref: ObjectRef
    writes: tuple[Write, ...] = ()
    waiting: str = ""
    detail: Mapping[str, JSON] = field(default_factory=dict)
    look: Rollout | None = None
    want: int = 0
    """Pods wanted on the new version."""
    unavailable: int = 0
    healthy: bool = True
    failed: str | None = None
    everywhere: bool = True
    """On the nodes of others it has also arrived; so it is wherever no nodes are chosen."""
    evidence: tuple[JSON, ...] = ()
    """What stands in the certificate for an object without pods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a unit is, and what to send next.

    `waiting`: unreachable | not-applied | not-established | old-unavailable | controller-lag |
    other-revision | progress | collateral | guarded, "" when converged. `detail`: facts to it:
    object, pods, counts, reason, definition, leak (pods on the new version beyond those wanted).
    """

    writes: tuple[Write, ...] = ()
    converged: bool = False
    waiting: str = ""
    detail: Mapping[str, JSON] = field(default_factory=dict)
    updated: int = 0
    total: int = 0
    unavailable: int = 0
    pods: tuple[JSON, ...] = ()
    healthy: bool = False
    failed: str | None = None
    everywhere: bool = False
    """All of the cluster has the target, the nodes of other units too."""
    steps: tuple[Step, ...] = ()
    guarded: tuple[Guarded, ...] = ()
    """Changes for which writes are kept back: blocked, or without a yes."""
