"""Workloads of every kind for these tests: small, of one container, in a namespace of the test."""

from __future__ import annotations

from typing import Any

from tests.cluster.api import Object

KRUISE = "apps.kruise.io/v1alpha1"
KRUISE_STATEFUL = "apps.kruise.io/v1beta1"


def workload(
    kind: str,
    namespace: str,
    image: str = "agent:1",
    *,
    api: str = "apps/v1",
    pool: str = "",
    notes: dict[str, str] | None = None,
    **spec: Any,
) -> Object:
    """`workload("DaemonSet", "ns", updateStrategy=…)`; the name is `agent`.

    `pool`: on its nodes only. `notes`: annotations of its pods, which tell KWOK how they behave.
    """
    labels = {"app": "agent"}
    if "DaemonSet" not in kind:
        spec.setdefault("replicas", 3)
    if kind == "StatefulSet":
        spec.setdefault("serviceName", "agent")
    pod: Object = {
        "terminationGracePeriodSeconds": 0,
        "containers": [{"name": "agent", "image": image}],
    }
    if pool:
        pod["nodeSelector"] = {"pool": pool}
        pod["tolerations"] = [{"key": "pool", "operator": "Equal", "value": pool}]
    about: Object = {"labels": dict(labels)} | ({"annotations": notes} if notes else {})
    template = {"metadata": about, "spec": pod}
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": "agent", "namespace": namespace, "labels": labels},
        "spec": {"selector": {"matchLabels": labels}, "template": template, **spec},
    }


def with_image(image: str) -> Object:
    """A merge patch to that image of the one container."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "agent", "image": image}]}}}}
