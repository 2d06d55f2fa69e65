"""Rendered documents → Kubernetes objects, or findings: what no API server takes is refused here.

Pure. Adds nothing and defaults nothing: a namespace that is not written stays unwritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from bot.cluster.render import group_kind
from bot.model.plan import JSON
from bot.ports import RenderProblem

_NAME = re.compile(r"[a-z0-9A-Z]([a-z0-9A-Z.:_-]*[a-z0-9A-Z])?")
_API_VERSION = re.compile(r"([a-z0-9.-]+/)?v[a-z0-9]+")
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
NAME_LENGTH = 253
_OF_ONE_CLUSTER = {
    "uid": "the API server gives it; leave it out",
    "resourceVersion": "the API server gives it; leave it out",
    "managedFields": "the API server keeps them; leave them out",
    "ownerReferences": "an owner is known by the uid that it has in one cluster: anywhere else "
    "the garbage collector deletes the object; leave them out",
}
"""What only a copy of a live object has. `creationTimestamp: null` is what generators write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document as rendered. `line`: of the template (or manifest) where it begins."""

    path: str
    line: int | None
    value: JSON


@dataclass(slots=True)
class _Reading:
    objects: list[JSON] = field(default_factory=list)
    problems: list[RenderProblem] = field(default_factory=list)
    seen: dict[tuple[str, str, str, str], Document] = field(default_factory=dict)


def objects_from(
    documents: Iterable[Document],
) -> tuple[tuple[JSON, ...], tuple[RenderProblem, ...]]:
    """The objects in the order of the documents, Lists opened, empty documents left out."""
    reading = _Reading()
    for document in documents:
        if document.value is None or document.value == {}:
            continue
        for value in _opened(document.value):
            _read(reading, document, value)
    return tuple(reading.objects), tuple(reading.problems)


def _opened(value: JSON) -> Iterator[JSON]:
    if (
        isinstance(value, Mapping)
        and value.get("kind") == "List"
        and isinstance(value.get("items"), list)
    ):
        for item in value["items"]:
            yield from _opened(item)
    else:
        yield value


def _read(reading: _Reading, document: Document, value: JSON) -> None:
    found = [*_shape(value)]
    if not found:
        found = [*_texts(value)]
        before = reading.seen.get(_key(value))
        if before is not None:
            where = f"{before.path}:{before.line}" if before.line else before.path
            told = f"{_shown(value)} is rendered twice, first at {where}"
            found.append((told, "keep one of the two, or rename one"))
        reading.seen[_key(value)] = before or document
    if found:
        reading.problems += [
            RenderProblem(
                path=document.path, line=document.line, message=message, hint=hint, code="object"
            )
            for message, hint in found
        ]
    else:
        reading.objects.append(value)


def _shape(value: JSON) -> Iterator[tuple[str, str]]:
    """What must hold before anything else of an object can be looked at."""
    if not isinstance(value, Mapping):
        yield (
            f"a document must be a Kubernetes object (a map), but is {_kind(value)}",
            _hint_of_shape(value),
        )
        return
    for field_name, pattern in (("apiVersion", _API_VERSION), ("kind", _NAME)):
        if field_name not in value:
            yield (
                f"the object has no `{field_name}`",
                "every object begins with apiVersion, kind and metadata",
            )
        elif not isinstance(value[field_name], str) or not pattern.fullmatch(value[field_name]):
            yield f"`{field_name}` must be a name, but is {_shown_value(value[field_name])}", ""
    metadata = value.get("metadata")
    if not isinstance(metadata, Mapping):
        yield "the object has no `metadata`", "add `metadata: {name: …}`"
        return
    name = metadata.get("name")
    if name is None:
        also = "generateName" in metadata
        hint = "a release must know its objects: write `name`, not `generateName`" if also else ""
        yield "the object has no `metadata.name`", hint or "add `metadata: {name: …}`"
    elif not isinstance(name, str):
        yield f"`metadata.name` must be text, but is {_shown_value(name)}", "put it in quotes"
    elif not _NAME.fullmatch(name) or len(name) > NAME_LENGTH:
        yield (
            f"`metadata.name` cannot be {_shown_value(name)}",
            "letters, digits, `-` and `.` make a name",
        )
    yield from _place(metadata)


def _place(metadata: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    """Where it lives, and what no template can know of the place."""
    namespace = metadata.get("namespace")
    if namespace is not None and not isinstance(namespace, str):
        yield (
            f"`metadata.namespace` must be text, but is {_shown_value(namespace)}",
            "put it in quotes",
        )
    elif namespace and not _NAMESPACE.fullmatch(namespace):
        yield (
            f"`metadata.namespace` cannot be {_shown_value(namespace)}",
            "lower case letters, digits and `-` make a namespace, at most 63",
        )
    for field_name, hint in _OF_ONE_CLUSTER.items():
        if metadata.get(field_name):
            yield f"`metadata.{field_name}` cannot be in a template", hint


def _texts(value: Mapping[str, JSON]) -> Iterator[tuple[str, str]]:
    """Maps that hold text only: a number there is refused by every API server."""
    for place in _text_maps(value):
        found: JSON = value
        for step in place:
            found = found.get(step) if isinstance(found, Mapping) else None
        path = ".".join(place)
        if found is not None and not isinstance(found, Mapping):
            yield f"`{path}` of {_shown(value)} must be a map, but is {_kind(found)}", ""
            continue
        for key, item in (found or {}).items():
            if not isinstance(item, str):
                yield (
                    f"`{path}.{key}` of {_shown(value)} must be text, but is {_shown_value(item)}",
                    "put it in quotes; in a template `{{ … | quote }}` does",
                )


def _text_maps(value: Mapping[str, JSON]) -> Iterator[tuple[str, ...]]:
    yield ("metadata", "labels")
    yield ("metadata", "annotations")
    if value["apiVersion"] == "v1" and value["kind"] in ("ConfigMap", "Secret"):
        yield ("data",)
    spec = value.get("spec")
    if isinstance(spec, Mapping) and isinstance(spec.get("template"), Mapping):
        yield ("spec", "template", "metadata", "labels")
        yield ("spec", "template", "metadata", "annotations")


def _key(value: JSON) -> tuple[str, str, str, str]:
    metadata = value["metadata"]
    return (*group_kind(value), metadata.get("namespace") or "", metadata["name"])


def _shown(value: Mapping[str, JSON]) -> str:
    metadata = value["metadata"]
    namespace = metadata.get("namespace")
    return f"{value['kind']} {f'{namespace}/' if namespace else ''}{metadata['name']}"


def _shown_value(value: JSON) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    text = {"True": "true", "False": "false", "None": "null"}.get(text, text)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _kind(value: JSON) -> str:
    match value:
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case None:
            return "empty"
        case _:
            return "a map"


def _hint_of_shape(value: JSON) -> str:
    return "separate objects by a line `---`" if isinstance(value, list) else ""
