"""Rules of the fleet: groups of clusters, and values for groups and clusters that exist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from release_repo_schema.findings import Finding
from release_repo_schema.models import Cluster, ClusterGroup
from release_repo_schema.rules.places import BUILT_IN_LABELS, places
from release_repo_schema.rules.scene import Scene


def clusters(scene: Scene) -> Iterator[Finding]:
    """Every cluster's group exists, and so does its host; no label hides behind a built-in one."""
    groups, names = scene.repo.groups, scene.repo.clusters
    for name, group in groups.items():
        yield from _hidden_labels(scene, group, {"group": name})
    for name, cluster in names.items():
        own = {"group": cluster.spec.group, "cluster": name}
        yield from _hidden_labels(scene, cluster, own)
        spec = cluster.spec
        if spec.group not in groups:
            document = scene.document("Cluster", name)
            yield from scene.unknown(document, ("spec", "group"), "group", spec.group, groups)
        if spec.hosted_by is not None:
            document = scene.document("Cluster", name)
            pointer = ("spec", "hostedBy")
            yield from scene.unknown(document, pointer, "cluster", spec.hosted_by, names)
        yield from places(scene, cluster)


def hosts(scene: Scene) -> Iterator[Finding]:
    """No cluster hosts itself, alone or in a circle: none of the circle could ever be released."""
    edges = {
        name: cluster.spec.hosted_by
        for name, cluster in scene.repo.clusters.items()
        if cluster.spec.hosted_by in scene.repo.clusters
    }
    done: set[str] = set()
    for start in sorted(edges):
        path: dict[str, None] = {}
        name: str | None = start
        while name is not None and name not in done and name not in path:
            path[name] = None
            name = edges.get(name)
        if name in path:
            circle = list(path)[list(path).index(name) :]
            first = circle.index(min(circle))
            told = [*circle[first:], *circle[:first]]
            document = scene.document("Cluster", told[0])
            said = (
                "the cluster hosts itself"
                if len(told) == 1
                else f"the clusters host each other in a circle: {' → '.join((*told, told[0]))}"
            )
            hint = "leave hostedBy out of the one that runs on its own"
            yield document.finding(("spec", "hostedBy"), "host-cycle", said, hint)
        done.update(path)


def _hidden_labels(
    scene: Scene, model: Cluster | ClusterGroup, own: Mapping[str, str]
) -> Iterator[Finding]:
    """A label of a built-in name would be read by nobody: selectors see the built-in one."""
    labels = model.metadata.labels
    for key in BUILT_IN_LABELS:
        if key in labels and labels[key] != own.get(key):
            document = scene.document(model.kind, model.name)
            said = f"the label `{key}` is built in, and selectors see that one, not `{labels[key]}`"
            pointer = ("metadata", "labels", key)
            hint = "give the label another name"
            yield document.finding(pointer, "reserved-label", said, hint, at_key=True)


def values(scene: Scene) -> Iterator[Finding]:
    """Every values file is for a component, group or cluster that exists."""
    repo = scene.repo
    known = {"groups": repo.groups, "clusters": repo.clusters}
    for (component, scope), path in repo.values_paths.items():
        kind, _, name = scope.partition("/")
        if name and name not in known[kind] and name not in repo.broken_names:
            what = kind.removesuffix("s")
            hint = scene.meant(name, known[kind], "rename the file, or delete it")
            said = f"values for the {what} `{name}`, and no {what} is called so"
            yield Finding(path=path, line=1, column=1, code=f"unknown-{what}", message=said,
                          hint=hint)  # fmt: skip
        if scope == "default" or "default" not in repo.values[component]:
            yield from _owned(scene, component, path)


def versions(scene: Scene) -> Iterator[Finding]:
    """Every ComponentVersion is of a component that exists."""
    for document in scene.of_kind("ComponentVersion"):
        yield from _owned(scene, document.file.place.component, document.file.path)


def _owned(scene: Scene, component: str, path: str) -> Iterator[Finding]:
    if component in scene.repo.components or component in scene.repo.broken_names:
        return
    said = f"components/{component}/ has no component.yaml"
    hint = scene.meant(component, scene.repo.components, "write one, or delete the folder")
    yield Finding(path=path, line=1, column=1, code="unknown-component", message=said, hint=hint)
