"""Workloads of every kind for these tests: small, of one container, in a namespace of the test."""

from __future__ import annotations

from typing import Any

from tests.cluster.api import Object

KRUISE = "apps.kruise.io/v1alpha1"
KRUISE_STATEFUL = "apps.kruise.io/v1beta1"


def workload(
    kind: str, namespace: str, image: str = "agent:1", *, api: str = "apps/v1", **spec: Any
) -> Object:
    """`workload("DaemonSet", "ns", updateStrategy=…)`; the name is `agent`."""
    labels = {"app": "agent"}
    if "DaemonSet" not in kind:
        spec.setdefault("replicas", 3)
    if kind == "StatefulSet":
        spec.setdefault("serviceName", "agent")
    pod = {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "agent", "image": image}],
    }
    template = {"metadata": {"labels": dict(labels)}, "spec": pod}
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": "agent", "namespace": namespace, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def with_image(image: str) -> Object:
    """A merge patch to that image of the one container."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "agent", "image": image}]}}}}
