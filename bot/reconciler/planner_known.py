"""What is known of the units of a plan: which facts are theirs, what broke them, what they have.

Picks and reads; decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.core.members import Membership
from bot.core.plan_shown import Known
from bot.model.plan import JSON, ObjectRef, PlannedObject
from release_repo_schema.models import Release


def of_units(known: Known, members: Membership, components: Iterable[str]) -> Known:
    """The same facts with those units only: each row of the store is read once."""
    rows = ((unit.unit, known.applied.get(unit.unit)) for unit in members.units)

    def beside(cluster: str) -> list[tuple[ObjectRef, JSON]]:
        found = []
        for component in components:
            row = known.applied.get(f"{component}@{cluster}")
            for key, digest in row.objects.items() if row is not None else ():
                if (obj := known.blob(digest)) is not None:
                    found.append((_ref(key), obj))
        return found

    applied = {unit: row for unit, row in rows if row is not None}
    return replace(known, applied=applied, beside=beside)


def broken_by(release: Release, known: Known) -> dict[str, list[str]]:
    """Unit → the superseded releases that broke it."""
    found: dict[str, list[str]] = {}
    for name in release.spec.supersedes:
        for unit in known.broken.get(name, ()):
            found.setdefault(unit, []).append(name)
    return found


def last_applied(
    unit: str, known: Known, blobs: dict[str, JSON]
) -> tuple[PlannedObject, ...] | None:
    """What was last applied to a unit; None if the store does not have all of it."""
    row = known.applied.get(unit)
    if row is None:
        return None
    objects = []
    for key, digest in row.objects.items():
        obj = blobs.get(digest) or known.blob(digest)
        if obj is None:
            return None
        blobs[digest] = obj
        objects.append(PlannedObject(_ref(key), digest))
    return tuple(objects)


def _ref(key: str) -> ObjectRef:
    return ObjectRef(*key.rsplit("/", 3))
