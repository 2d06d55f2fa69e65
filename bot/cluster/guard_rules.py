"""The built-in list of the guard: per kind the fields whose change is blocked or asked about.

Data with a reason each. Blocked is what an API server refuses or what cannot be undone; asked is
what it takes and what has taken clusters down. Never looks at an object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from bot.cluster.fields import MISSING
from bot.cluster.guard_walk import Difference
from bot.cluster.marks import OWNER
from bot.cluster.quantity import amount
from bot.model.plan import ObjectRef
from release_repo_schema.models.guardpath import GuardPath, parse_guard_path


class Act(StrEnum):
    """What follows from a change, the strictest last."""

    IGNORE = "ignore"
    """The field is left as it is in the cluster."""
    ASK = "ask"
    """An approver is asked."""
    BLOCK = "block"
    """Nothing is written to the unit."""


When = Callable[[Difference], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRule:
    """One guarded path. `kinds`: (group, kind) that it is about; empty: every kind."""

    path: GuardPath
    act: Act
    reason: str
    """A stable word; `messages_guard` has a sentence for each."""
    kinds: frozenset[tuple[str, str]] = frozenset()
    built_in: bool = False
    refused: bool = False
    """The API server itself takes no such change."""
    unset_keeps: bool = False
    """Where the field is not written, its server keeps what it has."""
    when: When | None = None

    def reaches(self, ref: ObjectRef) -> bool:
        """Whether it is about an object."""
        if self.kinds and (group_of(ref), ref.kind) not in self.kinds:
            return False
        return self.path.reaches(ref.kind, ref.name)


def group_of(ref: ObjectRef) -> str:
    """`apps` of `apps/v1`; "" of `v1`."""
    group, slash, _ = ref.api_version.rpartition("/")
    return group if slash else ""


def to_nothing(found: Difference) -> bool:
    return isinstance(found.now, int) and not isinstance(found.now, bool) and found.now == 0


def shrinks(found: Difference) -> bool:
    was, now = amount(found.was), amount(found.now)
    return was is None or now is None or now < was


def to_recreate(found: Difference) -> bool:
    return bool(found.now == "Recreate")


def both_are_set(found: Difference) -> bool:
    return MISSING not in (found.was, found.now) and None not in (found.was, found.now)


def was_set(found: Difference) -> bool:
    return found.was is not MISSING and found.was is not None


def is_on(found: Difference) -> bool:
    return found.was is True


def loses_data(found: Difference) -> bool:
    return bool(found.now == "Delete")


_KRUISE = "apps.kruise.io"
_SETS = ("apps/StatefulSet", f"{_KRUISE}/StatefulSet")
_DAEMONS = ("apps/DaemonSet", f"{_KRUISE}/DaemonSet")
_WORKLOADS = (
    "apps/Deployment", "apps/ReplicaSet", f"{_KRUISE}/CloneSet", *_SETS, *_DAEMONS,
)  # fmt: skip
_SCALED = ("apps/Deployment", "apps/ReplicaSet", f"{_KRUISE}/CloneSet", *_SETS)
_HOOKS = (
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/MutatingWebhookConfiguration",
)
_BINDINGS = (
    "rbac.authorization.k8s.io/RoleBinding",
    "rbac.authorization.k8s.io/ClusterRoleBinding",
)
_CLASS, _CRD = "storage.k8s.io/StorageClass", "apiextensions.k8s.io/CustomResourceDefinition"
_NETWORK = "networking.k8s.io"

_SEALED: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("selector", _WORKLOADS, ("spec.selector",)),
    ("stateful", ("apps/StatefulSet",), ("spec.serviceName", "spec.podManagementPolicy",
        "spec.volumeClaimTemplates")),
    ("stateful", (f"{_KRUISE}/StatefulSet",), ("spec.serviceName", "spec.podManagementPolicy")),
    ("job", ("batch/Job",), ("spec.selector", "spec.template", "spec.completionMode")),
    ("claim", ("/PersistentVolumeClaim",), ("spec.storageClassName", "spec.accessModes",
        "spec.volumeMode", "spec.selector", "spec.dataSource", "spec.dataSourceRef",
        "metadata.annotations[volume.beta.kubernetes.io/storage-class]")),
    ("volume", ("/PersistentVolume",), ("spec.csi", "spec.hostPath", "spec.local", "spec.nfs",
        "spec.iscsi", "spec.fc", "spec.rbd", "spec.cephfs", "spec.volumeMode")),
    ("storage-class", (_CLASS,), ("provisioner", "parameters", "reclaimPolicy",
        "volumeBindingMode")),
    ("role-ref", _BINDINGS, ("roleRef",)),
    ("crd-identity", (_CRD,), ("spec.scope", "spec.group", "spec.names.plural",
        "spec.names.kind")),
    ("secret-type", ("/Secret",), ("type",)),
    ("class", ("scheduling.k8s.io/PriorityClass",), ("value", "preemptionPolicy")),
    ("class", ("node.k8s.io/RuntimeClass",), ("handler",)),
    ("class", (f"{_NETWORK}/IngressClass",), ("spec.controller",)),
    ("class", ("storage.k8s.io/CSIDriver",), ("spec.attachRequired",
        "spec.volumeLifecycleModes")),
    ("quota", ("/ResourceQuota",), ("spec.scopes",)),
)  # fmt: skip
"""What an API server takes once and never changes: (reason, kinds, paths)."""

_ASKED: tuple[tuple[str, tuple[str, ...], tuple[str, ...], When | None], ...] = (
    ("host", _WORKLOADS, ("spec.template.spec.hostNetwork", "spec.template.spec.hostPID",
        "spec.template.spec.hostIPC", "spec.template.spec.hostUsers"), None),
    ("nodes-at-once", _DAEMONS, ("spec.template.spec.nodeSelector",
        "spec.template.spec.affinity.nodeAffinity", "spec.template.spec.tolerations",
        "spec.template.spec.nodeName"), None),
    ("priority", _WORKLOADS, ("spec.template.spec.priorityClassName",), was_set),
    ("to-nothing", _SCALED, ("spec.replicas",), to_nothing),
    ("recreate", ("apps/Deployment",), ("spec.strategy.type",), to_recreate),
    ("claims-of-a-set", (f"{_KRUISE}/StatefulSet", f"{_KRUISE}/CloneSet"),
        ("spec.volumeClaimTemplates",), None),
    ("claims-go", _SETS, ("spec.persistentVolumeClaimRetentionPolicy.*",), loses_data),
    ("claims-go", ("/PersistentVolume",), ("spec.persistentVolumeReclaimPolicy",), loses_data),
    ("service-type", ("/Service",), ("spec.type",), None),
    ("service-pods", ("/Service",), ("spec.selector",), was_set),
    ("service-port", ("/Service",), ("spec.ports[*].nodePort", "spec.loadBalancerIP"),
        both_are_set),
    ("ingress", (f"{_NETWORK}/Ingress",), ("spec.ingressClassName",
        "metadata.annotations[kubernetes.io/ingress.class]"), was_set),
    ("hook", _HOOKS, ("webhooks[*].failurePolicy", "webhooks[*].rules",
        "webhooks[*].namespaceSelector", "webhooks[*].objectSelector",
        "webhooks[*].matchConditions"), None),
    ("api-service", ("apiregistration.k8s.io/APIService",), ("spec.service", "spec.caBundle",
        "spec.insecureSkipTLSVerify"), was_set),
    ("disruption", ("policy/PodDisruptionBudget",), ("spec.selector", "spec.minAvailable",
        "spec.maxUnavailable"), None),
    ("isolation", (f"{_NETWORK}/NetworkPolicy",), ("spec.podSelector", "spec.policyTypes"), None),
    ("pod-security", ("/Namespace",),
        ("metadata.labels[pod-security.kubernetes.io/enforce]",), None),
    ("owner", (), (f"metadata.labels[{OWNER}]",), both_are_set),
    ("global-default", ("scheduling.k8s.io/PriorityClass",), ("globalDefault",), None),
    ("default-class", (_CLASS,),
        ("metadata.annotations[storageclass.kubernetes.io/is-default-class]",), None),
    ("crd-conversion", (_CRD,), ("spec.conversion",), was_set),
    ("crd-pruning", (_CRD,), ("spec.preserveUnknownFields",), is_on),
    ("crd-served", (_CRD,), ("spec.versions[*].served", "spec.versions[*].storage"), is_on),
)  # fmt: skip
"""What an API server takes and what has taken clusters down: (reason, kinds, paths, when).
Without kinds: every kind.
"""

_SPECIAL: tuple[tuple[str, str, str, When | None, bool], ...] = (
    ("cluster-ip", "/Service", "spec.clusterIP", None, True),
    ("cluster-ip", "/Service", "spec.clusterIPs", None, True),
    ("cluster-ip", "/Service", "spec.ipFamilies[0]", both_are_set, True),
    ("load-balancer", "/Service", "spec.loadBalancerClass", both_are_set, True),
    ("load-balancer", "/Service", "spec.healthCheckNodePort", both_are_set, True),
    ("claim-shrinks", "/PersistentVolumeClaim", "spec.resources.requests.storage", shrinks, False),
    ("claim", "/PersistentVolumeClaim", "spec.volumeName", both_are_set, True),
    ("volume", "/PersistentVolume", "spec.nodeAffinity", was_set, False),
    ("sealed", "/ConfigMap", "immutable", is_on, False),
    ("sealed", "/Secret", "immutable", is_on, False),
)
"""Refused as well, in some cases only: (reason, kind, path, when, whether unset means kept)."""

DELETED = {
    ("", "Namespace"): "delete-namespace",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "delete-crd",
    ("", "PersistentVolumeClaim"): "delete-claim",
    ("", "PersistentVolume"): "delete-volume",
}
"""Kinds that a release never deletes on its way forward."""

REASONS = frozenset(
    [one[0] for one in _SEALED]
    + [one[0] for one in _ASKED]
    + [one[0] for one in _SPECIAL]
    + list(DELETED.values())
    + ["crd-stored", "sealed-data", "autoscaled", "component"]
)
"""Every reason that the guard may give."""


def deletion_reason(ref: ObjectRef) -> str:
    """Why a release may not delete an object on its way forward; "" where it may."""
    return DELETED.get((group_of(ref), ref.kind), "")


@cache
def built_in() -> tuple[GuardRule, ...]:
    """The built-in list."""
    made = [_rule(Act.BLOCK, reason, kinds, path, refused=True)
            for reason, kinds, paths in _SEALED for path in paths]  # fmt: skip
    made += [_rule(Act.BLOCK, reason, (kind,), path, when, refused=True, unset_keeps=keeps)
             for reason, kind, path, when, keeps in _SPECIAL]  # fmt: skip
    made += [_rule(Act.ASK, reason, kinds, path, when)
             for reason, kinds, paths, when in _ASKED for path in paths]  # fmt: skip
    return tuple(made)


def built_in_about(ref: ObjectRef) -> tuple[GuardRule, ...]:
    """Those of the built-in list that are about an object's kind: a few, where all are many."""
    return _about(group_of(ref), ref.kind)


@lru_cache(maxsize=1024)
def _about(group: str, kind: str) -> tuple[GuardRule, ...]:
    return tuple(rule for rule in built_in() if not rule.kinds or (group, kind) in rule.kinds)


def _rule(
    act: Act,
    reason: str,
    kinds: Iterable[str],
    path: str,
    when: When | None = None,
    *,
    refused: bool = False,
    unset_keeps: bool = False,
) -> GuardRule:
    pairs = frozenset((one.partition("/")[0], one.partition("/")[2]) for one in kinds)
    return GuardRule(
        path=parse_guard_path(path),
        act=act,
        reason=reason,
        kinds=pairs,
        built_in=True,
        refused=refused,
        unset_keeps=unset_keeps,
        when=when,
    )


@cache
def own_rules(act: Act, paths: tuple[str, ...]) -> tuple[GuardRule, ...]:
    """The rules of a component's own list."""
    return tuple(
        GuardRule(path=parse_guard_path(path), act=act, reason="component") for path in paths
    )
