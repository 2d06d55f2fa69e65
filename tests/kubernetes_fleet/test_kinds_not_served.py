"""A kind that the cluster does not serve is named, with what is missing: "404" helps nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.adapters.kubernetes_fleet import writing
from bot.adapters.kubernetes_fleet.answers import Answer, answer_of
from bot.adapters.kubernetes_fleet.client import Call
from bot.adapters.kubernetes_fleet.server import Server
from bot.adapters.kubernetes_fleet.writing import Version
from bot.model.effects import Purpose, Write
from bot.model.plan import JSON, ObjectRef
from bot.ports import Refused

ROLLS = ObjectRef("apps.kruise.io/v1beta1", "DaemonSet", "infra", "agent")
RULE = ObjectRef("x.io/v1", "Rule", "infra", "r")
MISSING = answer_of(404, {}, b"404 page not found\n")
SEEN = Version(uid="u", resource_version="1", fence=(), annotated=False)


class Api:
    """An API server that knows groups, and no kind of them."""

    def __init__(self, **groups: list[str]) -> None:
        self.groups = {name.replace("_", "."): versions for name, versions in groups.items()}

    def ask(self, call: Call) -> Answer:
        group = call.path.removeprefix("/apis/")
        if group in self.groups:
            versions = [{"groupVersion": f"{group}/{one}"} for one in self.groups[group]]
            return answer_of(200, {}, json.dumps({"versions": versions}).encode())
        return MISSING


def refused(api: Any, ref: ObjectRef, verb: str) -> str:
    server = Server("eu-1", api)
    body: JSON = {"metadata": {"name": ref.name}}
    write = Write(ref=ref, verb=verb, purpose=Purpose.FORWARD, body=body)

    def sent() -> Any:
        if verb == "patch":
            return writing.patch(server, write, SEEN, fence="1.1", manager="sluice")
        return writing.create(server, write, fence="1.1", manager="sluice")

    with pytest.raises(Refused) as raised:
        sent()
    return str(raised.value)


@pytest.mark.parametrize("verb", ["create", "patch"])
@pytest.mark.parametrize("ref", [ROLLS, RULE])
def test_a_kind_without_a_definition_is_named(ref: ObjectRef, verb: str) -> None:
    """Whoever reads it knows which CRD to bring, and to which cluster."""
    said = refused(Api(), ref, verb)
    assert f"serves no {ref.kind} of {ref.api_version}" in said
    assert "its CustomResourceDefinition is missing" in said
    assert "eu-1" in said
    assert "page not found" not in said


@pytest.mark.parametrize("verb", ["create", "patch"])
def test_another_version_of_the_group_is_told(verb: str) -> None:
    """The operator is older than the template: the template is to be changed, not the cluster."""
    said = refused(Api(apps_kruise_io=["v1alpha1"]), ROLLS, verb)
    assert "of this group it serves apps.kruise.io/v1alpha1" in said


def test_a_version_that_is_served_without_the_kind_lacks_its_definition() -> None:
    """To tell that it serves the very version that was asked for would send nobody anywhere."""
    said = refused(Api(apps_kruise_io=["v1alpha1", "v1beta1"]), ROLLS, "create")
    assert "its CustomResourceDefinition is missing" in said
