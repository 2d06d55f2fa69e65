"""What has to be rendered for the units of a component: each distinct rendering once.

Pure: it makes the jobs and reads the answers, it runs none. Units with equal inputs share a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from bot.cluster.render import (
    apply_order,
    digest,
    names_used,
    ref_of,
    rendering_key,
    revision,
    strings_in,
    template_context,
    values_for,
)
from bot.core.order import Candidate
from bot.core.plan import Rendered, content_key
from bot.model.plan import JSON, PlannedObject
from bot.ports import Rendering, RenderJob, RenderProblem
from release_repo_schema.repo import Repo


@dataclass(frozen=True, slots=True)
class Output:
    """One rendering, digested. `objects` stand in the order of applying."""

    objects: tuple[PlannedObject, ...]
    blobs: Mapping[str, JSON]
    problems: tuple[RenderProblem, ...] = ()
    """Beside objects: warnings."""

    @property
    def failed(self) -> bool:
        return any(problem.level == "error" for problem in self.problems)

    def as_version(self, version: str) -> Rendered:
        return Rendered(self.objects, revision(version, (one.digest for one in self.objects)))


@dataclass(frozen=True, slots=True)
class Layer:
    """One values file that a unit's values are merged from."""

    scope: str
    path: str
    key: str
    value: JSON
    used: frozenset[str]
    """What its strings could read of the context."""


@dataclass(slots=True)
class Reads:
    """Templates, and which names they and the values read, by content: looked for once."""

    data: dict[str, bytes] = field(default_factory=dict)

    def forget(self) -> None:
        """Start anew when it has grown past what one repo can need."""
        if len(self.layers) + len(self.data) > 50_000:
            self.files.clear()
            self.layers.clear()
            self.data.clear()

    files: dict[tuple[tuple[str, str], ...], frozenset[str]] = field(default_factory=dict)
    layers: dict[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The rendering that a unit needs: its key, and how to make the job when nobody has it yet."""

    key: str
    job: Callable[[], RenderJob]
    layers: tuple[Layer, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A component at one state of the repo, ready to be rendered in any version."""

    repo: Repo
    component: str
    kind: str
    file_keys: tuple[tuple[str, str], ...]
    """(path inside the component, content id), sorted."""
    layers: Mapping[str, Layer]
    used: frozenset[str]
    reads: Reads
    namespace: str = ""
    """Of the Helm release; "": that of the unit, or `default`."""
    keys: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Version, namespace and layers → rendering key, where no template looks at the cluster."""


_CHARTS_SEE = frozenset(("version",))
"""Of the context, beside what the strings of the values read; the rest are names of Helm's own."""


def source_of(repo: Repo, component: str, reads: Reads | None = None) -> Source:
    """What a component is rendered from. `reads` is shared between calls to spare work."""
    reads = reads or Reads()
    reads.forget()
    render = repo.components[component].spec.render
    entries = repo.tree.entries()
    files = tuple(
        sorted(
            (inside, path, entries[path].key)
            for inside, path in repo.component_files(component).items()
            if inside.startswith(f"{render.folder}/")
        )
    )
    file_keys = tuple((inside, key) for inside, _, key in files)
    if file_keys not in reads.files:
        for _, path, key in files:
            reads.data[key] = _read(repo, path)
        texts = (reads.data[key].decode("utf-8", "replace") for _, key in file_keys)
        reads.files[file_keys] = names_used(*texts)
    return Source(
        repo=repo,
        component=component,
        kind=render.kind,
        file_keys=file_keys,
        layers=_layers(repo, component, reads),
        used=_CHARTS_SEE if render.helm else reads.files[file_keys],
        reads=reads,
        namespace=render.namespace or "",
    )


def wanted(source: Source, version: str, unit: Candidate) -> Wanted:
    """The rendering of a unit in a version."""
    repo, component = source.repo, source.component
    cluster = repo.clusters[unit.cluster]
    scopes = ("default", f"groups/{cluster.spec.group}", f"clusters/{unit.cluster}")
    layers = tuple(source.layers[scope] for scope in scopes if scope in source.layers)
    used = source.used.union(*(layer.used for layer in layers))
    known = repo.versions.get((component, version))
    images = {} if known is None else known.spec.model_dump()["images"]
    context = template_context(
        version=version,
        images=images,
        cluster=unit.cluster,
        labels=repo.labels_of(unit.cluster),
        group=cluster.spec.group,
        unit=unit.unit,
        scope=unit.scope,
        place=unit.place,
    )
    kind, namespace = source.kind, ""
    if kind == "helm":
        namespace = source.namespace or context["unit"]["namespace"] or "default"
        kind = f"helm {component} {namespace}"
    place = (version, namespace, *(layer.key for layer in layers))
    key = source.keys.get(place)
    if key is None:
        key = rendering_key(kind, source.file_keys, place[2:], used, context)
        if not any(name.startswith(("cluster", "unit")) for name in used):
            source.keys[place] = key

    def job() -> RenderJob:
        return RenderJob(
            key=key,
            kind=source.kind,
            files=tuple(
                (f"components/{component}/{inside}", source.reads.data[key])
                for inside, key in source.file_keys
            ),
            values=values_for([layer.value for layer in layers], keep_nulls=bool(namespace)),
            context=context,
            release=component,
            namespace=namespace,
        )

    return Wanted(key, job, layers)


def output_of(rendering: Rendering) -> Output:
    """What came back, in the order of applying, each object under its digest."""
    if any(problem.level == "error" for problem in rendering.problems):
        return Output((), {}, rendering.problems)
    objects: list[PlannedObject] = []
    blobs: dict[str, JSON] = {}
    for obj in apply_order(rendering.objects):
        one = digest(obj)
        blobs[one] = obj
        objects.append(PlannedObject(ref_of(obj), one))
    return Output(tuple(objects), blobs, rendering.problems)


def all_blobs(outputs: Iterable[Output]) -> dict[str, JSON]:
    """Digest → object of several renderings."""
    return {one: obj for output in outputs for one, obj in output.blobs.items()}


def _layers(repo: Repo, component: str, reads: Reads) -> dict[str, Layer]:
    found = {}
    for scope, value in repo.values.get(component, {}).items():
        key = content_key(repo, component, scope)
        if key not in reads.layers:
            reads.layers[key] = names_used(*strings_in(value))
        path = repo.values_paths[component, scope]
        found[scope] = Layer(scope, path, key, value, reads.layers[key])
    return found


def _read(repo: Repo, path: str) -> bytes:
    try:
        return repo.tree.read(path)
    except OSError:
        return b""  # loading has found it unreadable and said so; nothing is planned then
