"""A small release repo for stories: one staging and two production clusters, one component."""

from __future__ import annotations

import json
from typing import Any

import yaml


def doc(kind: str, name: str, spec: Any, labels: dict[str, str] | None = None) -> str:
    """One document. JSON is YAML, and says exactly what is meant."""
    metadata: dict[str, Any] = {"name": name}
    if labels:
        metadata["labels"] = labels
    body = {"apiVersion": "sluice/v1", "kind": kind, "metadata": metadata, "spec": spec}
    return json.dumps(body, indent=2) + "\n"


def cluster(name: str, group: str, nodes: int = 4, faults: Any = (), **labels: str) -> str:
    simulated: dict[str, Any] = {"nodes": nodes}
    if faults:
        simulated["faults"] = list(faults)
    return doc("Cluster", name, {"group": group, "connection": {"simulated": simulated}}, labels)


def component(**spec: Any) -> str:
    base: dict[str, Any] = {
        "owners": ["network"],
        "render": {"jinja": "templates/"},
        "batches": [1, "50%", "100%"],
        "batchSoak": "5m",
        "soak": "10m",
        "batchTakes": "5m",
        "batchDeadline": "20m",
    }
    return doc("Component", "node-agent", base | spec, {"tier": "1"})


def release(name: str, version: str, **spec: Any) -> str:
    base: dict[str, Any] = {
        "components": [{"name": "node-agent", "version": version}],
        "pipeline": "standard",
        "reason": f"Fixes a leak in {version}",
    }
    written = {key: value for key, value in (base | spec).items() if value is not None}
    return doc("Release", name, written)


def pipeline(**production: Any) -> str:
    stages = [
        {"name": "staging", "units": {"matchLabels": {"environment": "staging"}}},
        {"name": "production", "units": {}} | production,
    ]
    return doc("Pipeline", "standard", {"stages": stages})


def window(name: str = "weekdays", **spec: Any) -> str:
    base = {"days": ["Mon-Fri"], "from": "09:00", "to": "17:00", "zone": "UTC"}
    return doc("Window", name, base | spec)


def people() -> str:
    names = ["ana", "ben", "cleo", "dan"]
    return doc(
        "People",
        "people",
        {
            "members": [{"name": n, "emails": [f"{n}@example.com"], "os": n} for n in names],
            "teams": [{"name": "network", "members": ["ana", "ben"], "channel": "C01NET"}],
            "roles": {
                "operator": ["network"],
                "approver": ["ana", "ben", "cleo"],
                "admin": ["ana", "dan"],
            },
        },
    )


TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: node-agent, namespace: infra}
data: {level: "{{ values.level }}"}
---
apiVersion: apps.kruise.io/v1beta1
kind: DaemonSet
metadata: {name: node-agent, namespace: infra}
spec:
  selector: {matchLabels: {app: node-agent}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 2}}
  template:
    metadata: {labels: {app: node-agent}}
    spec: {containers: [{name: agent, image: "{{ values.image }}"}]}
"""


VALUES = 'image: "registry.local/node-agent:{{ version }}"\nlevel: info\n'


def base() -> dict[str, str]:
    """The files before any release: 2.4.1 is what everything would run."""
    return {
        "fleet/groups/staging.yaml": doc("ClusterGroup", "staging", {}, {"environment": "staging"}),
        "fleet/groups/prod.yaml": doc("ClusterGroup", "prod", {}, {"environment": "production"}),
        "fleet/clusters/st-1.yaml": cluster("st-1", "staging", 2),
        "fleet/clusters/eu-1.yaml": cluster("eu-1", "prod", 4, haPair="a"),
        "fleet/clusters/eu-2.yaml": cluster("eu-2", "prod", 4, haPair="a"),
        "components/node-agent/component.yaml": component(),
        "components/node-agent/templates/node-agent.yaml": TEMPLATE,
        "components/node-agent/values/default.yaml": VALUES,
        "pipelines/standard.yaml": pipeline(),
        "calendar/windows.yaml": window(),
        "policy/policy.yaml": doc("Policy", "policy", {"windows": {"attended": "5m"}}),
        "people.yaml": people(),
    }


def running(version: str = "2.4.1", level: str = "info") -> list[dict[str, Any]]:
    """The objects as somebody applied them before Sluice came."""
    template = TEMPLATE.replace("{{ values.image }}", f"registry.local/node-agent:{version}")
    return list(yaml.safe_load_all(template.replace("{{ values.level }}", level)))
