"""Rules of node sets, namespaces and nodes inside a cluster, and of components scoped to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from release_repo_schema.findings import Finding, Pointer
from release_repo_schema.fleetindex import REST
from release_repo_schema.loadedfile import Document
from release_repo_schema.models import Cluster, Selector
from release_repo_schema.rules.scene import Scene, listed

BUILT_IN_LABELS = ("group", "cluster", "nodeSet", "namespace")


def places(scene: Scene, cluster: Cluster) -> Iterator[Finding]:
    """Names are said once, no label hides behind a built-in one, and no two sets overlap."""
    spec = cluster.spec
    if not (spec.node_sets or spec.namespaces or spec.nodes):
        return
    document = scene.document("Cluster", cluster.name)
    named = {
        "nodeSets": ("node set", [(one.name, one.labels) for one in spec.node_sets]),
        "namespaces": ("namespace", [(one.name, one.labels) for one in spec.namespaces]),
    }
    for field, (what, found) in named.items():
        yield from _twice(document, field, what, [name for name, _ in found])
        for k, (_, labels) in enumerate(found):
            yield from _hidden(document, ("spec", field, k, "labels"), labels)
    yield from _twice(document, "nodes", "node", list(spec.nodes))
    for k, node_set in enumerate(spec.node_sets):
        at: Pointer = ("spec", "nodeSets", k)
        if node_set.name == REST:
            said = "the node set `rest` is built in: all nodes that no other set selects"
            yield document.finding((*at, "name"), "reserved-name", said, "give it another name")
        if node_set.selector.is_everything:
            said = f"the node set {node_set.name} selects every node: nothing is left for `rest`"
            hint = "write the labels of its nodes"
            yield document.finding(
                (*at, "selector"), "selects-everything", said, hint, level="warning"
            )
    yield from _overlaps(document, cluster)


def scopes(scene: Scene) -> Iterator[Finding]:
    """A component with a narrow scope has somewhere to go."""
    clusters = scene.repo.clusters
    if not clusters or not scene.fleet_is_known:
        return
    for name, component in scene.repo.components.items():
        field = {"namespace": "namespaces", "node": "nodes", "nodeSet": "nodeSets"}.get(
            component.spec.scope
        )
        if field is None:
            continue
        document, pointer = scene.document("Component", name), ("spec", "scope")
        without = [n for n, one in clusters.items() if not _of(one, field)]
        if len(without) < len(clusters):
            continue
        hint = f"write spec.{field} of the clusters, or leave the scope out"
        if field == "nodeSets":
            said = "no cluster has node sets: each is one unit, the set `rest`"
        else:
            said = f"no cluster has `{field}`: the component has no unit at all"
        yield document.finding(pointer, "scope-without-places", said, hint, level="warning")


def _of(cluster: Cluster, field: str) -> bool:
    spec = cluster.spec
    return bool(
        {"namespaces": spec.namespaces, "nodes": spec.nodes, "nodeSets": spec.node_sets}[field]
    )


def _twice(document: Document, field: str, what: str, names: list[str]) -> Iterator[Finding]:
    for k, name in enumerate(names):
        if name in names[:k]:
            said = f"the {what} {name} is written twice"
            yield document.finding(("spec", field, k), "duplicate-name", said, "take one away")


def _hidden(document: Document, pointer: Pointer, labels: Mapping[str, str]) -> Iterator[Finding]:
    for key in BUILT_IN_LABELS:
        if key in labels:
            said = f"the label `{key}` is built in, and selectors see that one"
            hint = "give the label another name"
            yield document.finding((*pointer, key), "reserved-label", said, hint, at_key=True)


def _overlaps(document: Document, cluster: Cluster) -> Iterator[Finding]:
    """Sets that a node could be in at once. Which nodes there are, only the cluster knows: what
    nothing in the selectors keeps apart is told, and at run it is looked at again.
    """
    sets = list(enumerate(cluster.spec.node_sets))
    for (_, first), (k, second) in combinations(sets, 2):
        if first.name == second.name or apart(first.selector, second.selector):
            continue
        said = f"a node can be in the sets {listed([first.name, second.name])} at once"
        hint = "select both by one label, with different values; a node in two sets is not released"
        yield document.finding(
            ("spec", "nodeSets", k, "selector"), "sets-may-overlap", said, hint, level="warning"
        )


def apart(first: Selector, second: Selector) -> bool:
    """Whether no labels at all could be selected by both."""
    keys = {*_allowed(first), *_allowed(second)}
    for key in keys:
        ours, theirs = _allowed(first).get(key), _allowed(second).get(key)
        if ours is not None and theirs is not None and not ours & theirs:
            return True
        if _denies(first, key, theirs) or _denies(second, key, ours):
            return True
    named = first.names and second.names
    globs = any(sign in name for name in (*first.names, *second.names) for sign in "*?[")
    return bool(named) and not globs and not set(first.names) & set(second.names)


def _allowed(selector: Selector) -> dict[str, frozenset[str]]:
    """Key → the values that it must have, where the selector says so."""
    found = {key: frozenset([value]) for key, value in selector.match_labels.items()}
    for one in selector.match_expressions:
        if one.operator == "In":
            values = frozenset(one.values)
            found[one.key] = found.get(one.key, values) & values
    return found


def _denies(selector: Selector, key: str, wanted: frozenset[str] | None) -> bool:
    """Whether it refuses every value that the other one wants of a key."""
    if wanted is None:
        return False
    for one in selector.match_expressions:
        if one.key != key:
            continue
        if one.operator == "DoesNotExist":
            return True
        if one.operator == "NotIn" and wanted <= frozenset(one.values):
            return True
    return False
