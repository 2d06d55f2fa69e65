"""One JSON Schema (draft-07) a kind, made from the models, for editors and other people's CI.

The models decide; a schema only says as much of it as a schema can.
"""

from __future__ import annotations

import posixpath
from typing import Any

from release_repo_schema.models import API_VERSION, KINDS

DRAFT = "http://json-schema.org/draft-07/schema#"
FOLDER = ".schemas"
"""Where a release repo keeps its copies: hidden, so that the loader passes it by."""


def schema(kind: str) -> dict[str, Any]:
    """The schema of a kind; KeyError where there is none of this name."""
    model = KINDS[kind]
    made = model.model_json_schema(by_alias=True, ref_template="#/definitions/{model}")
    definitions = made.pop("$defs", {})
    whole: dict[str, Any] = {
        "$schema": DRAFT,
        "$id": f"{kind}.json",
        **_draft_07(made),
        "definitions": {name: _draft_07(one) for name, one in sorted(definitions.items())},
    }
    whole["title"] = kind
    whole["required"] = ["apiVersion", "kind", *(x for x in whole.get("required", []))]
    _describe(whole, whole["definitions"])
    properties = whole["properties"]
    properties["apiVersion"] = {
        "const": API_VERSION,
        "description": properties["apiVersion"]["description"],
    }
    properties["kind"] = {"const": kind, "description": f"The kind of this document: {kind}."}
    return whole


def _describe(node: dict[str, Any], definitions: dict[str, Any]) -> None:
    """A field that says no more than its type's own sentence gets that sentence."""
    for model in (node, *definitions.values()):
        for name, field in model.get("properties", {}).items():
            if "description" in field or "$ref" not in field:
                continue
            said = definitions[field["$ref"].rsplit("/", 1)[1]]["description"]
            model["properties"][name] = {"allOf": [field], "description": said}


def header(path: str, kind: str) -> str:
    """The first line of a file of this kind, for editors that read schemas."""
    root = posixpath.relpath(FOLDER, posixpath.dirname(path) or ".")
    return f"# yaml-language-server: $schema={root}/{kind}.json"


def _draft_07(node: Any) -> Any:
    """Pydantic's 2020-12 in the words of draft-07; what YAML cannot say is taken out."""
    if isinstance(node, list):
        return [_draft_07(one) for one in node]
    if not isinstance(node, dict):
        return node
    node = {key: value for key, value in node.items() if key not in ("title", "default")}
    # An empty value is refused by the loader, so a schema that allowed null would mislead.
    choices = node.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [one for one in choices if one != {"type": "null"}]
        del node["anyOf"]
        node = {**(rest[0] if len(rest) == 1 else {"anyOf": rest}), **node}
    if "$ref" in node and len(node) > 1:
        # Draft-07 ignores everything beside $ref: the description would be lost.
        node = {"allOf": [{"$ref": node.pop("$ref")}], **node}
    return {key: _draft_07(value) for key, value in node.items()}
