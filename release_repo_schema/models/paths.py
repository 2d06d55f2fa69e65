"""Paths into Kubernetes objects: text with dots, or a list of names. Knows no kind of object."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from release_repo_schema.findings import did_you_mean
from release_repo_schema.models.scalars import found, refuse

_ROOTS = ("spec", "status", "metadata")
_SAID = "a path such as spec.replicas"
_HINT = "it begins with spec, status or metadata; where a name has dots, write a list of names"


def _path(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        parts: list[object] = list(value.split("."))
        shown = f"`{value}`"
    elif isinstance(value, list | tuple):
        parts, shown = list(value), found(value)
    else:
        refuse("wrong-path", f"expected {_SAID}, found {found(value)}", _HINT)
    names = [part for part in parts if isinstance(part, str) and part and part == part.strip()]
    if any("[" in name for name in names):
        said = f"expected {_SAID}, found {shown}"
        refuse("wrong-path", said, "entries of lists have no path: a row names fields")
    if len(parts) < 2 or len(names) < len(parts) or names[0] not in _ROOTS:
        slip = names and names[0] not in _ROOTS
        hint = did_you_mean(names[0], _ROOTS, _HINT) if slip else _HINT
        refuse("wrong-path", f"expected {_SAID}, found {shown}", hint)
    return tuple(str(name) for name in names)


_PATH_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "pattern": r"^(spec|status|metadata)(\.[^.\[\]]+)+$"},
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 2},
    ]
}
FieldPath = Annotated[tuple[str, ...], BeforeValidator(_path), WithJsonSchema(_PATH_SCHEMA)]
"""Where a field of an object lives: its names from the top."""
