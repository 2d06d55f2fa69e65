"""What the bot is about to do to a cluster, as data with a key. Doing it twice is harmless."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.model.plan import JSON, ObjectRef


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

    verb: create | patch | delete. `body`: the object (create), the JSON merge patch (patch), None
    (delete).
    """

    ref: ObjectRef
    verb: str
    purpose: Purpose
    body: JSON | None = None
    resource_version: str | None = None
    uid: str | None = None
