"""Where two objects differ at a guarded path, and what stands there put into another object.

Reads meaning, not spelling: 0.5 is 500m, a default is what is not written, an element of a list is
known by its name. Knows no rules and decides nothing.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.cluster.fields import MISSING, Path
from bot.cluster.quantity import same_amount
from bot.model.plan import JSON
from release_repo_schema.models.guardpath import Part

_QUANTITIES = ("resources", "limits", "requests", "hard", "capacity", "sizeLimit", "storage")
_KEYS: tuple[Path, ...] = (
    ("name",),
    ("metadata.name",),
    ("key",),
    ("containerPort", "protocol"),
    ("port", "protocol"),
    ("mountPath",),
    ("topologyKey", "whenUnsatisfiable"),
    ("ip",),
    ("type",),
)
"""Fields by which elements of a list are known again; the first that all have and none shares."""

_DEFAULTS: dict[str, JSON] = {
    "replicas": 1,
    "podManagementPolicy": "OrderedReady",
    "volumeMode": "Filesystem",
    "protocol": "TCP",
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "reclaimPolicy": "Delete",
    "persistentVolumeReclaimPolicy": "Retain",
    "volumeBindingMode": "Immediate",
    "completionMode": "NonIndexed",
    "preemptionPolicy": "PreemptLowerPriority",
    "whenDeleted": "Retain",
    "whenScaled": "Retain",
    "internalTrafficPolicy": "Cluster",
    "externalTrafficPolicy": "Cluster",
    "sessionAffinity": "None",
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "scope": "*",
}
"""What an API server puts where a field is not written, by the field's name."""
_TYPES = {
    "Service": "ClusterIP",
    "Secret": "Opaque",
    "Deployment": "RollingUpdate",
    "DaemonSet": "RollingUpdate",
    "StatefulSet": "RollingUpdate",
}
"""The default of a field called `type`, by kind."""
_ALIASES: dict[str, str] = {"serviceAccount": "serviceAccountName"}
"""Old name → the name of the same field."""
_CLAIM_FIELDS = ("status", "apiVersion", "kind")
"""What an API server adds to a claim template, and what nobody changes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that is not the same. MISSING: it is not there."""

    path: Path
    was: JSON
    now: JSON

    @property
    def text(self) -> str:
        """`spec.template.spec.containers[agent].image`."""
        text = ""
        for part in self.path:
            text += part if part.startswith("[") else f".{part}" if text else part
        return text


def plain_spelling(obj: JSON) -> JSON:
    """The object with one spelling for what has two: the data of a Secret, renamed fields."""
    if not isinstance(obj, dict):
        return obj
    if obj.get("kind") == "Secret" and isinstance(obj.get("stringData"), dict):
        texts = {
            name: b64encode(str(text).encode()).decode()
            for name, text in obj["stringData"].items()
            if text is not None
        }
        rest = {name: value for name, value in obj.items() if name != "stringData"}
        return {**rest, "data": {**(obj.get("data") or {}), **texts}}
    return obj


def differences(
    kind: str, was: JSON, now: JSON, parts: Sequence[Part], path: Path = ()
) -> Iterator[Difference]:
    """Where `now` is not what `was` is, at and below a path."""
    if was is now:
        return  # A merge leaves what it does not change as the object that it was.
    was, now = _renamed(was), _renamed(now)
    if not parts:
        yield from _below(kind, path, was, now)
        return
    part, rest = parts[0], parts[1:]
    if isinstance(was, list) or isinstance(now, list):
        # A field of a list is meant of each element.
        every = (Part("*"), parts) if not part.bracket and not part.every else (part, rest)
        yield from _in_lists(kind, was, now, *every, path)
        if not isinstance(was, dict) and not isinstance(now, dict):
            return
    left, right = _map(was), _map(now)
    if left is None and right is None:
        return
    # A map that becomes a text loses all that was in it.
    left, right = left or {}, right or {}
    names = sorted({*left, *right}) if part.every else [_ALIASES.get(part.text, part.text)]
    for name in names:
        if name in left or name in right:
            beside = left.get(name, MISSING), right.get(name, MISSING)
            yield from differences(kind, *beside, rest, (*path, _label(name)))


def _in_lists(
    kind: str, was: JSON, now: JSON, part: Part, rest: Sequence[Part], path: Path
) -> Iterator[Difference]:
    for label, left, right in _pairs(path, was, now):
        if label == "" and part.bracket and part.text.isdigit():
            both = _nth(was, part.text), _nth(now, part.text)
            yield from differences(kind, *both, rest, (*path, f"[{part.text}]"))
        elif label == "":
            yield from _below(kind, path, was, now)
        elif _chosen(part, label, left, right):
            yield from differences(kind, left, right, rest, (*path, label))


def matched(obj: JSON, parts: Sequence[Part]) -> bool:
    """Whether an object has anything at a path."""
    if not parts:
        return obj is not MISSING and obj is not None
    obj = _renamed(obj)
    part, rest = parts[0], parts[1:]
    if isinstance(obj, list):
        if not part.bracket and not part.every:
            part, rest = Part("*"), parts
        found = _pairs((), obj, obj)
        return any(matched(one, rest) for label, one, _ in found if _chosen(part, label, one, one))
    if not isinstance(obj, dict):
        return False
    names = obj if part.every else [_ALIASES.get(part.text, part.text)]
    return any(matched(obj.get(name, MISSING), rest) for name in names)


def with_theirs(target: JSON, live: JSON, parts: Sequence[Part]) -> JSON:
    """The target with what stands in `live` at a path; what is not there leaves the target."""
    if not parts:
        return live
    part, rest = parts[0], parts[1:]
    if isinstance(target, list) or isinstance(live, list):
        if not part.bracket and not part.every:
            part, rest = Part("*"), parts
        return _list_with_theirs(target, live, part, rest)
    ours, theirs = _map(target), _map(live)
    if ours is None or theirs is None:
        # A text is to stand in the place of a map: what is left alone in there stays, with it all.
        return live if theirs is not None and matched(live, parts) else target
    made = dict(ours)
    for name in [*ours, *(n for n in theirs if n not in ours)]:
        if not part.every and _ALIASES.get(name, name) != _ALIASES.get(part.text, part.text):
            continue
        value = with_theirs(ours.get(name, MISSING), theirs.get(name, MISSING), rest)
        if value is MISSING:
            made.pop(name, None)
        else:
            made[name] = value
    return made if made or target is not MISSING else MISSING


def _list_with_theirs(target: JSON, live: JSON, part: Part, rest: Sequence[Part]) -> JSON:
    if not isinstance(target, list):
        if target is not MISSING and target is not None:
            return live if matched(live, (part, *rest)) else target
        target = []
    made = []
    pairs = _pairs((), target, live if isinstance(live, list) else [])
    if any(label == "" for label, _, _ in pairs):
        return live if not rest else target  # no element is known again: all of it or nothing
    for label, ours, theirs in pairs:
        value = ours
        if _chosen(part, label, ours, theirs):
            value = with_theirs(ours, theirs, rest)
        if value is not MISSING:
            made.append(value)
    return made or (target if target else MISSING)


def _renamed(value: JSON) -> JSON:
    if isinstance(value, dict) and not _ALIASES.keys().isdisjoint(value):
        plain = {name: one for name, one in value.items() if name not in _ALIASES}
        return {new: value[old] for old, new in _ALIASES.items() if old in value} | plain
    return value


def _map(value: JSON) -> dict[str, Any] | None:
    if value is MISSING or value is None:
        return {}
    return value if isinstance(value, dict) else None


def _label(name: str) -> str:
    plain = name and not set(".[]/") & set(name)
    return name if plain else f"[{name}]"


def _chosen(part: Part, label: str, left: JSON, right: JSON) -> bool:
    if part.every:
        return True
    if part.pairs:
        both = [one for one in (left, right) if isinstance(one, dict)]
        return any(all(_says(one, key, text) for key, text in part.pairs) for one in both)
    inside = label[1:-1]
    return inside == part.text or inside.partition("/")[0] == part.text


def _says(element: dict[str, Any], key: str, text: str) -> bool:
    value = element.get(key, _DEFAULTS.get(key))
    return value is not None and (str(value).lower() if value in (True, False) else str(value)) == (
        text
    )


def _pairs(path: Path, was: JSON, now: JSON) -> list[tuple[str, JSON, JSON]]:
    """(label, before, after) of the elements of two lists. Label "": they cannot be told apart."""
    left = was if isinstance(was, list) else []
    right = now if isinstance(now, list) else []
    for keys in _KEYS:
        had, has = _by(left, keys), _by(right, keys)
        if had is not None and has is not None and (had or has):
            names = [*has, *(name for name in had if name not in has)]
            return [(f"[{n}]", had.get(n, MISSING), has.get(n, MISSING)) for n in names]
    if len(left) == len(right):
        both = enumerate(zip(left, right, strict=True))
        return [(f"[{number}]", one, other) for number, (one, other) in both]
    return [("", was, now)]


def _by(elements: list[JSON], keys: Path) -> dict[str, JSON] | None:
    found: dict[str, JSON] = {}
    for one in elements:
        if not isinstance(one, dict):
            return None
        texts = [_field(one, key) for key in keys]
        if any(text is None for text in texts):
            return None
        name = "/".join(map(str, texts))
        if name in found:
            return None
        found[name] = one
    return found


def _nth(elements: JSON, number: str) -> JSON:
    there = isinstance(elements, list) and int(number) < len(elements)
    return elements[int(number)] if there else MISSING


def _field(element: dict[str, Any], key: str) -> Any:
    if key == "metadata.name":
        return (element.get("metadata") or {}).get("name")
    return element.get(key, "TCP" if key == "protocol" else None)


def _below(kind: str, path: Path, was: JSON, now: JSON) -> Iterator[Difference]:
    """The smallest fields that differ; a field that comes or goes as a whole is one."""
    was, now = _claim(path, was), _claim(path, now)
    if _same(kind, path, was, now):
        return
    if isinstance(was, dict) and isinstance(now, dict):
        was, now = _renamed(was), _renamed(now)
        for name in sorted({*was, *now}):
            both = was.get(name, MISSING), now.get(name, MISSING)
            yield from _below(kind, (*path, _label(name)), *both)
    elif isinstance(was, list) and isinstance(now, list):
        for label, left, right in _pairs(path, was, now):
            if label == "" or (not isinstance(left, dict) and not isinstance(right, dict)):
                yield Difference(path, was, now)
                return
            yield from _below(kind, (*path, label), left, right)
    else:
        yield Difference(path, was, now)


def _same(kind: str, path: Path, was: JSON, now: JSON) -> bool:
    was, now = _written(kind, path, was), _written(kind, path, now)
    if isinstance(was, dict) and isinstance(now, dict):
        was, now = _renamed(was), _renamed(now)
        return all(
            _same(kind, (*path, name), was.get(name, MISSING), now.get(name, MISSING))
            for name in {*was, *now}
        )
    if isinstance(was, list) and isinstance(now, list):
        if was == now:
            return True
        pairs = _pairs(path, was, now)
        known = all(isinstance(one, dict) for pair in pairs for one in pair[1:])
        return known and all(
            _same(kind, (*path, label), _claim((*path, label), left), _claim((*path, label), right))
            for label, left, right in pairs
        )
    if was is MISSING or now is MISSING:
        return _empty(kind, path, now if was is MISSING else was)
    if was == now:
        return isinstance(was, bool) is isinstance(now, bool)
    return any(part in _QUANTITIES for part in path) and same_amount(was, now)


def _written(kind: str, path: Path, value: JSON) -> JSON:
    """The value, or the default of a field that is not written."""
    if value is not MISSING and value is not None:
        return value
    field = path[-1] if path else ""
    if field == "type" and len(path) in (1, 2, 3):
        return _TYPES.get(kind, MISSING)
    return _DEFAULTS.get(field, MISSING)


def _empty(kind: str, path: Path, value: JSON) -> bool:
    """Whether a field that is there says no more than one that is not."""
    if value is MISSING or value is None or value is False or value in ("", 0):
        return True
    if isinstance(value, dict):
        return all(_same(kind, (*path, name), one, MISSING) for name, one in value.items())
    return bool(value == [])


def _claim(path: Path, value: JSON) -> JSON:
    """A claim template without what its API server adds."""
    if len(path) > 1 and path[-2] == "volumeClaimTemplates" and isinstance(value, dict):
        return {name: one for name, one in value.items() if name not in _CLAIM_FIELDS}
    return value
