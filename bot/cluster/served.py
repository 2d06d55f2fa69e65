"""Which kinds the cluster does not serve yet, though their definition is on its way.

Pure. A custom resource is not sent before its definition is established: the API server would
answer as if nobody had ever heard of the kind. Nor is a definition done before that: what is
released after it may rely on the kind.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.cluster.goal import Step
from bot.cluster.scoped import defined_by
from bot.model.plan import JSON, ObjectRef
from bot.model.seen import UnitSeen

WAITING = "not-established"
_KIND = "CustomResourceDefinition"


def not_served(
    objects: Iterable[tuple[ObjectRef, JSON]], seen: UnitSeen
) -> dict[tuple[str, str], ObjectRef]:
    """(group, kind) → its definition, of the definitions among the objects that are not
    established.
    """
    found: dict[tuple[str, str], ObjectRef] = {}
    for ref, target in objects:
        there = seen.objects.get(ref.key)
        if ref.kind == _KIND and not established(there.live if there else None):
            found |= dict.fromkeys(defined_by([target]), ref)
    return found


def waits_for_kind(ref: ObjectRef, definition: ObjectRef) -> Step:
    """A custom resource that is not sent yet."""
    return Step(ref=ref, waiting=WAITING, detail={"definition": definition.name})


def taken_up(ref: ObjectRef, live: JSON) -> Step:
    """A plain object that is as it should be: done, unless it is a definition not yet served."""
    if ref.kind != _KIND or established(live):
        return Step(ref=ref)
    return Step(ref=ref, waiting=WAITING, detail=_refused(ref, live))


def established(live: JSON | None) -> bool:
    """Whether the API server has taken a definition up."""
    return any(
        (one.get("type"), one.get("status")) == ("Established", "True") for one in _told(live)
    )


def _refused(ref: ObjectRef, live: JSON) -> dict[str, JSON]:
    """Why it is not, where the server says so: two definitions want one name, most likely."""
    said: JSON = next(
        (
            one
            for one in _told(live)
            if one.get("type") in ("NamesAccepted", "Established", "NonStructuralSchema")
            and (one.get("status") == "True") is (one.get("type") == "NonStructuralSchema")
        ),
        {},
    )
    why = str(said.get("message") or said.get("reason") or "")
    return {"definition": ref.name, **({"reason": why} if why else {})}


def _told(live: JSON | None) -> list[JSON]:
    status = live.get("status") if isinstance(live, dict) else None
    conditions = status.get("conditions") if isinstance(status, dict) else None
    found = conditions if isinstance(conditions, list) else []
    return [one for one in found if isinstance(one, dict)]
