"""Whose an object is, said on the object itself: the owner label. Pure; never sends it.

`sluice/component: <name>` stands on every object that is rendered for a component, so that a look
at a cluster tells what brought it. Names below `sluice/` are ours: no template writes them.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.cluster.fields import at, put
from bot.model.plan import JSON

PREFIX = "sluice/"
OWNER = f"{PREFIX}component"
_TEXTS = (("metadata", "labels"), ("metadata", "annotations"))


def owned(obj: JSON, component: str) -> JSON:
    """The object with its owner on it. Pods of a workload get none: they are the workload's."""
    labels = at(obj, ("metadata", "labels")) or {}
    return put(obj, ("metadata", "labels"), {**labels, OWNER: component})


def reserved(obj: JSON, component: str) -> Iterator[str]:
    """Labels and annotations of ours that a template writes otherwise than we do."""
    for path in _TEXTS:
        found = at(obj, path)
        for name, text in found.items() if isinstance(found, dict) else ():
            if name.startswith(PREFIX) and (name, text) != (OWNER, component):
                yield ".".join((*path, name))
