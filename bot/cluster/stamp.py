"""The digest of what we applied last, on the object itself: `sluice/applied`.

The spec stands in the store alone, so that no annotation can leak a secret or meet a limit; the
digest tells whether store and cluster speak of the same one. Pure; rides on writes that are made
anyway and makes one of its own only where a digest is of another spec.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.cluster.fields import at, put
from bot.model.effects import PatchType, Purpose, Write
from bot.model.plan import JSON
from bot.model.seen import UnitSeen

APPLIED = "sluice/applied"
_PATH = ("metadata", "annotations", APPLIED)
_POINTER = "/metadata/annotations/sluice~1applied"


def stamp_of(obj: JSON) -> str:
    """What an object says was applied to it last; "" when it says nothing."""
    found = at(obj, _PATH)
    return found if isinstance(found, str) else ""


def stamped(
    writes: Iterable[Write],
    wanted: Mapping[str, str],
    before: Mapping[str, str],
    seen: UnitSeen,
) -> tuple[Write, ...]:
    """The writes, those that bring an object to a spec with its digest. Maps: key → digest."""
    return tuple(
        _stamped(write, (before if write.purpose is Purpose.RESTORE else wanted), seen)
        for write in writes
    )


def corrected(live: JSON, wanted: str) -> JSON | None:
    """The patch of an object that has all of the target and the digest of another spec."""
    return put({}, _PATH, wanted) if wanted and stamp_of(live) not in ("", wanted) else None


def _stamped(write: Write, digests: Mapping[str, str], seen: UnitSeen) -> Write:
    digest = digests.get(write.ref.key)
    if digest is None or write.verb == "delete" or write.purpose is Purpose.STOP:
        return write
    there = seen.objects.get(write.ref.key)
    live = there.live if there is not None else None
    if live is not None and stamp_of(live) == digest:
        return write
    if isinstance(write.body, dict):
        return replace(write, body=put(write.body, _PATH, digest))
    steps = write.patch_type is PatchType.JSON and isinstance(write.body, list)
    if not steps or not at(live, ("metadata", "annotations")):
        return write  # the next write has a place for it
    step = {"op": "add", "path": _POINTER, "value": digest}
    return replace(write, body=[*(write.body or []), step])
