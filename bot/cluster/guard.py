"""The guard: fields that may not change. Which changes of an object are blocked, asked, left alone.

Judges what a write would make of an object, whatever way it is written. Never sends, never asks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from bot.cluster.fields import MISSING, at
from bot.cluster.guard_rules import Act, GuardRule, built_in_about, deletion_reason, own_rules
from bot.cluster.guard_walk import Difference, differences, matched, plain_spelling, with_theirs
from bot.model.plan import JSON, GuardLists, ObjectRef

HIDDEN = "(not shown)"
LONG = 120
"""As much of a value as is shown."""
_SCALERS = ("HorizontalPodAutoscaler", "ScaledObject", "AdvancedHorizontalPodAutoscaler")
_REPLICAS = ("spec", "replicas")


NO_LISTS = GuardLists()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What the guard of a unit knows: the component's lists, and the changes that have a yes."""

    lists: GuardLists = NO_LISTS
    granted: frozenset[str] = frozenset()
    """Marks of changes."""


NOTHING_ALLOWED = Allowance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """One change that the guard has something to say about."""

    ref: ObjectRef
    act: Act
    path: str
    was: JSON
    now: JSON
    reason: str
    built_in: bool
    refused: bool = False

    @property
    def mark(self) -> str:
        """Digest of the change: what a yes is given to."""
        return digest_of([[self.ref.key, self.path, _known(self.was), _known(self.now)]])

    def shown(self) -> dict[str, JSON]:
        """The change as people see it and as it is remembered: never the data of a Secret."""
        return {
            "object": self.ref.short,
            "path": self.path,
            "from": shown_value(self.ref, self.path, self.was),
            "to": shown_value(self.ref, self.path, self.now),
            "act": self.act.value,
            "reason": self.reason,
            "builtIn": self.built_in,
        }


def digest_of(facts: JSON) -> str:
    text = json.dumps(facts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def mark_of(found: Iterable[Guarded]) -> str:
    """Digest of several changes; "" of none."""
    marks = sorted({one.mark for one in found})
    return digest_of(marks) if marks else ""


def shown_value(ref: ObjectRef, path: str, value: JSON) -> JSON:
    """A value for people; None: not there."""
    if value is MISSING or value is None:
        return None
    if ref.kind == "Secret" and path.startswith(("data", "stringData")):
        return HIDDEN
    if isinstance(value, str | int | float):
        return value if len(str(value)) <= LONG else f"{str(value)[:LONG]}…"
    text = json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def judge(
    lists: GuardLists, ref: ObjectRef, was: JSON, now: JSON, *, scaled: bool = False
) -> tuple[Guarded, ...]:
    """The guarded changes between an object as it is and as it would be, in order of their paths.

    `scaled`: something else sets its replicas. The strictest rule on a field wins; a field that the
    component leaves alone is told as that and as nothing else.
    """
    was, now = plain_spelling(was), plain_spelling(now)
    found: dict[str, Guarded] = {}
    left = set()
    for rule in own_rules(Act.IGNORE, lists.ignore):
        for one in _hits(rule, ref, was, now):
            left.add(one.path)
            found[one.path] = one
    for one in _rules_say(lists, ref, was, now, scaled=scaled):
        if any(_inside(one.path, other) for other in left):
            continue
        known = found.get(one.path)
        if known is None or _STRICT[one.act] > _STRICT[known.act]:
            found[one.path] = one
    return tuple(found[path] for path in sorted(found))


_STRICT = {Act.IGNORE: 0, Act.ASK: 1, Act.BLOCK: 2}


def _rules_say(
    lists: GuardLists, ref: ObjectRef, was: JSON, now: JSON, *, scaled: bool
) -> Iterator[Guarded]:
    rules = (
        *built_in_about(ref),
        *own_rules(Act.BLOCK, lists.block),
        *own_rules(Act.ASK, lists.ask),
    )
    for rule in rules:
        if scaled and rule.reason == "to-nothing" and not _speaks_of_replicas(lists, ref):
            continue
        yield from _hits(rule, ref, was, now)
    yield from _stored_versions(ref, was, now)
    yield from _sealed(ref, was, now)
    if scaled and not _speaks_of_replicas(lists, ref):
        one = Difference(_REPLICAS, at(was, _REPLICAS, MISSING), at(now, _REPLICAS, MISSING))
        if one.was != one.now:
            yield _guarded(ref, one, Act.IGNORE, "autoscaled")


def left_alone(
    lists: GuardLists, ref: ObjectRef, target: JSON, live: JSON, *, scaled: bool = False
) -> JSON:
    """The target with the live value of every field that is left alone."""
    made, theirs = target, live
    rules = [rule for rule in own_rules(Act.IGNORE, lists.ignore) if rule.reaches(ref)]
    if rules and ref.kind == "Secret":
        made, theirs = plain_spelling(target), plain_spelling(live)
    for rule in rules:
        made = with_theirs(made, theirs, rule.path.parts)
    if scaled and not _speaks_of_replicas(lists, ref) and isinstance(made.get("spec"), dict):
        count = at(live, _REPLICAS, MISSING)
        spec = {name: value for name, value in made["spec"].items() if name != "replicas"}
        made = {**made, "spec": spec if count is MISSING else {**spec, "replicas": count}}
    return made


def is_scaled(ref: ObjectRef, live: JSON | None, objects: Iterable[JSON]) -> bool:
    """Whether something else sets the replicas: an autoscaler of the same unit, or a controller
    that the API server names as the one who scaled it.
    """
    for obj in objects:
        if obj.get("kind") in _SCALERS:
            target = at(obj, ("spec", "scaleTargetRef")) or {}
            beside = (obj.get("metadata") or {}).get("namespace", "") in ("", ref.namespace)
            if beside and (target.get("kind", "Deployment"), target.get("name")) == (
                ref.kind,
                ref.name,
            ):
                return True
    return any(_scales(note) for note in at(live, ("metadata", "managedFields")) or ())


def matches_nothing(lists: GuardLists, objects: Mapping[ObjectRef, JSON]) -> tuple[str, ...]:
    """Paths of a component at which none of its objects has anything: a slip, most likely."""
    every = [
        rule
        for act, paths in ((Act.BLOCK, lists.block), (Act.IGNORE, lists.ignore),
                           (Act.ASK, lists.ask))
        for rule in own_rules(act, paths)
    ]  # fmt: skip
    return tuple(
        rule.path.text
        for rule in every
        if not any(
            rule.reaches(ref) and matched(plain_spelling(obj), rule.path.parts)
            for ref, obj in objects.items()
        )
    )


def deletion(ref: ObjectRef, live: JSON | None) -> Guarded | None:
    """What the guard says of deleting an object on the way forward; None: nothing."""
    reason = deletion_reason(ref)
    if not reason or live is None:
        return None
    return Guarded(ref=ref, act=Act.BLOCK, path="", was="there", now=MISSING, reason=reason,
                   built_in=True)  # fmt: skip


def _hits(rule: GuardRule, ref: ObjectRef, was: JSON, now: JSON) -> Iterator[Guarded]:
    if not rule.reaches(ref):
        return
    for one in differences(ref.kind, was, now, rule.path.parts):
        if rule.unset_keeps and (one.now is MISSING or one.now is None):
            continue
        if rule.when is None or rule.when(one):
            made = _guarded(ref, one, rule.act, rule.reason)
            yield replace(made, built_in=rule.built_in, refused=rule.refused)


def _guarded(ref: ObjectRef, one: Difference, act: Act, reason: str) -> Guarded:
    return Guarded(ref=ref, act=act, path=one.text, was=one.was, now=one.now, reason=reason,
                   built_in=True, refused=act is Act.BLOCK)  # fmt: skip


def _stored_versions(ref: ObjectRef, was: JSON, now: JSON) -> Iterator[Guarded]:
    """Versions of a CRD in which objects may be stored, and that it would not have any more."""
    if ref.kind != "CustomResourceDefinition":
        return
    versions = at(was, ("spec", "versions")) or ()
    kept = {one.get("name") for one in at(now, ("spec", "versions")) or ()}
    stored = at(was, ("status", "storedVersions")) or [
        one.get("name") for one in versions if one.get("storage")
    ]
    for name in stored:
        if name not in kept:
            one = Difference(("spec", "versions", f"[{name}]"), "stored", MISSING)
            yield _guarded(ref, one, Act.BLOCK, "crd-stored")


def _sealed(ref: ObjectRef, was: JSON, now: JSON) -> Iterator[Guarded]:
    """What an immutable ConfigMap or Secret holds."""
    if ref.kind not in ("ConfigMap", "Secret") or not isinstance(was, dict):
        return
    if was.get("immutable") is not True:
        return
    for field in ("data", "binaryData"):
        left, right = was.get(field) or {}, (now or {}).get(field) or {}
        for name in sorted({*left, *right}):
            if left.get(name, MISSING) != right.get(name, MISSING):
                label = name if not set(".[]/") & set(name) else f"[{name}]"
                one = Difference((field, label), left.get(name, MISSING), right.get(name, MISSING))
                yield _guarded(ref, one, Act.BLOCK, "sealed-data")


def _speaks_of_replicas(lists: GuardLists, ref: ObjectRef) -> bool:
    """Whether the component itself says what becomes of its replicas."""
    own = (*own_rules(Act.BLOCK, lists.block), *own_rules(Act.ASK, lists.ask))
    return any(
        rule.reaches(ref) and tuple(part.text for part in rule.path.parts) == _REPLICAS
        for rule in own
    )


def _scales(note: JSON) -> bool:
    """Whether a controller, and no person with kubectl, scaled it."""
    if not isinstance(note, dict) or note.get("subresource") != "scale":
        return False
    owns = at(note.get("fieldsV1"), ("f:spec", "f:replicas"), MISSING) is not MISSING
    return owns and not str(note.get("manager", "")).startswith(("kubectl", "sluice"))


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith((f"{root}.", f"{root}["))


def _known(value: JSON) -> JSON:
    return ["not there"] if value is MISSING else [value]
