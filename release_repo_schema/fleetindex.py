"""Which clusters, and places in them, a selector selects, remembered per fleet.

Pure: the same fleet and selector give the same clusters. What is remembered is found by the
identity of the frozen models: a repo that shares its clusters with an earlier one shares the work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from release_repo_schema.models import Cluster, ClusterGroup, Selector
from release_repo_schema.repo import Repo

Key = tuple[Any, ...]
ANY = "any"
"""Every scope at once: what a pipeline or a window may be about."""

REST = "rest"
"""The node set that every cluster has: of all nodes that no other set selects."""


def selector_key(selector: Selector) -> Key:
    """Equal for selectors that select the same by what is written."""
    return (
        tuple(sorted(selector.match_labels.items())),
        tuple((one.key, one.operator, one.values) for one in selector.match_expressions),
        selector.names,
    )


class FleetIndex:
    """The clusters of one repo with their labels, and the answers given so far."""

    def __init__(self, repo: Repo) -> None:
        self._clusters = repo.clusters
        self._groups = repo.groups
        self.labels = {name: repo.labels_of(name) for name in sorted(repo.clusters)}
        self._selected: dict[tuple[Key, str], frozenset[str]] = {}
        self._spots: dict[str, dict[str, tuple[str, Mapping[str, str]]]] = {}

    @cached_property
    def label_keys(self) -> frozenset[str]:
        """Every label that a selector over units can see in this fleet."""
        return frozenset(key for _, labels in self.spots(ANY).values() for key in labels)

    def select(self, selector: Selector, scope: str = "cluster") -> frozenset[str]:
        """The names of the clusters that a selector selects; with a narrower scope, of the places
        in them (`eu-1/canary`), with ANY of all there are.
        """
        key = (selector_key(selector), scope)
        found = self._selected.get(key)
        if found is None:
            found = self._selected[key] = frozenset(
                spot
                for spot, (name, labels) in self.spots(scope).items()
                if selector.matches(labels, name)
            )
        return found

    def spots(self, scope: str) -> Mapping[str, tuple[str, Mapping[str, str]]]:
        """Every place of a scope: its name → the cluster's, and the labels that selectors see."""
        found = self._spots.get(scope)
        if found is None:
            found = self._spots[scope] = dict(self._found(scope))
        return found

    def _found(self, scope: str) -> Iterator[tuple[str, tuple[str, Mapping[str, str]]]]:
        if scope == ANY:
            for one in ("cluster", "nodeSet", "namespace", "node"):
                yield from self.spots(one).items()
            return
        for name, labels in self.labels.items():
            if scope == "cluster":
                yield name, (name, labels)
                continue
            built_in = {key: labels[key] for key in ("group", "cluster")}
            for place, own in _places(self._clusters[name], scope):
                seen = {**labels, **own, **built_in, scope: place}
                yield f"{name}/{place}", (name, seen)

    def is_of(self, repo: Repo) -> bool:
        """Whether the repo has these very clusters and groups."""
        return _same(self._clusters, repo.clusters) and _same(self._groups, repo.groups)


def _places(cluster: Cluster, scope: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    spec = cluster.spec
    match scope:
        case "nodeSet":
            yield from ((one.name, one.labels) for one in spec.node_sets)
            yield REST, {}
        case "namespace":
            yield from ((one.name, one.labels) for one in spec.namespaces)
        case "node":
            yield from ((node, {}) for node in spec.nodes)


def _same(
    left: Mapping[str, Cluster] | Mapping[str, ClusterGroup],
    right: Mapping[str, Cluster] | Mapping[str, ClusterGroup],
) -> bool:
    return len(left) == len(right) and all(right.get(name) is model for name, model in left.items())


_RECENT: list[FleetIndex] = []
_KEPT = 2


def fleet_of(repo: Repo) -> FleetIndex:
    """The index of a repo's fleet; that of the last two fleets is kept."""
    for index in tuple(_RECENT):
        if index.is_of(repo):
            return index
    index = FleetIndex(repo)
    _RECENT.insert(0, index)
    del _RECENT[_KEPT:]
    return index
