"""Drift of one object: what counts as an edit, what does not, and what keeping an edit makes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from bot.cluster.drift import Edit, edits, hidden, kept
from bot.cluster.fields import MISSING, put
from bot.cluster.kinds import kind_of
from bot.cluster.stage import NEVER_AVAILABLE, NEVER_LATE

LAST: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "namespace": "infra", "labels": {"app": "web"}},
    "spec": {
        "replicas": 3,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "web:1",
                        "env": [{"name": "A", "value": ""}],
                        "ports": [{"containerPort": 80}],
                        "resources": {"limits": {"cpu": "1000m", "memory": "1Gi"}},
                    }
                ]
            }
        },
    },
}
CONTAINER = ("spec", "template", "spec", "containers")
DEPLOYMENT = kind_of("apps/v1", "Deployment")


def as_stored() -> dict[str, Any]:
    """The object as an API server keeps it: defaults filled in, empties left out."""
    live = deepcopy(LAST)
    live["metadata"] |= {"uid": "1", "generation": 4, "annotations": {"sluice/fence": "3.1"}}
    live["status"] = {"replicas": 3}
    live["spec"] |= {"strategy": {"type": "RollingUpdate"}, "revisionHistoryLimit": 10}
    (container,) = live["spec"]["template"]["spec"]["containers"]
    container["env"] = [{"name": "A"}]
    container["ports"][0]["protocol"] = "TCP"
    container["resources"]["limits"]["cpu"] = "1"
    container["imagePullPolicy"] = "IfNotPresent"
    return live


def found(live: dict[str, Any], *, begun: bool = False, target: Any = None) -> list[str]:
    wanted = put(LAST, ("spec", "paused"), False) if target is None else target
    return [edit.text for edit in edits(LAST, live, wanted, DEPLOYMENT, begun=begun)]


def test_what_a_server_makes_of_an_object_is_no_edit() -> None:
    """Defaults, empties, amounts in other words, status: asked about each time, nobody would look
    at the real ones.
    """
    assert found(as_stored()) == []


def test_a_sidecar_of_others_is_no_edit() -> None:
    """Injected containers are theirs."""
    live = as_stored()
    live["spec"]["template"]["spec"]["containers"].append({"name": "mesh", "image": "mesh:9"})
    assert found(live) == []


def test_an_autoscaler_is_no_edit_where_the_component_sets_no_replicas() -> None:
    """Where it does set them, two are at work on one field, and somebody has to know."""
    live = put(as_stored(), ("spec", "replicas"), 7)
    without = put(LAST, ("spec", "replicas"), MISSING)
    assert not edits(without, live, without, DEPLOYMENT, begun=False)
    assert found(live) == ["spec.replicas"]
    assert found(live, begun=True) == [], "a scale of the release waits for its last batch"


def test_what_a_surge_of_ours_leaves_is_no_edit() -> None:
    """Between two batches the strategy is ours."""
    last = put(LAST, ("spec", "strategy"), {"type": "RollingUpdate"})
    last = put(last, ("spec", "minReadySeconds"), 10)
    live = as_stored()
    live["spec"] |= {
        "minReadySeconds": NEVER_AVAILABLE,
        "progressDeadlineSeconds": NEVER_LATE,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
    }
    assert not edits(last, live, last, DEPLOYMENT, begun=True)
    by_hand = put(as_stored(), ("spec", "minReadySeconds"), 99)
    assert [e.text for e in edits(last, by_hand, last, DEPLOYMENT, begun=False)]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"image": "web:2"}, "image"),
        ({"env": [{"name": "A", "value": "x"}]}, "env[A].value"),
        ({"env": []}, "env[A]"),
        ({"ports": [{"containerPort": 81}]}, "ports[0].containerPort"),
        ({"resources": {"limits": {"cpu": "2", "memory": "1024Mi"}}}, "resources.limits.cpu"),
    ],
)
def test_an_edit_is_named_by_its_field(change: dict[str, Any], text: str) -> None:
    """Not "the object differs"."""
    live = as_stored()
    live["spec"]["template"]["spec"]["containers"][0] |= change
    assert found(live) == [f"spec.template.spec.containers[web].{text}"]


def test_what_is_as_we_are_about_to_apply_it_is_no_edit() -> None:
    """A lost answer: the write came through, and nobody told us."""
    live = as_stored()
    live["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
    target = deepcopy(LAST)
    target["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
    assert found(live, target=target) == []


def test_keeping_an_edit_keeps_it_where_the_release_does_not_touch_the_field() -> None:
    """The image is the release's; the limit stays as somebody set it; what a batch left does not
    get in.
    """
    live = put(as_stored(), ("spec", "paused"), True)
    (container,) = live["spec"]["template"]["spec"]["containers"]
    container["image"] = "web:1-hotfix"
    container["resources"]["limits"]["memory"] = "4Gi"
    target = deepcopy(LAST)
    target["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
    made = kept(LAST, live, target, DEPLOYMENT, begun=False)
    (now,) = made["spec"]["template"]["spec"]["containers"]
    assert now["image"] == "web:2"
    assert now["resources"]["limits"]["memory"] == "4Gi"
    assert "paused" not in made["spec"]
    assert not edits(made, {**live, "spec": made["spec"]}, made, DEPLOYMENT, begun=False)


def test_the_data_of_a_secret_is_never_shown() -> None:
    """That it was edited, and which key; not from what, nor to what."""
    secret = {"kind": "Secret", "metadata": {"name": "s"}, "data": {"token": "YQ=="}}
    live = put(secret, ("data", "token"), "Yg==")
    (edit,) = edits(secret, live, secret, None, begun=False)
    assert edit.text == "data.token"
    assert hidden("Secret", edit)
    assert not hidden("Secret", Edit(("metadata", "labels", "a"), "1", "2"))
    assert not hidden("ConfigMap", edit)
