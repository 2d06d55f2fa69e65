"""Which built-in kinds live in a namespace, and which in the cluster as a whole.

Pure data of Kubernetes itself. Says nothing of custom kinds unless the objects bring their
definition: what is not known is left as it is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.cluster.render import group_kind
from bot.model.plan import JSON

_CLUSTER = {
    "": ("ComponentStatus", "Namespace", "Node", "PersistentVolume"),
    "admissionregistration.k8s.io": (
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
    ),
    "apiextensions.k8s.io": ("CustomResourceDefinition",),
    "apiregistration.k8s.io": ("APIService",),
    "authentication.k8s.io": ("SelfSubjectReview", "TokenReview"),
    "authorization.k8s.io": (
        "SelfSubjectAccessReview",
        "SelfSubjectRulesReview",
        "SubjectAccessReview",
    ),
    "certificates.k8s.io": ("CertificateSigningRequest", "ClusterTrustBundle"),
    "flowcontrol.apiserver.k8s.io": ("FlowSchema", "PriorityLevelConfiguration"),
    "internal.apiserver.k8s.io": ("StorageVersion",),
    "networking.k8s.io": ("IPAddress", "IngressClass", "ServiceCIDR"),
    "node.k8s.io": ("RuntimeClass",),
    "rbac.authorization.k8s.io": ("ClusterRole", "ClusterRoleBinding"),
    "resource.k8s.io": ("DeviceClass", "DeviceTaintRule", "ResourceSlice"),
    "scheduling.k8s.io": ("PriorityClass",),
    "storage.k8s.io": (
        "CSIDriver",
        "CSINode",
        "StorageClass",
        "VolumeAttachment",
        "VolumeAttributesClass",
    ),
    "storagemigration.k8s.io": ("StorageVersionMigration",),
}
CLUSTER_SCOPED = frozenset((group, kind) for group, kinds in _CLUSTER.items() for kind in kinds)
_BUILT_IN_GROUPS = frozenset(
    (*_CLUSTER, "apps", "autoscaling", "batch", "coordination.k8s.io", "discovery.k8s.io",
     "events.k8s.io", "policy")
)  # fmt: skip
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")


def lives_in_a_namespace(
    found: tuple[str, str], defined: Mapping[tuple[str, str], bool]
) -> bool | None:
    """Whether objects of a (group, kind) have a namespace; None: not known. `defined`: what custom
    resource definitions beside it say.
    """
    if found in CLUSTER_SCOPED:
        return False
    if found[0] in _BUILT_IN_GROUPS:
        return True
    return defined.get(found)


def defined_by(objects: Iterable[JSON]) -> dict[tuple[str, str], bool]:
    """(group, kind) → whether it has a namespace, by the definitions among the objects."""
    found: dict[tuple[str, str], bool] = {}
    for obj in objects:
        spec = obj.get("spec")
        if group_kind(obj) != _CRD or not isinstance(spec, Mapping):
            continue
        names = spec.get("names")
        kind = names.get("kind") if isinstance(names, Mapping) else None
        if isinstance(kind, str) and isinstance(spec.get("group"), str):
            found[spec["group"], kind] = spec.get("scope") != "Cluster"
    return found


def in_namespace(objects: tuple[JSON, ...], namespace: str) -> tuple[JSON, ...]:
    """As Helm does it: what lives in a namespace and names none gets that of the release."""
    defined = defined_by(objects)

    def placed(obj: JSON) -> JSON:
        if obj["metadata"].get("namespace") or not lives_in_a_namespace(group_kind(obj), defined):
            return obj
        return {**obj, "metadata": {**obj["metadata"], "namespace": namespace}}

    return tuple(map(placed, objects))
