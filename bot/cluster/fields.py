"""Reads and sets a field of a JSON object by its path. Never changes what it is given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.model.plan import JSON

Path = tuple[str, ...]


class _Missing:
    """The field is not there; None would be a value."""

    def __bool__(self) -> bool:
        return False


MISSING: Any = _Missing()


def at(obj: JSON, path: Path, default: Any = None) -> Any:
    """The value at a path, `default` where the path ends early."""
    for part in path:
        if not isinstance(obj, dict) or part not in obj:
            return default
        obj = obj[part]
    return obj


def first_at(obj: JSON, paths: Iterable[Path], default: Any = None) -> Any:
    """The first of several paths that holds something: for fields that were renamed."""
    for path in paths:
        value = at(obj, path)
        if value is not None and value != "":
            return value
    return default


def put(obj: JSON, path: Path, value: Any) -> JSON:
    """A copy with the value at the path; MISSING takes the field away. Siblings are shared."""
    copy = dict(obj) if isinstance(obj, dict) else {}
    head, rest = path[0], path[1:]
    if rest:
        if value is MISSING and not isinstance(copy.get(head), dict):
            return copy
        copy[head] = put(copy.get(head), rest, value)
    elif value is MISSING:
        copy.pop(head, None)
    else:
        copy[head] = value
    return copy


def overlay(under: JSON, over: JSON) -> JSON:
    """Maps united, field by field; where both hold something else than maps, `over` wins."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    joined = dict(under)
    for name, value in over.items():
        joined[name] = overlay(joined[name], value) if name in joined else value
    return joined


def without_nulls(value: JSON) -> JSON:
    """The same without null fields: servers write `creationTimestamp: null` into templates."""
    if isinstance(value, dict):
        return {name: without_nulls(v) for name, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_nulls(v) for v in value]
    return value
