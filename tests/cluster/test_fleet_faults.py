"""What an API server can say no with, and how it can fall silent: each told in the port's words.

One clear sentence each, the right kind of error, nothing half forgotten, and the next call works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes_fleet.client import Patience
from bot.model.effects import PatchType
from bot.ports import AnswerLost, Conflict, Fenced, Refused, Unreachable
from tests.cluster.control_plane import Cluster
from tests.cluster.real_fleet import RealWorld, fleet_of
from tests.cluster.waiting import wait_until
from tests.contracts.fleet_suite import (
    config_map,
    creating,
    deleting,
    deployment,
    patching,
    ref_of,
)

POLICY = "admissionregistration.k8s.io/v1"


@pytest.fixture
def world(cluster: Cluster, namespace: str, tmp_path: Path) -> Iterator[RealWorld]:
    with fleet_of(tmp_path, {"east": cluster.kubeconfig}, patience=Patience()) as fleet:
        yield RealWorld(fleet, "east", namespace)


def send(world: RealWorld, write: Any, fence: str = "1.1") -> Any:
    return world.fleet.write("east", write, fence=fence)


def test_what_the_schema_forbids_is_refused_with_the_field(world: RealWorld) -> None:
    """422: the server's own words lead to the line."""
    broken = deployment(world, replicas=-1)
    with pytest.raises(Refused, match=r"spec\.replicas.*greater than or equal to 0"):
        send(world, creating(broken))


def test_a_version_that_moved_on_is_a_conflict_and_nothing_is_overwritten(
    world: RealWorld, cluster: Cluster
) -> None:
    """409: somebody wrote between our look and our write, here with kubectl."""
    obj = config_map(world, a="1")
    seen = send(world, creating(obj))["metadata"]["resourceVersion"]
    name = obj["metadata"]["name"]
    cluster.kubectl("-n", world.namespace, "annotate", "configmap", name, "by=hand")
    with pytest.raises(Conflict):
        send(world, patching(obj, {"data": {"a": "2"}}, seen), "1.2")
    live = world.fleet.get("east", ref_of(obj))
    assert live is not None
    assert live["data"] == {"a": "1"}


def test_fields_that_another_manager_set_are_told_before_they_are_taken(
    world: RealWorld, cluster: Cluster
) -> None:
    """Somebody scaled by hand: the audit names whose field the release took over."""
    obj = deployment(world)
    send(world, creating(obj))
    scaled = '{"spec":{"replicas":4}}'
    words = ["patch", "deployment", "web", "-p", scaled, "--field-manager=night-shift"]
    cluster.kubectl("-n", world.namespace, *words)
    ask = world.fleet.dry_run
    assert ask("east", patching(obj, {"spec": {"replicas": 4}}), fence="1.2") == ()
    (told,) = ask("east", patching(obj, {"spec": {"replicas": 2}}), fence="1.2")
    assert told == "spec.replicas was set by night-shift, and is ours now"


def test_a_dry_run_knows_fields_that_no_schema_knows(world: RealWorld) -> None:
    """A typo would be dropped in silence, and the release would bring less than was reviewed."""
    with pytest.raises(Refused, match=r"unknown field.*replcas"):
        world.fleet.dry_run("east", creating(deployment(world, replcas=3)), fence="1.1")


def test_a_second_process_with_a_newer_plan_wins(
    world: RealWorld, cluster: Cluster, tmp_path: Path
) -> None:
    """Two bots by mistake: what the older one remembers of the object must not let it overwrite."""
    obj = config_map(world, a="1")
    send(world, creating(obj), "3.1")
    world.fleet.get("east", ref_of(obj))
    (tmp_path / "second").mkdir()
    with fleet_of(tmp_path / "second", {"east": cluster.kubeconfig}) as other:
        other.write("east", patching(obj, {"data": {"a": "new"}}), fence="9.1")
    with pytest.raises(Fenced):
        send(world, patching(obj, {"data": {"a": "old"}}), "3.2")
    with pytest.raises(Fenced):
        send(world, deleting(obj), "3.3")
    live = world.fleet.get("east", ref_of(obj))
    assert live is not None
    assert live["data"] == {"a": "new"}


def test_a_kind_whose_definition_is_missing_is_refused_and_reads_as_nothing(
    world: RealWorld, cluster: Cluster
) -> None:
    """A component may bring its CRD in the same batch: reading must not fail before it is there."""
    widget = {
        "apiVersion": f"{world.namespace}.example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "w", "namespace": world.namespace},
        "spec": {"size": 1},
    }
    assert world.fleet.get("east", ref_of(widget)) is None
    assert world.fleet.every("east", widget["apiVersion"], "Widget") == ()
    with pytest.raises(Refused, match="CustomResourceDefinition is missing"):
        send(world, creating(widget))
    newer = deployment(world) | {"apiVersion": "apps/v9"}
    with pytest.raises(Refused, match="no Deployment of apps/v9, but that of apps/v1"):
        send(world, creating(newer))
    cluster.api.create(definition(f"{world.namespace}.example.com"))

    def served() -> bool:
        try:
            return bool(send(world, creating(widget)))
        except (Refused, Conflict):
            return False

    wait_until(served, "the new kind is served", seconds=20)
    assert len(world.fleet.every("east", widget["apiVersion"], "Widget")) == 1
    cluster.api.delete("CustomResourceDefinition", f"widgets.{world.namespace}.example.com")


def definition(group: str) -> dict[str, Any]:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"widgets.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [version],
        },
    }


def test_a_missing_namespace_and_one_that_goes_away_are_refused(
    world: RealWorld, cluster: Cluster
) -> None:
    """Both are for a person: asking again makes no namespace."""
    nowhere = RealWorld(world.fleet, "east", "not-there")
    with pytest.raises(Refused, match='namespaces "not-there" not found'):
        send(nowhere, creating(config_map(nowhere)))
    going = f"{world.namespace[:40]}-going"
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": going}})
    held = config_map(RealWorld(world.fleet, "east", going), "held")
    held["metadata"]["finalizers"] = ["example.com/held"]
    cluster.api.create(held)
    cluster.kubectl("delete", "namespace", going, "--wait=false")
    place = RealWorld(world.fleet, "east", going)

    def refused() -> bool:
        try:
            send(place, creating(config_map(place, "late")))
        except Refused as no:
            return "being terminated" in no.why
        except Conflict:
            return False
        return False

    wait_until(refused, "the namespace refuses what is new", seconds=20)
    patch = '{"metadata":{"finalizers":null}}'
    cluster.kubectl("-n", going, "patch", "configmap", "held", "--type=merge", "-p", patch)


def test_a_quota_is_told_in_the_server_s_words(world: RealWorld, cluster: Cluster) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "small", "namespace": world.namespace},
        "spec": {"hard": {"count/configmaps": "1"}},
    }
    cluster.api.create(quota)

    def counted() -> bool:
        seen = cluster.api.get("ResourceQuota", "small", world.namespace)
        # A controller puts one of its own into every namespace, a little later than the namespace.
        return seen.get("status", {}).get("used", {}).get("count/configmaps") == "1"

    wait_until(counted, "the quota counts", seconds=20)
    with pytest.raises(Refused, match="exceeded quota: small"):
        send(world, creating(config_map(world)))


def test_a_refusal_of_admission_is_told_in_its_own_words(
    world: RealWorld, cluster: Cluster
) -> None:
    """A policy of the platform team says no: its sentence is what people must read."""
    name = world.namespace
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]}
    rule |= {"operations": ["CREATE", "UPDATE"]}
    here = {"matchLabels": {"kubernetes.io/metadata.name": name}}
    says = {"expression": "!('forbidden' in object.data)", "message": "no forbidden data here"}
    policy = {
        "apiVersion": POLICY,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {"matchConstraints": {"resourceRules": [rule]}, "validations": [says]},
    }
    spec = {"policyName": name, "validationActions": ["Deny"]}
    spec |= {"matchResources": {"namespaceSelector": here}}
    binding = {"apiVersion": POLICY, "kind": "ValidatingAdmissionPolicyBinding"}
    binding |= {"metadata": {"name": name}, "spec": spec}
    for one in (policy, binding):
        cluster.kubectl("create", "-f", "-", stdin=one)
    obj = config_map(world, a="1")
    send(world, creating(obj))
    said = ""

    def denied() -> bool:
        nonlocal said
        try:
            send(world, patching(obj, {"data": {"forbidden": "x"}}))
        except Refused as no:
            said = no.why
            return True
        world.fleet.write("east", patching(obj, {"data": {"forbidden": None}}), fence="1.1")
        return False

    wait_until(denied, "the policy is in force", seconds=20)
    assert "no forbidden data here" in said
    cluster.kubectl("delete", "validatingadmissionpolicy,validatingadmissionpolicybinding", name)


def test_a_webhook_that_does_not_answer_is_asked_again_later(
    world: RealWorld, cluster: Cluster
) -> None:
    """Nothing was written, and the webhook may be back in a moment: no verdict on our object."""
    name = world.namespace
    hook = {
        "name": "gone.example.com",
        "clientConfig": {"url": "https://127.0.0.1:9/validate"},
        "rules": [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "resources": ["configmaps"],
                "operations": ["CREATE"],
            }
        ],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 1,
    }
    kind = "ValidatingWebhookConfiguration"
    meta = {"name": name}
    cluster.api.create({"apiVersion": POLICY, "kind": kind, "metadata": meta, "webhooks": [hook]})

    def unreached() -> bool:
        try:
            send(world, creating(config_map(world, "try")))
        except Unreachable as later:
            return "gone.example.com" in later.why
        send(world, deleting(config_map(world, "try")))
        return False

    wait_until(unreached, "the webhook is asked", seconds=20)
    assert world.fleet.get("east", ref_of(config_map(world, "try"))) is None
    cluster.api.delete(kind, name)


def test_what_was_deleted_under_us_is_told_and_a_delete_of_it_is_a_conflict(
    world: RealWorld, cluster: Cluster
) -> None:
    obj = config_map(world, a="1")
    uid = send(world, creating(obj))["metadata"]["uid"]
    cluster.api.delete("ConfigMap", "settings", world.namespace)
    with pytest.raises(Refused, match="not found"):
        send(world, patching(obj, {"data": {"a": "2"}}))
    with pytest.raises(Conflict, match="already gone"):
        send(world, deleting(obj, uid))


def test_a_patch_type_that_the_kind_does_not_take_is_refused(world: RealWorld) -> None:
    """415: told with the number, as the embedded fleet does."""
    clones = deployment(world) | {"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet"}
    send(world, creating(clones))
    write = replace(patching(clones, {"spec": {"replicas": 3}}), patch_type=PatchType.STRATEGIC)
    with pytest.raises(Refused, match="415"):
        send(world, write)


def test_a_cluster_that_is_down_is_unreachable_and_works_again_without_a_restart(
    own_cluster: Cluster, tmp_path: Path
) -> None:
    """Before a write nothing happened: it may be sent again. The same client finds it again."""
    with fleet_of(tmp_path, {"own": own_cluster.kubeconfig}) as fleet:
        world = RealWorld(fleet, "own", "default")
        uid = fleet.uid("own")
        obj = config_map(world, a="1")
        with own_cluster.without_api(), pytest.raises(Unreachable, match=r"no connection|broke"):
            fleet.write("own", creating(obj), fence="1.1")
        wait_until(lambda: fleet.reachable("own"), "it answers again", seconds=30)
        assert fleet.uid("own") == uid
        assert fleet.get("own", ref_of(obj)) is None
        with own_cluster.frozen("kube-apiserver"):
            # It hangs: the write may happen once it wakes up, and nobody says so now.
            with pytest.raises(AnswerLost, match="no answer in 2 s"):
                fleet.write("own", creating(obj), fence="1.1")
            with pytest.raises(Unreachable):
                fleet.get("own", ref_of(obj))
        wait_until(lambda: fleet.reachable("own"), "it answers again", seconds=30)
        live = fleet.get("own", ref_of(obj))
        assert live is None or live["data"] == {"a": "1"}
        if live is None:
            fleet.write("own", creating(obj), fence="1.1")
        with own_cluster.frozen("etcd"), pytest.raises((AnswerLost, Unreachable)):
            fleet.write("own", patching(obj, {"data": {"a": "2"}}), fence="1.2")
        wait_until(lambda: fleet.reachable("own"), "it answers again", seconds=30)
        fleet.write("own", patching(obj, {"data": {"a": "3"}}), fence="1.3")
        assert own_cluster.api.get("ConfigMap", "settings", "default")["data"] == {"a": "3"}
