"""Repo: everything one state of a release repo says, indexed by name.

It answers what stands where; whether that is right is asked by the rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from release_repo_schema.findings import Finding, Pointer
from release_repo_schema.loadedfile import Document, LoadedFile
from release_repo_schema.models import (
    Check,
    Cluster,
    ClusterGroup,
    Component,
    ComponentVersion,
    Freeze,
    People,
    Pipeline,
    Policy,
    Release,
    Task,
    Window,
    WorkloadKind,
)
from release_repo_schema.tree import Tree

VersionKey = tuple[str, str]
"""Component and version."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repo:
    """One state of a release repo. What has errors and could not be built is missing from the
    mappings; its name stands in `broken_names`."""

    tree: Tree
    groups: Mapping[str, ClusterGroup]
    clusters: Mapping[str, Cluster]
    components: Mapping[str, Component]
    versions: Mapping[VersionKey, ComponentVersion]
    checks: Mapping[str, Check]
    pipelines: Mapping[str, Pipeline]
    releases: Mapping[str, Release]
    windows: tuple[Window, ...]
    freezes: tuple[Freeze, ...]
    policy: Policy
    people: People
    values: Mapping[str, Mapping[str, dict[str, Any]]]
    """component → `default`, `groups/<group>`, `clusters/<cluster>` → the mapping."""
    values_paths: Mapping[tuple[str, str], str]
    """(component, scope) → the path of that values file."""
    findings: tuple[Finding, ...]
    """What loading found, without the cross-file rules of `rules.lint`."""
    broken_names: frozenset[str]
    documents: Mapping[tuple[str, str], Document]
    """(kind, name) → the document; a ComponentVersion by its metadata name."""
    files: Mapping[str, LoadedFile]
    component_paths: Mapping[str, Mapping[str, str]] = field(repr=False)
    workload_kinds: Mapping[str, WorkloadKind] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    """Rows for custom resources of its own, by their name."""
    _labels: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)

    def component_files(self, component: str) -> Mapping[str, str]:
        """The templates and manifests of a component: path inside its folder → path in the tree.

        `templates/daemonset.yaml` → `components/node-agent/templates/daemonset.yaml`; a link inside
        the repo leads to what it points to.
        """
        return self.component_paths.get(component, {})

    def document(self, kind: str, name: str) -> Document | None:
        """The document that gave this kind and name."""
        return self.documents.get((kind, name))

    def source(self, kind: str, name: str, pointer: Pointer = ()) -> str:
        """`path:line` of a place in the file's own keys; "" where the repo has no such document."""
        document = self.documents.get((kind, name))
        return document.where(pointer) if document is not None else ""

    def labels_of(self, cluster: str) -> dict[str, str]:
        """What selectors see of a cluster: labels of group and cluster (which wins), built-ins."""
        labels = self._labels.get(cluster)
        if labels is None:
            labels = self._labels[cluster] = self._merged(cluster)
        return dict(labels)

    def _merged(self, cluster: str) -> dict[str, str]:
        found = self.clusters[cluster]
        group = self.groups.get(found.spec.group)
        return {
            **(group.metadata.labels if group is not None else {}),
            **found.metadata.labels,
            "group": found.spec.group,
            "cluster": cluster,
        }
