"""The smallest patch from one object to another, in the type that its kind takes.

What the API server would store alike is no difference: amounts, values that are dropped when
empty, defaults that come back. Never looks at who wrote what.
"""

from __future__ import annotations

from typing import Any

from bot.cluster.fields import MISSING
from bot.cluster.merge_defaults import comes_back
from bot.cluster.merge_table import Row, fields_of
from bot.cluster.quantity import same_amount
from bot.cluster.strategic import DIRECTIVE, ORDER, RETAIN, UNLIST
from bot.cluster.three_way import has_key, identical, unique
from bot.model.plan import JSON

CUSTOM = ""
"""The type of a map of which no schema tells anything."""

_TOLD = "?"
"""The type of a map that a schema has, with nothing to say about its fields."""

_META: Row = {"type": "meta.v1.ObjectMeta"}
_EMPTY: tuple[JSON, ...] = (None, False, "", 0)


class Ambiguous(Exception):
    """A list has an element twice by its merge key: no strategic patch is sure to hit."""


def strategic_between(live: JSON, made: JSON, kind: str) -> JSON:
    """The strategic patch; {} when the server would store both alike. Raises Ambiguous."""
    return _map(live, made, kind, keyed=True)


def merge_between(live: JSON, made: JSON, kind: str = CUSTOM) -> JSON:
    """The JSON merge patch; {} when the server would store both alike."""
    return _map(live, made, kind, keyed=False)


def _map(live: JSON, made: JSON, kind: str, *, keyed: bool) -> JSON:
    patch: JSON = {}
    fields = fields_of(kind)
    for name, value in made.items():
        have = live.get(name, MISSING)
        if have is value:
            continue
        row = fields.get(name) or (_META if not kind and name == "metadata" else {})
        if have is MISSING:
            if not (kind and _not_stored(value, row)):
                patch[name] = value
        elif isinstance(have, dict) and isinstance(value, dict):
            _below(patch, name, have, value, row, kind, keyed=keyed)
        elif isinstance(have, list) and isinstance(value, list) and keyed and "merge" in row:
            _list(patch, name, have, value, row)
        elif not _alike(have, value, row, kind):
            patch[name] = value
    return _with_what_goes(patch, live, made, kind)


def _with_what_goes(patch: JSON, live: JSON, made: JSON, kind: str) -> JSON:
    """Fields that go. Where nothing else changes, a default that comes back is no difference."""
    gone = [name for name in live if name not in made]
    if not gone:
        return patch
    if kind and not patch:
        fields = fields_of(kind)
        gone = [
            name for name in gone
            if not comes_back(kind, name, live[name], made)
            and not _not_stored(live[name], fields.get(name, {}))
        ]  # fmt: skip
    return patch | dict.fromkeys(gone)


def _type(kind: str, row: Row) -> str:
    if row.get("map"):
        return _TOLD
    return row.get("type") or (_TOLD if kind else CUSTOM)


def _below(
    patch: JSON, name: str, have: JSON, value: JSON, row: Row, kind: str, *, keyed: bool
) -> None:
    if row.get("quantity"):
        inside = {k: v for k, v in value.items() if k not in have or not same_amount(have[k], v)}
        inside |= {k: None for k in have if k not in value}
    elif row.get("replace") and keyed:
        if _map(have, value, _type(kind, row), keyed=False):
            patch[name] = value
        return
    else:
        inside = _map(have, value, _type(kind, row), keyed=keyed)
    if inside and keyed and row.get("retain"):
        inside = {**inside, RETAIN: sorted(k for k, v in value.items() if v is not None)}
    if inside:
        patch[name] = inside


def _list(patch: JSON, name: str, have: list[Any], made: list[Any], row: Row) -> None:
    key = row["merge"]
    if not key:
        _values(patch, name, have, made)
        return
    if not all(has_key(one, key) for one in (*have, *made)):
        raise Ambiguous(name)
    if not (unique(have, key) and unique(made, key)):
        if not _alike(have, made, row, _TOLD):
            raise Ambiguous(name)
        return
    there = {one[key]: one for one in have}
    changes: list[JSON] = []
    for one in made:
        before = there.pop(one[key], MISSING)
        if before is MISSING:
            changes.append(one)
        elif inside := _element(before, one, row):
            changes.append({key: one[key], **inside})
    changes += ({key: left, DIRECTIVE: "delete"} for left in there)
    order = [{key: one[key]} for one in made]
    if changes:
        patch[name] = changes
    if changes or order != [{key: one[key]} for one in have]:
        patch[ORDER + name] = order


def _element(before: JSON, one: JSON, row: Row) -> JSON:
    inside = _map(before, one, _type(_TOLD, row), keyed=True)
    if inside and row.get("retain"):
        inside[RETAIN] = sorted(name for name, value in one.items() if value is not None)
    return inside


def _values(patch: JSON, name: str, have: list[Any], made: list[Any]) -> None:
    if have == made:
        return
    if any(isinstance(one, dict | list) for one in (*have, *made)):
        raise Ambiguous(name)
    patch[name] = [one for one in made if one not in have]
    patch[UNLIST + name] = [one for one in have if one not in made]
    patch[ORDER + name] = made
    for directive in (name, UNLIST + name):
        if not patch[directive]:
            del patch[directive]


def _alike(have: JSON, want: JSON, row: Row, kind: str) -> bool:
    """Whether the server stores both as the same."""
    if not kind:
        return identical(have, want)
    if have == want:
        return isinstance(have, bool) is isinstance(want, bool)
    if row.get("quantity"):
        return same_amount(have, want)
    if isinstance(have, dict) and isinstance(want, dict):
        return not _map(have, want, _type(kind, row), keyed=False)
    if isinstance(have, list) and isinstance(want, list):
        inside = {"type": row["type"]} if "type" in row else {}
        return len(have) == len(want) and all(
            _alike(left, right, inside, kind)  # type: ignore[arg-type]
            for left, right in zip(have, want, strict=True)
        )
    return have is None and _not_stored(want, row)


def _not_stored(value: JSON, row: Row) -> bool:
    """What the server leaves out of what it stores."""
    if value is None or value == []:
        return True
    if row.get("map") and value == {}:
        return True
    return bool(row.get("zero")) and value in _EMPTY
