"""Whose fields a write takes over: the managed fields before it against those after it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from bot.model.plan import JSON

SHOWN = 3
"""Fields that are named of one manager; of the rest only how many there are."""


def taken(before: Sequence[JSON], after: Sequence[JSON], ours: str) -> tuple[str, ...]:
    """One sentence for every other manager that a write takes fields from."""
    kept = {_who(entry): set(_paths(entry.get("fieldsV1") or {})) for entry in after}
    found: list[str] = []
    for entry in before:
        manager = str(entry.get("manager", ""))
        if manager == ours or entry.get("subresource"):
            continue
        lost = sorted(set(_paths(entry.get("fieldsV1") or {})) - kept.get(_who(entry), set()))
        if lost:
            more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
            found.append(f"{', '.join(lost[:SHOWN])}{more} was set by {manager}, and is ours now")
    return tuple(found)


def _who(entry: JSON) -> tuple[str, ...]:
    names = ("manager", "operation", "apiVersion", "subresource")
    return tuple(str(entry.get(name, "")) for name in names)


def _paths(fields: JSON, above: str = "") -> Iterator[str]:
    """`spec.template.spec.containers[web].image` of the keys of a fieldsV1."""
    for key, inner in fields.items():
        if key == ".":
            continue
        path = above + _step(key, above)
        if inner:
            yield from _paths(inner, path)
        else:
            yield path


def _step(key: str, above: str) -> str:
    kind, _, name = key.partition(":")
    if kind == "f":
        return f".{name}" if above else name
    if kind == "k":
        try:
            names = json.loads(name)
        except ValueError:
            return f"[{name}]"
        return f"[{','.join(map(str, names.values()))}]" if isinstance(names, dict) else f"[{name}]"
    return f"[{name}]"
