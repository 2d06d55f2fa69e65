"""What the bot is about to do to a cluster, as data with a key. Doing it twice is harmless."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.model.plan import JSON, ObjectRef


class PatchType(StrEnum):
    """How the body of a patch is to be read."""

    MERGE = "merge"
    """RFC 7386: maps are merged, everything else is replaced. Every kind takes it."""
    STRATEGIC = "strategic"
    """As merge, but lists are merged by the keys of the schema. Built-in kinds only."""
    JSON = "json"
    """RFC 6902: a list of operations."""


class Purpose(StrEnum):
    FORWARD = "forward"
    """Brings the new version to more pods: the only purpose that holds, windows and approvals
    stop.
    """
    STOP = "stop"
    """Stops what rolls inside a cluster."""
    GO_ON = "go-on"
    """Takes a stop back after a resume: forward as well."""
    RESTORE = "restore"
    """Puts back what was there before the release."""

    @property
    def forward(self) -> bool:
        return self in (Purpose.FORWARD, Purpose.GO_ON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One call to a cluster. Conditional: `resource_version` (patch) or `uid` (delete) must still
    hold.

    verb: create | patch | delete. `body`: the object (create), the patch, to be read as
    `patch_type` says (patch), None (delete).
    """

    ref: ObjectRef
    verb: str
    purpose: Purpose
    body: JSON | None = None
    resource_version: str | None = None
    uid: str | None = None
    patch_type: PatchType = PatchType.MERGE
