"""Releases of workloads whose pods are seen, from version 1 on ten pods to another one.

Kubernetes' own kinds and OpenKruise's, each as people write it: which program rolls it, and how.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.control_plane import Cluster
from tests.cluster.driven import COUNT, Driven, Release
from tests.cluster.workloads import KRUISE, KRUISE_STATEFUL, workload

ROLLING: dict[str, Any] = {"rollingUpdate": {"maxUnavailable": 3}, "type": "RollingUpdate"}
IN_PLACE: dict[str, Any] = {"rollingUpdateType": "InPlaceIfPossible", "maxUnavailable": 3}
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
    "CloneSet": {
        "kind": "CloneSet",
        "api": KRUISE,
        "replicas": COUNT,
        "updateStrategy": {"type": "ReCreate", "maxUnavailable": 3},
    },
    "CloneSet-in-place": {
        "kind": "CloneSet",
        "api": KRUISE,
        "replicas": COUNT,
        "updateStrategy": {"type": "InPlaceIfPossible", "maxUnavailable": 3},
    },
    "Kruise-DaemonSet": {"kind": "DaemonSet", "api": KRUISE, "updateStrategy": ROLLING},
    "Kruise-DaemonSet-in-place": {
        "kind": "DaemonSet",
        "api": KRUISE,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": IN_PLACE},
    },
    "Kruise-StatefulSet": {
        "kind": "StatefulSet",
        "api": KRUISE_STATEFUL,
        "replicas": COUNT,
        "podManagementPolicy": "Parallel",
        "updateStrategy": ROLLING,
    },
}
MOST: list[str] = [name for name in KINDS if not name.endswith("-in-place")]
"""Those whose pods are replaced: what happens around a release is the same for the others."""
OPEN_KRUISE = [name for name in MOST if KINDS[name].get("api", "").startswith("apps.kruise.io/")]
NATIVE = [name for name in MOST if name not in OPEN_KRUISE]


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
