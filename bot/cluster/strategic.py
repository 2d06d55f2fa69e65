"""Applies a strategic merge patch, as the API server does for built-in kinds.

Knows every directive: $patch, $retainKeys, $setElementOrder, $deleteFromPrimitiveList. Raises
BadPatch for what the server would refuse; never changes what it is given.
"""

from __future__ import annotations

from typing import Any

from bot.cluster.fields import MISSING
from bot.cluster.keyed import Key, in_order, interleaved, remembered
from bot.cluster.merge_table import Fields, below
from bot.model.plan import JSON

DIRECTIVE = "$patch"
RETAIN = "$retainKeys"
ORDER = "$setElementOrder/"
UNLIST = "$deleteFromPrimitiveList/"


class BadPatch(ValueError):
    """A patch that no API server would take."""


def strategic_patch(obj: JSON, patch: JSON, fields: Fields) -> JSON:
    """What the object is after the patch. Shares what did not change."""
    if not isinstance(obj, dict) or not isinstance(patch, dict):
        raise BadPatch("a strategic patch is a map")
    return _map(obj, patch, fields)


def _map(old: JSON, patch: JSON, fields: Fields) -> JSON:
    if DIRECTIVE in patch:
        match patch[DIRECTIVE]:
            case "replace":
                return cleaned({name: v for name, v in patch.items() if name != DIRECTIVE})
            case "delete":
                return {}
            case other:
                raise BadPatch(f"unknown patch type: {other}")
    made = _retained(old, patch) if RETAIN in patch else dict(old)
    ordered = {name.removeprefix(ORDER) for name in patch if name.startswith(ORDER)}
    for name in ordered:
        _in_given_order(made, patch, name, fields)
    for name, value in patch.items():
        if name == RETAIN or name in ordered or name.startswith(ORDER):
            continue
        if name.startswith(UNLIST):
            _unlisted(made, name.removeprefix(UNLIST), value)
        elif value is None:
            made.pop(name, None)
        else:
            _field(made, name, value, fields)
    return made


def _retained(old: JSON, patch: JSON) -> JSON:
    stays = patch[RETAIN]
    strays = [
        name for name, value in patch.items()
        if value is not None and name not in stays and not name.startswith((RETAIN, ORDER, UNLIST))
    ]  # fmt: skip
    if not isinstance(stays, list) or strays:
        raise BadPatch(f"{RETAIN} does not name {', '.join(strays)}")
    return {name: value for name, value in old.items() if name in stays}


def _field(made: JSON, name: str, value: Any, fields: Fields) -> None:
    here, row = made.get(name, MISSING), fields.get(name)
    if isinstance(here, dict) and isinstance(value, dict):
        if row is not None and row.get("replace"):
            made[name] = value
        else:
            made[name] = _map(here, value, below(row) if row and not row.get("map") else {})
    elif isinstance(here, list) and isinstance(value, list) and row is not None and "merge" in row:
        made[name] = _list(here, value, None, row["merge"], below(row))
    else:
        clean = cleaned(value)
        if clean is MISSING:
            made.pop(name, None)
        else:
            made[name] = clean


def _unlisted(made: JSON, name: str, gone: Any) -> None:
    here = made.get(name)
    if not isinstance(gone, list):
        raise BadPatch(f"{UNLIST}{name} is no list")
    if isinstance(here, list):
        made[name] = [value for value in here if value not in gone]


def _in_given_order(made: JSON, patch: JSON, name: str, fields: Fields) -> None:
    order, value, row = patch[ORDER + name], patch.get(name, MISSING), fields.get(name)
    here = made.get(name, MISSING)
    if not isinstance(order, list) or not isinstance(here or [], list):
        raise BadPatch(f"{ORDER}{name} is of something that is no list")
    if value is None or (here is MISSING and value is MISSING):
        made.pop(name, None)
        return
    if row is None or "merge" not in row:
        raise BadPatch(f"{ORDER}{name}: the list is replaced as a whole")
    if value is MISSING:
        made[name] = _list(here, [], order, row["merge"], below(row))
    elif here is MISSING:
        made[name] = _list([], cleaned(value), order, row["merge"], below(row))
    else:
        made[name] = _list(here, value, order, row["merge"], below(row))


def _list(
    here: list[Any], patch: list[Any], order: list[Any] | None, key: str, fields: Fields
) -> list[Any]:
    if not key:
        return _values(here, patch, order)
    changes, gone, replace = _sorted_out(patch, key)
    if replace:
        return [cleaned(change) for change in changes]
    kept = [(key_of(one, key), one) for one in here]
    before = [name for name, _ in kept]
    kept = [pair for pair in kept if pair[0] not in gone]
    asked = [key_of(change, key) for change in changes]
    wanted = asked if order is None else [key_of(one, key) for one in order]
    if order is not None and not _follows(asked, wanted):
        raise BadPatch(f"the order in the patch does not match {ORDER}")
    added: list[Key] = []
    for name, change in zip(asked, changes, strict=True):
        at = next((i for i, (there, _) in enumerate(kept) if there == name), None)
        if at is None:
            kept.append((name, cleaned(change)))
            added.append(name)
        else:
            kept[at] = (name, _map(kept[at][1], change, fields))
    stood = [name for name in before if name not in gone]
    if order is not None:
        stood = remembered(before, gone, added)
    ours = in_order((pair for pair in kept if pair[0] in wanted), wanted)
    theirs = in_order((pair for pair in kept if pair[0] not in wanted), stood)
    return interleaved(ours, theirs, stood)


def _sorted_out(patch: list[Any], key: str) -> tuple[list[Any], list[Key], bool]:
    """Changes, the keys of what goes, and whether the rest goes too."""
    changes: list[Any] = []
    gone: list[Key] = []
    replace = False
    for change in patch:
        match change.get(DIRECTIVE) if isinstance(change, dict) else None:
            case None:
                changes.append(change)
            case "delete":
                gone.append(key_of(change, key))
            case "replace":
                replace = True
            case other:
                raise BadPatch(f"unknown patch type: {other}")
    return changes, gone, replace


def _values(here: list[Any], patch: list[Any], order: list[Any] | None) -> list[Any]:
    """A list of plain values, each once."""
    if any(isinstance(one, dict | list) for one in (*here, *patch, *(order or ()))):
        raise BadPatch("a list of plain values holds something else")
    both = list(dict.fromkeys([*here, *patch]))
    wanted = patch if order is None else order
    ours = in_order(((one, one) for one in both if one in wanted), wanted)
    theirs = [(one, one) for one in both if one not in wanted]
    return interleaved(ours, theirs, here)


def _follows(asked: list[Key], wanted: list[Key]) -> bool:
    rest = iter(wanted)
    return not wanted or all(any(one == name for one in rest) for name in asked)


def key_of(element: Any, key: str) -> Key:
    if not isinstance(element, dict):
        raise BadPatch(f"an element of a list merged by {key} is no map")
    if not isinstance(element.get(key), str | int | float):
        raise BadPatch(f"an element has no {key}, by which its list is merged")
    found: Key = element[key]
    return found


def cleaned(value: Any) -> Any:
    """A value that is new as a whole: without nulls, without directives; MISSING when it is one."""
    if isinstance(value, dict):
        if DIRECTIVE in value:
            return MISSING
        inside = {
            name: cleaned(v)
            for name, v in value.items()
            if v is not None and not name.startswith((RETAIN, ORDER, UNLIST))
        }
        return {name: v for name, v in inside.items() if v is not MISSING}
    if isinstance(value, list):
        return [v for v in map(cleaned, value) if v is not MISSING]
    return value
