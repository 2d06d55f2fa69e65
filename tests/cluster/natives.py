"""Releases of Kubernetes' own workloads, from version 1 on ten pods to another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.control_plane import Cluster
from tests.cluster.driven import COUNT, Driven, Release
from tests.cluster.workloads import workload

ROLLING: dict[str, Any] = {"rollingUpdate": {"maxUnavailable": 3}, "type": "RollingUpdate"}
KINDS: dict[str, dict[str, Any]] = {
    "Deployment": {"kind": "Deployment", "replicas": COUNT},
    "StatefulSet": {
        "kind": "StatefulSet",
        "replicas": COUNT,
        "podManagementPolicy": "Parallel",
    },
    "StatefulSet-ordered": {"kind": "StatefulSet", "replicas": COUNT},
    "DaemonSet": {"kind": "DaemonSet", "updateStrategy": ROLLING},
    "DaemonSet-OnDelete": {"kind": "DaemonSet", "updateStrategy": {"type": "OnDelete"}},
}


@pytest.fixture
def release(cluster: Cluster, namespace: str, ten_nodes: str) -> Iterator[Release]:
    """`release("DaemonSet", "2-crash")`: version 1 runs on ten pods, that one is to run."""
    made: list[Driven] = []

    def make(kind: str, version: str = "2", **changed: Any) -> Driven:
        applied = changed.pop("applied", True)
        spec = KINDS[kind] | {"pool": ten_nodes} | changed
        old = workload(namespace=namespace, image="agent:1", **spec)
        new = workload(namespace=namespace, image=f"agent:{version}", **spec)
        made.append(Driven(cluster, old, new, applied=applied))
        return made[-1]

    yield make
    for each in made:
        each.close()
