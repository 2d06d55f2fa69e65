"""Drift before a batch: the gate that asks, and what follows from its two answers.

Somebody edited what we own: nothing begins in that unit before a person says whether the edit is
kept (`accept UNIT`) or overwritten (`override UNIT --gate drift`). An answer is to these edits;
another one is asked about anew.
"""

from __future__ import annotations

import hashlib
import json
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import cast

from bot.cluster.drift import HIDDEN, Edit, edits, hidden, kept
from bot.cluster.fields import MISSING
from bot.cluster.guard import is_scaled, left_alone
from bot.cluster.kinds import WorkloadKind, row_for, row_of
from bot.cluster.render import digest
from bot.core import adopting, siblings
from bot.core.guard_lists import stricter_of
from bot.core.pace import LOOK_EVERY
from bot.core.situation import Unit
from bot.core.turn import Turn
from bot.model.gate import Wait
from bot.model.plan import JSON, ObjectRef
from bot.model.seen import UnitSeen
from bot.model.state import UnitPhase, UnitState

KEEP, OVERWRITE = "drift-kept", "drift"
"""How an answer stands in the overrides of a unit: `word:mark`."""
SHOWN = 20
"""As many edits as are remembered to be shown."""
LONG = 120
"""As much of a value as is shown."""


def drift(t: Turn, u: Unit) -> Wait | None:
    """Nobody edited what was applied there last, or a person said what becomes of the edit."""
    seen = t.s.seen.get(u.plan.unit)
    if seen is None or not seen.reachable:
        return _closed(t, u.state.drift, u) if _asked(u.state) else None
    found = list(_found(t, u, seen))
    if not found or _answered(u.state, mark_of(found)):
        return None
    return _closed(t, _all_shown(t, u, seen, found), u)


def ask(t: Turn, u: Unit) -> None:
    """Tell the edits once, and look again later: somebody may take them back."""
    seen = t.s.seen.get(u.plan.unit)
    if seen is None or not seen.reachable:
        return
    found = list(_found(t, u, seen))
    mark = mark_of(found)
    shown = _all_shown(t, u, seen, found)
    again = t.s.now + LOOK_EVERY[UnitPhase.PENDING]
    told = u.state.drift_mark == mark
    t.put(replace(u.state, drift=shown, drift_mark=mark, look_at=again))
    if not told:
        owners = list(dict.fromkeys(t.who("accept")))
        t.tell("unit.drifted", u.plan.unit, edits=list(shown), count=len(found), who=owners)


def settle(t: Turn, u: Unit, seen: UnitSeen, *, first: bool) -> Unit:
    """The batch begins: edits that are to be kept go into what is applied, for all that share the
    object; `first`: into what a rollback restores, too.
    """
    found = list(_found(t, u, seen))
    if found and f"{KEEP}:{mark_of(found)}" in u.state.overrides:
        _keep(t, u, seen, {ref for ref, _ in found}, first=first)
    state = t.units[u.plan.unit]
    if state.drift:
        t.put(replace(state, drift=(), drift_mark=""))
    return t.unit(u.plan.unit)


def _keep(t: Turn, u: Unit, seen: UnitSeen, refs: set[ObjectRef], *, first: bool) -> None:
    adopted = dict(u.state.adopted)
    before = {one.ref.key: one for one in u.state.before or ()}
    begun = u.state.began is not None
    for planned, last, live, target in _objects(t, u, seen):
        if planned not in refs or live is None:
            continue
        row = _row(t, u, planned, target, last)
        new = kept(last, live, target, row, begun=begun)
        old = kept(last, live, last, row, begun=begun)
        t.blobs |= {digest(new): new, digest(old): old}
        adopted[planned.key] = digest(new)
        if first and before[planned.key].source == "applied":
            before[planned.key] = replace(before[planned.key], digest=digest(old))
    t.put(replace(u.state, before=tuple(before.values())))
    for name in siblings.group(t.s, u.plan.unit):
        t.put(replace(t.units[name], adopted=adopted))
    t.forget_progress(u.plan.unit)
    t.tell("unit.adopted", u.plan.unit, objects=sorted(adopted))


def mark_of(found: list[tuple[ObjectRef, Edit]]) -> str:
    """Digest of edits, values and all; "" for none."""
    if not found:
        return ""
    facts = [
        [ref.key, edit.text, repr(edit.was), repr(edit.now) if edit.now is not MISSING else None]
        for ref, edit in found
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]


def _asked(state: UnitState) -> bool:
    return bool(state.drift_mark) and not _answered(state, state.drift_mark)


def _answered(state: UnitState, mark: str) -> bool:
    return bool({f"{KEEP}:{mark}", f"{OVERWRITE}:{mark}"} & set(state.overrides))


def _closed(t: Turn, shown: tuple[JSON, ...], u: Unit) -> Wait:
    return Wait(
        code="drift",
        facts={"unit": u.plan.unit, "cluster": u.plan.cluster, "edits": list(shown)},
        who=tuple(dict.fromkeys((*t.who("accept"), *t.who("override")))),
    )


def _found(t: Turn, u: Unit, seen: UnitSeen) -> Iterator[tuple[ObjectRef, Edit]]:
    begun = u.state.began is not None
    lists = stricter_of(u.component.guard, t.s.rules.components.get(u.component.name))
    found = list(_objects(t, u, seen))
    targets = [target for _, _, _, target in found]
    for ref, last, live, target in found:
        if live is None:
            yield ref, Edit((), "there", MISSING)
            continue
        row = _row(t, u, ref, target, last)
        # What the component leaves to others is theirs to edit.
        scaled = is_scaled(ref, live, targets)
        ours, wanted = (left_alone(lists, ref, one, live, scaled=scaled) for one in (last, target))
        for edit in edits(ours, live, wanted, row, begun=begun):
            yield ref, edit


def _row(t: Turn, u: Unit, ref: ObjectRef, *specs: JSON) -> WorkloadKind | None:
    """The row by which the unit rolls the object: what that leaves in it is no edit."""
    rows = t.s.index.rows
    if row_of(ref, rows) is None:
        return None
    return row_for(ref, *specs, rows=rows, by_node=u.plan.nodes is not None)


def _objects(
    t: Turn, u: Unit, seen: UnitSeen
) -> Iterator[tuple[ObjectRef, JSON, JSON | None, JSON]]:
    """(ref, applied last, live, what is to be applied) of each object that we applied."""
    blobs: Mapping[str, JSON] = ChainMap(t.blobs, cast("dict[str, JSON]", t.s.blobs))
    applied = siblings.last_applied(t.s, u.plan)
    for planned in u.plan.objects:
        last = blobs.get(applied.get(planned.ref.key, ""))
        there = seen.objects.get(planned.ref.key)
        if last is not None and there is not None:
            yield planned.ref, last, there.live, blobs[u.state.wanted(planned)]


def _all_shown(
    t: Turn, u: Unit, seen: UnitSeen, found: list[tuple[ObjectRef, Edit]]
) -> tuple[dict[str, JSON], ...]:
    """The first edits as they are remembered; those of another store with its fence."""
    others = adopting.strangers(t, u, seen)
    return tuple(
        _shown(ref, edit, seen) | ({"fence": others[ref]} if ref in others else {})
        for ref, edit in found[:SHOWN]
    )


def _shown(ref: ObjectRef, edit: Edit, seen: UnitSeen) -> dict[str, JSON]:
    """An edit as people see it and as it is remembered: never the data of a Secret."""
    there = seen.objects[ref.key].live
    secret = hidden(ref.kind, edit) if edit.path else False
    return {
        "object": ref.short,
        "path": edit.text,
        "from": HIDDEN if secret else _text(edit.was),
        "to": HIDDEN if secret and edit.now is not MISSING else _text(edit.now),
        "by": _editors(there, edit) if there else [],
    }


def _text(value: JSON) -> JSON:
    if value is MISSING:
        return None
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def _editors(live: JSON, edit: Edit) -> list[str]:
    """Who may have written the field, by what the API server notes: those that manage it, else all
    who are neither us nor a controller of the status. Newest first.
    """
    notes = [
        note
        for note in (live.get("metadata") or {}).get("managedFields") or ()
        if note.get("manager") != "sluice" and not note.get("subresource")
    ]
    managing = [note for note in notes if _manages(note.get("fieldsV1"), edit)]
    chosen = sorted(managing or notes, key=lambda note: str(note.get("time", "")), reverse=True)
    return list(dict.fromkeys(str(note.get("manager")) for note in chosen))[:3]


def _manages(fields: JSON, edit: Edit) -> bool:
    for part in edit.path:
        if not isinstance(fields, dict):
            return False
        if part.startswith("["):
            name = json.dumps(part[1:-1])
            keys = [key for key in fields if key.startswith("k:") and name in key]
            fields = fields[keys[0]] if keys else None
        else:
            fields = fields.get(f"f:{part}")
    return fields is not None
