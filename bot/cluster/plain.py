"""The three writes, each conditional on what was seen. Never sends them."""

from __future__ import annotations

from bot.cluster.fields import at, without_nulls
from bot.cluster.merge import Merge
from bot.model.effects import PatchType, Purpose, Write
from bot.model.plan import JSON, ObjectRef


def create(ref: ObjectRef, body: JSON, purpose: Purpose) -> Write:
    """Fails when somebody else was first."""
    return Write(ref=ref, verb="create", purpose=purpose, body=without_nulls(body))


def patch(ref: ObjectRef, live: JSON, changes: Merge | JSON, purpose: Purpose) -> Write:
    """Holds only for the object as it was seen. What is no Merge is a JSON merge patch."""
    version = at(live, ("metadata", "resourceVersion"))
    return Write(
        ref=ref,
        verb="patch",
        purpose=purpose,
        body=changes.patch if isinstance(changes, Merge) else changes,
        resource_version=version,
        patch_type=changes.patch_type if isinstance(changes, Merge) else PatchType.MERGE,
    )


def delete(ref: ObjectRef, live: JSON, purpose: Purpose) -> Write:
    """Holds only for this very object, not for a later one of its name."""
    return Write(ref=ref, verb="delete", purpose=purpose, uid=at(live, ("metadata", "uid")))


def delete_seen(ref: ObjectRef, live: JSON, purpose: Purpose) -> Write:
    """Holds only for this very object as it was seen: what changed since is not deleted with it."""
    return Write(
        ref=ref,
        verb="delete",
        purpose=purpose,
        uid=at(live, ("metadata", "uid")),
        resource_version=at(live, ("metadata", "resourceVersion")),
    )
