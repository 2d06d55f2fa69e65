"""The object that `kubectl apply` would leave: last applied, live, target → what stands afterwards.

Built-in kinds by the keys of the schema, custom resources as JSON. Where the merge key of a list
is not unique, kubectl drops and mixes up elements: there each element meets the live one of the
same full key. Never makes a patch of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

from bot.cluster.fields import MISSING
from bot.cluster.keyed import in_order, interleaved, remembered
from bot.cluster.merge_table import Fields, Row, below
from bot.cluster.strategic import cleaned
from bot.model.plan import JSON

Keyed = Mapping[Any, Any]

_NONE: JSON = {}


def merged_map(last: JSON, live: JSON, target: JSON, fields: Fields) -> JSON:
    """A map of a built-in kind. Gives back `live` itself where nothing changes in it."""
    made = live
    for name, want in target.items():
        have = live.get(name, MISSING)
        if want is None:
            value = MISSING
        elif have is MISSING:
            value = cleaned(want)
        elif have == want:
            continue
        else:
            value = _value(last.get(name), have, want, fields.get(name))
        if value is not have:
            made = _set(made, live, name, value)
    for name in last:
        if name not in target and name in live:
            made = _set(made, live, name, MISSING)
    return made


def _set(made: JSON, live: JSON, name: str, value: Any) -> JSON:
    made = dict(made) if made is live else made
    if value is MISSING:
        made.pop(name, None)
    else:
        made[name] = value
    return made


def _value(last: JSON, have: JSON, want: JSON, row: Row | None) -> JSON:
    if isinstance(have, dict) and isinstance(want, dict):
        if row is None:
            return merged_map(last if isinstance(last, dict) else _NONE, have, want, {})
        if row.get("replace"):
            return cleaned(want)
        return _element(last, have, want, row)
    if isinstance(have, list) and isinstance(want, list) and row is not None and "merge" in row:
        return _list(last if isinstance(last, list) else [], have, want, row)
    return cleaned(want)


def _element(last: JSON, have: JSON, want: JSON, row: Row) -> JSON:
    """A map, or an element of a list; of some only what the author names stays."""
    inside = {} if row.get("map") else below(row)
    made = merged_map(last if isinstance(last, dict) else _NONE, have, want, inside)
    if row.get("retain"):
        kept = {name: value for name, value in made.items() if want.get(name) is not None}
        # An author who names nothing at all says nothing: so does kubectl.
        return kept if kept and len(kept) < len(made) else made
    return made


def _list(last: list[Any], have: list[Any], want: list[Any], row: Row) -> list[Any]:
    if not row["merge"]:
        return _values(last, have, want)
    lists = (last, have, want)
    if not all(has_key(one, row["merge"]) for some in lists for one in some):
        return cleaned(want)  # type: ignore[no-any-return]
    if not have:
        return cleaned(want)  # type: ignore[no-any-return]
    key = row["merge"]
    if all(unique(some, key) for some in lists):
        made = _by_key(_keyed(last, key), _keyed(have, key), _keyed(want, key), row)
    else:
        made = _by_full_key(*(by_full_key(some, row) for some in lists), row=row)
    same = len(made) == len(have) and all(a is b for a, b in zip(made, have, strict=True))
    return have if same else made


def _keyed(elements: list[Any], key: str) -> Keyed:
    return {one[key]: one for one in elements}


def _by_key(had: Keyed, there: Keyed, asked: Keyed, row: Row) -> list[Any]:
    gone = sorted((key for key in had if key in there and key not in asked), key=str)
    added = [key for key in asked if key not in there]
    stood = remembered(list(there), gone, added)
    theirs = [(key, one) for key, one in there.items() if key not in asked and key not in had]
    return interleaved(_ours(had, there, asked, row), in_order(theirs, stood), stood)


def _ours(had: Keyed, there: Keyed, asked: Keyed, row: Row) -> list[tuple[Hashable, Any]]:
    return [
        (key, _element(had.get(key), there[key], one, row) if key in there else cleaned(one))
        for key, one in asked.items()
    ]


def _by_full_key(had: Keyed, there: Keyed, asked: Keyed, *, row: Row) -> list[Any]:
    """Keys are (full key, turn). What stands more often than we ask for goes where we had more."""
    before, now = (Counter(name for name, _ in some) for some in (had, asked))
    left = [key for key in there if key not in asked and before[key[0]] <= now[key[0]]]
    apart = [(key, there[key]) for key in left if not now[key[0]]]
    ours = [(key, (key, one)) for key, one in _ours(had, there, asked, row)]
    made = interleaved(ours, [(key, (key, one)) for key, one in apart], list(there))
    for key in left:
        if now[key[0]]:
            # One more of ours, by its key: it stays behind the last of them.
            at = max(place for place, (name, _) in enumerate(made) if name[0] == key[0])
            made.insert(at + 1, (key, there[key]))
    return [one for _, one in made]


def _values(last: list[Any], have: list[Any], want: list[Any]) -> list[Any]:
    """Plain values merged as a set: finalizers."""
    if any(isinstance(one, dict | list) for one in (*last, *have, *want)):
        return cleaned(want)  # type: ignore[no-any-return]
    if want == sorted(have, key=str) and set(last) <= set(want):
        # kubectl compares with the sorted live list: it does not see that only the order differs.
        return have
    both = list(dict.fromkeys([*have, *want])) if set(want) - set(have) else have
    ours = in_order(((one, one) for one in both if one in want), want)
    theirs = [(one, one) for one in both if one not in want]
    made = interleaved(ours, theirs, have)
    return [one for one in made if one in want or one not in last]


def has_key(element: Any, key: str) -> bool:
    """Whether an element can be told from others: people write all sorts of things."""
    return isinstance(element, dict) and isinstance(element.get(key), str | int | float)


def unique(elements: list[Any], key: str) -> bool:
    return len({one[key] for one in elements}) == len(elements)


def by_full_key(elements: list[Any], row: Row) -> Keyed:
    """By all that tells elements apart; those that nothing does, in turn."""
    full = row.get("full") or {row["merge"]: None}
    places: dict[Any, Any] = {}
    for one in elements:
        name = tuple(str(one.get(part, default)) for part, default in full.items())
        turn = 0
        while (name, turn) in places:
            turn += 1
        places[name, turn] = one
    return places


def merged_json(last: JSON, live: JSON, target: JSON) -> JSON:
    """A map of a custom resource: maps are merged, all else is replaced."""
    made = live
    for name, want in target.items():
        have = live.get(name, MISSING)
        if want is None:
            # Said in both manifests it says nothing new: what others wrote stays.
            value = have if name in last and last[name] is None else MISSING
        elif isinstance(have, dict) and isinstance(want, dict):
            had = last.get(name)
            value = merged_json(had if isinstance(had, dict) else _NONE, have, want)
        elif have is not MISSING and identical(have, want):
            continue
        else:
            value = _new(want, last.get(name))
            if value is MISSING:
                continue
        if value is not have:
            made = _set(made, live, name, value)
    for name in last:
        if name not in target and name in live:
            made = _set(made, live, name, MISSING)
    return made


def _new(want: JSON, last: JSON) -> Any:
    """A value without its nulls; lists of a custom resource are sent as they are written.

    MISSING: a map of nothing but nulls that the last manifest had as well.
    """
    if not isinstance(want, dict) or not want:
        return want
    had = last if isinstance(last, dict) else _NONE
    made = {name: _new(v, had.get(name)) for name, v in want.items() if v is not None}
    made = {name: v for name, v in made.items() if v is not MISSING}
    said = any(v is None and had.get(name, MISSING) is not None for name, v in want.items())
    return made if made or said or had.keys() - want.keys() else MISSING


def identical(one: JSON, other: JSON) -> bool:
    """Equal, and true is not 1."""
    if one != other:
        return False
    if isinstance(one, dict):
        return all(identical(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return all(map(identical, one, other))
    return isinstance(one, bool) is isinstance(other, bool)
