"""What the bot remembers of a release: phases, holds, decisions, intents, certificates.

Rows of the store. Each has a `key` and, where two writers could meet, an optimistic `version`
that the
store counts. Facts with a name, a time and a person; nothing here decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.model.checkrun import CheckRun as CheckRun
from bot.model.leftover import Leftover
from bot.model.plan import JSON, ObjectRef, PlannedObject
from bot.model.record import Applied as Applied
from bot.model.record import Blocked as Blocked
from bot.model.record import Certificate as Certificate
from bot.model.record import ClusterSeen as ClusterSeen
from bot.model.record import Event as Event
from bot.model.record import Intent as Intent
from bot.model.record import IntentStatus as IntentStatus
from bot.model.record import Pull as Pull
from bot.model.record import Tally as Tally


class ReleasePhase(StrEnum):
    """Design §4. BEFORE_US marks Release files that stood on main before this bot began."""

    PROPOSED = "PROPOSED"
    SCHEDULED = "SCHEDULED"
    PROGRESSING = "PROGRESSING"
    SUCCEEDED = "SUCCEEDED"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"
    CANCELLED = "CANCELLED"
    SUPERSEDED = "SUPERSEDED"
    BEFORE_US = "BEFORE_US"

    @property
    def ended(self) -> bool:
        return self in _ENDED_RELEASE


_ENDED_RELEASE = frozenset(
    {
        ReleasePhase.SUCCEEDED,
        ReleasePhase.ROLLED_BACK,
        ReleasePhase.CANCELLED,
        ReleasePhase.SUPERSEDED,
        ReleasePhase.BEFORE_US,
    }
)


class UnitPhase(StrEnum):
    """Design §4: the phase of the batch in hand, or how the unit ended."""

    PENDING = "PENDING"
    APPLYING = "APPLYING"
    SOAKING = "SOAKING"
    VERIFYING = "VERIFYING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    QUARANTINED = "QUARANTINED"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"

    @property
    def ended(self) -> bool:
        return self in _ENDED_UNIT

    @property
    def rolling(self) -> bool:
        """A batch of it is under way (a unit between two batches is PENDING, but in flight)."""
        return self in (UnitPhase.APPLYING, UnitPhase.SOAKING, UnitPhase.VERIFYING)


_ENDED_UNIT = frozenset(
    {
        UnitPhase.SUCCEEDED,
        UnitPhase.SKIPPED,
        UnitPhase.QUARANTINED,
        UnitPhase.ROLLED_BACK,
        UnitPhase.FAILED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What one object was before the release: `digest` of its blob, None where it did not exist."""

    ref: ObjectRef
    digest: str | None
    source: str
    """applied (we applied it last) | baseline (live at first contact) | foreign (live too: the
    object says that something else was applied last than the store has) | absent | unrecorded
    (there, and ours, and newer than all that the store has: nothing of it stood before).
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitState:
    """Where one unit of a release stands."""

    release: str
    unit: str
    phase: UnitPhase = UnitPhase.PENDING
    since: datetime
    """When this phase was entered (UTC)."""
    batch: int = 0
    """Number of the batch in hand or, when PENDING, of the last one done; counted from 1, 0 =
    none begun.
    """
    batches: int = 0
    """How many batches it will have had, equal ones merged; 0 before the first begins."""
    step: int = -1
    """Index into the batches as written of the batch in hand (or the last done); -1 = none."""
    targets: Mapping[str, int] = field(default_factory=dict)
    """Workload key → cumulative pods or nodes that the batch in hand wants on the new version."""
    totals: Mapping[str, int] = field(default_factory=dict)
    """Workload key → what the kind counted when the batch began."""
    updated: int = 0
    total: int = 0
    done: int = 0
    """Number of the last batch that has its certificate; below `batch` while one is in hand."""
    began: datetime | None = None
    """When its first intent was recorded; kept for good, a rollback asks for it."""
    in_hand: bool = False
    """It passed its gates and has not ended since; between two batches too."""
    batch_began: datetime | None = None
    deadline: datetime | None = None
    """When the batch in hand must have converged; moves on by the time that it was stopped. On the
    way back: when more must be back than now.
    """
    most_back: int = 0
    """Pods or nodes that were back when the deadline was last moved on."""
    stopped_since: datetime | None = None
    """Since when a hold or a freeze stops what rolls in the cluster."""
    converged: datetime | None = None
    soak_until: datetime | None = None
    watched: datetime | None = None
    """When the cluster was last seen healthy during the soak: silence that nobody heard is none."""
    halted: bool = False
    """We stopped its rollout in the cluster after it failed: it may have to converge again."""
    sick_since: datetime | None = None
    checks: tuple[CheckRun, ...] = ()
    before: tuple[Before, ...] | None = None
    before_revision: str | None = None
    before_release: str | None = None
    """The release that had brought what was there before, when it was one of ours."""
    unavailable_before: int = 0
    unreachable_since: datetime | None = None
    failure: str | None = None
    refused: str | None = None
    """What the cluster said to our last write, when it said no."""
    fenced: bool = False
    """On its way back it found that a newer plan had written there."""
    back: bool = False
    """It was sent back and is not there yet: it never goes forward again before it is."""
    undo: bool = False
    """A first install may be deleted in a rollback: a person said so."""
    undo_data: bool = False
    """What holds data may be deleted with it: a person said that too."""
    anew_above: int = 0
    """Number of the last write when it was taken back: a Job that is older is no proof."""
    one_way: tuple[str, ...] = ()
    """Why it cannot simply be put back, one clause each; known since first contact."""
    back_once: bool = False
    """It was taken back by itself once: it never is again."""
    overrides: tuple[str, ...] = ()
    """Gates of the unit that a named person overrode, and `keep` of a first install."""
    drift: tuple[JSON, ...] = ()
    """What somebody edited of what we applied, as it was asked: object, path, from, to, by."""
    drift_mark: str = ""
    """Digest of these edits: an answer is to them and to no others."""
    guarded: tuple[JSON, ...] = ()
    """Changes that the guard blocks or asks about, as they were shown."""
    guard_marks: tuple[str, ...] = ()
    """Digests of the changes that it was asked about, and of those that it began with a yes to."""
    left: bool = False
    """Its cluster is gone from main: it is left out, and comes back with the cluster."""
    adopted: Mapping[str, str] = field(default_factory=dict)
    """Object key → digest of the object with an edit that is kept, in the place of the planned."""
    leftovers: tuple[Leftover, ...] = ()
    """What was applied there and is rendered no more."""
    leaving: bool = False
    """The batch in hand, or the one to begin, deletes of them what may go."""
    added: tuple[Leftover, ...] = ()
    """What the release added beside what stood before, once the way back has put that back."""
    look_at: datetime | None = None
    """When the cluster is to be asked again; None: nothing to see."""
    version: int = 0

    @property
    def key(self) -> str:
        return f"{self.release}/{self.unit}"

    @property
    def moves_back(self) -> bool:
        """It has been let go on its way back, and its cluster answers."""
        back = self.phase is UnitPhase.ROLLING_BACK and self.unreachable_since is None
        return back and self.deadline is not None

    @property
    def stands_back(self) -> bool:
        """On its way back it stands: for an answer, a window or a word of somebody. It is in flight
        all the same.
        """
        still = self.deadline is None and self.look_at is None and self.unreachable_since is None
        return still and self.phase is UnitPhase.ROLLING_BACK

    def wanted(self, planned: PlannedObject) -> str:
        """Digest of the object that is applied: the planned one, or with an edit kept in it."""
        return self.adopted.get(planned.ref.key, planned.digest)

    @property
    def in_flight(self) -> bool:
        """From the first intent after its gates to its end, and on its way back (design §4)."""
        if self.phase is UnitPhase.ROLLING_BACK:
            return True
        return self.in_hand and not self.phase.ended


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseState:
    """Where one release stands. Units have rows of their own."""

    release: str
    phase: ReleasePhase
    since: datetime
    plan_hash: str
    commit: str = ""
    position: int = 0
    pull: str | None = None
    authors: tuple[str, ...] = ()
    merged: datetime | None = None
    began: datetime | None = None
    ended: datetime | None = None
    expires: datetime | None = None
    seq: int = 0
    """Second half of the fence: counts every write of this release."""
    fence_position: int = 0
    """First half of the fence of a rollback, where a newer release had written: its position."""
    sticks: bool = False
    """It was rolled back as a whole: what it brought is blocked, and its commit reverted."""
    decisions: int = 0
    """How many decisions were ever opened: the next one's number minus one."""
    superseded_by: str | None = None
    revert: str | None = None
    """Branch of the revert pull request, once opened."""
    outcome: str = ""
    version: int = 0

    @property
    def key(self) -> str:
        return self.release

    def fence(self, unit: UnitState) -> str:
        """The fence of a write: forward the place of the merge, back what is above it; and forward
        again after that, above what the way back left there.
        """
        above = unit.back or unit.anew_above
        position = max(self.position, self.fence_position) if above else self.position
        return f"{position}.{self.seq}"


class HoldCode(StrEnum):
    """Why something is held; the stable word beside the sentence."""

    PAUSED = "paused"
    FAILED = "failed"
    EXPIRED = "expired"
    EDITED = "edited"
    DELETED = "deleted"
    UNKNOWN_PULL = "unknown-pull"
    PLAN_CHANGED = "plan-changed"
    PLAN_FAILED = "plan-failed"
    REBUILT = "rebuilt"
    REWRITTEN = "history-rewritten"
    RESTORED = "store-restored"
    DAMAGED = "store-damaged"
    REJECTED = "rejected"
    FENCED = "fenced"
    ROLLED_BACK = "rolled-back"
    RISK = "risk-rule"
    BUDGET = "failure-budget"
    SUPERSEDED = "superseded"
    SNOOZED = "snoozed"
    NODE_SETS = "node-sets"
    BUG = "bug"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A person or a rule stopped something; only lifting it resumes. `scope` is a SCOPE of the
    contract.
    """

    id: str
    scope: str
    code: HoldCode
    reason: str
    by: str
    at: datetime
    finish_batch: bool = False
    release: str | None = None
    """The release it was made for; None when a wider scope was named."""
    until: datetime | None = None
    """When it lifts itself: only a snooze does."""

    @property
    def key(self) -> str:
        return self.id

    @property
    def part(self) -> str:
        """The scope that was rolled back: RELEASE/STAGE, RELEASE/STAGE/WAVE, label:K=V and the
        like; "" of any other hold.
        """
        head = f"{self.release}/{HoldCode.ROLLED_BACK.value}/"
        return self.id.removeprefix(head) if self.id.startswith(head) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyStop:
    """An emergency freeze: no batch of the scope begins until it is lifted or over."""

    id: str
    scope: str
    reason: str
    by: str
    at: datetime
    until: datetime

    @property
    def key(self) -> str:
        return self.id


class DecisionStatus(StrEnum):
    OPEN = "OPEN"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    VOID = "VOID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One thing asked of people. Bound to plan hash and the verdicts shown; anything changes, it
    is void.
    """

    release: str
    number: int
    what: str
    """release | stage | after-stage | wave | undo."""
    subject: str
    """What it opens: "" (release), `stage` or `stage/wave` (waves counted from 1), or a unit
    (undo).
    """
    asks: str
    roles: tuple[str, ...]
    count: int
    plan_hash: str
    shown: str = ""
    """Digest of the verdicts that were shown with it."""
    red: tuple[tuple[str, ...], ...] = ()
    """Those verdicts, as far as somebody has to look at them: (unit, phase) and (unit, when,
    check, verdict).
    """
    differs: tuple[str, ...] = ()
    """What of the plan has changed since it was asked."""
    status: DecisionStatus = DecisionStatus.OPEN
    votes: tuple[Vote, ...] = ()
    at: datetime
    expires: timedelta | None = None
    closed: datetime | None = None
    closed_by: str | None = None
    reason: str = ""
    version: int = 0

    @property
    def id(self) -> str:
        return f"{self.release}#{self.number}"

    @property
    def key(self) -> str:
        return self.id
