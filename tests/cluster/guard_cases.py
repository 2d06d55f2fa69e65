"""Changes that the guard blocks because no API server takes them: an object and a merge patch each.

Names and namespaces are filled in by the test.
"""

from __future__ import annotations

from typing import Any

from tests.cluster.api import Object
from tests.cluster.workloads import KRUISE, KRUISE_STATEFUL, workload

Case = tuple[str, Object, Object]
OTHER = {"app": "agent", "other": "yes"}
RESELECT = {
    "spec": {"selector": {"matchLabels": OTHER}, "template": {"metadata": {"labels": OTHER}}}
}
CLAIM: Object = {
    "metadata": {"name": "data"},
    "spec": {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "slow",
        "resources": {"requests": {"storage": "2Gi"}},
    },
}
FAST = {"metadata": {"name": "data"}, "spec": CLAIM["spec"] | {"storageClassName": "fast"}}
RBAC, STORAGE = "rbac.authorization.k8s.io/v1", "storage.k8s.io/v1"


def made(api: str, kind: str, **body: Any) -> Object:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "agent"}, **body}


def service(**spec: Any) -> Object:
    ports = [{"name": "web", "port": 80}]
    return made("v1", "Service", spec={"selector": {"app": "agent"}, "ports": ports, **spec})


def volume(**spec: Any) -> Object:
    base = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"]}
    base |= {"hostPath": {"path": "/a"}, "storageClassName": "nobody"}
    return made("v1", "PersistentVolume", spec=base | spec)


def job() -> Object:
    pod = {"restartPolicy": "Never", "containers": [{"name": "a", "image": "agent:1"}]}
    return made("batch/v1", "Job", spec={"suspend": True, "template": {"spec": pod}})


def on_nodes(value: str) -> Object:
    terms = [{"matchExpressions": [{"key": "zone", "operator": "In", "values": [value]}]}]
    return {"required": {"nodeSelectorTerms": terms}}


def workloads() -> list[Case]:
    kinds = [("Deployment", "apps/v1"), ("StatefulSet", "apps/v1"), ("DaemonSet", "apps/v1")]
    kinds += [("ReplicaSet", "apps/v1"), ("DaemonSet", KRUISE), ("CloneSet", KRUISE)]
    kinds.append(("StatefulSet", KRUISE_STATEFUL))
    found: list[Case] = [
        (f"selector of {api} {kind}", workload(kind, "", api=api), RESELECT) for kind, api in kinds
    ]
    for api in ("apps/v1", KRUISE_STATEFUL):
        stateful = workload("StatefulSet", "", api=api)
        found.append((f"serviceName of {api}", stateful, {"spec": {"serviceName": "other"}}))
        policy = {"spec": {"podManagementPolicy": "Parallel"}}
        found.append((f"podManagementPolicy of {api}", stateful, policy))
    claims = workload("StatefulSet", "", volumeClaimTemplates=[CLAIM])
    found.append(("claims of a set", claims, {"spec": {"volumeClaimTemplates": [FAST]}}))
    other = [{"name": "a", "image": "agent:2"}]
    found.append(("pods of a Job", job(), {"spec": {"template": {"spec": {"containers": other}}}}))
    found.append(
        ("completionMode", job(), {"spec": {"completionMode": "Indexed", "completions": 1}})
    )
    return found


def storage() -> list[Case]:
    claim = made("v1", "PersistentVolumeClaim", spec=CLAIM["spec"])
    smaller = {"resources": {"requests": {"storage": "1Gi"}}}
    bound = made("v1", "PersistentVolumeClaim", spec=CLAIM["spec"] | {"volumeName": "one"})
    kind = made(STORAGE, "StorageClass", provisioner="a.example.com", parameters={"a": "b"})
    driver = made(STORAGE, "CSIDriver", spec={"attachRequired": True})
    placed = volume(nodeAffinity=on_nodes("a"))
    return [
        ("class of a claim", claim, {"spec": {"storageClassName": "fast"}}),
        ("access of a claim", claim, {"spec": {"accessModes": ["ReadWriteMany"]}}),
        ("mode of a claim", claim, {"spec": {"volumeMode": "Block"}}),
        ("size of a claim", claim, {"spec": smaller}),
        ("volume of a claim", bound, {"spec": {"volumeName": "other"}}),
        ("source of a volume", volume(), {"spec": {"hostPath": {"path": "/b"}}}),
        ("mode of a volume", volume(), {"spec": {"volumeMode": "Block"}}),
        ("nodes of a volume", placed, {"spec": {"nodeAffinity": on_nodes("b")}}),
        ("provisioner", kind, {"provisioner": "b.example.com"}),
        ("parameters", kind, {"parameters": {"a": "c"}}),
        ("reclaimPolicy", kind, {"reclaimPolicy": "Retain"}),
        ("volumeBindingMode", kind, {"volumeBindingMode": "WaitForFirstConsumer"}),
        ("attachRequired", driver, {"spec": {"attachRequired": False}}),
        ("modes of a driver", driver, {"spec": {"volumeLifecycleModes": ["Ephemeral"]}}),
    ]


def network() -> list[Case]:
    balanced = service(type="LoadBalancer", loadBalancerClass="example.com/a")
    local = service(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=31999)
    return [
        ("clusterIP", service(clusterIP="10.96.200.1"), {"spec": {"clusterIP": "10.96.200.2"}}),
        ("clusterIP to none", service(), {"spec": {"clusterIP": "None"}}),
        ("clusterIPs", service(), {"spec": {"clusterIPs": ["10.96.200.3"]}}),
        ("first family", service(), {"spec": {"ipFamilies": ["IPv6"]}}),
        ("loadBalancerClass", balanced, {"spec": {"loadBalancerClass": "example.com/b"}}),
        ("healthCheckNodePort", local, {"spec": {"healthCheckNodePort": 31998}}),
        (
            "controller of a class",
            made("networking.k8s.io/v1", "IngressClass", spec={"controller": "example.com/a"}),
            {"spec": {"controller": "example.com/b"}},
        ),
    ]


def the_rest() -> list[Case]:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    edit = {"roleRef": {"name": "edit"}}
    sealed = made("v1", "ConfigMap", immutable=True, data={"a": "1"})
    secret = made("v1", "Secret", immutable=True, stringData={"a": "1"})
    first = made("scheduling.k8s.io/v1", "PriorityClass", value=7)
    runtime = made("node.k8s.io/v1", "RuntimeClass", handler="one")
    quota = made("v1", "ResourceQuota", spec={"scopes": ["BestEffort"], "hard": {"pods": "4"}})
    return [
        ("role of a binding", made(RBAC, "RoleBinding", roleRef=role), edit),
        ("role of a cluster's binding", made(RBAC, "ClusterRoleBinding", roleRef=role), edit),
        ("sealed data", sealed, {"data": {"a": "2"}}),
        ("the seal", sealed, {"immutable": None}),
        ("sealed secret", secret, {"data": {"a": "Mg=="}}),
        ("seal of a secret", secret, {"immutable": False}),
        ("type of a secret", made("v1", "Secret"), {"type": "example.com/other"}),
        ("value", first, {"value": 8}),
        ("preemption", first, {"preemptionPolicy": "Never"}),
        ("handler", runtime, {"handler": "other"}),
        ("scopes", quota, {"spec": {"scopes": ["NotBestEffort"]}}),
    ]


def definitions(group: str) -> list[Case]:
    """Of a definition that is established, and that has stored objects as v1."""
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    old = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    new = old | {"name": "v2"}
    names = {"plural": "widgets", "singular": "widget", "kind": "Widget"}
    spec = {"group": group, "scope": "Namespaced", "names": names, "versions": [old]}
    widgets = made("apiextensions.k8s.io/v1", "CustomResourceDefinition", spec=spec)
    widgets["metadata"]["name"] = f"widgets.{group}"
    return [
        ("scope", widgets, {"spec": {"scope": "Cluster"}}),
        ("group", widgets, {"spec": {"group": f"other.{group}"}}),
        ("plural", widgets, {"spec": {"names": {"plural": "others"}}}),
        ("kind", widgets, {"spec": {"names": {"kind": "Other"}}}),
        ("stored version", widgets, {"spec": {"versions": [new]}}),
    ]
