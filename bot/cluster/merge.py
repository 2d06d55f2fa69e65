"""The three-way merge: last applied, live, wanted → a JSON merge patch (RFC 7386).

Fields that we applied and no longer want are deleted, fields of others are kept. Never touches what
the API server owns.
"""

from __future__ import annotations

from bot.cluster.fields import MISSING, put
from bot.model.plan import JSON

SERVER_FIELDS = frozenset(
    {
        "uid",
        "resourceVersion",
        "generation",
        "managedFields",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    }
)
"""Fields of metadata that only the API server writes."""

_SERVER_ANNOTATIONS = frozenset(
    {
        "sluice/fence",
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
    }
)
"""Annotations that say something about this moment of the object, not about what is wanted."""


def merge3(last: JSON | None, live: JSON, target: JSON) -> JSON | None:
    """The merge patch that brings `live` to `target`; None when nothing differs.

    A null in the target means: without this field.
    """
    patch = _map_patch(_bare(last or {}), _bare(live), _bare(target))
    return patch or None


def merge_patch(obj: JSON, patch: JSON) -> JSON:
    """RFC 7386: what the object is after the patch. Shares what did not change."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(obj) if isinstance(obj, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def baseline(live: JSON) -> JSON:
    """A live object without what the server owns: what is kept at first contact, to be restored."""
    kept = _bare(live)
    notes = kept["metadata"].get("annotations")
    if notes and not _SERVER_ANNOTATIONS.isdisjoint(notes):
        own = {name: text for name, text in notes.items() if name not in _SERVER_ANNOTATIONS}
        kept = put(kept, ("metadata", "annotations"), own or MISSING)
    return kept


def _bare(obj: JSON) -> JSON:
    """Without status and the server's own metadata."""
    bare = {name: value for name, value in obj.items() if name != "status"}
    metadata = bare.get("metadata") or {}
    bare["metadata"] = {name: v for name, v in metadata.items() if name not in SERVER_FIELDS}
    for maps in ("labels", "annotations"):
        # The server drops an empty map: sending it again and again would never end.
        if not bare["metadata"].get(maps, True):
            del bare["metadata"][maps]
    return bare


def _map_patch(last: JSON, live: JSON, target: JSON) -> dict[str, JSON]:
    patch: dict[str, JSON] = {}
    for name, want in target.items():
        if want is None:
            if name in live:
                patch[name] = None
            continue
        have = live.get(name, MISSING)
        if have == want:
            continue
        had = last.get(name)
        if isinstance(want, dict) and isinstance(have, dict):
            below = _map_patch(had if isinstance(had, dict) else {}, have, want)
            if below:
                patch[name] = below
            continue
        whole = _merged_list(had, have, want) if isinstance(want, list) else _whole(want)
        if whole != have:
            patch[name] = whole
    for name in last:
        if name not in target and name in live:
            patch[name] = _left(name, last[name], live[name])
    return patch


def _left(name: str, last: JSON, live: JSON) -> JSON:
    """A field that left the target goes as a whole, with the defaults that the server put into it.

    Labels and annotations have no defaults: what others wrote there stays.
    """
    texts = name in ("labels", "annotations") and isinstance(last, dict) and isinstance(live, dict)
    if texts and not live.keys() <= last.keys():
        return {ours: None for ours in last if ours in live}
    return None


def _merged_list(last: JSON, live: JSON, target: list[JSON]) -> JSON:
    """Named elements one by one, so that what others injected stays; any other list as a whole."""
    if not (isinstance(live, list) and _named(live) and _named(target)) or not (live and target):
        return _whole(target)
    had = {e["name"]: e for e in last} if isinstance(last, list) and _named(last) else {}
    have = {e["name"]: e for e in live}
    wanted = {e["name"]: _merged_element(had, have, e) for e in target}
    if [name for name in have if name in wanted] == list(wanted):
        return [wanted.get(n, e) for n, e in have.items() if n in wanted or n not in had]
    return [*wanted.values(), *(e for n, e in have.items() if n not in wanted and n not in had)]


def _merged_element(had: JSON, have: JSON, want: JSON) -> JSON:
    there = have.get(want["name"])
    if there is None:
        return _whole(want)
    patch = _map_patch(had.get(want["name"], {}), there, want)
    return merge_patch(there, patch) if patch else there


def _named(elements: list[JSON]) -> bool:
    names = [e.get("name") for e in elements if isinstance(e, dict)]
    return len(names) == len(elements) == len(set(map(str, names))) and None not in names


def _whole(value: JSON) -> JSON:
    """A value written as a whole: nulls inside it mean absent."""
    if isinstance(value, dict):
        return {name: _whole(v) for name, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return value
