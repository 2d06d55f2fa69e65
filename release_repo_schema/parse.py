"""Bytes of one file → documents and findings. Pure, total, and told only the path.

Every mistake of the file is reported, with its place; nothing is ever raised.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from release_repo_schema.drafts import validate
from release_repo_schema.explain import Problem
from release_repo_schema.findings import Finding, Pointer, did_you_mean
from release_repo_schema.layout import HOMES, Place, Role, place_of
from release_repo_schema.literal_secrets import literal_secrets
from release_repo_schema.loadedfile import Document, LoadedFile
from release_repo_schema.models import API_VERSION, KINDS, ComponentVersion, KindModel
from release_repo_schema.models.scalars import found
from release_repo_schema.notyet import not_in_this_version
from release_repo_schema.valuesfile import read_values
from release_repo_schema.yamltext import Raw, read


def load_file(path: str, data: bytes) -> LoadedFile:
    """Read one file as what its path says it is."""
    place = place_of(path)
    match place.role:
        case Role.KINDS:
            return _kinds(LoadedFile(path, data, place))
        case Role.VALUES:
            return _values(path, data, place)
        case Role.TEMPLATE:
            return LoadedFile(path, b"", place, findings=tuple(literal_secrets(path, data)))
        case _:
            return LoadedFile(path, b"", place)


def _values(path: str, data: bytes, place: Place) -> LoadedFile:
    values, findings = read_values(path, data)
    if not place.scope:
        said = f"values are not read from {path}"
        hint = "default.yaml, groups/<group>.yaml or clusters/<cluster>.yaml"
        findings.append(Finding(path=path, code="wrong-folder", message=said, hint=hint))
    return LoadedFile(path, data, place, values=values, findings=tuple(findings))


def _kinds(file: LoadedFile) -> LoadedFile:
    raws, findings = read(file.path, file.data)
    documents: list[Document] = []
    broken: set[str] = set()
    sound = not any(finding.level == "error" for finding in findings)
    for index, raw in enumerate(raws):
        document, found_here = _document(file, index, raw, sound)
        told = {(finding.line, finding.column) for finding in findings}
        # A scalar that was refused as YAML is not refused again as a field.
        findings += [one for one in found_here if (one.line, one.column) not in told]
        if document is not None:
            documents.append(document)
        if document is None or document.model is None:
            broken.add(document.name if document is not None else "")
        elif document.kind == "Component" and document.name != file.place.component:
            # Whoever refers to the one name or the other is not wrong as well.
            broken |= {document.name, file.place.component}
    if not sound or not documents:
        broken |= {PurePosixPath(file.path).stem, file.place.component}
    done = replace(
        file,
        findings=tuple(findings),
        broken_names=frozenset(broken - {""}) if findings else frozenset(),
    )
    # Documents know their file, and the file its documents: the circle is closed here.
    closed = tuple(replace(document, file=done) for document in documents)
    object.__setattr__(done, "documents", closed)
    return done


def _document(
    file: LoadedFile, index: int, raw: Raw, sound: bool
) -> tuple[Document | None, list[Finding]]:
    value = raw.value
    if not isinstance(value, dict):
        said = f"expected a document with apiVersion, kind, metadata and spec, found {found(value)}"
        return None, [file.finding(index, (), "wrong-type", said)]
    name = _name(value)
    findings = [*_header(file, index, value)]
    sound = sound and not findings
    kind = KINDS.get(str(value.get("kind")))
    if kind is None:
        return Document(file, index, "", name, None), findings
    draft, problems = validate(kind, value)
    findings += [_at(file, index, problem) for problem in problems]
    sound = sound and not problems
    if kind.__name__ not in file.place.kinds:
        findings.append(_misplaced(file, index, kind.__name__))
        sound, draft = False, None
    document = Document(file, index, kind.__name__, name, draft if sound else None, draft)
    if draft is not None:
        findings += _later(document, draft)
        findings += _name_fits(document, draft)
    return document, findings


def _at(file: LoadedFile, index: int, problem: Problem) -> Finding:
    pointer: Pointer = problem.pointer
    return file.finding(
        index, pointer, problem.code, problem.message, problem.hint, at_key=problem.at_key
    )


def _name(value: dict[str, Any]) -> str:
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return str(name) if isinstance(name, str) else ""


def _header(file: LoadedFile, index: int, value: dict[str, Any]) -> list[Finding]:
    findings: list[Finding] = []
    version, kind = value.get("apiVersion"), value.get("kind")
    if version is None:
        said = "expected the field `apiVersion`, found none"
        hint = f"write apiVersion: {API_VERSION}"
        findings.append(file.finding(index, (), "missing-field", said, hint))
    elif version != API_VERSION:
        said = f"expected the apiVersion {API_VERSION}, found {found(version)}"
        findings.append(file.finding(index, ("apiVersion",), "wrong-api-version", said))
    if kind is None:
        allowed = " or ".join(sorted(file.place.kinds))
        said = "expected the field `kind`, found none"
        hint = f"write kind: {allowed}" if allowed else f"one of {', '.join(KINDS)}"
        findings.append(file.finding(index, (), "missing-field", said, hint))
    elif kind not in KINDS:
        said = f"expected a kind that Sluice knows, found {found(kind)}"
        hint = did_you_mean(str(kind), KINDS) or f"one of {', '.join(KINDS)}"
        findings.append(file.finding(index, ("kind",), "unknown-kind", said, hint))
    return findings


def _misplaced(file: LoadedFile, index: int, kind: str) -> Finding:
    allowed = " or ".join(sorted(file.place.kinds))
    said = f"expected {allowed} in this place, found {kind}"
    if not allowed:
        said = f"no document is read in this place, found {kind}"
    hint = f"a {kind} stands in {HOMES[kind]}"
    return file.finding(index, ("kind",), "wrong-folder", said, hint)


def _later(document: Document, model: KindModel) -> list[Finding]:
    hint = "leave it out; a later version of Sluice brings it"
    return [
        document.finding(
            pointer, "not-in-this-version", f"{what} is not in this version", hint, at_key=True
        )
        for pointer, what in not_in_this_version(model)
    ]


_VERSION_FOLDER = re.compile(r"components/([^/]+)/versions/")


def _name_fits(document: Document, model: KindModel) -> list[Finding]:
    """A component's name is its folder's: templates and values stand beside it."""
    folder = document.file.place.component
    if not folder or document.kind not in ("Component", "ComponentVersion"):
        return []
    pointer: Pointer = ("metadata", "name")
    name = model.name
    if document.kind == "ComponentVersion":
        pointer, name = ("spec", "component"), _component_of(model)
    if name == folder:
        return []
    said = f"expected the component `{folder}`, as the folder says, found `{name}`"
    return [document.finding(pointer, "name-differs-from-folder", said, "rename one of them")]


def _component_of(model: KindModel) -> str:
    return model.spec.component if isinstance(model, ComponentVersion) else model.name
