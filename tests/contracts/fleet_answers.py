"""What every API server answers to writes that change nothing, are mistaken, or meet a finalizer.

A subclass gives `AnswerStories` the fixture `world`, as in `tests/contracts/fleet_suite.py`. Each
of these was seen on a real API server first.
"""

from __future__ import annotations

from typing import Any

import pytest

from bot.model.effects import Purpose, Write
from bot.ports import Conflict, Refused
from tests.contracts.fleet_suite import (
    World,
    config_map,
    creating,
    deleting,
    deployment,
    patching,
    ref_of,
)

FINALIZER = "sluice.test/keep"


class AnswerStories:
    """One subclass an adapter; every promise is one test."""

    def write(self, world: World, write: Write, fence: str = "1.1") -> Any:
        return world.fleet.write(world.cluster, write, fence=fence)

    def live(self, world: World, obj: dict[str, Any]) -> Any:
        return world.fleet.get(world.cluster, ref_of(obj))

    def test_the_same_write_again_changes_nothing(self, world: World) -> None:
        """A lost answer is looked after: who writes the same once more moves no version by it."""
        obj = config_map(world, a="1")
        self.write(world, creating(obj))
        first = self.write(world, patching(obj, {"data": {"a": "2"}}), "1.2")
        again = self.write(world, patching(obj, {"data": {"a": "2"}}), "1.2")
        versions = [one["metadata"]["resourceVersion"] for one in (first, again)]
        assert versions[0] == versions[1]
        assert self.live(world, obj)["metadata"]["resourceVersion"] == versions[0]

    def test_the_same_write_again_is_no_new_generation(self, world: World) -> None:
        obj = deployment(world)
        self.write(world, creating(obj))
        body = {"spec": {"minReadySeconds": 3}}
        first = self.write(world, patching(obj, body), "1.2")["metadata"]["generation"]
        assert self.write(world, patching(obj, body), "1.2")["metadata"]["generation"] == first

    def test_who_wrote_is_told_by_name(self, world: World) -> None:
        """Other people's tools, and we ourselves, find out whose field it is."""
        obj = config_map(world, a="1")
        self.write(world, creating(obj))
        managers = {one["manager"] for one in self.live(world, obj)["metadata"]["managedFields"]}
        assert managers == {"sluice"}

    def test_a_finalizer_keeps_a_deleted_object_until_it_is_taken_away(self, world: World) -> None:
        """Deleted is not gone: its name is not free before somebody has cleaned up."""
        obj = config_map(world, a="1")
        obj["metadata"]["finalizers"] = [FINALIZER]
        uid = self.write(world, creating(obj))["metadata"]["uid"]
        self.write(world, deleting(obj, uid), "1.2")
        assert self.live(world, obj)["metadata"]["deletionTimestamp"]
        with pytest.raises(Conflict):
            self.write(world, creating(config_map(world, b="2")), "1.3")
        self.write(world, patching(obj, {"metadata": {"finalizers": None}}), "1.4")
        assert self.live(world, obj) is None

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"metadata": {"labels": {"team": "-no-label-"}}}, "labels"),
            ({"metadata": {"annotations": {"not a key": "x"}}}, "annotations"),
            ({"spec": {"replicas": -1}}, "replicas"),
            ({"spec": {"template": {"metadata": {"labels": {"app": "other"}}}}}, "labels"),
            ({"spec": {"template": {"spec": {"containers": []}}}}, "containers"),
        ],
    )
    def test_a_mistake_is_refused_and_the_field_is_named(
        self, world: World, change: Any, place: str
    ) -> None:
        """On the line of the unit stands what is wrong, not that something is."""
        obj = deployment(world)
        self.write(world, creating(obj))
        before = self.live(world, obj)["spec"]
        with pytest.raises(Refused, match=place):
            self.write(world, patching(obj, change), "1.2")
        assert self.live(world, obj)["spec"] == before

    def test_a_name_that_is_none_is_refused(self, world: World) -> None:
        with pytest.raises(Refused, match=r"metadata\.name"):
            self.write(world, creating(config_map(world, "Not_A_Name")))

    def test_deleting_what_is_not_there_is_a_conflict_by_its_uid(self, world: World) -> None:
        """Somebody else was faster: what was meant is done, and the next look tells."""
        obj = config_map(world)
        made = self.write(world, creating(obj))
        self.write(world, deleting(obj, made["metadata"]["uid"]), "1.2")
        with pytest.raises(Conflict):
            self.write(world, deleting(obj, made["metadata"]["uid"]), "1.3")

    def test_a_delete_holds_only_for_the_version_that_was_seen(self, world: World) -> None:
        """What somebody wrote in between is not deleted with it."""
        obj = config_map(world, a="1")
        seen = self.write(world, creating(obj))["metadata"]
        self.write(world, patching(obj, {"data": {"a": "2"}}), "1.2")
        stale = Write(
            ref=ref_of(obj),
            verb="delete",
            purpose=Purpose.RESTORE,
            uid=seen["uid"],
            resource_version=seen["resourceVersion"],
        )
        with pytest.raises(Conflict):
            self.write(world, stale, "1.3")
        assert self.live(world, obj)["data"] == {"a": "2"}
