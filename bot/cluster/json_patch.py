"""Applies a JSON patch (RFC 6902), as the API server does: all of it or nothing.

Never changes what it is given. Raises DoesNotHold for what the server would refuse.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from bot.model.plan import JSON


class DoesNotHold(ValueError):
    """An operation that cannot be done, or a test that is not so."""


def operated(obj: JSON, operations: list[JSON]) -> JSON:
    """What the object is after the operations, in their order."""
    made = deepcopy(obj)
    for number, one in enumerate(operations):
        try:
            _operate(made, one)
        except (KeyError, IndexError, TypeError, ValueError):
            told = one.get("op") if isinstance(one, dict) else one
            raise DoesNotHold(f"operation {number} ({told}) does not hold") from None
    return made


def _operate(made: JSON, one: JSON) -> None:
    where = _pointer(one["path"])
    match one["op"]:
        case "add":
            _add(made, where, deepcopy(one["value"]))
        case "remove":
            _take(made, where)
        case "replace":
            _take(made, where)
            _add(made, where, deepcopy(one["value"]))
        case "move":
            _add(made, where, _take(made, _pointer(one["from"])))
        case "copy":
            _add(made, where, deepcopy(_look(made, _pointer(one["from"]))))
        case "test":
            if _look(made, where) != one["value"]:
                raise ValueError(where)
        case other:
            raise ValueError(other)


def _pointer(text: str) -> list[str]:
    if not text.startswith("/"):
        raise ValueError(text)
    return [part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")]


def _look(here: Any, where: list[str]) -> Any:
    for part in where:
        here = here[_index(part)] if isinstance(here, list) else here[part]
    return here


def _add(made: Any, where: list[str], value: Any) -> None:
    parent = _look(made, where[:-1])
    if not isinstance(parent, list):
        parent[where[-1]] = value
    elif where[-1] == "-":
        parent.append(value)
    else:
        at = _index(where[-1])
        if at > len(parent):
            raise IndexError(at)
        parent.insert(at, value)


def _take(made: Any, where: list[str]) -> Any:
    parent = _look(made, where[:-1])
    return parent.pop(_index(where[-1]) if isinstance(parent, list) else where[-1])


def _index(part: str) -> int:
    if not part.isdigit():
        raise ValueError(part)
    return int(part)
