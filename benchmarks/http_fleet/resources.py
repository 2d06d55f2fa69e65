"""Which kinds an HTTP cluster serves and how they are named in a path: the discovery of its API.

Names only. Never looks at an object, except at the definitions of custom resources.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

VERBS = ["create", "delete", "get", "list", "patch"]


@dataclass(frozen=True, slots=True)
class Resource:
    """One served kind. `custom`: made by a definition, so that strategic patches are refused."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    custom: bool = False

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def full(self) -> str:
        """`deployments.apps`, `configmaps`: what the server calls it in its sentences."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def full_kind(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


def _several(group: str, version: str, names: str, *, custom: bool = False) -> list[Resource]:
    """`plural:Kind` words; one that ends with `*` has no namespace."""
    found = []
    for word in names.split():
        plural, _, kind = word.partition(":")
        namespaced = not kind.endswith("*")
        found.append(Resource(group, version, plural, kind.rstrip("*"), namespaced, custom))
    return found


BUILT_IN = [
    *_several(
        "",
        "v1",
        "configmaps:ConfigMap secrets:Secret services:Service pods:Pod nodes:Node* "
        "namespaces:Namespace* serviceaccounts:ServiceAccount events:Event "
        "persistentvolumeclaims:PersistentVolumeClaim resourcequotas:ResourceQuota",
    ),
    *_several(
        "apps",
        "v1",
        "deployments:Deployment daemonsets:DaemonSet statefulsets:StatefulSet "
        "replicasets:ReplicaSet controllerrevisions:ControllerRevision",
    ),
    *_several("batch", "v1", "jobs:Job cronjobs:CronJob"),
    *_several("policy", "v1", "poddisruptionbudgets:PodDisruptionBudget"),
    *_several(
        "rbac.authorization.k8s.io",
        "v1",
        "roles:Role rolebindings:RoleBinding clusterroles:ClusterRole* "
        "clusterrolebindings:ClusterRoleBinding*",
    ),
    *_several("networking.k8s.io", "v1", "ingresses:Ingress networkpolicies:NetworkPolicy"),
    *_several("autoscaling", "v2", "horizontalpodautoscalers:HorizontalPodAutoscaler"),
    *_several("storage.k8s.io", "v1", "storageclasses:StorageClass*"),
    *_several("scheduling.k8s.io", "v1", "priorityclasses:PriorityClass*"),
    *_several("apiextensions.k8s.io", "v1", "customresourcedefinitions:CustomResourceDefinition*"),
    *_several(
        "admissionregistration.k8s.io",
        "v1",
        "validatingwebhookconfigurations:ValidatingWebhookConfiguration* "
        "mutatingwebhookconfigurations:MutatingWebhookConfiguration*",
    ),
]
CUSTOM = [
    *_several("apps.kruise.io", "v1alpha1", "daemonsets:DaemonSet clonesets:CloneSet", custom=True),
    *_several("apps.kruise.io", "v1beta1", "statefulsets:StatefulSet", custom=True),
    *_several("apps.kruise.io", "v1beta1", "daemonsets:DaemonSet clonesets:CloneSet", custom=True),
    *_several(
        "kubenode.alibabacloud.com", "v1", "machinecomponentsets:MachineComponentSet*", custom=True
    ),
]
SERVED = {(one.group, one.version, one.plural): one for one in (*BUILT_IN, *CUSTOM)}
"""(group, version, plural) → what every cluster serves."""
_KINDS = {(one.group, one.version, one.kind): one for one in SERVED.values()}


def defined(crds: Iterable[Any], rows: Iterable[Any]) -> dict[tuple[str, str, str], Resource]:
    """What definitions in a cluster, and the kinds of users that it plays, add to it."""
    found: dict[tuple[str, str, str], Resource] = {}
    for row in rows:
        group, _, version = row["target"]["apiVersion"].rpartition("/")
        kind = row["target"]["kind"]
        if (group, version, kind) not in _KINDS:
            plural = plural_of(kind)
            found[group, version, plural] = Resource(group, version, plural, kind, True, True)
    for crd in crds:
        spec = crd["spec"]
        names, namespaced = spec["names"], spec.get("scope") == "Namespaced"
        for version in spec.get("versions") or ():
            key = (spec["group"], version["name"], names["plural"])
            found[key] = Resource(*key, names["kind"], namespaced, True)
    return found


def plural_of(kind: str) -> str:
    """How a kind is named in a path where no definition says it."""
    low = kind.lower()
    if low.endswith("y"):
        return f"{low[:-1]}ies"
    return f"{low}es" if low.endswith("s") else f"{low}s"


def resource_list(group: str, version: str, served: Iterable[Resource]) -> Any:
    """The discovery document of one group and version."""
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": [
            {
                "name": one.plural,
                "singularName": one.kind.lower(),
                "namespaced": one.namespaced,
                "kind": one.kind,
                "verbs": VERBS,
            }
            for one in served
            if (one.group, one.version) == (group, version)
        ],
    }


def group_list(served: Iterable[Resource]) -> Any:
    """The discovery document of all groups."""
    versions: dict[str, list[str]] = {}
    for one in served:
        if one.group and one.version not in versions.setdefault(one.group, []):
            versions[one.group].append(one.version)
    groups = []
    for group, names in versions.items():
        told = [{"groupVersion": f"{group}/{name}", "version": name} for name in names]
        groups.append({"name": group, "versions": told, "preferredVersion": told[0]})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
