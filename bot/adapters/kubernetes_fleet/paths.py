"""Where an object lives in the API: the path of a kind. Asks nothing, keeps no discovery document.

Kinds that every cluster has are in a table here; others are learned from their group once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from bot.failures import Refused
from bot.model.plan import JSON, ObjectRef


@dataclass(frozen=True, slots=True)
class Resource:
    """How the API calls a kind."""

    plural: str
    namespaced: bool


Kind = tuple[str, str]
"""(apiVersion, kind)."""


def _table() -> Mapping[Kind, Resource]:
    found: dict[Kind, Resource] = {}
    for versions, namespaced, kinds in _BUILT_IN:
        for version in versions.split():
            for kind in kinds.split():
                found[version, kind] = Resource(_PLURALS.get(kind, f"{kind.lower()}s"), namespaced)
    return MappingProxyType(found)


_PLURALS = {
    "CSIStorageCapacity": "csistoragecapacities",
    "CertificateSigningRequest": "certificatesigningrequests",
    "Endpoints": "endpoints",
    "Ingress": "ingresses",
    "IngressClass": "ingressclasses",
    "NetworkPolicy": "networkpolicies",
    "PriorityClass": "priorityclasses",
    "RuntimeClass": "runtimeclasses",
    "StorageClass": "storageclasses",
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "VolumeAttributesClass": "volumeattributesclasses",
    "DeviceClass": "deviceclasses",
}
"""Where an s at the end is not all."""

_BUILT_IN: tuple[tuple[str, bool, str], ...] = (
    (
        "v1",
        True,
        "ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate "
        "ReplicationController ResourceQuota Secret Service ServiceAccount",
    ),
    ("v1", False, "Namespace Node PersistentVolume"),
    ("apps/v1", True, "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet"),
    ("apps.kruise.io/v1alpha1 apps.kruise.io/v1beta1", True, "CloneSet DaemonSet StatefulSet"),
    ("batch/v1", True, "CronJob Job"),
    ("autoscaling/v1 autoscaling/v2", True, "HorizontalPodAutoscaler"),
    ("policy/v1", True, "PodDisruptionBudget"),
    ("networking.k8s.io/v1", True, "Ingress NetworkPolicy"),
    ("networking.k8s.io/v1", False, "IngressClass"),
    ("rbac.authorization.k8s.io/v1", True, "Role RoleBinding"),
    ("rbac.authorization.k8s.io/v1", False, "ClusterRole ClusterRoleBinding"),
    ("storage.k8s.io/v1", True, "CSIStorageCapacity"),
    ("storage.k8s.io/v1", False, "CSIDriver CSINode StorageClass VolumeAttachment"),
    (
        "admissionregistration.k8s.io/v1",
        False,
        "MutatingWebhookConfiguration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding "
        "ValidatingWebhookConfiguration",
    ),
    ("apiextensions.k8s.io/v1", False, "CustomResourceDefinition"),
    ("apiregistration.k8s.io/v1", False, "APIService"),
    ("certificates.k8s.io/v1", False, "CertificateSigningRequest"),
    ("coordination.k8s.io/v1", True, "Lease"),
    ("discovery.k8s.io/v1", True, "EndpointSlice"),
    ("flowcontrol.apiserver.k8s.io/v1", False, "FlowSchema PriorityLevelConfiguration"),
    ("node.k8s.io/v1", False, "RuntimeClass"),
    ("scheduling.k8s.io/v1", False, "PriorityClass"),
)

KNOWN: Mapping[Kind, Resource] = _table()


def group_path(api_version: str) -> str:
    """`/api/v1` or `/apis/apps/v1`."""
    root = "/apis" if "/" in api_version else "/api"
    return f"{root}/{quote(api_version, safe='/')}"


def collection(resource: Resource, api_version: str, namespace: str) -> str:
    """All objects of a kind, of one namespace or (namespace "") of all."""
    inside = f"/namespaces/{quote(namespace, safe='')}" if namespace else ""
    return f"{group_path(api_version)}{inside}/{resource.plural}"


def place(resource: Resource, ref: ObjectRef) -> str:
    """The collection that an object lives in. Refused where its namespace cannot be right."""
    if resource.namespaced and not ref.namespace:
        raise Refused(f"{ref.short}: metadata.namespace: Required value: {ref.kind} is namespaced")
    if ref.namespace and not resource.namespaced:
        raise Refused(f"{ref.short}: metadata.namespace: {ref.kind} belongs to no namespace")
    return collection(resource, ref.api_version, ref.namespace)


def item(resource: Resource, ref: ObjectRef) -> str:
    """One object."""
    return f"{place(resource, ref)}/{quote(ref.name, safe='')}"


def learned(document: JSON) -> dict[str, Resource]:
    """Kind → resource, of what a group says it has; what is no object of its own left out."""
    resources = document.get("resources") if isinstance(document, dict) else None
    found: dict[str, Resource] = {}
    for one in resources if isinstance(resources, list) else ():
        name, kind = str(one.get("name", "")), str(one.get("kind", ""))
        if name and kind and "/" not in name:
            found.setdefault(kind, Resource(name, bool(one.get("namespaced"))))
    return found
