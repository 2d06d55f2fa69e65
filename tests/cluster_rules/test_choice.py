"""Which nodes a set has, and where a DaemonSet's pod is started, as its controllers see it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cluster.choice import chosen, claimed_twice, runs_on
from bot.model.plan import NodeChoice

NODES = {
    "n-1": {"pool": "canary", "cpus": "8"},
    "n-2": {"pool": "edge", "cpus": "2"},
    "n-3": {},
}
CANARY = {"matchLabels": {"pool": "canary"}}
HAS_POOL = {"matchExpressions": [{"key": "pool", "operator": "Exists"}]}


@pytest.mark.parametrize(
    ("choice", "nodes"),
    [
        (NodeChoice(selector=CANARY), {"n-1"}),
        (NodeChoice(selector={}), {"n-1", "n-2", "n-3"}),
        (NodeChoice(names=("n-3", "n-9")), {"n-3"}),
        (NodeChoice(others=(CANARY,)), {"n-2", "n-3"}),
        (NodeChoice(others=(CANARY, HAS_POOL)), {"n-3"}),
        (NodeChoice(), {"n-1", "n-2", "n-3"}),
    ],
)
def test_a_choice_is_by_name_by_label_or_of_what_is_left(
    choice: NodeChoice, nodes: set[str]
) -> None:
    assert chosen(choice, NODES) == nodes


def test_a_node_that_two_sets_choose_is_named_with_both() -> None:
    choices = {"a": NodeChoice(selector=CANARY), "b": NodeChoice(selector=HAS_POOL)}
    assert claimed_twice(choices, NODES) == {"n-1": ["a", "b"]}


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    required = "requiredDuringSchedulingIgnoredDuringExecution"
    return {"affinity": {"nodeAffinity": {required: {"nodeSelectorTerms": list(terms)}}}}


def asks(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


BY_NAME = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n-3"]}]}


@pytest.mark.parametrize(
    ("pod", "nodes"),
    [
        ({}, {"n-1", "n-2", "n-3"}),
        ({"nodeSelector": {"pool": "edge"}}, {"n-2"}),
        (affinity(asks("pool", "In", "edge", "canary")), {"n-1", "n-2"}),
        (affinity(asks("pool", "NotIn", "edge")), {"n-1", "n-3"}),
        (affinity(asks("cpus", "Gt", "4")), {"n-1"}),
        (affinity(asks("cpus", "Lt", "4"), BY_NAME), {"n-2", "n-3"}),
        (affinity({}), set()),
    ],
)
def test_a_pod_runs_where_its_selector_and_affinity_let_it(
    pod: dict[str, Any], nodes: set[str]
) -> None:
    """What does not run on a node of the set is not waited for there."""
    assert {name for name, labels in NODES.items() if runs_on(pod, name, labels, ())} == nodes


GPU = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}


@pytest.mark.parametrize(
    ("tolerations", "taint", "runs"),
    [
        ([], GPU, False),
        ([{"key": "gpu", "operator": "Exists"}], GPU, True),
        ([{"key": "gpu", "value": "yes"}], GPU, True),
        ([{"key": "gpu", "value": "no"}], GPU, False),
        ([{"key": "gpu", "value": "yes", "effect": "NoExecute"}], GPU, False),
        ([{"operator": "Exists"}], GPU, True),
        ([], GPU | {"effect": "PreferNoSchedule"}, True),
        ([], {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}, True),
    ],
)
def test_taints_keep_a_pod_out_unless_it_tolerates_them(
    tolerations: list[dict[str, str]], taint: dict[str, str], runs: bool
) -> None:
    """A cordoned or sick node still counts: DaemonSets stay on it, and it must not hide."""
    assert runs_on({"tolerations": tolerations}, "n-1", {}, [taint]) is runs
