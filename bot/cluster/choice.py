"""Which nodes a unit is about, and on which of them a workload runs. Pure; asks no cluster.

A node set is a choice by labels: who is in it is asked anew at every look. A workload's own
nodeSelector, affinity and tolerations narrow it as the DaemonSet controllers do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.cluster.fields import at
from bot.cluster.kinds import Rows, row_of
from bot.cluster.members import selects
from bot.model.plan import JSON, NodeChoice, ObjectRef
from bot.model.seen import UnitSeen
from release_repo_schema.models import Selector

_KEEPS_OUT = ("NoSchedule", "NoExecute")
_OF_THE_NODE = "node.kubernetes.io/"
"""Taints that say how a node is (not ready, cordoned): DaemonSet pods tolerate them."""

_AFFINITY = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")


def chosen(choice: NodeChoice, nodes: Mapping[str, Mapping[str, str]]) -> frozenset[str]:
    """The nodes that a choice is about now."""
    if not choice.names and choice.selector is None:
        others = [Selector.model_validate(one) for one in choice.others]
        return frozenset(
            name
            for name, labels in nodes.items()
            if not any(other.matches(labels, name) for other in others)
        )
    by_name = frozenset(name for name in choice.names if name in nodes)
    if choice.selector is None:
        return by_name
    selector = Selector.model_validate(choice.selector)
    return by_name | {name for name, labels in nodes.items() if selector.matches(labels, name)}


def claimed_twice(
    choices: Mapping[str, NodeChoice], nodes: Mapping[str, Mapping[str, str]]
) -> dict[str, list[str]]:
    """Node → the units that choose it, where those are several: sets may not overlap."""
    found: dict[str, list[str]] = {}
    for unit, choice in choices.items():
        for node in chosen(choice, nodes):
            found.setdefault(node, []).append(unit)
    return {node: found[node] for node in sorted(found) if len(found[node]) > 1}


def places(
    workloads: Iterable[tuple[ObjectRef, JSON]],
    nodes: frozenset[str],
    seen: UnitSeen,
    rows: Rows,
) -> dict[str, frozenset[str]]:
    """Workload key → those of the nodes on which it is to run, by the object as given."""
    known = seen.nodes or {}
    found: dict[str, frozenset[str]] = {}
    for ref, obj in workloads:
        row = row_of(ref, rows)
        if row is None:
            continue
        if row.component is not None:
            asked = at(obj, row.node_selector) if row.node_selector else None
            found[ref.key] = frozenset(n for n in nodes if selects(asked, dict(known.get(n, {}))))
            continue
        pod = at(obj, (*row.template, "spec")) or {}
        found[ref.key] = frozenset(
            node
            for node in nodes
            if runs_on(pod, node, known.get(node, {}), seen.taints.get(node, ()))
        )
    return found


def runs_on(pod: JSON, node: str, labels: Mapping[str, str], taints: Iterable[JSON]) -> bool:
    """Whether a DaemonSet controller starts this pod on the node."""
    wanted = pod.get("nodeSelector") or {}
    if any(labels.get(name) != text for name, text in wanted.items()):
        return False
    asked = at(pod, _AFFINITY)
    terms = (asked or {}).get("nodeSelectorTerms") or ()
    if asked is not None and not any(_term(term, node, dict(labels)) for term in terms):
        return False
    tolerations = pod.get("tolerations") or ()
    return all(
        taint.get("effect") not in _KEEPS_OUT
        or str(taint.get("key", "")).startswith(_OF_THE_NODE)
        or any(_tolerates(one, taint) for one in tolerations)
        for taint in taints
    )


def _term(term: JSON, node: str, labels: JSON) -> bool:
    """One of several ways in; one that asks nothing lets nothing in."""
    asked, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not asked and not fields:
        return False
    plain = [one for one in asked if one.get("operator") not in ("Gt", "Lt")]
    if not selects({"matchExpressions": plain}, labels):
        return False
    if not all(_compares(one, labels) for one in asked if one not in plain):
        return False
    return selects({"matchExpressions": list(fields)}, {"metadata.name": node})


def _compares(asked: JSON, labels: JSON) -> bool:
    try:
        have, limit = int(labels[asked["key"]]), int(asked["values"][0])
    except (KeyError, IndexError, ValueError, TypeError):
        return False
    return have > limit if asked["operator"] == "Gt" else have < limit


def _tolerates(toleration: JSON, taint: JSON) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    exists: bool = toleration.get("operator") == "Exists"
    if not toleration.get("key"):
        return exists
    same: bool = toleration.get("value", "") == taint.get("value", "")
    return toleration["key"] == taint.get("key") and (exists or same)
