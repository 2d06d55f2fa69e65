"""What the bot wrote down: pull requests, intents, applied specs, certificates, blocks, the audit.

Rows of the store beside the state of releases. Facts; nothing here decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.model.checkrun import CheckRun
from bot.model.plan import JSON, ObjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request as last seen. On the local Git host the id is its branch."""

    id: str
    head: str
    base: str
    title: str = ""
    opened_by: str = ""
    authors: tuple[str, ...] = ()
    state: str = "open"
    """open | merged | closed."""
    tree: str = ""
    """Id of the tree that merging would give: knows a squashed merge again."""
    plans: Mapping[str, str] = field(default_factory=dict)
    """Release → plan hash shown."""
    errors: int = 0

    @property
    def key(self) -> str:
        return self.id


class IntentStatus(StrEnum):
    INTENDED = "INTENDED"
    DONE = "DONE"
    UNKNOWN = "UNKNOWN"
    """The answer was lost: it may or may not have happened; the next look tells."""
    REFUSED = "REFUSED"
    NOT_SENT = "NOT_SENT"
    FENCED = "FENCED"
    """Not done: a newer plan has written there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Durable before its effect leaves: names commit, plan hash, batch and approvers of a write."""

    release: str
    unit: str
    seq: int
    fence: str
    batch: int
    purpose: str
    """forward | stop | go-on | settle | restore."""
    verb: str
    ref: ObjectRef
    digest: str
    """sha256 of the patch or body that leaves."""
    commit: str
    plan_hash: str
    approvers: tuple[str, ...]
    at: datetime
    status: IntentStatus = IntentStatus.INTENDED
    outcome: str = ""
    ended: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.release}/{self.seq}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The DB spec of a unit: what we last applied there successfully."""

    unit: str
    version: str
    revision: str
    release: str
    fence: str
    at: datetime
    objects: Mapping[str, str] = field(default_factory=dict)
    """Object key → digest of its blob."""
    certified: bool = False
    """Every batch of it has a certificate."""
    safe: Mapping[str, str] = field(default_factory=dict)
    """Objects of what was there before, while this is not certified: a rollback goes back to it."""
    safe_revision: str = ""
    safe_release: str = ""
    """The release that had brought it."""
    whole: str = ""
    """Of a lock's row: the fence up to which all of the cluster was known to run the same."""
    leftovers: Mapping[str, str] = field(default_factory=dict)
    """Objects of earlier targets that stand there still, and of which nobody has said what becomes:
    key → digest.
    """
    refused: Mapping[str, str] = field(default_factory=dict)
    """Objects of which somebody has said that they stay when they leave the template: key → who.
    It holds until one of them is rendered again.
    """
    mixed: bool = False
    """Of a lock's row: its units did not run the same before the release either."""

    @property
    def key(self) -> str:
        return self.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """The proof that a batch is done. `pods`: name, node, revision, images, ready of each pod
    that counted.
    """

    release: str
    unit: str
    batch: int
    plan_hash: str
    revision: str
    updated: int
    total: int
    pods: tuple[JSON, ...]
    checks: tuple[CheckRun, ...]
    soak_from: datetime
    soak_until: datetime
    approvers: tuple[str, ...]
    at: datetime
    final: bool = False

    @property
    def key(self) -> str:
        return f"{self.release}/{self.unit}/{self.batch}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """Content (or a version as such, when `content` is "") that must not go forward again."""

    component: str
    version: str
    content: str
    reason: str
    release: str
    at: datetime
    on_main: bool = False
    """Main's policy has it too: who takes it out there lifts it."""

    @property
    def key(self) -> str:
        return f"{self.component}/{self.version}/{self.content}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSeen:
    """What is remembered of a cluster: the UID of its kube-system namespace at first contact."""

    cluster: str
    uid: str
    at: datetime

    @property
    def key(self) -> str:
        return self.cluster


BEGAN, FAILED = "began", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A unit began its first batch, or failed: counted over all releases for a day, then
    forgotten.
    """

    what: str
    """began | failed."""
    release: str
    unit: str
    at: datetime

    @property
    def key(self) -> str:
        return f"{self.what}/{self.release}/{self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the audit. `hash` chains to the line before it; the store fills seq and hash."""

    at: datetime
    kind: str
    release: str = ""
    unit: str = ""
    batch: int = 0
    who: str = "sluice"
    data: Mapping[str, JSON] = field(default_factory=dict)
    seq: int = 0
    hash: str = ""
