"""The reference of the release repo as one page of Markdown, read off the models. Pure.

Says nothing that a model does not say: a field is explained where it is defined, once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from release_repo_schema.layout import HOMES
from release_repo_schema.models import API_VERSION, KINDS, KindModel, scalars
from release_repo_schema.models.paths import FieldPath
from release_repo_schema.models.sharded_operator import ListPath
from release_repo_schema.models.workload_kind import OpenValue
from release_repo_schema.notyet import not_in_this_version
from release_repo_schema.probes import probes

_HEAD = f"""\
<!-- Generated from release_repo_schema by `make docs`: change the models, not this page. -->
# The release repo, field by field

Every file holds one or more YAML documents: `apiVersion: {API_VERSION}`, `kind`, `metadata`,
`spec`. Sluice reads `*.yaml` and `*.yml` in the places named below and ignores other files.
Unknown fields, duplicate keys, `<<`, explicit tags and wrong types are errors, and `sluice lint`
tells all of them with line and column. Text counts as it is written: `version: 1.10` is "1.10".
What is marked **not in this version** is known, and an error where it is used.

`sluice init DIR` writes a commented repo to start from; `sluice schema KIND` gives the same as JSON
Schema for editors. Every kind has the same [metadata](#metadata); only the name of a
ComponentVersion may have dots. Order, scores and waves are told in
[which unit goes when](order-of-units.md), checks in [checks](checks.md), what can be rolled out in
batches in [workload kinds](workload-kinds.md).
"""

_SCALARS: Mapping[str, Any] = {
    "duration": scalars.Duration,
    "day": scalars.Day,
    "local date and time": scalars.LocalTime,
    "moment (RFC 3339)": scalars.Instant,
    "number or percentage": scalars.Step,
    "name": scalars.DnsLabel,
    "name with dots": scalars.DottedName,
    "name of a file": scalars.FileName,
    "version": scalars.Version,
    "digest": scalars.Digest,
    "time of day": scalars.TimeOfDay,
    "days": scalars.DayRange,
    "folder": scalars.Folder,
    "path": FieldPath,
    "path to a list": ListPath,
    "number or text": OpenValue,
}
_SHARED = (
    *("Metadata", "Selector", "MatchExpression"),
    *("Stage", "StageApproval", "StageRollback", "StageTasks"),
)
"""Models that several kinds have: told once, at the end, and linked."""

_DEFAULT = re.compile(r"(?:^|\s)Default:? ([^.]*(?:\.\S[^.]*)*)\.$")

Schema = Mapping[str, Any]


def reference_markdown() -> str:
    """Every kind, every field: type, default, meaning, and whether this version does it."""
    shared: dict[str, Schema] = {}
    parts = [_HEAD, _contents()]
    for name, kind in KINDS.items():
        schema = kind.model_json_schema(by_alias=True)
        definitions = schema.get("$defs", {})
        shared |= {part: definitions[part] for part in _SHARED if part in definitions}
        parts.append(_section(name, kind, schema, definitions))
    parts.append("## Shared parts\n")
    for part in _SHARED:
        parts.append(_part(part, shared))
    return "\n".join(parts)


def not_yet(kind: type[KindModel]) -> dict[str, tuple[str, ...]]:
    """Path of a field → what of it is not in this version, as lint would say it."""
    found: dict[str, set[str]] = {}
    for probe in probes(kind):
        for pointer, said in not_in_this_version(probe):
            path = ".".join(str(key) for key in pointer if isinstance(key, str))
            found.setdefault(path, set()).add(said)
    return {path: tuple(sorted(said)) for path, said in found.items()}


def _contents() -> str:
    links = " · ".join(f"[{name}](#{name.lower()})" for name in KINDS)
    return f"{links}\n"


def _section(name: str, kind: type[KindModel], schema: Schema, definitions: Schema) -> str:
    later = not_yet(kind)
    fields = _fields(schema, definitions, later, "", ("apiVersion", "kind", "metadata"))
    return "\n".join(
        (
            f"## {name}\n",
            f"{schema['description']} Stands in `{HOMES[name]}`.\n",
            *_TABLE,
            *fields,
            "",
        )
    )


def _part(name: str, shared: Mapping[str, Schema]) -> str:
    fields = _fields(shared[name], shared, {}, "")
    return "\n".join((f"### {name}\n", f"{shared[name]['description']}\n", *_TABLE, *fields, ""))


_TABLE = ("| Field | Type | Default | Meaning |", "|---|---|---|---|")


def _fields(
    model: Schema,
    definitions: Schema,
    later: Mapping[str, tuple[str, ...]],
    at: str,
    skip: tuple[str, ...] = (),
) -> Iterator[str]:
    """One row a field, those of inner models below their own, by their path."""
    for name, field in model.get("properties", {}).items():
        if name in skip:
            continue
        path = f"{at}.{name}" if at else name
        yield _row(path, field, name in model.get("required", ()), later, definitions)
        inner, many = _inner(field, definitions)
        if inner is not None:
            yield from _fields(inner, definitions, later, path + many)


def _row(
    path: str,
    field: Schema,
    required: bool,
    later: Mapping[str, tuple[str, ...]],
    definitions: Schema,
) -> str:
    said = str(field.get("description") or _referred(field, definitions).get("description", ""))
    found = _DEFAULT.search(said)
    default = "required" if required else _default(field)
    if found and not required:
        said, default = said[: found.start()].strip(), _literal(found[1], field)
    example = next(iter(field.get("examples", ())), None)
    # Durations and the like bring the same examples everywhere; only a field's own are told.
    if example is not None and example not in _TYPE_EXAMPLES:
        said += f" Example: `{_yaml(example)}`."
    if what := later.get(path.replace("[]", "")):
        said += f" **Not in this version:** {', '.join(what)}."
    cells = (f"`{path}`", _type(field, definitions), default, said.strip())
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


_TYPE_EXAMPLES = ("30s",)


def _literal(said: str, field: Schema) -> str:
    """What could stand in the file is code, anything else is words."""
    choices = _bare(field).get("enum", ())
    written = re.fullmatch(r"\d+[smhd]?|\[[^]]*\]|\{[^}]*\}|\"[^\"]*\"|true|false", said)
    return f"`{said}`" if written or said in choices else said


def _default(field: Schema) -> str:
    value = field.get("default")
    if value in (None, [], {}, "") or isinstance(value, dict):
        return "–"
    return f"`{_yaml(value)}`"


def _yaml(value: Any) -> str:
    """A value in one line, as it would be written."""
    match value:
        case bool() | None:
            return json.dumps(value)
        case dict():
            inner = ", ".join(f"{key}: {_yaml(one)}" for key, one in value.items())
            return f"{{{inner}}}"
        case list() | tuple():
            return f"[{', '.join(_yaml(one) for one in value)}]"
        case str():
            number = scalars.yaml_reads(value) in ("number", "boolean", "nothing")
            return json.dumps(value) if number else value
        case _:
            return str(value)


def _type(field: Schema, definitions: Schema) -> str:
    field = _bare(field)
    if named := _scalar_names().get(_key(field)):
        return named
    if "$ref" in field:
        name = _ref(field)
        return f"[{name}](#{name.lower()})" if name in _SHARED else "mapping"
    if "enum" in field:
        return " or ".join(f"`{one}`" for one in field["enum"])
    if "const" in field:
        return f"`{field['const']}`"
    match field.get("type"):
        case "array":
            of = _type(field.get("items", {}), definitions)
            return "list" if of == "mapping" else f"list of {of}"
        case "object":
            inner = field.get("additionalProperties")
            of = _type(inner, definitions) if isinstance(inner, dict) and inner else "text"
            return "mapping" if of == "mapping" else f"mapping to {of}"
        case "boolean":
            return "true or false"
        case "integer":
            least = field.get("minimum")
            return f"whole number, at least {least}" if least is not None else "whole number"
        case _:
            return "text"


def _inner(field: Schema, definitions: Schema) -> tuple[Schema | None, str]:
    """The model of a field or of its entries, and how an entry is written behind the path."""
    field, many = _bare(field), ""
    if field.get("type") == "array":
        field, many = _bare(field.get("items", {})), "[]"
    elif field.get("type") == "object":
        inner = field.get("additionalProperties")
        field, many = _bare(inner) if isinstance(inner, dict) else {}, ".<name>"
    if "$ref" not in field or _ref(field) in _SHARED:
        return None, many
    return definitions[_ref(field)], many


def _referred(field: Schema, definitions: Schema) -> Schema:
    field = _bare(field)
    found: Schema = definitions[_ref(field)] if "$ref" in field else {}
    return found


def _ref(field: Schema) -> str:
    return str(field["$ref"]).rsplit("/", 1)[1]


def _bare(field: Schema) -> Schema:
    """Without the null of what may be left out: in YAML it is left out."""
    choices = [one for one in field.get("anyOf", ()) if one != {"type": "null"}]
    return choices[0] if len(choices) == 1 else {**field, "anyOf": choices} if choices else field


def _key(field: Schema) -> str:
    told = ("title", "default", "description", "examples")
    return json.dumps({key: one for key, one in field.items() if key not in told}, sort_keys=True)


@cache
def _scalar_names() -> Mapping[str, str]:
    """What a scalar's schema looks like → its name, so that a pattern is never shown to people."""
    return {_key(TypeAdapter(kind).json_schema()): name for name, kind in _SCALARS.items()}
