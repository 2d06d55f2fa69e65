"""Objects that a unit had and its target renders no more: which they are, and what became of them.

Facts; nothing here decides.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from bot.model.plan import ObjectRef

LEFTOVERS = "leftovers"
"""The decision on deleting them; its subject are the marks of the objects."""


class Fate(StrEnum):
    """What becomes of a leftover."""

    OPEN = "open"
    """It stands, and nobody has said yet."""
    LEAVING = "leaving"
    """A yes stands: it is deleted in a step of its own, or has been."""
    DELETED = "deleted"
    KEPT = "kept"
    """It stays in the cluster, and belongs to nobody here any more; `why` tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """One object that was applied last and is rendered no more."""

    ref: ObjectRef
    digest: str
    """Of the object as it was applied last: what a rollback creates again."""
    uid: str
    """Which object it was at first contact: a later one of its name is somebody else's."""
    older: bool = False
    """It was left over before this release already."""
    shared: bool = False
    """Several units of the cluster had it together: it waits for all of them."""
    fate: Fate = Fate.OPEN
    why: str = ""
    """Why it is kept: a code."""
    detail: str = ""
    """More of that: who said no, what the cluster said."""

    @property
    def mark(self) -> str:
        """By which a decision names the object: the same in every unit."""
        return mark_of(self.ref.key)


def mark_of(key: str) -> str:
    """The mark of an object, by its key."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
