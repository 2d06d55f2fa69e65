"""A tree of files → `Repo` and findings; files that were read before are not read again.

It reads through the given tree only, and follows no link out of it.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, MutableMapping
from typing import Any

from release_repo_schema.encoding import MAX_BYTES
from release_repo_schema.findings import Finding
from release_repo_schema.layout import Place, Role, place_of
from release_repo_schema.literal_secrets import MAX_BYTES as MAX_TEMPLATE_BYTES
from release_repo_schema.loadedfile import Document, LoadedFile
from release_repo_schema.models import (
    ComponentVersion,
    Freeze,
    KindModel,
    Metadata,
    People,
    Policy,
    Window,
)
from release_repo_schema.parse import load_file
from release_repo_schema.repo import Repo
from release_repo_schema.tree import Entry, Tree

__all__ = ["Cache", "Document", "LoadedFile", "Repo", "load_file", "load_repo"]

Cache = MutableMapping[tuple[str, str], LoadedFile]
"""(path, content id) → the file as it was read."""
_HOPS = 8


def load_repo(tree: Tree, cache: Cache | None = None) -> Repo:
    """Read every file of a tree that a release repo has. With a cache, only new content is read."""
    cache = {} if cache is None else cache
    entries = tree.entries()
    files: dict[str, LoadedFile] = {}
    findings: list[Finding] = []
    templates: dict[str, dict[str, str]] = {}
    for path, entry in entries.items():
        actual = path
        if entry.link is not None or entry.size < 0:
            resolved = _resolve(entries, path, entry, findings)
            if resolved is None:
                continue
            actual = resolved
            entry = entries[actual]
        loaded = cache.get((path, entry.key))
        if loaded is None:
            loaded = _read(tree, path, actual, entry)
            cache[(path, entry.key)] = loaded
        role = loaded.place.role
        if role is Role.IGNORED:
            continue
        if role is Role.TEMPLATE:
            inside = path.split("/", 2)[2]
            templates.setdefault(loaded.place.component, {})[inside] = actual
        files[path] = loaded
    return _assemble(tree, files, findings, templates)


def with_drafts(repo: Repo) -> Repo:
    """The same repo, with what can be understood of its broken documents: for linting only."""
    if not repo.broken_names:
        return repo
    return _assemble(repo.tree, repo.files, [], repo.component_paths, drafts=True)


def _resolve(
    entries: Mapping[str, Entry], path: str, entry: Entry, findings: list[Finding]
) -> str | None:
    """The regular file behind a link, None where there is none to read."""
    if any(part.startswith(".") for part in path.split("/")):
        return None
    here = path
    for _ in range(_HOPS):
        if entry.link is None:
            break
        target = posixpath.normpath(posixpath.join(posixpath.dirname(here), entry.link))
        if target.startswith(("/", "../")) or target == "..":
            said = f"the link points to {entry.link}, out of the repo"
            findings.append(_file_finding(path, "link-leaves-repo", said, "put the file here"))
            return None
        if target not in entries:
            if entry.link is not None and _matters(path):
                said = f"the link points to {entry.link}, which is no file that Sluice reads"
                hint = "put the file here; links to folders are not followed"
                findings.append(_file_finding(path, "link-to-nowhere", said, hint))
            return None
        here, entry = target, entries[target]
    if entry.link is not None or entry.size < 0:
        if _matters(path):
            said = "expected a file that can be read, found none behind this name"
            findings.append(_file_finding(path, "not-a-file", said))
        return None
    return here


def _matters(path: str) -> bool:
    return place_of(path).role is not Role.IGNORED or "." not in posixpath.basename(path)


def _read(tree: Tree, path: str, actual: str, entry: Entry) -> LoadedFile:
    place = place_of(path)
    if place.role is Role.IGNORED:
        return LoadedFile(path, b"", place)
    most = MAX_TEMPLATE_BYTES if place.role is Role.TEMPLATE else MAX_BYTES
    if entry.size > most:
        said = f"expected a file of at most {most} bytes, found {entry.size}"
        return _unread(path, place, "file-too-large", said, "split it into several files")
    try:
        data = tree.read(actual)
    except OSError as error:
        said = f"the file cannot be read: {error.strerror or error}"
        return _unread(path, place, "unreadable-file", said)
    return load_file(path, data)


def _unread(path: str, place: Place, code: str, said: str, hint: str = "") -> LoadedFile:
    stem = posixpath.basename(path).rsplit(".", 1)[0]
    finding = _file_finding(path, code, said, hint)
    names = frozenset((stem, place.component)) - {""}
    return LoadedFile(path, b"", place, findings=(finding,), broken_names=names)


def _file_finding(path: str, code: str, said: str, hint: str = "") -> Finding:
    return Finding(path=path, code=code, message=said, hint=hint)


class _Index:
    """Documents by kind and name, and what is there twice."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], Document] = {}
        self.versions: dict[tuple[str, str], ComponentVersion] = {}
        self.models: dict[str, dict[str, Any]] = {}
        self.findings: list[Finding] = []

    def add(self, document: Document, model: KindModel | None) -> None:
        if model is None:
            return
        key = (document.kind, document.name)
        first = self.documents.get(key)
        if first is not None:
            self._twice(document, first, f"the {key[0]} {key[1]}")
            return
        if document.kind in ("Policy", "People") and self.models.get(document.kind):
            only = next(d for (kind, _), d in self.documents.items() if kind == document.kind)
            self._twice(document, only, f"a {document.kind}")
            return
        if isinstance(model, ComponentVersion):
            version = (model.spec.component, model.spec.version)
            if version in self.versions:
                other = self.documents[("ComponentVersion", self.versions[version].name)]
                self._twice(document, other, f"the version {version[1]} of {version[0]}")
                return
            self.versions[version] = model
        self.documents[key] = document
        self.models.setdefault(document.kind, {})[document.name] = model

    def _twice(self, document: Document, first: Document, what: str) -> None:
        said = f"{what} is there twice, first in {first.where(('metadata', 'name'))}"
        pointer = ("metadata", "name")
        self.findings.append(
            document.finding(pointer, "duplicate-name", said, "keep one, or rename it")
        )


def _assemble(
    tree: Tree,
    files: Mapping[str, LoadedFile],
    findings: list[Finding],
    templates: Mapping[str, Mapping[str, str]],
    *,
    drafts: bool = False,
) -> Repo:
    index = _Index()
    values: dict[str, dict[str, dict[str, Any]]] = {}
    values_paths: dict[tuple[str, str], str] = {}
    broken: set[str] = set()
    for path, file in files.items():
        findings.extend(file.findings)
        broken |= file.broken_names
        place = file.place
        if place.scope and file.values is not None:
            if (other := values_paths.get((place.component, place.scope))) is not None:
                said = f"the same values are written in {other}"
                findings.append(_file_finding(path, "duplicate-name", said, "keep one file"))
                continue
            values.setdefault(place.component, {})[place.scope] = file.values
            values_paths[(place.component, place.scope)] = path
        for document in file.documents:
            index.add(document, document.draft if drafts else document.model)
    models = index.models
    policy: Any = next(iter(models.get("Policy", {}).values()), None)
    people: Any = next(iter(models.get("People", {}).values()), None)
    windows: tuple[Window, ...] = tuple(models.get("Window", {}).values())
    freezes: tuple[Freeze, ...] = tuple(models.get("Freeze", {}).values())
    return Repo(
        tree=tree,
        groups=models.get("ClusterGroup", {}),
        clusters=models.get("Cluster", {}),
        components=models.get("Component", {}),
        versions=index.versions,
        checks=models.get("Check", {}),
        pipelines=models.get("Pipeline", {}),
        releases=models.get("Release", {}),
        windows=windows,
        freezes=freezes,
        policy=policy or Policy(metadata=Metadata(name="policy")),
        people=people or People(metadata=Metadata(name="people")),
        values=values,
        values_paths=values_paths,
        findings=tuple(sorted((*findings, *index.findings), key=lambda one: one.sort_key)),
        broken_names=frozenset(broken),
        documents=index.documents,
        files=files,
        component_paths=templates,
        workload_kinds=models.get("WorkloadKind", {}),
        tasks=models.get("Task", {}),
    )
