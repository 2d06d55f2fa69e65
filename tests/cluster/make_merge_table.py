"""Makes bot/cluster/merge_table.json: how lists and maps of built-in kinds are merged.

Run with the folders of the modules k8s.io/kubernetes, k8s.io/api and k8s.io/apimachinery (as
`go list -m -f '{{.Dir}}'` tells them):

    python -m tests.cluster.make_merge_table KUBERNETES API APIMACHINERY

The merge keys come from the published OpenAPI schema; which values an object is stored without
comes from the Go types, because no schema tells it. Never run by the bot.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from bot.cluster.merge_defaults import DEFAULTS

TABLE = Path(__file__).parents[2] / "bot" / "cluster" / "merge_table.json"
STRATEGIC = "application/strategic-merge-patch+json"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
KEY_DEFAULTS = {"protocol": "TCP"}
"""What the server fills into a part of a full key that was left out."""

Json = dict[str, Any]


def main(kubernetes: str, *modules: str) -> None:
    spec = json.loads((Path(kubernetes) / "api/openapi-spec/swagger.json").read_text())
    dropped = _dropped([Path(module) for module in modules])
    definitions = spec["definitions"]
    kinds = _kinds(spec)
    table = {
        "version": Path(kubernetes).name.partition("@v")[2],
        "kinds": {_gvk(gvk): name for name, gvk in kinds},
        "types": _types(definitions, [name for name, _ in kinds], dropped),
    }
    table = _shortened(table)
    TABLE.write_text(_text(table))
    print(f"{len(table['kinds'])} kinds, {len(table['types'])} types")  # noqa: T201


def _kinds(spec: Json) -> list[tuple[str, Json]]:
    """Definition and kind of what takes a strategic patch."""
    patched = set()
    for path in spec["paths"].values():
        if STRATEGIC in path.get("patch", {}).get("consumes", ()):
            patched.add(_gvk(path["patch"]["x-kubernetes-group-version-kind"]))
    return sorted(
        ((name, gvk) for name, one in spec["definitions"].items()
         for gvk in one.get("x-kubernetes-group-version-kind", ()) if _gvk(gvk) in patched),
        key=lambda pair: _gvk(pair[1]),
    )  # fmt: skip


def _gvk(gvk: Json) -> str:
    return f"{gvk['group']}/{gvk['version']} {gvk['kind']}".removeprefix("/")


def _types(definitions: Json, roots: list[str], dropped: dict[str, set[str]]) -> Json:
    types: Json = {}
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        if name in types:
            continue
        types[name] = fields = {}
        for field, told in sorted(definitions[name].get("properties", {}).items()):
            if field == "status" and name in roots:
                continue
            row = _field(definitions, told)
            if row.get("type") is None and field in dropped.get(name, ()):
                row["zero"] = True
            if "type" in row and row["type"] not in types:
                waiting.append(row["type"])
            if row:
                fields[field] = row
    return _worth_keeping(types, roots)


def _field(definitions: Json, told: Json) -> Json:
    row: Json = {}
    strategies = told.get("x-kubernetes-patch-strategy", "").split(",")
    key = told.get("x-kubernetes-patch-merge-key")
    if told.get("type") == "array":
        below = told["items"]
        if "merge" in strategies:
            row["merge"] = key or ""
            full = told.get("x-kubernetes-list-map-keys") or [key]
            if key and full != [key]:
                row["full"] = {one: KEY_DEFAULTS.get(one) for one in full}
    else:
        below = told if "$ref" in told else told.get("additionalProperties", {})
        if "additionalProperties" in told:
            row["map"] = True
        if "replace" in strategies:
            row["replace"] = True
    if "retainKeys" in strategies:
        row["retain"] = True
    ref = below.get("$ref", "").removeprefix("#/definitions/")
    if ref == QUANTITY:
        row["quantity"] = True
    elif ref and "properties" in definitions[ref]:
        row["type"] = ref
    return row


def _worth_keeping(types: Json, roots: list[str]) -> Json:
    """Only types and fields below which something is told, and types with known defaults."""
    told = {
        name for name, fields in types.items()
        if any(_tells(r) for r in fields.values()) or _short(name) in DEFAULTS
    }  # fmt: skip
    while True:
        more = {
            name for name, fields in types.items()
            if name not in told and any(row.get("type") in told for row in fields.values())
        }  # fmt: skip
        if not more:
            break
        told |= more
    kept: Json = {}
    for name in sorted(told | set(roots)):
        kept[name] = {
            field: {k: v for k, v in row.items() if k != "type" or v in told}
            for field, row in types[name].items()
            if _tells(row) or row.get("type") in told
        }
    return kept


def _tells(row: Json) -> bool:
    return bool(row.keys() - {"type"})


def _shortened(table: Json) -> Json:
    """Types by their short names, with the group where two share one."""
    short = {name: _short(name) for name in table["types"]}
    assert len(set(short.values())) == len(short)
    types = {
        short[name]: {f: r | ({"type": short[r["type"]]} if "type" in r else {})
                      for f, r in fields.items()}
        for name, fields in table["types"].items()
    }  # fmt: skip
    return table | {"kinds": {k: short[v] for k, v in table["kinds"].items()}, "types": types}


def _short(name: str) -> str:
    return ".".join(name.split(".")[-3:])


def _text(table: Json) -> str:
    """One line a kind and a type: a newer Kubernetes shows as a short diff."""
    parts = [f'"version": {json.dumps(table["version"])}']
    for part in ("kinds", "types"):
        lines = ",\n".join(
            f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}"
            for name, value in sorted(table[part].items())
        )
        parts.append(f'"{part}": {{\n{lines}\n}}')
    return "{" + ",\n".join(parts) + "}\n"


_STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.M | re.S)
_FIELD = re.compile(r"^\t\w+ +([\w.\[\]*]+) +`.*?json:\"(\w+)((?:,\w+)*)\"", re.M)
_NAMED = re.compile(r"^type (\w+) (string|bool|u?int\d*|float\d*)\b", re.M)
_PLAIN = {"string", "bool", "int", "int32", "int64", "uint32", "float64", "types.UID"}


def _dropped(modules: list[Path]) -> dict[str, set[str]]:
    """Definition → the scalar fields that are not stored when they are zero, false or empty."""
    found: dict[str, set[str]] = {}
    for module in modules:
        for file in sorted(module.rglob("types*.go")):
            if "/testdata/" in str(file) or file.name.endswith("_test.go"):
                continue
            text = file.read_text()
            scalars = _PLAIN | {name for name, _ in _NAMED.findall(text)}
            where = ".".join(file.parent.relative_to(module).parts)
            for name, body in _STRUCT.findall(text):
                fields = {
                    field for kind, field, options in _FIELD.findall(body)
                    if "omitempty" in options and kind.removeprefix("v1.") in scalars
                }  # fmt: skip
                if fields:
                    found.setdefault(f"{_package(module)}.{where}.{name}", set()).update(fields)
    return found


def _package(module: Path) -> str:
    base = module.name.split("@")[0]
    return "io.k8s.api" if base == "api" else f"io.k8s.{base}"


if __name__ == "__main__":
    main(*sys.argv[1:])
