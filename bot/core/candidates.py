"""Every unit that a component could have: clusters, and node sets, namespaces or nodes in them.

Pure: it reads the repo, and leaves to others which of them a release selects.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.core.order import Candidate
from bot.model.plan import NodeChoice
from release_repo_schema.fleetindex import REST
from release_repo_schema.models import ClusterSpec
from release_repo_schema.repo import Repo


def candidates(repo: Repo, component: str) -> tuple[Candidate, ...]:
    """The units, by cluster and inside it in the order as written; `rest` comes last."""
    found = repo.components.get(component)
    scope = found.spec.scope if found is not None else "cluster"
    return tuple(
        unit for name in sorted(repo.clusters) for unit in _of(repo, component, name, scope)
    )


def _of(repo: Repo, component: str, cluster: str, scope: str) -> Iterator[Candidate]:
    lock, spec = f"{component}@{cluster}", repo.clusters[cluster].spec
    labels = repo.labels_of(cluster)
    if scope == "cluster":
        yield Candidate(unit=lock, component=component, cluster=cluster, labels=labels)
        return
    built_in = {key: labels[key] for key in ("group", "cluster")}
    for rank, (place, own, nodes) in enumerate(_places(spec, scope)):
        yield Candidate(
            unit=f"{lock}/{scope}:{place}",
            component=component,
            cluster=cluster,
            labels={**labels, **own, **built_in, scope: place},
            scope=scope,
            place=place,
            nodes=nodes,
            # Namespaces have no order among them; sets and nodes come as they are written.
            rank=0 if scope == "namespace" else rank,
        )


def _places(
    spec: ClusterSpec, scope: str
) -> Iterator[tuple[str, dict[str, str], NodeChoice | None]]:
    """(name, labels, nodes) of every place of a scope in a cluster."""
    match scope:
        case "nodeSet":
            selectors = [
                one.selector.model_dump(mode="json", by_alias=True, exclude_defaults=True)
                for one in spec.node_sets
            ]
            for node_set, selector in zip(spec.node_sets, selectors, strict=True):
                yield node_set.name, dict(node_set.labels), NodeChoice(selector=selector)
            yield REST, {}, NodeChoice(others=tuple(selectors))
        case "namespace":
            for namespace in spec.namespaces:
                yield namespace.name, dict(namespace.labels), None
        case "node":
            for node in spec.nodes:
                yield node, {}, NodeChoice(names=(node,))
