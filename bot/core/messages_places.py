"""What is said of units that are a part of a cluster while they are planned."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.messages_words import many, row

_PARTS = {"nodeSet": "node sets", "node": "single nodes", "namespace": "namespaces"}
"""Scope → what a component is released by."""


def no_choice(workload: str, scope: str) -> str:
    return f"{workload} cannot be released by {_PARTS[scope]}: its kind does not run node by node"


NO_CHOICE_HINT = (
    "DaemonSets and MachineComponentSets can; give the others a component of scope cluster"
)


def no_workload(component: str, scope: str) -> str:
    return f"{component} has nothing that runs on nodes, and its scope is {scope}"


NO_WORKLOAD_HINT = "leave the scope out: all of it is applied to a cluster at once"


def differs(shared: str, cluster: str, first: str, second: str) -> str:
    return (
        f"{shared} is one object in {cluster}, and renders differently for {first} and {second}: "
        "the one that comes later would change it for the other too"
    )


DIFFERS_HINT = "use `unit` only in names and namespaces, or leave the scope out"


def same_everywhere(workload: str, cluster: str, places: Sequence[str]) -> str:
    return (
        f"{workload} is one workload in {cluster}, and is rendered for the namespaces "
        f"{row(places, most=2)}"
    )


SAME_EVERYWHERE_HINT = "write namespace: {{ unit.namespace }} in its metadata"


def part_of_clusters(component: str, clusters: Sequence[str], left: Sequence[str]) -> str:
    return (
        f"{component}: {row(left, most=2)} of {row(clusters, most=2)} "
        f"{'is' if len(left) == 1 else 'are'} not in this release. What runs there keeps its "
        "version until its pods are made anew, and the object stays as the release needs it "
        "until all of the cluster has the version"
    )


def nodes_left(component: str, cluster: str, nodes: Sequence[str]) -> str:
    """What is released node by node goes to the nodes that the cluster's file lists."""
    keep = "keeps its version" if len(nodes) == 1 else "keep their version"
    return (
        f"{component}: {row(nodes, most=3)} of {cluster} {keep}: a component of scope node goes to "
        "the nodes that the Cluster lists"
    )


def asks_to_install(component: str, clusters: Sequence[str]) -> str:
    """Where it is certain that nothing is there."""
    each = ", once for each" if len(clusters) > 1 else ""
    return (
        f"{component} is not there yet in {row(clusters, most=3)}: its first install reaches all "
        f"nodes of a cluster at once, whatever the parts, so an approver is asked{each}"
    )


def may_ask_to_install(component: str, clusters: Sequence[str]) -> str:
    return (
        f"{component} has never been released in {row(clusters, most=3)}: where it is not there "
        "yet, it comes to all nodes of a cluster at once, and an approver is asked before"
    )


def nobody_inside(units: int) -> str:
    """Node sets that select none of the nodes that are known."""
    return f"{many(units, 'unit')} select{'s' if units == 1 else ''} no node as the fleet is now"
