"""What stands on every object of ours, and which of them goes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.cluster.drive import Goal, Mode, drive
from bot.cluster.owner import OWNER, owned, reserved
from bot.cluster.render import apply_order, digest, ref_of
from bot.cluster.served import established
from bot.cluster.stamp import APPLIED, stamp_of, stamped
from bot.model.effects import PatchType, Purpose, Write
from bot.model.seen import ObjectSeen, UnitSeen
from tests.cluster_rules.unit import NINE

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "rules.x.io"},
    "spec": {"group": "x.io", "scope": "Namespaced", "names": {"kind": "Rule"}},
}
RULE = {"apiVersion": "x.io/v1", "kind": "Rule", "metadata": {"name": "r", "namespace": "infra"}}
CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "c", "namespace": "infra"},
    "data": {"a": "1"},
}
ESTABLISHED = {"status": {"conditions": [{"type": "Established", "status": "True"}]}}


def live(obj: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The object as an API server has it."""
    metadata = {**obj["metadata"], "uid": "u", "resourceVersion": "1"}
    return {**obj, "metadata": metadata} | more


def seen(*objects: dict[str, Any]) -> UnitSeen:
    there = {ref_of(obj).key: ObjectSeen(ref=ref_of(obj), live=obj) for obj in objects}
    return UnitSeen(unit="a@eu-1", at=NINE, uid="u", objects=there)


def goal(*objects: dict[str, Any], mode: Mode = Mode.FORWARD) -> Goal:
    return Goal(
        mode=mode,
        objects=tuple((ref_of(obj), obj) for obj in objects),
        wanted={ref_of(obj).key: digest(obj) for obj in objects},
        since=NINE,
        final=True,
    )


def sent(asked: Goal, found: UnitSeen) -> list[str]:
    return [f"{w.verb} {w.ref.kind}" for w in drive(asked, found, NINE).writes]


def test_a_custom_resource_waits_until_its_definition_is_established() -> None:
    """Before that its API server has never heard of the kind, and refuses it."""
    asked = goal(CRD, RULE, CONFIG)
    assert sent(asked, seen()) == ["create CustomResourceDefinition", "create ConfigMap"]
    half = live(CRD, status={"conditions": [{"type": "Established", "status": "False"}]})
    assert "create Rule" not in sent(asked, seen(half))
    assert not drive(asked, seen(half), NINE).converged
    assert "create Rule" in sent(asked, seen(live(CRD, **ESTABLISHED)))


def test_a_custom_resource_of_somebody_elses_definition_is_sent_at_once() -> None:
    """Only what comes with the component can be waited for."""
    assert sent(goal(RULE), seen()) == ["create Rule"]


def test_a_strange_status_of_a_definition_establishes_nothing() -> None:
    for status in (None, [], {"conditions": None}, {"conditions": ["x"]}):
        assert not established(seen(live(CRD, status=status)), ref_of(CRD))


def test_what_the_server_asks_on_every_call_comes_after_what_it_needs() -> None:
    """Namespaces, definitions, the rest as written, webhooks, workloads."""
    kinds = [
        ("apps/v1", "Deployment"),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
        ("v1", "Service"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole"),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
        ("v1", "Namespace"),
    ]
    objects = [{"apiVersion": a, "kind": k, "metadata": {"name": "x"}} for a, k in kinds]
    assert [obj["kind"] for obj in apply_order(objects)] == [
        "Namespace",
        "CustomResourceDefinition",
        "Service",
        "ClusterRole",
        "ValidatingWebhookConfiguration",
        "Deployment",
    ]


def test_the_owner_is_added_to_the_labels_of_the_template() -> None:
    """Nothing else changes, and the template's own object stays as it is."""
    labelled = {**CONFIG, "metadata": {**CONFIG["metadata"], "labels": {"app": "c"}}}
    assert owned(labelled, "dns")["metadata"]["labels"] == {"app": "c", OWNER: "dns"}
    assert owned(CONFIG, "dns")["data"] == {"a": "1"}
    assert "labels" not in CONFIG["metadata"]


def test_names_of_ours_are_not_for_templates() -> None:
    """Somebody who writes a fence by hand could lock us out."""
    forged = {
        **CONFIG,
        "metadata": {"annotations": {"sluice/fence": "9.9"}, "labels": {OWNER: "x"}},
    }
    assert list(reserved(forged, "dns")) == [
        f"metadata.labels.{OWNER}",
        "metadata.annotations.sluice/fence",
    ]
    assert list(reserved(owned(CONFIG, "dns"), "dns")) == []


def test_a_write_leaves_the_digest_of_its_spec_on_the_object() -> None:
    """The spec itself is nowhere but in the store."""
    (write,) = drive(goal(CONFIG), seen(), NINE).writes
    assert stamp_of(write.body) == digest(CONFIG)
    changed = live({**CONFIG, "data": {"a": "2"}})
    (write,) = drive(goal(CONFIG), seen(changed), NINE).writes
    assert write.verb == "patch"
    assert stamp_of(write.body) == digest(CONFIG)
    assert "last-applied" not in str(write.body)


def test_a_digest_alone_is_no_reason_to_write() -> None:
    """A cluster that has the target gets no call."""
    assert drive(goal(CONFIG), seen(live(CONFIG)), NINE).writes == ()


def test_the_digest_of_another_spec_is_put_right() -> None:
    """Else store and cluster would disagree for ever about an object that both have alike."""
    noted = live(CONFIG)
    noted["metadata"]["annotations"] = {APPLIED: "sha256:other"}
    (write,) = drive(goal(CONFIG), seen(noted), NINE).writes
    assert write.body == {"metadata": {"annotations": {APPLIED: digest(CONFIG)}}}


def test_steps_of_a_patch_get_the_digest_where_there_is_a_place_for_it() -> None:
    """A step into annotations that are not there would lose the whole patch."""
    ref, wanted = ref_of(CONFIG), {ref_of(CONFIG).key: "sha256:1"}
    steps = [{"op": "add", "path": "/data/a", "value": "2"}]
    write = Write(
        ref=ref, verb="patch", purpose=Purpose.FORWARD, body=steps, patch_type=PatchType.JSON
    )
    (bare,) = stamped([write], wanted, {}, seen(live(CONFIG)))
    assert bare.body == steps
    noted = live(CONFIG)
    noted["metadata"]["annotations"] = {"a": "b"}
    (made,) = stamped([write], wanted, {}, seen(noted))
    path = f"/metadata/annotations/{APPLIED.replace('/', '~1')}"
    assert made.body == [*steps, {"op": "add", "path": path, "value": "sha256:1"}]


def test_a_way_back_leaves_the_digest_of_what_stood_and_a_stop_none() -> None:
    """Else the next release would take the object for another store's."""
    ref = ref_of(CONFIG)
    forward = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body={"data": {"a": "2"}})
    maps = {ref.key: "sha256:new"}, {ref.key: "sha256:old"}
    found = {
        purpose: stamp_of(stamped([replace(forward, purpose=purpose)], *maps, seen())[0].body)
        for purpose in Purpose
    }
    assert found[Purpose.RESTORE] == "sha256:old"
    assert found[Purpose.FORWARD] == found[Purpose.GO_ON] == "sha256:new"
    assert found[Purpose.STOP] == ""
