"""The documents that histories are made of: clusters, components of several kinds, rules.

Builds documents, and the objects that stood in a cluster before anything was released; draws none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import yaml

from bot.model.plan import JSON

TEAM, OWNERS = "network", ("ana", "ben")
MEMBERS = ("ana", "ben", "cleo", "dan", "eve")
ROLES: Mapping[str, tuple[str, ...]] = {
    "operator": (TEAM,),
    "approver": ("ana", "ben", "cleo"),
    "admin": ("ana", "dan"),
}
BEFORE = "2.4.1"
"""What every cluster runs when a history begins."""

_POD = """  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: main, image: "{{ values.image }}"}]}
"""
_CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {name: NAME, namespace: infra}
data: {level: "{{ values.level }}", version: "{{ version }}"}
"""
_VERSIONED = """---
apiVersion: v1
kind: ConfigMap
metadata: {name: "NAME-{{ version }}", namespace: infra}
data: {version: "{{ version }}"}
"""
TEMPLATES: Mapping[str, str] = {
    "agent": _CONFIG
    + """---
apiVersion: apps.kruise.io/v1beta1
kind: DaemonSet
metadata: {name: NAME, namespace: infra}
spec:
  selector: {matchLabels: {app: NAME}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 2}}
"""
    + _POD,
    "dns": """apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: infra}
spec:
  replicas: 3
  selector: {matchLabels: {app: NAME}}
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 1}}
"""
    + _POD,
    "store": """apiVersion: apps/v1
kind: StatefulSet
metadata: {name: NAME, namespace: infra}
spec:
  replicas: 3
  serviceName: NAME
  podManagementPolicy: Parallel
  selector: {matchLabels: {app: NAME}}
  updateStrategy: {type: RollingUpdate}
"""
    + _POD,
    "net": """apiVersion: apps/v1
kind: DaemonSet
metadata: {name: NAME, namespace: infra}
spec:
  selector: {matchLabels: {app: NAME}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 1}}
"""
    + _POD,
    "conf": _CONFIG,
    "rules": _CONFIG,
    "quotas": _CONFIG,
}
"""Component → its template. Each is another way in which a rollout stops part-way."""

NO_PODS = ("conf", "rules", "quotas")
"""Components that run nothing."""

NAMESPACE = "{{ unit.namespace }}"

_VALUES = 'image: "registry.local/NAME:{{ version }}"\nlevel: info\n'


def doc(kind: str, name: str, spec: Any, labels: Mapping[str, str] | None = None) -> JSON:
    metadata: dict[str, Any] = {"name": name}
    if labels:
        metadata["labels"] = dict(labels)
    return {"apiVersion": "sluice/v1", "kind": kind, "metadata": metadata, "spec": spec}


def cluster(
    name: str, group: str, nodes: int, labels: Mapping[str, str], faults: Any = (), host: str = ""
) -> JSON:
    simulated: dict[str, Any] = {"nodes": nodes}
    if faults:
        simulated["faults"] = list(faults)
    spec: dict[str, Any] = {"group": group, "connection": {"simulated": simulated}}
    if host:
        spec["hostedBy"] = host
    return doc("Cluster", name, spec, labels)


def groups() -> dict[str, JSON]:
    return {
        "fleet/groups/staging.yaml": doc("ClusterGroup", "staging", {}, {"environment": "staging"}),
        "fleet/groups/prod.yaml": doc("ClusterGroup", "prod", {}, {"environment": "production"}),
    }


def component(name: str, tier: str, spec: Mapping[str, JSON]) -> dict[str, JSON]:
    """Its document, its template and its values."""
    there = f"components/{name}"
    base = {"owners": [TEAM], "render": {"jinja": "templates/"}}
    return {
        f"{there}/component.yaml": doc("Component", name, {**base, **spec}, {"tier": tier}),
        f"{there}/templates/{name}.yaml": template(name, spec.get("scope", "cluster")),
        f"{there}/values/default.yaml": _VALUES.replace("NAME", name),
    }


def template(name: str, scope: str) -> str:
    """What a component renders: a unit of a namespace has its objects there."""
    return _placed(TEMPLATES[name], name, scope)


def versioned(name: str, scope: str) -> str:
    """More of a template: an object that each version has another one of."""
    return _placed(_VERSIONED, name, scope)


def _placed(text: str, name: str, scope: str) -> str:
    text = text.replace("NAME", name)
    if scope == "namespace":
        text = text.replace("namespace: infra", f'namespace: "{NAMESPACE}"')
    return text


def people(roles: Mapping[str, Any] = ROLES) -> JSON:
    members = [{"name": n, "emails": [f"{n}@example.com"], "os": n} for n in MEMBERS]
    teams = [{"name": TEAM, "members": list(OWNERS), "channel": "C01NET"}]
    held = {role: list(names) for role, names in roles.items()}
    return doc("People", "people", {"members": members, "teams": teams, "roles": held})


def release(name: str, component: str, version: str, **spec: Any) -> JSON:
    base: dict[str, Any] = {
        "components": [{"name": component, "version": version}],
        "pipeline": "standard",
        "reason": f"{component} {version}",
    }
    return doc("Release", name, {**base, **spec})


def text_of(document: JSON) -> bytes:
    """A file of the release repo: JSON is YAML, and text is left as it is."""
    if isinstance(document, str):
        return document.encode()
    return (json.dumps(document, indent=1) + "\n").encode()


@lru_cache(maxsize=256)
def _standing(component: str, version: str, namespace: str) -> str:
    text = TEMPLATES[component].replace("NAME", component)
    text = text.replace("namespace: infra", f"namespace: {namespace}")
    text = text.replace("{{ values.image }}", f"registry.local/{component}:{version}")
    text = text.replace("{{ values.level }}", "info").replace("{{ version }}", version)
    return json.dumps(list(yaml.safe_load_all(text)))


def standing(component: str, namespaces: Sequence[str] = ("infra",)) -> list[JSON]:
    """The objects of a component as somebody applied them before Sluice came."""
    found: list[JSON] = []
    for namespace in namespaces:
        found += json.loads(_standing(component, BEFORE, namespace))
    return found
