"""Which kinds the cluster does not serve yet: their definition comes with the same component.

Pure. A custom resource is not sent before its definition is established: the API server would
answer as if nobody had ever heard of the kind.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.cluster.scoped import defined_by
from bot.model.plan import JSON, ObjectRef
from bot.model.seen import UnitSeen

_KIND = "CustomResourceDefinition"


def not_served(objects: Iterable[tuple[ObjectRef, JSON]], seen: UnitSeen) -> set[tuple[str, str]]:
    """(group, kind) of the definitions among the objects that are not established."""
    found: set[tuple[str, str]] = set()
    for ref, target in objects:
        if ref.kind == _KIND and not established(seen, ref):
            found |= defined_by([target]).keys()
    return found


def established(seen: UnitSeen, ref: ObjectRef) -> bool:
    """Whether the API server has taken the definition up."""
    there = seen.objects.get(ref.key)
    status = there.live.get("status") if there is not None and there.live is not None else None
    conditions = status.get("conditions") if isinstance(status, dict) else None
    return any(
        isinstance(one, dict) and (one.get("type"), one.get("status")) == ("Established", "True")
        for one in (conditions if isinstance(conditions, list) else ())
    )
