"""How the lists and maps of built-in kinds are merged, read off the published schema.

The table beside this file is made by tests/cluster/make_merge_table.py. A kind that is not in it
is a custom resource. Never guesses: a field without a row is merged as a map, replaced as a list.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import TypedDict

from bot.model.plan import JSON


class Row(TypedDict, total=False):
    """What the schema tells of one field."""

    type: str
    """The type of the field, of its elements or of the values of a map."""
    map: bool
    """A map with keys of the author's choice."""
    merge: str
    """A list merged by this key of its elements; "" for plain values merged as a set."""
    full: dict[str, str | None]
    """All the keys that tell elements apart, where they are more; each with its default."""
    retain: bool
    """A map, or elements, of which only what the author names stays."""
    replace: bool
    """A map that is replaced as a whole."""
    quantity: bool
    zero: bool
    """Not stored when it is zero, false or empty."""


Fields = dict[str, Row]
NOTHING: Fields = {}


@cache
def _table() -> JSON:
    text = resources.files("bot.cluster").joinpath("merge_table.json").read_text("utf-8")
    return json.loads(text)


def type_of_kind(api_version: str, kind: str) -> str | None:
    """The type of a built-in kind in the table's words; None for every other kind."""
    name: str | None = _table()["kinds"].get(f"{api_version} {kind}")
    return name


def fields_of(name: str) -> Fields:
    found: Fields = _table()["types"].get(name, NOTHING)
    return found


def fields_of_kind(api_version: str, kind: str) -> Fields | None:
    """The fields of a built-in kind; None for every other kind."""
    name = type_of_kind(api_version, kind)
    return None if name is None else fields_of(name)


def below(row: Row | None) -> Fields:
    """The fields of what a row speaks of."""
    return fields_of(row["type"]) if row is not None and "type" in row else NOTHING


def version() -> str:
    """The Kubernetes version of the schema."""
    return str(_table()["version"])
