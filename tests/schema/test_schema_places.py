"""Node sets, namespaces and nodes of a cluster, and components scoped to them, as lint judges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release_repo_schema.models import Selector
from release_repo_schema.rules import lint
from release_repo_schema.rules.places import apart
from tests.schema.repos import codes, repo

P1 = "fleet/clusters/p1.yaml"
AGENT = "components/agent/component.yaml"


def with_p1(spec: str) -> dict[str, str]:
    """The sound repo with this said of p1."""
    text = "kind: Cluster\nmetadata: {name: p1, labels: {haPair: a}}\n"
    return {P1: f"{text}spec: {{group: prod, connection: {{simulated: {{nodes: 3}}}}, {spec}}}\n"}


def scoped(scope: str) -> dict[str, str]:
    text = 'kind: Component\nmetadata: {name: agent, labels: {tier: "0"}}\n'
    return {AGENT: f"{text}spec: {{owners: [network], scope: {scope}}}\n"}


def found(files: dict[str, str]) -> list[str]:
    return sorted(set(codes(lint(repo(files)))) - set(codes(lint(repo()))))


A, B = (
    "{name: a, selector: {matchLabels: {pool: a}}}",
    "{name: b, selector: {matchLabels: {zone: b}}}",
)


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (f"nodeSets: [{A}, {A}]", "duplicate-name"),
        (f"nodeSets: [{A}, {B}]", "sets-may-overlap"),
        ("nodeSets: [{name: rest, selector: {matchLabels: {pool: a}}}]", "reserved-name"),
        ("nodeSets: [{name: a, selector: {}}]", "selects-everything"),
        (f"nodeSets: [{A[:-1]}, labels: {{cluster: x}}}}]", "reserved-label"),
        ("namespaces: [{name: t}, {name: t}]", "duplicate-name"),
        ("namespaces: [{name: t, labels: {nodeSet: x}}]", "reserved-label"),
        ("nodes: [n-1, n-1]", "duplicate-name"),
    ],
)
def test_a_mistake_in_the_parts_of_a_cluster_is_told(spec: str, code: str) -> None:
    assert found(with_p1(spec)) == [code]


def test_parts_that_are_kept_apart_are_fine() -> None:
    """One label with different values is the usual way; `rest` needs no word."""
    sets = f"nodeSets: [{A}, {A.replace('name: a', 'name: b').replace('pool: a', 'pool: b')}]"
    spaces = 'namespaces: [{name: t, labels: {wave: "1"}}], nodes: [n-1]'
    assert found(with_p1(f"{sets}, {spaces}")) == []


@pytest.mark.parametrize("scope", ["nodeSet", "namespace", "node"])
def test_a_scope_that_no_cluster_has_a_place_for_is_a_warning(scope: str) -> None:
    assert "scope-without-places" in found(scoped(scope))
    places = "namespaces: [{name: t}], nodes: [n-1], nodeSets: [" + A + "]"
    assert "scope-without-places" not in found(scoped(scope) | with_p1(places))


def test_a_simulated_node_that_there_is_not_has_no_labels() -> None:
    text = "kind: Cluster\nmetadata: {name: p1}\nspec:\n  group: prod\n"
    text += "  connection: {simulated: {nodes: 3, nodeLabels: {n-4: {pool: a}}}}\n"
    assert "unknown-node" in found({P1: text})


_WORDS = st.sampled_from(["a", "b"])
_KEYS = st.sampled_from(["pool", "zone"])
_SELECTORS = st.builds(
    lambda labels, asked: Selector.model_validate(
        {
            "matchLabels": labels,
            "matchExpressions": [
                {"key": key, "operator": operator}
                | ({"values": values} if operator in ("In", "NotIn") else {})
                for key, operator, values in asked
            ],
        }
    ),
    st.dictionaries(_KEYS, _WORDS, max_size=2),
    st.lists(
        st.tuples(
            _KEYS,
            st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]),
            st.lists(_WORDS, min_size=1, max_size=2, unique=True),
        ),
        max_size=2,
    ),
)
_LABELS = [
    {key: value for key, value in (("pool", pool), ("zone", zone)) if value}
    for pool in ("", "a", "b", "c")
    for zone in ("", "a", "b", "c")
]


@given(_SELECTORS, _SELECTORS)
def test_sets_that_are_called_apart_are_so_for_every_node(
    first: Selector, second: Selector
) -> None:
    """The warning may come too often, and must never stay away."""
    if apart(first, second):
        assert not any(first.matches(one, "n") and second.matches(one, "n") for one in _LABELS)
