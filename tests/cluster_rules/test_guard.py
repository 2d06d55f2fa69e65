"""The built-in list and a component's own: which change of an object is blocked, asked, let be."""

from __future__ import annotations

from typing import Any

import pytest

from bot.cluster.guard import deletion, judge, left_alone, matches_nothing
from bot.cluster.guard_rules import REASONS, built_in
from bot.core import messages_guard as say
from bot.model.plan import GuardLists, ObjectRef

NONE = GuardLists()
APPS, KRUISE, CORE = "apps/v1", "apps.kruise.io/v1beta1", "v1"


def ref(api: str, kind: str) -> ObjectRef:
    return ObjectRef(api, kind, "infra", "agent")


def said(
    api: str, kind: str, was: Any, now: Any, lists: GuardLists = NONE, **facts: bool
) -> list[tuple[str, str]]:
    """(act, path) of everything that the guard has to say."""
    whole = {"apiVersion": api, "kind": kind, "metadata": {"name": "agent"}}
    found = judge(lists, ref(api, kind), whole | was, whole | now, **facts)
    return [(one.act.value, one.path) for one in found]


def pods(**spec: Any) -> Any:
    return {"spec": {"template": {"spec": spec}}}


BLOCKED: list[tuple[str, str, Any, Any, str]] = [
    (APPS, "Deployment", {"spec": {"selector": {"matchLabels": {"a": "b"}}}},
     {"spec": {"selector": {"matchLabels": {"a": "c"}}}}, "spec.selector.matchLabels.a"),
    (KRUISE, "DaemonSet", {"spec": {"selector": {"matchLabels": {"a": "b"}}}},
     {"spec": {"selector": {"matchLabels": {"a": "b", "d": "e"}}}}, "spec.selector.matchLabels.d"),
    (APPS, "StatefulSet", {"spec": {"serviceName": "a"}}, {"spec": {}}, "spec.serviceName"),
    (APPS, "StatefulSet", {"spec": {}}, {"spec": {"podManagementPolicy": "Parallel"}},
     "spec.podManagementPolicy"),
    (APPS, "StatefulSet",
     {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "d"},
                                         "spec": {"storageClassName": "slow"}}]}},
     {"spec": {"volumeClaimTemplates": [{"metadata": {"name": "d"},
                                         "spec": {"storageClassName": "fast"}}]}},
     "spec.volumeClaimTemplates[d].spec.storageClassName"),
    (CORE, "Service", {"spec": {"clusterIP": "10.0.0.1"}}, {"spec": {"clusterIP": "None"}},
     "spec.clusterIP"),
    (CORE, "PersistentVolumeClaim", {"spec": {"storageClassName": "slow"}},
     {"spec": {"storageClassName": "fast"}}, "spec.storageClassName"),
    (CORE, "PersistentVolumeClaim", {"spec": {"resources": {"requests": {"storage": "2Gi"}}}},
     {"spec": {"resources": {"requests": {"storage": "1Gi"}}}}, "spec.resources.requests.storage"),
    ("storage.k8s.io/v1", "StorageClass", {"provisioner": "a"}, {"provisioner": "b"},
     "provisioner"),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", {"roleRef": {"name": "view"}},
     {"roleRef": {"name": "admin"}}, "roleRef.name"),
    ("batch/v1", "Job", pods(containers=[{"name": "a", "image": "x"}]),
     pods(containers=[{"name": "a", "image": "y"}]), "spec.template.spec.containers[a].image"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", {"spec": {"scope": "Namespaced"}},
     {"spec": {"scope": "Cluster"}}, "spec.scope"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition",
     {"spec": {"versions": [{"name": "v1alpha1"}, {"name": "v1", "storage": True}]},
      "status": {"storedVersions": ["v1alpha1", "v1"]}},
     {"spec": {"versions": [{"name": "v1", "storage": True}]}}, "spec.versions[v1alpha1]"),
    (CORE, "ConfigMap", {"immutable": True, "data": {"a.yaml": "1"}},
     {"immutable": True, "data": {"a.yaml": "2"}}, "data[a.yaml]"),
    (CORE, "ConfigMap", {"immutable": True}, {}, "immutable"),
    (CORE, "Secret", {"type": "Opaque"}, {"type": "kubernetes.io/tls"}, "type"),
    ("scheduling.k8s.io/v1", "PriorityClass", {"value": 1}, {"value": 2}, "value"),
]  # fmt: skip

ASKED: list[tuple[str, str, Any, Any, str]] = [
    (APPS, "DaemonSet", pods(), pods(hostPID=True), "spec.template.spec.hostPID"),
    (KRUISE, "DaemonSet", pods(), pods(nodeSelector={"pool": "a"}),
     "spec.template.spec.nodeSelector"),
    (APPS, "DaemonSet", pods(tolerations=[{"operator": "Exists"}]), pods(),
     "spec.template.spec.tolerations"),
    (APPS, "Deployment", pods(priorityClassName="high"), pods(),
     "spec.template.spec.priorityClassName"),
    (APPS, "Deployment", {"spec": {"replicas": 3}}, {"spec": {"replicas": 0}}, "spec.replicas"),
    (APPS, "Deployment", {"spec": {}}, {"spec": {"strategy": {"type": "Recreate"}}},
     "spec.strategy.type"),
    (CORE, "Service", {"spec": {"type": "LoadBalancer"}}, {"spec": {}}, "spec.type"),
    (CORE, "Service", {"spec": {"selector": {"a": "b"}}}, {"spec": {"selector": {"a": "c"}}},
     "spec.selector.a"),
    ("policy/v1", "PodDisruptionBudget", {"spec": {"maxUnavailable": 1}},
     {"spec": {"maxUnavailable": 0}}, "spec.maxUnavailable"),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration",
     {"webhooks": [{"name": "a", "failurePolicy": "Ignore"}]}, {"webhooks": [{"name": "a"}]},
     "webhooks[a].failurePolicy"),
    (CORE, "PersistentVolume", {"spec": {}},
     {"spec": {"persistentVolumeReclaimPolicy": "Delete"}}, "spec.persistentVolumeReclaimPolicy"),
    (CORE, "Namespace", {}, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "x"}}},
     "metadata.labels[pod-security.kubernetes.io/enforce]"),
    ("networking.k8s.io/v1", "Ingress", {"spec": {"ingressClassName": "a"}},
     {"spec": {"ingressClassName": "b"}}, "spec.ingressClassName"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition",
     {"spec": {"versions": [{"name": "v1", "served": True}]}},
     {"spec": {"versions": [{"name": "v1", "served": False}]}}, "spec.versions[v1].served"),
]  # fmt: skip

LET_BE: list[tuple[str, str, Any, Any]] = [
    (APPS, "StatefulSet", {"spec": {"podManagementPolicy": "OrderedReady"}}, {"spec": {}}),
    (APPS, "StatefulSet",
     {"spec": {"volumeClaimTemplates": [{
         "apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": "Pending"},
         "metadata": {"name": "d", "creationTimestamp": None},
         "spec": {"volumeMode": "Filesystem", "resources": {"requests": {"storage": "1Gi"}}}}]}},
     {"spec": {"volumeClaimTemplates": [{
         "metadata": {"name": "d"},
         "spec": {"resources": {"requests": {"storage": "1024Mi"}}}}]}}),
    (CORE, "Service", {"spec": {"clusterIP": "10.0.0.1", "type": "ClusterIP"}}, {"spec": {}}),
    (CORE, "Service", {"spec": {"ipFamilies": ["IPv4"]}},
     {"spec": {"ipFamilies": ["IPv4", "IPv6"]}}),
    (CORE, "Service", {"spec": {"ports": [{"port": 53, "protocol": "UDP", "nodePort": 30053}]}},
     {"spec": {"ports": [{"port": 53, "protocol": "UDP"}]}}),
    (CORE, "PersistentVolumeClaim", {"spec": {"resources": {"requests": {"storage": "1Gi"}}}},
     {"spec": {"resources": {"requests": {"storage": "2Gi"}}}}),
    (APPS, "Deployment", {"spec": {"replicas": 1}}, {"spec": {}}),
    (APPS, "Deployment", {"spec": {"replicas": 1}}, {"spec": {"replicas": 5}}),
    (APPS, "DaemonSet", pods(hostNetwork=False, tolerations=[], nodeSelector={}), pods()),
    (APPS, "DaemonSet", pods(serviceAccount="a", serviceAccountName="a"),
     pods(serviceAccountName="a")),
    ("serving.knative.dev/v1", "Service", {"spec": {"type": "a"}}, {"spec": {"type": "b"}}),
    (CORE, "ConfigMap", {"data": {"a": "1"}}, {"data": {"a": "2"}}),
]  # fmt: skip


@pytest.mark.parametrize(("api", "kind", "was", "now", "path"), BLOCKED)
def test_what_an_api_server_refuses_is_blocked(
    api: str, kind: str, was: Any, now: Any, path: str
) -> None:
    """Better said before the first batch than by a refusal in the middle of it."""
    assert said(api, kind, was, now) == [("block", path)]


@pytest.mark.parametrize(("api", "kind", "was", "now", "path"), ASKED)
def test_what_has_taken_clusters_down_is_asked_about(
    api: str, kind: str, was: Any, now: Any, path: str
) -> None:
    """The API server takes it without a word; a person looks first."""
    assert said(api, kind, was, now) == [("ask", path)]


@pytest.mark.parametrize(("api", "kind", "was", "now"), LET_BE)
def test_defaults_spellings_and_harmless_changes_are_let_be(
    api: str, kind: str, was: Any, now: Any
) -> None:
    """A guard that cries at what is no change is switched off by the third night."""
    assert said(api, kind, was, now) == []


def test_every_reason_has_words_and_every_rule_a_reason() -> None:
    """Who is stopped is told why, in a clause and not in a code."""
    assert {rule.reason for rule in built_in()} <= REASONS == set(say.REASONS)


@pytest.mark.parametrize(
    ("path", "now"),
    [
        ("spec.template.spec.containers[agent].image", [{"name": "agent", "image": "b"}]),
        ("spec.template.spec.containers[*].image", [{"name": "agent", "image": "b"}]),
        ("spec.template.spec.containers.image", [{"name": "agent", "image": "b"}]),
        ("spec.template.spec.containers[name=agent].image", [{"name": "agent"}]),
        ("spec.template.spec.containers", [{"name": "other", "image": "a"}]),
        ("spec.template.spec.containers[agent].image", None),
        ("DaemonSet:spec.template.spec.containers[0].image", [{"image": "b"}]),
        ("DaemonSet/agent:spec.template.spec.*", []),
    ],
)
def test_a_path_catches_the_change_whatever_way_it_is_made(path: str, now: Any) -> None:
    """By another value, by removal, by null, by a whole new list."""
    was = pods(containers=[{"name": "agent", "image": "a"}])
    found = said(APPS, "DaemonSet", was, pods(containers=now), GuardLists(block=(path,)))
    assert {act for act, _ in found} == {"block"}


def test_a_path_with_a_kind_or_name_is_about_that_object_only() -> None:
    for path in ("Deployment:data.level", "ConfigMap/other:data.level"):
        lists = GuardLists(block=(path,))
        assert said(CORE, "ConfigMap", {"data": {"level": "a"}}, {"data": {}}, lists) == []


def test_the_data_of_a_secret_is_guarded_in_both_spellings_and_never_shown() -> None:
    lists, secret = GuardLists(ask=("data.token",)), ref(CORE, "Secret")
    was: Any = {"kind": "Secret", "data": {"token": "b2xk"}}
    same: Any = {"kind": "Secret", "stringData": {"token": "old"}}
    other: Any = {"kind": "Secret", "stringData": {"token": "new"}}
    assert judge(lists, secret, was, same) == ()
    (found,) = judge(lists, secret, was, other)
    assert "bmV3" not in str(found.shown())
    assert "b2xk" not in str(found.shown())


def test_the_strictest_says_and_ignore_takes_a_field_out_of_it() -> None:
    """A component makes a block of a question, and never a question of a block."""
    host = pods(hostNetwork=True)
    path = "spec.template.spec.hostNetwork"
    assert said(APPS, "DaemonSet", pods(), host, GuardLists(block=(path,))) == [("block", path)]
    assert said(APPS, "DaemonSet", pods(), host, GuardLists(ignore=(path,))) == [("ignore", path)]
    ip = {"spec": {"clusterIP": "1"}}, {"spec": {"clusterIP": "2"}}
    assert said(CORE, "Service", *ip, GuardLists(ask=("spec.clusterIP",))) == [
        ("block", "spec.clusterIP")
    ]


def test_replicas_that_an_autoscaler_sets_are_left_alone_unless_the_component_says() -> None:
    """Else each release would undo what the load had asked for."""
    was, now = {"spec": {"replicas": 9}}, {"spec": {"replicas": 3}}
    assert said(APPS, "Deployment", was, now, scaled=True) == [("ignore", "spec.replicas")]
    own = GuardLists(ask=("spec.replicas",))
    assert said(APPS, "Deployment", was, now, own, scaled=True) == [("ask", "spec.replicas")]
    left = left_alone(NONE, ref(APPS, "Deployment"), now, was, scaled=True)
    assert left["spec"]["replicas"] == 9


def test_what_is_left_alone_has_the_value_of_the_cluster_or_none() -> None:
    lists = GuardLists(ignore=("spec.a", "spec.list[x].image", "metadata.annotations[a.b/c]"))
    items = [{"name": "x", "image": "1", "arg": "n"}]
    notes = {"annotations": {"a.b/c": "1"}}
    target = {"metadata": notes, "spec": {"a": 1, "b": 2, "list": items}}
    live = {"metadata": {}, "spec": {"b": 1, "list": [{"name": "x", "image": "2", "arg": "o"}]}}
    made = left_alone(lists, ref(APPS, "Deployment"), target, live)
    assert made == {
        "metadata": {"annotations": {}},
        "spec": {"b": 2, "list": [{"name": "x", "image": "2", "arg": "n"}]},
    }


def test_what_holds_data_is_never_deleted_on_the_way_forward() -> None:
    for api, kind in ((CORE, "Namespace"), (CORE, "PersistentVolumeClaim"),
                      (CORE, "PersistentVolume"),
                      ("apiextensions.k8s.io/v1", "CustomResourceDefinition")):  # fmt: skip
        assert deletion(ref(api, kind), {"kind": kind}) is not None
    assert deletion(ref(CORE, "ConfigMap"), {"kind": "ConfigMap"}) is None


def test_a_path_at_which_nothing_is_has_a_name() -> None:
    lists = GuardLists(block=("spec.a", "spec.typo"), ask=("Service:spec.a",))
    objects = {ref(APPS, "Deployment"): {"spec": {"a": 1}}}
    assert matches_nothing(lists, objects) == ("spec.typo", "Service:spec.a")
