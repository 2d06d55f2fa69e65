"""Objects that left the template: which are meant, in which order they go, and which must stay."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.cluster.goal import Leaving
from bot.cluster.kinds import BUILT_IN
from bot.cluster.leftovers import in_order, no_more_rendered, stays
from bot.model.plan import DeleteLists, GuardLists, ObjectRef
from bot.model.seen import ObjectSeen, UnitSeen

OLD = ObjectRef("v1", "ConfigMap", "infra", "old")
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def spec(**more: Any) -> dict[str, Any]:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}}
    return body | {"metadata": {"name": "old", "namespace": "infra"} | more}


def live(fence: str = "3.7", uid: str = "u-1", data: str = "1", **more: Any) -> dict[str, Any]:
    notes = {"annotations": {"sluice/fence": fence} if fence else {}, "uid": uid}
    return spec(**(notes | more)) | {"data": {"a": data}}


def said(found: dict[str, Any], others: dict[str, Any] | None = None, ref: ObjectRef = OLD) -> str:
    one = Leaving(
        ref=ref,
        spec=spec(),
        uid="u-1",
        component="node-agent",
        fence=(4, 2),
        lists=GuardLists(),
    )
    objects = {key: ObjectSeen(ref=OLD, live=obj) for key, obj in (others or {}).items()}
    seen = UnitSeen(unit="node-agent@eu-1", at=NOW, objects=objects)
    return stays(one, found, seen, BUILT_IN)


def test_what_is_ours_and_as_we_left_it_may_go() -> None:
    """Else nothing would ever leave."""
    assert said(live()) == ""


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (live(fence=""), "not-ours"),
        (live(labels={"sluice/component": "other"}), "not-ours"),
        (live(fence="5.1"), "newer"),
        (live(uid="u-2"), "another"),
        (live(data="2"), "edited"),
        (live(annotations={"sluice/fence": "3.7", "helm.sh/resource-policy": "keep"}), "policy"),
    ],
)
def test_what_may_be_somebody_elses_stays(found: dict[str, Any], why: str) -> None:
    """Each by its own reason, for the record."""
    assert said(found) == why


def test_what_is_served_under_another_group_is_the_same_object() -> None:
    """`extensions` and `networking.k8s.io` serve one Ingress: deleting the old name deletes it."""
    assert said(live(), {"networking": live()}) == "same"


def test_what_holds_data_stays() -> None:
    """The built-in list, whatever a component says."""
    claim = ObjectRef("v1", "PersistentVolumeClaim", "infra", "old")
    assert said(live(), ref=claim) == "guarded"


def test_another_version_of_its_api_is_no_leftover() -> None:
    """Deleting the v1beta1 would delete the v1 that was just applied."""
    applied = {"policy/v1beta1/PodDisruptionBudget/infra/a": "x", OLD.key: "y"}
    rendered = [ObjectRef("policy/v1", "PodDisruptionBudget", "infra", "a")]
    assert no_more_rendered(applied, rendered) == {OLD: "y"}


def test_workloads_go_first_and_namespaces_last() -> None:
    """What still runs must not lose what it reads, nor the place that it runs in."""
    workload = ObjectRef("apps/v1", "Deployment", "infra", "old")
    space = ObjectRef("v1", "Namespace", "", "infra")
    refs = {
        ref: {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "metadata": {"name": ref.name, "namespace": ref.namespace},
        }
        for ref in (space, OLD, workload)
    }
    assert in_order(refs) == [workload, OLD, space]


def test_the_strictest_word_of_a_component_counts() -> None:
    """keep over ask over allow; what no list names is asked about."""
    lists = DeleteLists(allow=("*",), ask=("Role/*",), keep=("ConfigMap/old",))
    assert lists.says(OLD) == "keep"
    assert lists.says(ObjectRef("v1", "ConfigMap", "infra", "new")) == "allow"
    assert lists.says(ObjectRef("rbac.authorization.k8s.io/v1", "Role", "infra", "a")) == "ask"
    assert DeleteLists().says(OLD) == "ask"
