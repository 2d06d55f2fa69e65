"""What a plan says of objects that grow or shrink, and of labels that something selects pods by."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from bot.core.plan_content import of_the_content
from bot.core.plan_shown import NOTHING_KNOWN
from bot.model.plan import ObjectRef, PlannedObject

WORKLOAD = ObjectRef("apps/v1", "Deployment", "infra", "agent")
CONFIG = ObjectRef("v1", "ConfigMap", "infra", "agent")


def workload(selector: dict[str, str], **labels: str) -> Any:
    spec = {"selector": {"matchLabels": selector}, "template": {"metadata": {"labels": labels}}}
    return {"kind": "Deployment", "spec": spec}


def said(before: Sequence[tuple[ObjectRef, Any]], after: Sequence[tuple[ObjectRef, Any]],
         units: Sequence[str] = ("a@x", "a@y")) -> list[str]:  # fmt: skip
    """What is told of two clusters that have and get these objects."""
    blobs: dict[str, Any] = {}

    def planned(objects: Sequence[tuple[ObjectRef, Any]]) -> tuple[PlannedObject, ...]:
        for _, obj in objects:
            blobs[str(obj)] = obj
        return tuple(PlannedObject(ref, str(obj)) for ref, obj in objects)

    had, has = planned(before), planned(after)
    plan: Any = SimpleNamespace(
        units=[SimpleNamespace(unit=u, cluster=u[2:], objects=has) for u in units]
    )
    return list(of_the_content(plan, dict.fromkeys(units, had), blobs.get, NOTHING_KNOWN))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (4000, 4100, ""),
        (4000, 5900, ""),
        (4000, 6200, "ConfigMap infra/agent becomes 1.5 times as large in 2 units"),
        (4000, 1000, "ConfigMap infra/agent loses 75% of what it holds in 2 units"),
        (100, 400, ""),  # four times as large, and small all the same
    ],
)
def test_what_grows_by_half_or_loses_half_is_told(before: int, after: int, told: str) -> None:
    """A generated file that is twice as long has hurt more people than one that is wrong."""
    lines = said([(CONFIG, {"data": "x" * before})], [(CONFIG, {"data": "x" * after})])
    assert [line.partition(" (")[0] for line in lines] == [told] * bool(told)


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("Service", {"selector": {"role": "edge"}}),
        ("PodDisruptionBudget", {"selector": {"matchLabels": {"role": "edge"}}}),
        ("NetworkPolicy", {"podSelector": {"matchLabels": {"role": "edge"}}}),
    ],
)
def test_whatever_selects_pods_is_asked(kind: str, spec: Any) -> None:
    """A budget or a policy that selects nobody protects nobody, and nobody notices."""
    ref = ObjectRef("v1", kind, "infra", "edge")
    own = {"app": "agent"}
    before = [(WORKLOAD, workload(own, app="agent", role="edge")), (ref, {"spec": spec})]
    dropped = [(WORKLOAD, workload(own, app="agent")), (ref, {"spec": spec})]
    (line,) = said(before, dropped)
    assert line.startswith(f"{kind} infra/edge selects pods of Deployment infra/agent by role=edge")
    assert "(2 units)" in line
    left_behind = dropped[:1]
    assert said(before, left_behind) == [line], "what is no longer rendered stays there"


def test_no_alarm_where_nobody_is_left_alone() -> None:
    """A label that nobody selects goes unsaid; so does one that its selector follows."""
    own = {"app": "agent"}
    before = [(WORKLOAD, workload(own, app="agent", role="edge"))]
    assert said(before, [(WORKLOAD, workload(own, app="agent"))]) == []
    other = ObjectRef("v1", "Service", "elsewhere", "edge")
    service = (other, {"spec": {"selector": {"role": "edge"}}})
    dropped = (WORKLOAD, workload(own, app="agent"))
    assert said([*before, service], [dropped, service]) == [], "another namespace"
    here = ObjectRef("v1", "Service", "infra", "edge")
    follows = (here, {"spec": {"selector": {"app": "agent"}}})
    was = (here, {"spec": {"selector": {"role": "edge"}}})
    assert said([*before, was], [dropped, follows]) == []


def test_a_workload_that_loses_its_own_label_is_told() -> None:
    """The cluster would refuse it at the first batch; the plan knows before."""
    before = [(WORKLOAD, workload({"app": "agent"}, app="agent"))]
    (line,) = said(before, [(WORKLOAD, workload({"app": "agent"}, app="other"))])
    assert "by app=agent" in line
