"""merge3 against the real `kubectl apply`, on a real API server: the same object afterwards.

With --update-golden the recorded cases are written anew, for `make test` to replay.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot.cluster.merge import merge3
from bot.cluster.settle import pending
from tests.cluster import merge_record
from tests.cluster.control_plane import Cluster
from tests.cluster.merge_case_objects import KEYS_OF_SERVICE, object_cases
from tests.cluster.merge_cases import KEYS_OF, Case, around, in_kind, pod_cases
from tests.cluster.merge_duel import Duel, comparable, duels, install_widgets

CASES = [*pod_cases(), *object_cases()]
SPACE = "merge-duels"
_RUNS = count(1)


@pytest.fixture(scope="module")
def fought(some_clusters: Any) -> Iterator[dict[str, Duel]]:
    cluster: Cluster = some_clusters(1)[0]
    install_widgets(cluster)
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    found = {duel.case.name: duel for duel in duels(cluster, SPACE, CASES)}
    yield found
    for duel in found.values():
        if duel.live["kind"].endswith("WebhookConfiguration"):
            for one in (duel.theirs, duel.ours):
                where = one["apiVersion"], one["kind"], one["metadata"]["name"]
                cluster.api.delete(where[1], where[2], api=where[0])
    cluster.api.delete("Namespace", SPACE)


@pytest.mark.parametrize("case", [c for c in CASES if c.keys is None], ids=lambda c: c.name)
def test_the_same_object_stands_there_as_after_kubectl_apply(
    fought: dict[str, Duel], case: Case
) -> None:
    duel = fought[case.name]
    assert duel.refused == ("", "")
    assert comparable(duel.ours) == comparable(duel.theirs)


@pytest.mark.parametrize("case", [c for c in CASES if c.keys is not None], ids=lambda c: c.name)
def test_where_kubectl_does_harm_we_do_none(fought: dict[str, Duel], case: Case) -> None:
    """Every element of the target stands there, with nothing of the others lost."""
    duel = fought[case.name]
    assert duel.refused[1] == ""
    assert case.keys is not None
    where, keys = case.keys
    stands: Any = duel.ours
    for part in where.split("."):
        stands = stands[int(part)] if part.isdigit() else stands[part]
    names = KEYS_OF.get(where, KEYS_OF_SERVICE)
    assert tuple(tuple(one.get(name) for name in names) for one in stands) == keys


def test_afterwards_there_is_nothing_left_to_do(fought: dict[str, Duel]) -> None:
    """Whatever the server wrote differently or filled in: no patch is sent twice."""
    again = {
        name: merge.patch
        for name, duel in fought.items()
        for before in (duel.last, duel.target)
        if (merge := merge3(before, duel.ours, duel.target)) is not None
    }
    assert again == {}
    assert all(pending(d.target, d.ours, d.target) is None for d in fought.values())


def test_the_recorded_cases_are_these(
    fought: dict[str, Duel], request: pytest.FixtureRequest
) -> None:
    """What `make test` replays is what real servers said."""
    if request.config.getoption("--update-golden"):
        merge_record.write(fought.values())
    assert merge_record.recorded().keys() == fought.keys()


def _keyed(key: str, names: tuple[Any, ...], **fields: Any) -> st.SearchStrategy[Any]:
    """A list with elements of unique keys, each with some of the fields."""
    each = st.fixed_dictionaries({key: st.sampled_from(names)}, optional=fields)
    return st.lists(each, unique_by=lambda one: one[key], max_size=3)


TEXTS = st.dictionaries(st.sampled_from("abz"), st.sampled_from("12"), max_size=2)
IMAGES = st.sampled_from(["i:1", "i:2"])
AMOUNTS = st.fixed_dictionaries(
    {}, optional={"cpu": st.sampled_from(["1", "500m", "0.5"]), "memory": st.just("1024Mi")}
)
INSIDE: dict[str, Any] = {
    "ports": _keyed("containerPort", (53, 80, 90), protocol=st.sampled_from(["TCP", "UDP"])),
    "env": _keyed("name", ("A", "B", "C"), value=st.sampled_from(["1", "2", ""])),
    "args": st.lists(st.sampled_from(["-v", "-x"]), max_size=2),
    "resources": st.fixed_dictionaries({}, optional={"limits": AMOUNTS}),
    "imagePullPolicy": st.sampled_from(["Always", "IfNotPresent"]),
    "stdin": st.booleans(),
}
SOURCES = st.sampled_from(
    [{"emptyDir": {}}, {"configMap": {"name": "a"}}, {"secret": {"secretName": "s"}}]
)
POD: dict[str, Any] = {
    "volumes": st.dictionaries(st.sampled_from("uvw"), SOURCES, max_size=3).map(
        lambda found: [{"name": name, **source} for name, source in found.items()]
    ),
    "nodeSelector": TEXTS,
    "tolerations": st.lists(st.sampled_from([{"key": "a", "operator": "Exists"}]), max_size=1),
    "hostAliases": _keyed("ip", ("1.1.1.1", "2.2.2.2"), hostnames=st.just(["h"])),
    "imagePullSecrets": _keyed("name", ("p", "q")),
    "hostNetwork": st.booleans(),
    "terminationGracePeriodSeconds": st.sampled_from([30, 5]),
}


def _containers(names: str, least: int) -> st.SearchStrategy[Any]:
    each = st.fixed_dictionaries({"name": st.sampled_from(names), "image": IMAGES}, optional=INSIDE)
    return st.lists(each, unique_by=lambda one: one["name"], min_size=least, max_size=3)


PODS = st.fixed_dictionaries({"containers": _containers("abc", 1)}, optional=POD)
OTHERS = st.fixed_dictionaries(
    {"containers": _containers("abz", 0)},
    optional={"nodeSelector": TEXTS, "hostAliases": POD["hostAliases"]},
)
STRATEGIES = st.sampled_from(
    [{}, {"strategy": {"type": "Recreate"}}, {"strategy": {"type": "RollingUpdate"}}]
)
TRIPLES = st.tuples(PODS, OTHERS, PODS, STRATEGIES, STRATEGIES, st.booleans())


@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],
    derandomize=False,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(TRIPLES, min_size=25, max_size=30))
def test_whatever_was_applied_and_changed_the_same_object_stands_there(
    some_clusters: Any, triples: list[Any]
) -> None:
    """Other objects on every run; a host port of hostNetwork is drawn by the server alike."""
    cluster: Cluster = some_clusters(1)[0]
    space = f"{SPACE}-{next(_RUNS)}"
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space}})
    cases = [
        Case(
            f"g{number}",
            in_kind("Deployment", last, **before),
            around("Deployment", others),
            in_kind("Deployment", target, **then),
            adopted=adopted,
        )
        for number, (last, others, target, before, then, adopted) in enumerate(triples)
    ]
    for duel in duels(cluster, space, cases):
        story = {"last": duel.last, "live": duel.live, "target": duel.target, "by": duel.refused}
        assert bool(duel.refused[0]) == bool(duel.refused[1]), story
        if duel.refused == ("", ""):
            assert comparable(duel.ours) == comparable(duel.theirs), story
            assert merge3(duel.target, duel.ours, duel.target) is None, story
    cluster.api.delete("Namespace", space)
