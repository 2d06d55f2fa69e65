"""Changes of an object that no patch takes back, and objects whose deletion loses data.

Compares what was there before with what is to be there. Never reads a cluster and never decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.cluster.fields import Path, at
from bot.model.plan import JSON, ObjectRef

_HOLDS_DATA = frozenset(
    {"Namespace", "CustomResourceDefinition", "PersistentVolumeClaim", "PersistentVolume"}
)

_SIZE: Path = ("spec", "resources", "requests", "storage")


@dataclass(frozen=True, slots=True)
class OneWay:
    """Why a change is not taken back. `code`: stored-version | sealed | grown."""

    code: str
    object: str
    before: str = ""
    after: str = ""


def holds_data(ref: ObjectRef) -> bool:
    """Whether deleting it deletes what people or programs have stored in it."""
    return ref.kind in _HOLDS_DATA


def one_way(ref: ObjectRef, before: JSON | None, after: JSON) -> OneWay | None:
    """Why the object cannot simply be put back to what it was; None when it can."""
    if before is None:
        return None
    match ref.kind:
        case "CustomResourceDefinition":
            old, new = stored_version(before), stored_version(after)
            if old and new and old != new:
                return OneWay("stored-version", ref.short, old, new)
        case "ConfigMap" | "Secret":
            changed = any(before.get(key) != after.get(key) for key in ("data", "binaryData"))
            if after.get("immutable") is True and (changed or before.get("immutable") is not True):
                return OneWay("sealed", ref.short)
        case "PersistentVolumeClaim":
            old, new = at(before, _SIZE), at(after, _SIZE)
            if old is not None and new is not None and old != new:
                return OneWay("grown", ref.short, str(old), str(new))
        case _:
            pass
    return None


def stored_version(crd: JSON) -> str:
    """The version in which a CRD's objects are stored; "" when it does not say."""
    versions = at(crd, ("spec", "versions")) or ()
    return next((str(one.get("name")) for one in versions if one.get("storage")), "")
