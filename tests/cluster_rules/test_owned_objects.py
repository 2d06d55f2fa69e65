"""What stands on every object of ours, and which of them goes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.cluster.drive import Goal, Mode, drive
from bot.cluster.goal import Step
from bot.cluster.json_patch import operated
from bot.cluster.marks import APPLIED, OWNER, as_written, owner_of, reserved, stamp_of
from bot.cluster.merge import baseline, merge_patch
from bot.cluster.render import apply_order, digest, ref_of
from bot.cluster.served import established
from bot.cluster.stamp import stamped
from bot.core.messages_progress import waits_for
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
        owner="dns",
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
        assert not established(live(CRD, status=status))


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


def test_what_is_written_has_owner_and_digest_beside_its_own_labels() -> None:
    """Nothing else changes, and the template's own object stays as it is."""
    labelled = {**CONFIG, "metadata": {**CONFIG["metadata"], "labels": {"app": "c"}}}
    made = as_written(labelled, "dns", "sha256:1")
    assert made["metadata"]["labels"] == {"app": "c", OWNER: "dns"}
    assert stamp_of(made) == "sha256:1"
    assert made["data"] == {"a": "1"}
    assert "annotations" not in labelled["metadata"]


def test_names_of_ours_are_not_for_templates() -> None:
    """Somebody who writes a fence by hand could lock us out."""
    forged = {
        **CONFIG,
        "metadata": {"annotations": {"sluice/fence": "9.9", "a": "b"}, "labels": {OWNER: "x"}},
    }
    assert list(reserved(forged)) == [
        f"metadata.labels[{OWNER}]",
        "metadata.annotations[sluice/fence]",
    ]
    assert list(reserved(CONFIG)) == []


def test_a_write_leaves_owner_and_digest_on_the_object() -> None:
    """The spec itself is nowhere but in the store."""
    (write,) = drive(goal(CONFIG), seen(), NINE).writes
    assert (owner_of(write.body), stamp_of(write.body)) == ("dns", digest(CONFIG))
    changed = live({**CONFIG, "data": {"a": "2"}})
    (write,) = drive(goal(CONFIG), seen(changed), NINE).writes
    assert write.verb == "patch"
    assert (owner_of(write.body), stamp_of(write.body)) == ("dns", digest(CONFIG))
    assert "last-applied" not in str(write.body)


@pytest.mark.parametrize("marks", [{}, {"a": "b"}, {APPLIED: "sha256:other"}, {OWNER: "web"}])
def test_owner_and_digest_alone_are_no_reason_to_write(marks: dict[str, str]) -> None:
    """A cluster that has the target gets no call, whatever stands on it: a thousand clusters that
    are adopted as they are get none.
    """
    noted = live(CONFIG)
    noted["metadata"] |= {"annotations": marks, "labels": marks}
    assert drive(goal(CONFIG), seen(noted), NINE).writes == ()
    assert drive(goal(CONFIG), seen(noted), NINE).converged


def test_a_template_without_labels_does_not_take_ours_away() -> None:
    """Labels that leave a manifest take those of others along; then ours would come and go at
    every look.
    """
    before = {**CONFIG, "metadata": {**CONFIG["metadata"], "labels": {"app": "c"}}}
    stood = live(before)
    stood["metadata"]["labels"] = {"app": "c", "theirs": "x", OWNER: "dns"}
    asked = replace(goal(CONFIG), last={ref_of(CONFIG).key: before})
    (write,) = drive(asked, seen(stood), NINE).writes
    assert write.body["metadata"]["labels"] == {"app": None, "theirs": None, OWNER: "dns"}
    left = as_written(live(CONFIG), "dns", digest(CONFIG))
    assert drive(asked, seen(left), NINE).writes == ()


def test_a_baseline_has_neither() -> None:
    """What a rollback restores is what stood there, and says nothing of whose it was."""
    assert baseline(as_written(live(CONFIG), "dns", "sha256:1")) == CONFIG


@pytest.mark.parametrize("noted", [None, {}, {"a": "b"}])
def test_steps_of_a_patch_have_a_place_for_both(noted: dict[str, str] | None) -> None:
    """A step into annotations that are not there would lose the whole patch."""
    steps = [{"op": "add", "path": "/data/a", "value": "2"}]
    ref = ref_of(CONFIG)
    write = Write(
        ref=ref, verb="patch", purpose=Purpose.FORWARD, body=steps, patch_type=PatchType.JSON
    )
    there = live(CONFIG)
    if noted is not None:
        there["metadata"] |= {"annotations": dict(noted), "labels": dict(noted)}
    (made,) = stamped(goal(CONFIG), seen(there), Step(ref=ref, writes=(write,))).writes
    after = operated(there, made.body)
    assert after["data"] == {"a": "2"}
    assert (owner_of(after), stamp_of(after)) == ("dns", digest(CONFIG))
    assert after["metadata"]["labels"] == {**(noted or {}), OWNER: "dns"}


def test_a_way_back_leaves_the_digest_of_what_stood_and_a_stop_none() -> None:
    """Else the next release would take the object for another store's."""
    ref = ref_of(CONFIG)
    forward = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body={"data": {"a": "2"}})
    asked = replace(goal(CONFIG), wanted={ref.key: "sha256:new"}, stood={ref.key: "sha256:old"})
    found = {
        purpose: stamp_of(
            stamped(asked, seen(), Step(ref=ref, writes=(replace(forward, purpose=purpose),)))
            .writes[0]
            .body
        )
        for purpose in Purpose
    }
    assert found[Purpose.RESTORE] == "sha256:old"
    assert found[Purpose.FORWARD] == found[Purpose.GO_ON] == "sha256:new"
    assert found[Purpose.STOP] == ""


def test_a_way_back_to_what_was_nobodys_takes_the_owner_away() -> None:
    """It stands there again as it did before anybody released it."""
    ref = ref_of(CONFIG)
    ours = as_written(live({**CONFIG, "data": {"a": "2"}}), "dns", "sha256:new")
    back = Write(ref=ref, verb="patch", purpose=Purpose.RESTORE, body={"data": {"a": "1"}})
    asked = replace(goal(CONFIG), stood={ref.key: "sha256:old"}, adopted=frozenset({ref.key}))
    (made,) = stamped(asked, seen(ours), Step(ref=ref, writes=(back,))).writes
    after = merge_patch(ours, made.body)
    assert (owner_of(after), stamp_of(after)) == ("", "sha256:old")
    steps = replace(back, patch_type=PatchType.JSON, body=[])
    (made,) = stamped(asked, seen(ours), Step(ref=ref, writes=(steps,))).writes
    assert (owner_of(operated(ours, made.body)), stamp_of(after)) == ("", "sha256:old")
    kept = replace(asked, adopted=frozenset())
    (made,) = stamped(kept, seen(ours), Step(ref=ref, writes=(back,))).writes
    assert owner_of(merge_patch(ours, made.body)) == "dns"


def test_a_definition_is_done_when_it_is_established() -> None:
    """What depends on the component relies on the kind; and a name that is taken is told."""
    taken = {"type": "NamesAccepted", "status": "False", "message": "rules is taken by y.io"}
    for told, reason in (([], ""), ([taken], "rules is taken by y.io")):
        asked = drive(goal(CRD), seen(live(CRD, status={"conditions": told})), NINE)
        assert (asked.writes, asked.waiting) == ((), "not-established")
        assert asked.detail.get("reason", "") == reason
        assert reason in waits_for(asked.waiting, asked.detail)
    assert drive(goal(CRD), seen(live(CRD, **ESTABLISHED)), NINE).converged


def test_why_names_the_definition_that_is_waited_for() -> None:
    """Nobody has to guess which object of twenty it is, and what it lacks."""
    asked = drive(goal(RULE, CRD), seen(live(CRD, status={})), NINE)
    assert waits_for(asked.waiting, asked.detail) == (
        "Rule infra/r waits until the API server has established CRD rules.x.io"
    )
