"""What the embedded API server makes of a patch, by the three types that there are.

Refused for what a real one answers with 400, 415 or 422. Never stores anything.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from bot.adapters.simulated.api_rules import written
from bot.cluster.merge import merge_patch
from bot.cluster.merge_table import fields_of_kind
from bot.cluster.strategic import BadPatch, strategic_patch
from bot.model.effects import PatchType, Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import Refused


def patched(ref: ObjectRef, obj: JSON, write: Write) -> JSON:
    """The object after the patch: without status, without what the server owns."""
    if write.patch_type is PatchType.JSON:
        return written(_by_operations(ref, obj, write.body))
    if not isinstance(write.body, dict):
        raise Refused(f"{ref.short}: the patch is no object")
    patch = written(write.body)
    if write.patch_type is PatchType.MERGE:
        return merge_patch(obj, patch)
    fields = fields_of_kind(ref.api_version, ref.kind)
    if fields is None:
        raise Refused(
            f"{ref.short}: the server does not take a strategic merge patch of a custom resource"
            " (415 Unsupported Media Type)"
        )
    try:
        return strategic_patch(obj, patch, fields)
    except BadPatch as bad:
        raise Refused(f"{ref.short}: {bad}") from None


def _by_operations(ref: ObjectRef, obj: JSON, operations: Any) -> JSON:
    """RFC 6902. One operation that does not hold, and nothing is written."""
    if not isinstance(operations, list):
        raise Refused(f"{ref.short}: the patch is no list of operations")
    made = deepcopy(obj)
    for number, one in enumerate(operations):
        try:
            _operate(made, one)
        except (KeyError, IndexError, TypeError, ValueError, AssertionError):
            told = one.get("op") if isinstance(one, dict) else one
            raise Refused(f"{ref.short}: operation {number} ({told}) does not hold") from None
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
            assert _look(made, where) == one["value"]
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
