"""What the objects of a plan lose or gain that nobody may have meant: a generated file that doubles
or empties, a label of pods that something else selects them by.

Pure. Warnings beside the plan, each with its number of units; it decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from json import dumps

from bot.cluster.fields import at
from bot.core import messages_content as say
from bot.core.plan_shown import Known
from bot.model.plan import JSON, ObjectRef, PlannedObject, ReleasePlan

Objects = Sequence[PlannedObject]
Blob = Callable[[str], JSON | None]

GROWS, SHRINKS = 1.5, 0.5
"""An object that is so many times as large as the last good one, or less than this part of it."""
COUNTS_FROM = 1024
"""Bytes of difference below which no growth is worth a sentence."""
BESIDE = 3
"""Clusters of each kind of change whose other components are asked what they select."""


def of_the_content(
    plan: ReleasePlan, before: Mapping[str, Objects | None], blob: Blob, known: Known
) -> Iterable[str]:
    """What is twice as large or half as large as before, and what would select pods no more."""
    sizes: Counter[tuple[str, int, int]] = Counter()
    alone: Counter[tuple[str, str, str]] = Counter()
    alike: dict[tuple[Objects, Objects], list[str]] = {}
    clusters = {unit.unit: unit.cluster for unit in plan.units}
    for unit in plan.units:
        alike.setdefault((tuple(before.get(unit.unit) or ()), unit.objects), []).append(unit.unit)
    for (had, has), units in alike.items():
        for told in _sizes(had, has, blob):
            sizes[told] += len(units)
        dropped = tuple(_dropped(had, has, blob))
        if not dropped:
            continue
        holders = dict(_holders(had, has, blob))
        for cluster in {clusters[unit]: None for unit in units[:BESIDE]}:
            brought = {one.ref for unit in plan.units if unit.cluster == cluster
                       for one in unit.objects}  # fmt: skip
            holders |= {r: obj for r, obj in known.beside(cluster) if r not in brought}
        for lost in _left_alone(dropped, holders.items()):
            alone[lost] += len(units)
    yield from (say.sized(what, old, new, units) for (what, old, new), units in sizes.items())
    yield from (
        say.selects_no_more(who, by, what, units) for (who, by, what), units in alone.items()
    )


def _pairs(had: Objects, has: Objects, blob: Blob) -> Iterator[tuple[ObjectRef, JSON, JSON]]:
    """What changes: the object as it was, and as it would be."""
    old = {one.ref: one.digest for one in had}
    for one in has:
        if old.get(one.ref, one.digest) != one.digest:
            was, will = blob(old[one.ref]), blob(one.digest)
            if was is not None and will is not None:
                yield one.ref, was, will


def _sizes(had: Objects, has: Objects, blob: Blob) -> Iterator[tuple[str, int, int]]:
    for ref, was, will in _pairs(had, has, blob):
        old, new = len(dumps(was)), len(dumps(will))
        if abs(new - old) >= COUNTS_FROM and not SHRINKS < new / old < GROWS:
            yield ref.short, old, new


@dataclass(frozen=True, slots=True)
class _Pods:
    """Labels of the pods of a workload that change."""

    ref: ObjectRef
    old: Mapping[str, str]
    new: Mapping[str, str]


def _dropped(had: Objects, has: Objects, blob: Blob) -> Iterator[_Pods]:
    for ref, was, will in _pairs(had, has, blob):
        old, new = _labels(was), _labels(will)
        if not old.items() <= new.items():
            yield _Pods(ref, old, new)


def _labels(obj: JSON) -> dict[str, str]:
    found = at(obj, ("spec", "template", "metadata", "labels"))
    return found if isinstance(found, dict) else {}


def _holders(had: Objects, has: Objects, blob: Blob) -> Iterator[tuple[ObjectRef, JSON]]:
    """All that will stand there: what the plan brings, and what it leaves behind."""
    standing = {one.ref: one.digest for one in (*had, *has)}
    for ref, digest in standing.items():
        if (obj := blob(digest)) is not None:
            yield ref, obj


def _left_alone(
    dropped: Sequence[_Pods], holders: Iterable[tuple[ObjectRef, JSON]]
) -> set[tuple[str, str, str]]:
    """(who selects, by which labels, pods of what) where it did before and would not any more."""
    found = set()
    for ref, obj in holders:
        chosen = _selector(obj)
        for pods in dropped:
            if chosen and ref.namespace == pods.ref.namespace:
                lost = {k: v for k, v in chosen.items() if pods.new.get(k) != v}
                if lost and chosen.items() <= pods.old.items():
                    by = ",".join(f"{key}={value}" for key, value in sorted(lost.items()))
                    found.add((ref.short, by, pods.ref.short))
    return found


def _selector(obj: JSON) -> dict[str, str]:
    """The labels that an object selects pods by; {} when it selects none, or all, or by rules."""
    for path in (("spec", "selector"), ("spec", "podSelector")):
        found = at(obj, path)
        if isinstance(found, dict) and found:
            chosen = found.get("matchLabels") if "matchLabels" in found else found
            if isinstance(chosen, dict) and all(isinstance(v, str) for v in chosen.values()):
                return chosen
    return {}
