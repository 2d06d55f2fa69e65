"""What every adapter of the `Fleet` port must make of the three types of patches.

A subclass gives `PatchStories` the fixture `world`, as in `tests/contracts/fleet_suite.py`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.model.effects import PatchType
from bot.ports import Conflict, Refused
from tests.contracts.fleet_suite import World, config_map, creating, deployment, patching, ref_of

MESH = {"name": "mesh", "image": "registry.local/mesh:1"}


class PatchStories:
    """One subclass an adapter; every promise about patches is one test."""

    def send(self, world: World, obj: Any, body: Any, kind: PatchType, seen: Any = None) -> Any:
        write = replace(patching(obj, body, seen), patch_type=kind)
        world.fleet.write(world.cluster, write, fence="1.2")
        return world.fleet.get(world.cluster, ref_of(obj))

    def made(self, world: World, obj: Any) -> Any:
        world.fleet.write(world.cluster, creating(obj), fence="1.1")
        return world.fleet.get(world.cluster, ref_of(obj))

    def test_a_strategic_patch_leaves_what_others_injected(self, world: World) -> None:
        """The sidecar of a mesh stays beside our container, whose image alone is named."""
        obj = deployment(world)
        obj["spec"]["template"]["spec"]["containers"].append(MESH)
        self.made(world, obj)
        ours = {"name": "web", "image": "registry.local/web:2"}
        body = {"spec": {"template": {"spec": {"containers": [ours]}}}}
        live = self.send(world, obj, body, PatchType.STRATEGIC)
        containers = live["spec"]["template"]["spec"]["containers"]
        images = [(one["name"], one["image"]) for one in containers]
        assert images == [("web", "registry.local/web:2"), ("mesh", "registry.local/mesh:1")]

    def test_a_strategic_patch_takes_one_container_out(self, world: World) -> None:
        obj = deployment(world)
        obj["spec"]["template"]["spec"]["containers"].append(MESH)
        self.made(world, obj)
        gone = {"name": "mesh", "$patch": "delete"}
        body = {"spec": {"template": {"spec": {"containers": [gone]}}}}
        live = self.send(world, obj, body, PatchType.STRATEGIC)
        assert [c["name"] for c in live["spec"]["template"]["spec"]["containers"]] == ["web"]

    def test_a_strategic_patch_puts_elements_into_our_order(self, world: World) -> None:
        obj = deployment(world)
        obj["spec"]["template"]["spec"]["containers"].append(MESH)
        self.made(world, obj)
        order = {"$setElementOrder/containers": [{"name": "mesh"}, {"name": "web"}]}
        body = {"spec": {"template": {"spec": order}}}
        live = self.send(world, obj, body, PatchType.STRATEGIC)
        names = [c["name"] for c in live["spec"]["template"]["spec"]["containers"]]
        assert names == ["mesh", "web"]

    def test_a_strategic_patch_clears_what_is_not_retained(self, world: World) -> None:
        """Recreate with rollingUpdate left beside it would be refused."""
        obj = deployment(world)
        self.made(world, obj)
        body = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
        live = self.send(world, obj, body, PatchType.STRATEGIC)
        assert live["spec"]["strategy"] == {"type": "Recreate"}

    def test_a_strategic_patch_holds_only_for_the_version_that_was_seen(self, world: World) -> None:
        obj = config_map(world, a="1")
        seen = self.made(world, obj)["metadata"]["resourceVersion"]
        self.send(world, obj, {"data": {"a": "2"}}, PatchType.STRATEGIC, seen)
        with pytest.raises(Conflict):
            self.send(world, obj, {"data": {"a": "3"}}, PatchType.STRATEGIC, seen)

    def test_a_merge_patch_replaces_a_list(self, world: World) -> None:
        obj = deployment(world)
        obj["spec"]["template"]["spec"]["containers"].append(MESH)
        self.made(world, obj)
        only = {"name": "web", "image": "registry.local/web:2"}
        body = {"spec": {"template": {"spec": {"containers": [only]}}}}
        live = self.send(world, obj, body, PatchType.MERGE)
        assert [c["name"] for c in live["spec"]["template"]["spec"]["containers"]] == ["web"]

    def test_a_json_patch_does_all_of_its_operations_or_none(self, world: World) -> None:
        obj = config_map(world, a="1", b="2")
        self.made(world, obj)
        sure = [{"op": "test", "path": "/data/a", "value": "1"}]
        body: Any = [*sure, {"op": "replace", "path": "/data/b", "value": "9"}]
        assert self.send(world, obj, body, PatchType.JSON)["data"] == {"a": "1", "b": "9"}
        wrong = [{"op": "remove", "path": "/data/a"}, {"op": "test", "path": "/data/b", "value": 1}]
        with pytest.raises(Refused):
            self.send(world, obj, wrong, PatchType.JSON)
        live = world.fleet.get(world.cluster, ref_of(obj))
        assert live is not None
        assert live["data"] == {"a": "1", "b": "9"}


class CustomPatchStories(PatchStories):
    """For clusters with OpenKruise's kinds as well."""

    def test_a_strategic_patch_of_a_custom_resource_is_refused(self, world: World) -> None:
        """Its lists have no merge keys: the server says 415 and nothing is written."""
        obj = deployment(world) | {"apiVersion": "apps.kruise.io/v1alpha1", "kind": "CloneSet"}
        before = self.made(world, obj)
        with pytest.raises(Refused, match="unknown format"):
            self.send(world, obj, {"spec": {"replicas": 5}}, PatchType.STRATEGIC)
        live = world.fleet.get(world.cluster, ref_of(obj))
        assert live is not None
        assert live["spec"] == before["spec"]
