"""Control planes for the tests of this folder: started once a run and shared.

Each test has a namespace of its own. Where the programs are missing every test here is skipped
and says why; where CI is set that is a failure.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from tests.cluster import programs
from tests.cluster.control_plane import Cluster, control_planes

NAMES = ("east", "west", "north")
_NUMBERS = count(1)  # a namespace takes a while to go; no two tests share a name


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest story first: beside it all the others fit."""
    items.sort(key=lambda item: item.path.name != "test_three_clusters.py")


@pytest.fixture(scope="session")
def tools() -> programs.Tools:
    try:
        return programs.find()
    except programs.Missing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing))
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def some_clusters(tools: programs.Tools) -> Iterator[Callable[[int], list[Cluster]]]:
    """`some_clusters(2)`: that many of the shared clusters, started when first asked for."""
    running: list[Cluster] = []
    with ExitStack() as stack:

        def first(number: int) -> list[Cluster]:
            if missing := NAMES[len(running) : number]:
                running.extend(stack.enter_context(control_planes(*missing)))
            return running[:number]

        yield first


@pytest.fixture
def cluster(some_clusters: Callable[[int], list[Cluster]]) -> Cluster:
    """One cluster, shared with other tests: keep to your own namespace."""
    return some_clusters(1)[0]


@pytest.fixture
def clusters(some_clusters: Callable[[int], list[Cluster]]) -> list[Cluster]:
    """Three clusters side by side, shared with other tests."""
    return some_clusters(len(NAMES))


@pytest.fixture(scope="session")
def ten_nodes(some_clusters: Callable[[int], list[Cluster]]) -> str:
    """Ten nodes more in the first cluster, `ten-0` to `ten-9`: the name of their pool."""
    some_clusters(1)[0].add_nodes(*(f"ten-{number}" for number in range(10)), pool="ten")
    return "ten"


@pytest.fixture
def own_cluster(tools: programs.Tools) -> Iterator[Cluster]:
    """A cluster of this test alone, where it breaks what others would miss."""
    with control_planes("own") as (one,):
        yield one


@pytest.fixture
def namespace(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of this test's own in `cluster`; it goes away behind the test."""
    cluster.revive()
    words = "".join(c if c.isalnum() else "-" for c in request.node.name.lower())
    name = f"t{next(_NUMBERS)}-{words.removeprefix('test-')[:50].strip('-')}"
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.api.delete("Namespace", name)
