"""What the guard blocks is what a real API server refuses; what it asks about does its harm there.

A block that is too wide stops releases for nothing, and one that is missing is met in the middle
of a batch.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest

from bot.cluster.guard import NO_LISTS, is_scaled, judge, left_alone
from bot.cluster.guard_rules import Act
from bot.cluster.merge import merge_patch
from bot.model.plan import ObjectRef
from tests.cluster import guard_cases
from tests.cluster.api import Answer, Object, conditions, images, path_of_object
from tests.cluster.control_plane import Cluster
from tests.cluster.waiting import wait_until
from tests.cluster.workloads import workload

CASES = [
    *guard_cases.workloads(),
    *guard_cases.storage(),
    *guard_cases.network(),
    *guard_cases.the_rest(),
]
WITHOUT_NAMESPACE = ("PersistentVolume", "StorageClass", "CSIDriver", "IngressClass")
WITHOUT_NAMESPACE += ("ClusterRoleBinding", "PriorityClass", "RuntimeClass")
WITHOUT_NAMESPACE += ("CustomResourceDefinition",)


def ref_of(obj: Object) -> ObjectRef:
    meta = obj["metadata"]
    return ObjectRef(obj["apiVersion"], obj["kind"], meta.get("namespace", ""), meta["name"])


def place(obj: Object, namespace: str) -> Object:
    """The object with a name of this test's own."""
    found = copy.deepcopy(obj)
    if obj["kind"] in WITHOUT_NAMESPACE:
        if obj["metadata"]["name"] == "agent":
            found["metadata"]["name"] = f"{namespace[:50]}-one"
    else:
        found["metadata"]["namespace"] = namespace
    return found


def url(obj: Object) -> str:
    """`cluster.api` knows where most kinds are."""
    if obj["kind"] == "CSIDriver":
        return f"/apis/storage.k8s.io/v1/csidrivers/{obj['metadata']['name']}"
    return path_of_object(obj)


def refused_and_blocked(cluster: Cluster, obj: Object, patch: Object) -> None:
    """The server refuses the patch, and so does the guard, at the same object as it is there."""
    cluster.api.call("POST", url(obj).rpartition("/")[0], obj)
    try:
        if obj["kind"] == "CustomResourceDefinition":
            _established(cluster, obj)
        live = cluster.api.call("GET", url(obj))
        change = ("PATCH", url(obj), patch, "application/merge-patch+json")
        with pytest.raises(Answer) as no:
            cluster.api.call(*change)
        assert no.value.status in (400, 403, 422), no.value
        said = judge(NO_LISTS, ref_of(obj), live, merge_patch(live, patch))
        blocked = [one for one in said if one.act is Act.BLOCK]
        assert blocked, f"the guard lets pass what the server refuses: {no.value}"
        assert all(one.refused for one in blocked)
        same = judge(NO_LISTS, ref_of(obj), live, live)
        assert not [one for one in same if one.act is Act.BLOCK]
    finally:
        cluster.api.call("DELETE", url(obj))


def _established(cluster: Cluster, obj: Object) -> None:
    def there() -> bool:
        live = cluster.api.call("GET", url(obj))
        return any(each["status"] == "True" for each in conditions(live, "Established"))

    wait_until(there, "the definition is established", 20)


@pytest.mark.parametrize(("obj", "patch"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_what_is_blocked_is_refused(
    cluster: Cluster, namespace: str, obj: Object, patch: Object
) -> None:
    """Told before the first write, instead of in the middle of a batch."""
    refused_and_blocked(cluster, place(obj, namespace), patch)


@pytest.mark.parametrize("number", range(5), ids=[c[0] for c in guard_cases.definitions("x")])
def test_what_would_orphan_the_objects_of_a_definition_is_refused(
    cluster: Cluster, namespace: str, number: int
) -> None:
    """Objects that are stored in a version which nobody reads any more are lost."""
    group = f"{namespace[:40].strip('-')}.example.com"
    _, obj, patch = guard_cases.definitions(group)[number]
    refused_and_blocked(cluster, obj, patch)


def test_a_replica_count_under_an_autoscaler_is_left_to_it(
    cluster: Cluster, namespace: str
) -> None:
    """Written by us it throws away what the autoscaler set; the server takes it, and pods go."""
    deployment = workload("Deployment", namespace)
    cluster.api.create(deployment)
    scale = f"/apis/apps/v1/namespaces/{namespace}/deployments/agent/scale"
    body = {"spec": {"replicas": 5}}
    by = "?fieldManager=horizontal-pod-autoscaler"
    cluster.api.call("PATCH", scale + by, body, "application/merge-patch+json")
    live = cluster.api.get("Deployment", "agent", namespace, "apps/v1")

    assert is_scaled(ref_of(deployment), live, ())
    (said,) = judge(
        NO_LISTS,
        ref_of(deployment),
        live,
        merge_patch(live, {"spec": {"replicas": 3}}),
        scaled=True,
    )
    assert (said.act, said.path) == (Act.IGNORE, "spec.replicas")
    left = left_alone(NO_LISTS, ref_of(deployment), deployment, live, scaled=True)
    assert left["spec"]["replicas"] == 5
    wait_until(lambda: len(cluster.api.pods(namespace)) == 5, "five pods", 30)
    cluster.api.apply(deployment)
    wait_until(lambda: len(running(cluster, namespace)) == 3, "two of five pods are taken away", 30)


def running(cluster: Cluster, namespace: str) -> list[str]:
    pods = cluster.api.pods(namespace)
    return images([pod for pod in pods if "deletionTimestamp" not in pod["metadata"]])


def asked(live: Object, patch: Object) -> list[str]:
    """Reasons for which an approver is asked."""
    said = judge(NO_LISTS, ref_of(live), live, merge_patch(live, patch))
    return [one.reason for one in said if one.act is Act.ASK]


@pytest.mark.parametrize("api", ["apps/v1", "apps.kruise.io/v1alpha1"])
def test_other_nodes_for_a_daemon_set_take_all_its_pods_at_once(
    cluster: Cluster, namespace: str, api: str
) -> None:
    """No maxUnavailable and no OnDelete holds it: the controller deletes what is misplaced."""
    strategy = {"type": "OnDelete"}
    cluster.api.create(workload("DaemonSet", namespace, api=api, updateStrategy=strategy))
    wait_until(lambda: len(running(cluster, namespace)) >= 3, "it runs everywhere", 30)
    elsewhere: Any = {"spec": {"template": {"spec": {"nodeSelector": {"no": "where"}}}}}
    live = cluster.api.get("DaemonSet", "agent", namespace, api)
    assert asked(live, elsewhere) == ["nodes-at-once"]
    cluster.api.merge("DaemonSet", "agent", elsewhere, namespace, api)
    wait_until(lambda: not running(cluster, namespace), "all pods are gone", 30)


def test_a_service_that_names_other_pods_has_none_at_once(cluster: Cluster, namespace: str) -> None:
    """Traffic goes nowhere from one moment to the next, with every pod healthy."""
    cluster.api.create(workload("Deployment", namespace))
    cluster.api.create(place(guard_cases.service(), namespace))

    def addresses() -> int:
        slices = cluster.api.listed("EndpointSlice", namespace, "discovery.k8s.io/v1")
        return sum(len(one.get("endpoints") or ()) for one in slices)

    wait_until(lambda: addresses() == 3, "the pods serve", 30)
    other = {"spec": {"selector": {"app": "other"}}}
    assert asked(cluster.api.get("Service", "agent", namespace), other) == ["service-pods"]
    cluster.api.merge("Service", "agent", other, namespace)
    wait_until(lambda: addresses() == 0, "nobody serves", 30)


def test_a_service_that_becomes_a_name_loses_its_address(cluster: Cluster, namespace: str) -> None:
    """Everybody who has looked it up talks to nobody; the old address is given to others."""
    cluster.api.create(place(guard_cases.service(), namespace))
    named: Object = {"spec": {"type": "ExternalName", "externalName": "x.example.com"}}
    live = cluster.api.get("Service", "agent", namespace)
    assert asked(live, named) == ["service-type"]
    cluster.api.merge("Service", "agent", named, namespace)
    assert "clusterIP" not in cluster.api.get("Service", "agent", namespace)["spec"]
