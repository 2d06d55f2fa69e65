"""Units that share objects: what is theirs together, whose turn it is, what they go back to.

Every unit has its own DB spec; what they share is written down once more under their lock
(`component@cluster`), so that the newest write of any of them is what the next one starts from.
Never writes, never looks at a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from bot.cluster.choice import chosen, places
from bot.cluster.fence import numbers
from bot.cluster.goal import Mode
from bot.core.situation import PlanIndex, Situation
from bot.model.plan import JSON, ObjectRef, UnitPlan
from bot.model.state import Applied, Before, UnitPhase, UnitState

Units = Mapping[str, UnitState]
INSTALL = "install"
"""The decision on a first install that reaches more than its unit; its subject is the lock."""


@dataclass(frozen=True, slots=True)
class Stood:
    """What a unit ran before a release, by what we know: object key → digest."""

    objects: Mapping[str, str] = field(default_factory=dict)
    revision: str = ""
    release: str = ""
    half_way: frozenset[str] = frozenset()
    """Keys that a release left half-way: nothing to go back to."""
    sure: bool = False
    """It is known of this very unit; else what its siblings found there tells better."""


def group(s: Situation, unit: str) -> tuple[str, ...]:
    """The units that share objects with it, in order and with itself; alone: only itself."""
    return s.index.sharing.get(unit, (unit,))


def others(s: Situation, unit: str) -> Iterator[str]:
    return (name for name in group(s, unit) if name != unit)


# whose turn it is


def before_it(s: Situation, units: Units, unit: str) -> tuple[str, str] | None:
    """(sibling, why) that must come to its end before this one writes; None: it is its turn."""
    names = group(s, unit)
    turn = s.index.turns.get(unit, 0)
    for at, name in enumerate(names):
        state = units[name]
        if at == turn:
            continue
        if state.in_flight:
            return name, "in-flight"
        if at < turn and (why := _STOPS.get(state.phase)):
            return name, why
    return None


_STOPS = {
    UnitPhase.PENDING: "earlier",
    UnitPhase.FAILED: "failed",
    UnitPhase.ROLLED_BACK: "taken-back",
    UnitPhase.QUARANTINED: "quarantined",
}
"""Phases of a sibling that those after it wait for. One that was skipped is not waited for."""


def after_it(s: Situation, units: Units, unit: str) -> str | None:
    """A later sibling that goes back before this one does; None: it is its turn."""
    names = group(s, unit)
    later = names[s.index.turns.get(unit, 0) + 1 :]
    return next((n for n in reversed(later) if units[n].phase is UnitPhase.ROLLING_BACK), None)


def comes_later(s: Situation, units: Units, unit: str) -> bool:
    """Whether a sibling after it has still to go forward."""
    names = group(s, unit)
    later = names[s.index.turns.get(unit, 0) + 1 :]
    return any(not units[name].phase.ended for name in later)


def taken_along(index: PlanIndex, units: Units, names: list[str]) -> list[str]:
    """The units, and those that went back only because one of these did: they begin anew too."""
    found = dict.fromkeys(names)
    for name in names:
        if units[name].phase is UnitPhase.ROLLED_BACK:
            for sibling in index.sharing.get(name, ()):
                if units[sibling].phase is UnitPhase.ROLLED_BACK:
                    found.setdefault(sibling)
    return [unit.unit for unit in index.plan.units if unit.unit in found]


# which nodes it is about


def goal_nodes(
    s: Situation, units: Units, plan: UnitPlan, mode: Mode, objects: Mapping[ObjectRef, JSON]
) -> dict[str, JSON]:
    """The fields of a Goal that say which nodes it is about; {} where it chooses none."""
    seen = s.seen.get(plan.unit)
    if plan.nodes is None or seen is None or seen.nodes is None:
        return {}
    nodes = chosen(plan.nodes, seen.nodes)
    return {
        "nodes": nodes,
        "places": places(objects.items(), nodes, seen, s.index.rows),
        "strays": _cleans_up(s, units, plan, mode, seen.nodes),
    }


def _cleans_up(
    s: Situation,
    units: Units,
    plan: UnitPlan,
    mode: Mode,
    nodes: Mapping[str, Mapping[str, str]],
) -> bool:
    """Whether pods that changed sets while the release ran are its own to bring where they belong:
    nobody comes after it, and it and its siblings are about all nodes that there are.
    """
    rest = [units[name] for name in others(s, plan.unit)]
    if mode is Mode.RESTORE:
        row = s.applied.get(plan.lock)
        same = row is not None and row.release == s.name and not row.mixed
        return same and all(one.began is None or one.phase is UnitPhase.ROLLED_BACK for one in rest)
    if any(one.phase is not UnitPhase.SUCCEEDED for one in rest):
        return False
    choices = [s.index.units[name].nodes for name in group(s, plan.unit)]
    ours = [chosen(choice, nodes) for choice in choices if choice is not None]
    return frozenset(nodes) == frozenset().union(*ours)


# what is known of their objects


def last_applied(s: Situation, plan: UnitPlan) -> dict[str, str]:
    """Object key → digest of what was applied last, whichever unit of the lock did it."""
    own, lock = s.applied.get(plan.unit), s.applied.get(plan.lock)
    found = dict(own.objects) if own else {}
    if lock is not None and lock is not own:
        shared = s.index.shared[plan.unit]
        found |= {key: digest for key, digest in lock.objects.items() if key in shared}
    return found


def left_over(s: Situation, plan: UnitPlan) -> frozenset[str]:
    """Keys of what stands there since earlier releases, and nobody has said what becomes of it."""
    rows = (s.applied.get(name) for name in (plan.unit, plan.lock))
    return frozenset(key for row in rows if row is not None for key in row.leftovers)


def stood(s: Situation, plan: UnitPlan) -> Stood:
    """What the unit ran before, by the newest row that speaks of it."""
    own, lock = s.applied.get(plan.unit), None
    if plan.nodes is not None:
        lock = s.applied.get(plan.lock)
        if lock is not None and lock.certified:
            return Stood(lock.objects, lock.revision, lock.release, sure=True)
        if lock is not None and (own is None or numbers(own.fence) < numbers(lock.whole)):
            # It ran then what all of the cluster ran: its own row is older than that.
            return Stood(
                lock.safe,
                lock.safe_revision,
                lock.safe_release,
                frozenset(lock.objects),
                sure=lock.mixed or bool(lock.safe_revision),
            )
    if own is None:
        return Stood()
    if own.certified:
        return Stood(own.objects, own.revision, own.release, sure=True)
    half_way = frozenset(own.objects)
    return Stood(own.safe, own.safe_revision, own.safe_release, half_way, sure=True)


def before_siblings(s: Situation, units: Units, plan: UnitPlan) -> dict[str, Before]:
    """Object key → what a sibling found there before this release wrote it first."""
    found: dict[str, Before] = {}
    for name in others(s, plan.unit):
        state = units[name]
        if state.began is None or state.phase is UnitPhase.ROLLED_BACK:
            continue
        for before in state.before or ():
            if before.ref.key in s.index.shared[plan.unit]:
                found.setdefault(before.ref.key, before)
    return found


def is_certified(s: Situation, plan: UnitPlan) -> bool:
    """Whether this very revision was brought there, and proved."""
    rows = [s.applied.get(plan.unit)]
    if plan.nodes is not None:
        rows.append(s.applied.get(plan.lock))
    return any(r is not None and r.certified and r.revision == plan.revision for r in rows)


def with_shared(
    shared: frozenset[str], lock: str, known: Applied | None, own: Applied, *, whole: bool = False
) -> Applied | None:
    """The lock's row after a unit has written: the objects that are not the unit's alone.

    `own`: the unit's own row. `whole`: all of the cluster has it now. None: it shares nothing.
    """
    objects = {key: digest for key, digest in own.objects.items() if key in shared}
    if not objects or own.unit == lock:
        return None
    every = {**(known.objects if known else {}), **objects}
    safe = {key: digest for key, digest in own.safe.items() if key in shared}
    row = replace(
        own,
        unit=lock,
        certified=whole,
        objects=every,
        safe=safe,
        leftovers=known.leftovers if known else {},
        refused=known.refused if known else {},
    )
    if known is None:
        return replace(row, whole=own.fence if whole else "")
    if known.certified and known.release == own.release:
        # All of it had arrived, and a part is written again: what was before stays what it was.
        return replace(known, objects=every, fence=own.fence, at=own.at)
    if known.certified:
        return replace(
            row,
            safe=known.objects,
            safe_revision=known.revision,
            safe_release=known.release,
            whole=own.fence if whole else known.whole or known.fence,
        )
    return replace(
        row,
        safe={**safe, **known.safe},
        safe_revision=known.safe_revision,
        safe_release=known.safe_release,
        whole=own.fence if whole else known.whole,
        mixed=known.mixed or known.release != own.release,
    )


def lock_restored(
    s: Situation, units: Units, plan: UnitPlan, own: Applied | None, known: Applied | None
) -> Applied | str | None:
    """What becomes of the lock's row when a unit is back: a row, its key (to drop), or nothing.

    `own`: the unit's own row now, None when it has none any more. `known`: the lock's row.
    """
    shared = s.index.shared[plan.unit]
    if known is None or known.unit == plan.unit or not shared:
        return None
    left = [units[name] for name in others(s, plan.unit)]
    if any(one.began is not None and one.phase is not UnitPhase.ROLLED_BACK for one in left):
        return None  # some of it still runs what the release brought
    objects = {key: digest for key, digest in known.objects.items() if key not in shared}
    objects |= {k: d for k, d in (own.objects if own else {}).items() if k in shared}
    if not objects:
        return known.key
    fence = own.fence if own else known.fence
    row = replace(known, objects=objects, fence=fence, at=s.now)
    if not known.mixed and known.safe_revision and objects == dict(known.safe):
        return replace(
            row,
            version=known.safe_revision.partition("@")[0],
            revision=known.safe_revision,
            release=known.safe_release,
            certified=True,
            whole=fence,
            safe={},
            safe_revision="",
            safe_release="",
        )
    return row
