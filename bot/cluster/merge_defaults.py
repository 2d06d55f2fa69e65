"""Values that the API server puts back by itself when a field of a built-in kind is taken away.

Taking such a value away changes nothing: a patch that only does so would be sent for ever. Read
from the defaulting functions of Kubernetes, as no schema tells them; never used to fill in.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from bot.model.plan import JSON


class Sibling(NamedTuple):
    """The value of another field of the same map."""

    field: str


class Allocated:
    """Given once by the server and kept by it, whatever a later writer leaves out."""


ALLOCATED = Allocated()
_ROLLING = {"maxSurge": "25%", "maxUnavailable": "25%"}
_ONE_BY_ONE = {"maxSurge": 0, "maxUnavailable": 1}
_PROBE = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_RBAC = "rbac.authorization.k8s.io"
_WEBHOOK = {
    "failurePolicy": "Fail",
    "matchPolicy": "Equivalent",
    "namespaceSelector": {},
    "objectSelector": {},
    "timeoutSeconds": 10,
    "reinvocationPolicy": "Never",
}
_MODE = {"defaultMode": 420}
_CONTAINER = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "resources": {},
}

DEFAULTS: dict[str, dict[str, Any]] = {
    "core.v1.PodSpec": {
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "terminationGracePeriodSeconds": 30,
        "securityContext": {},
        "enableServiceLinks": True,
        "serviceAccount": Sibling("serviceAccountName"),
        "serviceAccountName": Sibling("serviceAccount"),
    },
    "core.v1.Container": _CONTAINER,
    "core.v1.EphemeralContainer": _CONTAINER,
    "core.v1.ContainerPort": {"protocol": "TCP"},
    "core.v1.Probe": _PROBE,
    "core.v1.HTTPGetAction": {"path": "/", "scheme": "HTTP"},
    "core.v1.GRPCAction": {"service": ""},
    "core.v1.ObjectFieldSelector": {"apiVersion": "v1"},
    "core.v1.Volume": {"emptyDir": {}},
    "core.v1.ConfigMapVolumeSource": _MODE,
    "core.v1.SecretVolumeSource": _MODE,
    "core.v1.ProjectedVolumeSource": _MODE,
    "core.v1.DownwardAPIVolumeSource": _MODE,
    "core.v1.HostPathVolumeSource": {"type": ""},
    "core.v1.ServiceAccountTokenProjection": {"expirationSeconds": 3600},
    "core.v1.Service": {},
    "core.v1.ServiceSpec": {
        "sessionAffinity": "None",
        "type": "ClusterIP",
        "internalTrafficPolicy": "Cluster",
        "externalTrafficPolicy": "Cluster",
        "allocateLoadBalancerNodePorts": True,
        "clusterIP": ALLOCATED,
        "clusterIPs": ALLOCATED,
        "ipFamilies": ALLOCATED,
        "ipFamilyPolicy": ALLOCATED,
        "healthCheckNodePort": ALLOCATED,
    },
    "core.v1.ServicePort": {
        "protocol": "TCP",
        "targetPort": Sibling("port"),
        "nodePort": ALLOCATED,
    },
    "core.v1.Secret": {"type": "Opaque"},
    "core.v1.Namespace": {"spec": {"finalizers": ["kubernetes"]}},
    "core.v1.NamespaceSpec": {"finalizers": ["kubernetes"]},
    "core.v1.PersistentVolumeClaim": {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "status": {"phase": "Pending"},
    },
    "core.v1.PersistentVolumeClaimSpec": {"volumeMode": "Filesystem"},
    "core.v1.PersistentVolumeSpec": {
        "volumeMode": "Filesystem",
        "persistentVolumeReclaimPolicy": "Retain",
    },
    "apps.v1.DeploymentSpec": {
        "replicas": 1,
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": _ROLLING},
    },
    "apps.v1.DeploymentStrategy": {"type": "RollingUpdate", "rollingUpdate": _ROLLING},
    "apps.v1.RollingUpdateDeployment": _ROLLING,
    "apps.v1.DaemonSetSpec": {
        "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": _ONE_BY_ONE},
    },
    "apps.v1.DaemonSetUpdateStrategy": {"type": "RollingUpdate", "rollingUpdate": _ONE_BY_ONE},
    "apps.v1.RollingUpdateDaemonSet": _ONE_BY_ONE,
    "apps.v1.StatefulSetSpec": {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    },
    "apps.v1.StatefulSetUpdateStrategy": {
        "type": "RollingUpdate",
        "rollingUpdate": {"partition": 0},
    },
    "apps.v1.RollingUpdateStatefulSetStrategy": {"partition": 0},
    "apps.v1.ReplicaSetSpec": {"replicas": 1},
    "batch.v1.CronJobSpec": {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
    },
    "batch.v1.JobSpec": {
        "completions": 1,
        "parallelism": 1,
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": "TerminatingOrFailed",
        "manualSelector": False,
        "selector": ALLOCATED,
    },
    "autoscaling.v2.HorizontalPodAutoscalerSpec": {"minReplicas": 1},
    "networking.v1.NetworkPolicyPort": {"protocol": "TCP"},
    "networking.v1.NetworkPolicySpec": {"policyTypes": ["Ingress"]},
    "rbac.v1.RoleRef": {"apiGroup": _RBAC},
    "admissionregistration.v1.MutatingWebhook": _WEBHOOK,
    "admissionregistration.v1.ValidatingWebhook": _WEBHOOK,
    "admissionregistration.v1.RuleWithOperations": {"scope": "*"},
    "admissionregistration.v1.ServiceReference": {"port": 443},
    "storage.v1.StorageClass": {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    "scheduling.v1.PriorityClass": {"preemptionPolicy": "PreemptLowerPriority"},
    "apiextensions.v1.CustomResourceDefinitionSpec": {"conversion": {"strategy": "None"}},
}


def comes_back(kind: str, name: str, value: JSON, beside: JSON) -> bool:
    """Whether the server gives the field this very value when nobody does.

    `kind`: the type of the map in the table's words; `beside`: the map without the field.
    """
    known = DEFAULTS.get(kind, {})
    if kind == "rbac.v1.Subject" and name == "apiGroup":
        return bool(value == ("" if beside.get("kind") == "ServiceAccount" else _RBAC))
    if kind == "core.v1.Container" and name == "imagePullPolicy":
        return bool(value == _pull_policy(str(beside.get("image", ""))))
    if name not in known:
        return False
    default = known[name]
    if default is ALLOCATED:
        return True
    if isinstance(default, Sibling):
        return bool(value == beside.get(default.field))
    return bool(value == default)


def _pull_policy(image: str) -> str:
    _, colon, tag = image.rpartition("/")[2].partition(":")
    if "@" in image:
        return "IfNotPresent"
    return "Always" if not colon or tag == "latest" else "IfNotPresent"
