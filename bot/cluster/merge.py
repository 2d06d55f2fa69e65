"""The three-way merge: last applied, live, target → the patch that `kubectl apply` would mean.

Fields that we applied and no longer want are deleted, fields of others are kept; what the server
would store alike is no difference. Never touches what the API server owns.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from bot.cluster.fence import FENCE
from bot.cluster.fields import MISSING, put
from bot.cluster.marks import APPLIED, OWNER_PATH, owner_of, without_owner
from bot.cluster.merge_table import fields_of, type_of_kind
from bot.cluster.three_way import merged_json, merged_map
from bot.cluster.two_way import Ambiguous, merge_between, strategic_between
from bot.model.effects import PatchType
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
        FENCE,
        APPLIED,
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
    }
)
"""Annotations that say something about this moment of the object, not about what is wanted."""


KUBECTL = "kubectl.kubernetes.io/last-applied-configuration"
"""What kubectl notes on an object for itself: never a part of what is wanted."""

_NAMESPACE_NAME = "kubernetes.io/metadata.name"


@dataclass(frozen=True, slots=True)
class Merge:
    """What is to be sent, and the object as it will be, but for what the server fills in."""

    patch_type: PatchType
    patch: JSON
    result: JSON


def merge3(last: JSON | None, live: JSON, target: JSON) -> Merge | None:
    """What brings `live` to `target`; None when the server would store the same as it has.

    A null in the target means: without this field. `last` None: nothing is known to be ours, so
    nothing is taken away.
    """
    kind = type_of_kind(str(target.get("apiVersion")), str(target.get("kind")))
    here, ours, want = _bare(live), _ours(last or {}), _ours(target)
    texts = _texts_of_secret(kind, ours, want)
    if kind is None:
        made = merged_json(ours, here, want)
    else:
        made = merged_map(ours, here, want, fields_of(kind))
    if texts:
        made = {**made, "data": {**(made.get("data") or {}), **texts}}
    if not made["metadata"].get("annotations", True) and "annotations" not in here["metadata"]:
        made = put(made, ("metadata", "annotations"), MISSING)
    if kind == "core.v1.Namespace":
        made = _with_own_name(here, made)
    patch_type, patch = _between(here, made, kind)
    return Merge(patch_type, patch, _whole_again(live, made)) if patch else None


def _between(live: JSON, made: JSON, kind: str | None) -> tuple[PatchType, JSON]:
    if kind is None:
        return PatchType.MERGE, merge_between(live, made)
    try:
        return PatchType.STRATEGIC, strategic_between(live, made, kind)
    except Ambiguous:
        # Conditional on what was seen, a whole list is sure to hit.
        return PatchType.MERGE, merge_between(live, made, kind)


def _texts_of_secret(kind: str | None, last: JSON, target: JSON) -> JSON:
    """`stringData` as the `data` that the server makes of it; both lose the field."""
    last.pop("stringData", None)
    texts = target.pop("stringData", None)
    if kind != "core.v1.Secret" or not isinstance(texts, dict):
        if texts is not None:
            target["stringData"] = texts
        return {}
    return {name: b64encode(str(text).encode()).decode() for name, text in texts.items()}


def _with_own_name(live: JSON, made: JSON) -> JSON:
    """A namespace carries its name as a label, whoever takes it away."""
    name = (live["metadata"].get("labels") or {}).get(_NAMESPACE_NAME)
    if name is None or _NAMESPACE_NAME in (made["metadata"].get("labels") or {}):
        return made
    return put(made, ("metadata", "labels", _NAMESPACE_NAME), name)


def _whole_again(live: JSON, made: JSON) -> JSON:
    """With what was left out of the comparison."""
    owned = {name: v for name, v in live["metadata"].items() if name in SERVER_FIELDS}
    rest = {name: v for name, v in live.items() if name == "status"}
    whole = {**made, "metadata": {**made["metadata"], **owned}, **rest}
    owner = owner_of(live)
    return put(whole, OWNER_PATH, owner) if owner else whole


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
    for texts in ("labels", "annotations"):
        if not kept["metadata"].get(texts, True):
            kept = put(kept, ("metadata", texts), MISSING)
    return kept


def _bare(obj: JSON) -> JSON:
    """Without status, the server's own metadata, and whose it is."""
    bare = {name: value for name, value in without_owner(obj).items() if name != "status"}
    metadata = bare.get("metadata") or {}
    bare["metadata"] = {name: v for name, v in metadata.items() if name not in SERVER_FIELDS}
    return bare


def _ours(obj: JSON) -> JSON:
    """A manifest as kubectl takes it: always with annotations, so those of others never go."""
    bare = _bare(obj)
    notes = bare["metadata"].get("annotations") or {}
    bare["metadata"]["annotations"] = {k: v for k, v in notes.items() if k != KUBECTL}
    return bare
