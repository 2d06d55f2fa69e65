"""What every adapter of the `Fleet` port must do, told on one cluster.

An adapter's test module names a subclass of `FleetStories` and gives it the fixture `world`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import pytest

from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.ports import Conflict, Fenced, Fleet, Refused, Unreachable


class World(Protocol):
    """A fleet with one cluster of at least three nodes in which the stories may write."""

    cluster: str
    namespace: str

    @property
    def fleet(self) -> Fleet: ...

    def until(self, holds: Callable[[], bool]) -> None:
        """Let time pass until something holds; fails when it never does."""
        ...


def config_map(world: World, name: str = "settings", **data: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": world.namespace},
        "data": data,
    }


def deployment(world: World, version: str = "1", **spec: Any) -> dict[str, Any]:
    labels = {"app": "web"}
    containers = [{"name": "web", "image": f"registry.local/web:{version}"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": world.namespace, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            **spec,
        },
    }


def daemon_set(world: World, version: str = "1") -> dict[str, Any]:
    obj = deployment(world, version)
    del obj["spec"]["replicas"]
    return obj | {"kind": "DaemonSet", "metadata": obj["metadata"] | {"name": "agent"}}


def ref_of(obj: dict[str, Any]) -> ObjectRef:
    metadata = obj["metadata"]
    namespace = metadata.get("namespace", "")
    return ObjectRef(obj["apiVersion"], obj["kind"], namespace, metadata["name"])


def creating(obj: dict[str, Any]) -> Write:
    return Write(ref=ref_of(obj), verb="create", purpose=Purpose.FORWARD, body=obj)


def patching(obj: dict[str, Any], body: Any, version: str | None = None) -> Write:
    return Write(
        ref=ref_of(obj),
        verb="patch",
        purpose=Purpose.FORWARD,
        body=body,
        resource_version=version,
    )


def deleting(obj: dict[str, Any], uid: str | None = None) -> Write:
    return Write(ref=ref_of(obj), verb="delete", purpose=Purpose.RESTORE, uid=uid)


class FleetStories:
    """The port's promises."""

    def make(self, world: World, obj: dict[str, Any], fence: str = "1.1") -> Any:
        return world.fleet.write(world.cluster, creating(obj), fence=fence)

    def live(self, world: World, obj: dict[str, Any]) -> Any:
        return world.fleet.get(world.cluster, ref_of(obj))

    def observed(self, world: World, obj: dict[str, Any]) -> bool:
        live = self.live(world, obj)
        generation = live["metadata"]["generation"]
        return bool(live.get("status", {}).get("observedGeneration", 0) >= generation)

    # -- who it is

    def test_a_cluster_has_an_identity_that_stays(self, world: World) -> None:
        """A cluster that was rebuilt, or a connection that points elsewhere, is found out by it."""
        uid = world.fleet.uid(world.cluster)
        assert uid
        assert world.fleet.uid(world.cluster) == uid

    def test_a_cluster_that_nobody_named_cannot_be_reached(self, world: World) -> None:
        with pytest.raises(Unreachable):
            world.fleet.uid("nobody-named-it")
        with pytest.raises(Unreachable):
            world.fleet.get("nobody-named-it", ref_of(config_map(world)))

    # -- its nodes

    def test_its_nodes_are_told_by_name_with_their_labels(self, world: World) -> None:
        """Node sets are chosen by labels, and every node says at least its own name."""
        nodes = world.fleet.nodes(world.cluster)
        names = [node["metadata"]["name"] for node in nodes]
        assert len(names) >= 3
        assert names == sorted(names)
        labels = [node["metadata"]["labels"]["kubernetes.io/hostname"] for node in nodes]
        assert labels == names

    # -- creating

    def test_every_object_of_a_kind_is_told_by_namespace_and_name(self, world: World) -> None:
        """A sharded operator is judged by all that it reconciles, wherever that is."""
        for name in ("b", "a"):
            self.make(world, config_map(world, name, level="info"))
        self.make(world, deployment(world))
        found = world.fleet.every(world.cluster, "v1", "ConfigMap")
        places = [(one["metadata"]["namespace"], one["metadata"]["name"]) for one in found]
        assert places == sorted(places)
        assert {(world.namespace, "a"), (world.namespace, "b")} <= set(places)
        assert all((one["apiVersion"], one["kind"]) == ("v1", "ConfigMap") for one in found)
        names = [one["metadata"]["name"] for one in world.fleet.every(world.cluster, "v1", "Node")]
        assert names == [one["metadata"]["name"] for one in world.fleet.nodes(world.cluster)]
        spaces = world.fleet.every(world.cluster, "v1", "Namespace")
        assert "kube-system" in [one["metadata"]["name"] for one in spaces]
        assert world.fleet.every(world.cluster, "example.com/v1", "Nothing") == ()

    def test_what_is_not_there_is_none(self, world: World) -> None:
        assert self.live(world, config_map(world)) is None

    def test_what_was_created_is_there_with_what_the_server_adds(self, world: World) -> None:
        answer = self.make(world, config_map(world, level="info"))
        live = self.live(world, config_map(world))
        assert live["data"] == {"level": "info"}
        assert live["metadata"]["uid"]
        assert live["metadata"]["resourceVersion"] == answer["metadata"]["resourceVersion"]
        assert live["metadata"]["creationTimestamp"].endswith("Z")

    def test_creating_what_exists_is_a_conflict(self, world: World) -> None:
        """Two who install at once: the second looks again, and does not overwrite."""
        self.make(world, config_map(world, level="info"))
        with pytest.raises(Conflict):
            self.make(world, config_map(world, level="debug"), fence="1.2")
        assert self.live(world, config_map(world))["data"] == {"level": "info"}

    def test_an_invalid_object_is_refused(self, world: World) -> None:
        broken = deployment(world)
        del broken["spec"]["selector"]
        with pytest.raises(Refused):
            self.make(world, broken)
        assert self.live(world, broken) is None

    # -- patching

    def test_a_merge_patch_changes_adds_and_takes_away(self, world: World) -> None:
        obj = config_map(world, a="1", b="2")
        self.make(world, obj)
        patch = patching(obj, {"data": {"a": "9", "b": None, "c": "3"}})
        world.fleet.write(world.cluster, patch, fence="1.2")
        assert self.live(world, obj)["data"] == {"a": "9", "c": "3"}

    def test_a_patch_holds_only_for_the_version_that_was_seen(self, world: World) -> None:
        """Somebody wrote in between: the plan was made on something that is gone."""
        obj = config_map(world, a="1")
        seen = self.make(world, obj)["metadata"]["resourceVersion"]
        world.fleet.write(world.cluster, patching(obj, {"data": {"a": "2"}}, seen), fence="1.2")
        with pytest.raises(Conflict):
            world.fleet.write(world.cluster, patching(obj, {"data": {"a": "3"}}, seen), fence="1.3")
        assert self.live(world, obj)["data"] == {"a": "2"}

    def test_patching_what_is_not_there_is_refused(self, world: World) -> None:
        with pytest.raises(Refused):
            world.fleet.write(world.cluster, patching(config_map(world), {"data": {}}), fence="1.1")

    def test_a_workload_s_selector_cannot_be_changed(self, world: World) -> None:
        obj = deployment(world)
        self.make(world, obj)
        labels = {"app": "other"}
        spec = {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}},
        }
        with pytest.raises(Refused):
            world.fleet.write(world.cluster, patching(obj, {"spec": spec}), fence="1.2")

    def test_generation_counts_changes_of_the_spec_only(self, world: World) -> None:
        """The certificate's first condition stands on it."""
        obj = daemon_set(world)
        first = self.make(world, obj)["metadata"]["generation"]
        labels = {"metadata": {"labels": {"team": "net"}}}
        world.fleet.write(world.cluster, patching(obj, labels), fence="1.2")
        assert self.live(world, obj)["metadata"]["generation"] == first
        changed = {"spec": {"minReadySeconds": 3}}
        world.fleet.write(world.cluster, patching(obj, changed), fence="1.3")
        assert self.live(world, obj)["metadata"]["generation"] == first + 1

    def test_a_deployment_s_generation_counts_its_annotations_too(self, world: World) -> None:
        """Every write leaves its fence there: its controller must observe it once more."""
        obj = deployment(world)
        first = self.make(world, obj)["metadata"]["generation"]
        labels = {"metadata": {"labels": {"team": "net"}}}
        world.fleet.write(world.cluster, patching(obj, labels), fence="1.1")
        assert self.live(world, obj)["metadata"]["generation"] == first
        world.fleet.write(world.cluster, patching(obj, labels), fence="1.2")
        assert self.live(world, obj)["metadata"]["generation"] == first + 1

    # -- fences

    def test_a_write_leaves_its_fence(self, world: World) -> None:
        self.make(world, config_map(world), fence="7.3")
        notes = self.live(world, config_map(world))["metadata"]["annotations"]
        assert notes["sluice/fence"] == "7.3"

    def test_an_older_plan_never_overwrites_a_newer_one(self, world: World) -> None:
        """Compared as numbers: 9 is older than 10."""
        obj = config_map(world, a="new")
        self.make(world, obj, fence="10.2")
        for older in ("9.9", "10.1"):
            with pytest.raises(Fenced):
                world.fleet.write(world.cluster, patching(obj, {"data": {"a": "x"}}), fence=older)
            with pytest.raises(Fenced):
                world.fleet.write(world.cluster, deleting(obj), fence=older)
        assert self.live(world, obj)["data"] == {"a": "new"}

    def test_the_same_fence_may_write_again(self, world: World) -> None:
        """A repeated write is harmless, so it is not refused."""
        obj = config_map(world, a="1")
        self.make(world, obj, fence="10.2")
        world.fleet.write(world.cluster, patching(obj, {"data": {"a": "2"}}), fence="10.2")
        world.fleet.write(world.cluster, patching(obj, {"data": {"a": "3"}}), fence="10.3")
        assert self.live(world, obj)["data"] == {"a": "3"}

    # -- asking first

    def ask(self, world: World, write: Write, fence: str = "1.2") -> tuple[str, ...]:
        return world.fleet.dry_run(world.cluster, write, fence=fence)

    def test_a_dry_run_changes_nothing(self, world: World) -> None:
        """Nobody can tell afterwards that it was asked."""
        obj = config_map(world, a="1")
        assert self.ask(world, creating(obj)) == ()
        assert self.live(world, obj) is None
        self.make(world, obj)
        before = self.live(world, obj)
        assert self.ask(world, patching(obj, {"data": {"a": "2"}})) == ()
        assert self.live(world, obj) == before

    def test_a_dry_run_says_what_the_write_would_be_refused_for(self, world: World) -> None:
        """Known before the first of several objects is written, not after half of them."""
        broken = deployment(world, replicas=-1)
        with pytest.raises(Refused, match="replicas"):
            self.ask(world, creating(broken))
        obj = deployment(world)
        self.make(world, obj)
        with pytest.raises(Conflict):
            self.ask(world, creating(obj))
        with pytest.raises(Refused, match="selector"):
            self.ask(world, patching(obj, {"spec": {"selector": {"matchLabels": {"app": "x"}}}}))
        with pytest.raises(Refused, match="not found"):
            self.ask(world, patching(config_map(world), {"data": {}}))

    def test_a_dry_run_is_fenced_as_the_write_is(self, world: World) -> None:
        obj = config_map(world, a="1")
        seen = self.make(world, obj, fence="10.2")["metadata"]["resourceVersion"]
        with pytest.raises(Fenced):
            self.ask(world, patching(obj, {"data": {"a": "x"}}), fence="9.9")
        with pytest.raises(Conflict):
            self.ask(world, patching(obj, {"data": {"a": "x"}}, f"{seen}0"), fence="10.3")

    # -- deleting

    def test_what_was_deleted_is_gone(self, world: World) -> None:
        obj = config_map(world)
        uid = self.make(world, obj)["metadata"]["uid"]
        assert world.fleet.write(world.cluster, deleting(obj, uid), fence="1.2") is None
        assert self.live(world, obj) is None

    def test_a_delete_is_for_this_object_not_for_its_name(self, world: World) -> None:
        obj = config_map(world)
        first = self.make(world, obj)["metadata"]["uid"]
        world.fleet.write(world.cluster, deleting(obj, first), fence="1.2")
        self.make(world, obj, fence="1.3")
        with pytest.raises(Conflict):
            world.fleet.write(world.cluster, deleting(obj, first), fence="1.4")
        assert self.live(world, obj) is not None

    # -- workloads

    def test_a_deployment_s_pods_belong_to_it_through_its_replica_set(self, world: World) -> None:
        obj = deployment(world)
        self.make(world, obj)
        world.until(lambda: self.live(world, obj).get("status", {}).get("availableReplicas") == 2)
        live = self.live(world, obj)
        children = world.fleet.children(world.cluster, live)
        (replica_set,) = [c for c in children if c["kind"] == "ReplicaSet"]
        pods = [c for c in children if c["kind"] == "Pod"]
        assert len(pods) == 2
        assert _owner(replica_set) == live["metadata"]["uid"]
        assert {_owner(p) for p in pods} == {replica_set["metadata"]["uid"]}
        revision = replica_set["metadata"]["labels"]["pod-template-hash"]
        assert {p["metadata"]["labels"]["pod-template-hash"] for p in pods} == {revision}

    def test_a_daemon_set_runs_on_every_node_and_keeps_its_revisions(self, world: World) -> None:
        obj = daemon_set(world)
        self.make(world, obj)
        world.until(lambda: self._all_available(world, obj))
        live = self.live(world, obj)
        children = world.fleet.children(world.cluster, live)
        pods = [c for c in children if c["kind"] == "Pod"]
        (revision,) = [c for c in children if c["kind"] == "ControllerRevision"]
        assert (
            len({p["spec"]["nodeName"] for p in pods}) == live["status"]["desiredNumberScheduled"]
        )
        hashes = {p["metadata"]["labels"]["controller-revision-hash"] for p in pods}
        assert hashes == {revision["metadata"]["labels"]["controller-revision-hash"]}

    def test_a_deleted_pod_is_replaced(self, world: World) -> None:
        obj = daemon_set(world)
        self.make(world, obj)
        world.until(lambda: self._all_available(world, obj))
        pod = self._pods(world, obj)[0]
        uid = pod["metadata"]["uid"]
        world.fleet.write(world.cluster, deleting(pod, uid), fence="1.2")
        world.until(
            lambda: (
                self._all_available(world, obj)
                and uid not in {p["metadata"]["uid"] for p in self._pods(world, obj)}
            )
        )

    def test_a_newer_template_is_a_newer_revision(self, world: World) -> None:
        """On delete, nothing rolls by itself; the newest revision is known all the same."""
        obj = daemon_set(world)
        obj["spec"]["updateStrategy"] = {"type": "OnDelete"}
        self.make(world, obj)
        world.until(lambda: self._all_available(world, obj))
        template = daemon_set(world, "2")["spec"]["template"]
        world.fleet.write(
            world.cluster, patching(obj, {"spec": {"template": template}}), fence="1.2"
        )
        world.until(lambda: self.observed(world, obj))
        children = world.fleet.children(world.cluster, self.live(world, obj))
        stored = [c for c in children if c["kind"] == "ControllerRevision"]
        newest = max(stored, key=lambda c: c["revision"])
        image = newest["data"]["spec"]["template"]["spec"]["containers"][0]["image"]
        assert image == "registry.local/web:2"
        running = {p["spec"]["containers"][0]["image"] for p in self._pods(world, obj)}
        assert running == {"registry.local/web:1"}

    def test_children_of_an_object_that_is_gone_are_none(self, world: World) -> None:
        """By owner reference, not by name: a new object of the name has other children."""
        obj = deployment(world)
        self.make(world, obj)
        world.until(lambda: self.observed(world, obj))
        gone = self.live(world, obj)
        world.fleet.write(world.cluster, deleting(obj, gone["metadata"]["uid"]), fence="1.2")
        world.until(lambda: self.live(world, obj) is None)
        # What it owned is taken away behind it: at once in memory, in a while by a real collector.
        world.until(lambda: world.fleet.children(world.cluster, gone) == ())
        self.make(world, obj, fence="1.3")
        world.until(lambda: self.observed(world, obj))
        assert world.fleet.children(world.cluster, gone) == ()
        assert world.fleet.children(world.cluster, self.live(world, obj)) != ()

    def _pods(self, world: World, obj: dict[str, Any]) -> list[Any]:
        children = world.fleet.children(world.cluster, self.live(world, obj))
        pods = [c for c in children if c["kind"] == "Pod"]
        return [p for p in pods if "deletionTimestamp" not in p["metadata"]]

    def _all_available(self, world: World, obj: dict[str, Any]) -> bool:
        status = self.live(world, obj).get("status", {})
        wanted = status.get("desiredNumberScheduled", 0)
        return bool(
            self.observed(world, obj) and wanted > 0 and status.get("numberAvailable") == wanted
        )


def _owner(obj: Any) -> str:
    (owner,) = obj["metadata"]["ownerReferences"]
    return str(owner["uid"])
