"""Rules of workload kinds: one row a kind, and paths that fit each other.

Whether a path is in the objects cannot be known from files: the plan looks at what is rendered.
"""

from __future__ import annotations

from collections.abc import Iterator

from release_repo_schema.findings import Finding, Pointer
from release_repo_schema.loadedfile import Document
from release_repo_schema.models import WorkloadKind
from release_repo_schema.models.sharded_operator import ShardedOperator
from release_repo_schema.models.workload_kind import BUILT_IN_KINDS, WorkloadKindSpec
from release_repo_schema.rules.scene import Scene

_ROOTS = {
    "template": ("spec",),
    "partition": ("spec",),
    "paused": ("spec",),
    "strategy": ("spec",),
    "maxUnavailable": ("spec",),
    "minReadySeconds": ("spec",),
    "replicas": ("spec", "status"),
    "observedGeneration": ("status",),
    "updateRevision": ("status", "spec"),
    "updated": ("status",),
    "ready": ("status",),
}
"""Where each path may begin: what we write in the spec, what its controller tells in the status."""


def workload_kinds(scene: Scene) -> Iterator[Finding]:
    """Every row is of a custom resource, the only one of it, and its fields fit each other."""
    first: dict[tuple[str, str], Document] = {}
    for name, row in scene.repo.workload_kinds.items():
        document = scene.document("WorkloadKind", name)
        yield from _target(document, row)
        other = first.setdefault(row.target, document)
        if other is not document:
            said = (
                f"{row.target[1]} of {row.target[0]} has a row already, in "
                f"{other.where(('spec', 'target'))}"
            )
            yield document.finding(
                ("spec", "target"), "row-twice", said, "keep one of them", at_key=True
            )
        if row.spec.sharded_operator is not None:
            yield from _sharded(document, row.spec, row.spec.sharded_operator)
            continue
        yield from _needed(document, row.spec)
        yield from _known_by(document, row.spec)
        yield from _places(document, row.spec)
        yield from _apart(document, row.spec)


def _target(document: Document, row: WorkloadKind) -> Iterator[Finding]:
    api_version, kind = row.target
    group, slash, version = api_version.rpartition("/")
    if row.target in BUILT_IN_KINDS:
        said = f"{kind} of {api_version} is built in, and means the same in every repo"
        yield document.finding(
            ("spec", "target"), "row-built-in", said, "delete this row", at_key=True
        )
    elif not slash or not version or "." not in group:
        said = f"expected the apiVersion of a custom resource, found `{api_version}`"
        hint = "its group has a dot and its version follows a slash: example.com/v1"
        yield document.finding(
            ("spec", "target", "apiVersion"), "not-a-custom-resource", said, hint
        )


_OTHERS = {"target", "sharded_operator"}


def _sharded(
    document: Document, spec: WorkloadKindSpec, sharded: ShardedOperator
) -> Iterator[Finding]:
    """Namespaces are its members: no field of pods says anything of it."""
    for name in sorted(spec.model_fields_set - _OTHERS):
        alias = str(WorkloadKindSpec.model_fields[name].alias)
        said = f"`{alias}` says nothing of a shardedOperator: its members are namespaces"
        yield _at(document, (alias,), "not-allowed-here", said, "leave it out")
    where = ("shardedOperator", "manager")
    if sharded.shards is not None and not sharded.shards.match_labels:
        said = "no labels select every workload of the namespace, and the old version is sent away"
        pointer = ("shardedOperator", "shards", "matchLabels")
        yield _at(document, pointer, "empty-list", said, "write a label that only versions have")
    if sharded.manager[0] == "status":
        said = "`manager` is what we write, and nobody but its controller writes the status"
        yield _at(document, where, "wrong-path", said)
    if sharded.manager == sharded.list:
        said = "`manager` and `list` are the same field"
        yield _at(document, where, "wrong-path", said)
    if sharded.means == "keptOld" and sharded.open is not None:
        said = "`open` has no meaning with `means: keptOld`: an empty list keeps nothing back"
        yield _at(document, ("shardedOperator", "open"), "not-allowed-here", said, "leave it out")
    if sharded.means == "updated" and sharded.open is None and sharded.shards is not None:
        said = "without `open` a namespace that comes later has no version but the old one"
        hint = "write open, or means: keptOld; or leave shards out, so that the old version stays"
        yield _at(document, ("shardedOperator", "shards"), "missing-field", said, hint)


def _needed(document: Document, spec: WorkloadKindSpec) -> Iterator[Finding]:
    fields = WorkloadKindSpec.model_fields
    for name in ("replicas", "observed_generation"):
        if getattr(spec, name) is None:
            said = f"expected the field `{fields[name].alias}` in spec, found none"
            yield _at(document, (), "missing-field", said, str(fields[name].description))


def _known_by(document: Document, spec: WorkloadKindSpec) -> Iterator[Finding]:
    """How it is known which pods are new."""
    if spec.pod_label is None:
        counted = {"updated": spec.updated, "ready": spec.ready}
        written = [f"`{field}`" for field, path in counted.items() if path is not None]
        if len(written) < len(counted):
            found = f"found only {written[0]}" if written else "found none of them"
            said = f"expected `podLabel`, or `updated` and `ready`; {found}"
            hint = "without one of the two nobody can tell how far a batch is"
            yield _at(document, (), "missing-field", said, hint)
        if spec.partition is not None and spec.partition.means == "ordinalFloor":
            said = "`means: ordinalFloor` needs `podLabel`: positions are read from names of pods"
            yield _at(document, ("partition", "means"), "missing-field", said)
        if spec.on_delete:
            said = "`onDelete` needs `podLabel`: pods are deleted one by one"
            yield _at(document, ("onDelete",), "missing-field", said)
    elif spec.update_revision is None:
        said = "`podLabel` needs `updateRevision`: else nobody knows which pods are new"
        yield _at(document, ("podLabel",), "missing-field", said)


def _places(document: Document, spec: WorkloadKindSpec) -> Iterator[Finding]:
    """Each path begins where such a field can stand."""
    for field, path in paths_of(spec).items():
        allowed = _ROOTS[field]
        if path[0] not in allowed:
            said = f"`{field}` stands in the {' or '.join(allowed)}, found `{'.'.join(path)}`"
            written = "we write it" if allowed == ("spec",) else "its controller tells it"
            yield _at(document, _pointer(field), "wrong-path", said, written)
    gate = spec.partition
    if gate is not None and gate.means == "updated" and gate.open == 0:
        said = "`open: 0` with `means: updated` would let no pod go when the last batch begins"
        hint = 'leave it out, or write what lets all go, such as "100%"'
        yield _at(document, ("partition", "open"), "wrong-value", said, hint)


def _apart(document: Document, spec: WorkloadKindSpec) -> Iterator[Finding]:
    """A gate inside the template would make every batch a new version."""
    paths = paths_of(spec)
    gates = [name for name in ("partition", "paused") if name in paths]
    template = paths["template"]
    for name in gates:
        if paths[name][: len(template)] == template:
            said = f"`{name}` stands inside `template`: each batch would be another version"
            hint = "name the part of the spec that makes a new version, not all of it"
            yield _at(document, _pointer(name), "wrong-path", said, hint)
    if len(gates) == 2 and paths["partition"] == paths["paused"]:
        said = "`paused` and `partition` are the same field"
        yield _at(document, ("paused",), "wrong-path", said)


def paths_of(spec: WorkloadKindSpec) -> dict[str, tuple[str, ...]]:
    """Field → the path that it holds, where there is one."""
    found = {
        "replicas": spec.replicas,
        "template": spec.template,
        "strategy": spec.strategy,
        "partition": spec.partition.path if spec.partition is not None else None,
        "paused": spec.paused,
        "maxUnavailable": spec.max_unavailable,
        "minReadySeconds": spec.min_ready_seconds,
        "observedGeneration": spec.observed_generation,
        "updateRevision": spec.update_revision,
        "updated": spec.updated,
        "ready": spec.ready,
    }
    return {name: path for name, path in found.items() if path is not None}


def _pointer(field: str) -> Pointer:
    return ("partition", "path") if field == "partition" else (field,)


def _at(document: Document, pointer: Pointer, code: str, said: str, hint: str = "") -> Finding:
    return document.finding(("spec", *pointer), code, said, hint, at_key=not pointer)
