"""What belongs to a workload: of custom resources as well, wherever they keep their template."""

from __future__ import annotations

from typing import Any

import pytest

from bot.adapters.kubernetes_fleet.owned import children

WIDGET = ("example.com/v1", "Widget")


class Listing:
    """A namespace with two pods of the widget and one of somebody else; notes what is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []

    def revisions(self, uid: str, mark: str) -> None:
        return None

    def listed(self, api_version: str, kind: str, namespace: str = "", **selectors: str) -> Any:
        self.asked.append((kind, namespace, selectors.get("labelSelector", "")))
        return tuple(_pod(*pod) for pod in (("a", "w"), ("b", "w"), ("c", "x")) if kind == "Pod")


def _pod(name: str, owner: str) -> Any:
    owners = [{"uid": owner}]
    return {"kind": "Pod", "metadata": {"name": name, "namespace": "n", "ownerReferences": owners}}


def widget(**spec: Any) -> Any:
    metadata = {"name": "w", "namespace": "n", "uid": "w"}
    return {"apiVersion": WIDGET[0], "kind": WIDGET[1], "metadata": metadata, "spec": spec}


@pytest.mark.parametrize(
    "spec",
    [{"podTemplate": {}}, {"podTemplate": {}, "selector": {"matchLabels": {"pool": "nodes"}}}],
    ids=["no selector", "a selector of something else"],
)
def test_the_pods_of_a_kind_with_a_row_are_found_without_a_selector(spec: Any) -> None:
    """A row may say that the template stands anywhere: its batch would never see a pod."""
    server: Any = Listing()
    found = children(server, widget(**spec), {WIDGET})
    assert [pod["metadata"]["name"] for pod in found] == ["a", "b"]
    assert server.asked == [("Pod", "n", "")]


def test_an_object_of_a_kind_without_a_row_costs_no_call() -> None:
    """Most custom resources own nothing: a whole namespace is not listed for them."""
    server: Any = Listing()
    assert children(server, widget(selector={"matchLabels": {"a": "b"}})) == ()
    assert server.asked == []


def test_a_selector_beside_a_template_narrows_what_is_asked() -> None:
    server: Any = Listing()
    spec = {"selector": {"matchLabels": {"app": "w"}}, "template": {"spec": {}}}
    found = children(server, widget(**spec), {WIDGET})
    assert [pod["metadata"]["name"] for pod in found] == ["a", "b"]
    assert server.asked == [("ControllerRevision", "n", "app=w"), ("Pod", "n", "app=w")]
