"""Which clusters a selector selects, remembered per fleet.

Pure: the same fleet and selector give the same clusters. What is remembered is found by the
identity of the frozen models: a repo that shares its clusters with an earlier one shares the work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from release_repo_schema.models import Cluster, ClusterGroup, Selector
from release_repo_schema.repo import Repo

Key = tuple[Any, ...]


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
        self.label_keys = frozenset(key for labels in self.labels.values() for key in labels)
        self._selected: dict[Key, frozenset[str]] = {}

    def select(self, selector: Selector) -> frozenset[str]:
        """The names of the clusters that a selector selects."""
        key = selector_key(selector)
        found = self._selected.get(key)
        if found is None:
            found = self._selected[key] = frozenset(
                name for name, labels in self.labels.items() if selector.matches(labels, name)
            )
        return found

    def is_of(self, repo: Repo) -> bool:
        """Whether the repo has these very clusters and groups."""
        return _same(self._clusters, repo.clusters) and _same(self._groups, repo.groups)


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
