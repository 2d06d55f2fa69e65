"""What stands on every object of ours: whose it is, and the digest of what was applied last.

The label `sluice/component` names the owner, so that a look at a cluster leads to the component.
The annotation `sluice/applied` is the digest of the spec that the store has: the spec itself stands
there alone, so that nothing leaks and no limit is met. Names below `sluice/` are ours: no template
writes them. Read here; written by `stamp`.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.cluster.fields import MISSING, Path, at, put
from bot.model.plan import JSON

PREFIX = "sluice/"
OWNER = f"{PREFIX}component"
APPLIED = f"{PREFIX}applied"
LABELS: Path = ("metadata", "labels")
NOTES: Path = ("metadata", "annotations")
OWNER_PATH: Path = (*LABELS, OWNER)
APPLIED_PATH: Path = (*NOTES, APPLIED)


def stamp_of(obj: JSON) -> str:
    """Digest of what an object says was applied to it last; "" when it says nothing."""
    return text_at(obj, APPLIED_PATH)


def owner_of(obj: JSON) -> str:
    """Component that an object says brought it; "" when it says nothing."""
    return text_at(obj, OWNER_PATH)


def text_at(obj: JSON, path: Path) -> str:
    found = at(obj, path)
    return found if isinstance(found, str) else ""


def as_written(obj: JSON, owner: str, digest: str) -> JSON:
    """The object as a cluster gets it. Pods of a workload get nothing: they are the workload's."""
    return put(put(obj, OWNER_PATH, owner), APPLIED_PATH, digest)


def without_owner(obj: JSON) -> JSON:
    """An object as if nobody had labelled it: whose it is is no part of what is wanted."""
    labels = at(obj, LABELS)
    if not isinstance(labels, dict) or OWNER not in labels:
        return obj
    rest = {name: text for name, text in labels.items() if name != OWNER}
    return put(obj, LABELS, rest or MISSING)


def reserved(obj: JSON) -> Iterator[str]:
    """Labels and annotations with names of ours: a forged one would lock us out, or lead us on."""
    for path in (LABELS, NOTES):
        found = at(obj, path)
        for name in found if isinstance(found, dict) else ():
            if name.startswith(PREFIX):
                yield f"{'.'.join(map(str, path))}[{name}]"
