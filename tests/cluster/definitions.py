"""Custom kinds for tests: a definition that takes everything, and the wait until it is served."""

from __future__ import annotations

from tests.cluster.api import Answer, Object
from tests.cluster.control_plane import Cluster
from tests.cluster.waiting import wait_until


def define(cluster: Cluster, kind: str, api: str) -> None:
    """`define(cluster, "Widget", "example.com/v1")`: from now on there can be widgets."""
    group, version = api.split("/")
    cluster.api.apply(definition(kind, group, version))

    def served() -> bool:
        try:
            cluster.api.listed(kind, "default", api)
        except Answer:
            return False
        return True

    wait_until(served, f"{kind} is served", 20)


def definition(kind: str, group: str, version: str) -> Object:
    """A CRD that takes everything, with a status of its own."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": anything, "status": anything}}
    plural = f"{kind.lower()}s"
    served = {"name": version, "served": True, "storage": True, "subresources": {"status": {}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [served | {"schema": {"openAPIV3Schema": schema}}],
        },
    }
