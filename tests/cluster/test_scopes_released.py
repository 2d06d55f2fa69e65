"""Releases of parts of a cluster by the whole bot: node sets, namespaces and single nodes.

One long story a scope, on a real cluster: who is not yet to be touched is looked at all the while.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.model.state import UnitPhase
from tests.cluster.api import Object, is_ready
from tests.cluster.control_plane import Cluster
from tests.cluster.kinds import KINDS
from tests.cluster.machines import API, Controller, component_set, machines, reported
from tests.cluster.waiting import wait_until
from tests.cluster.whole_bot import WholeBot, as_template, counts, of_version, version_of
from tests.cluster.workloads import workload

POOL = "machines"
RING = "sluice.test/ring"
CANARIES = ["machine-0", "machine-1", "machine-2"]
OLD, NEW, LAST = "2.4.1", "2.5.0", "2.6.0"
ONE_BY_ONE: dict[str, Any] = {"rollingUpdate": {"maxUnavailable": 1}, "type": "RollingUpdate"}
SHAPES: dict[str, dict[str, Any]] = {
    "DaemonSet": {"kind": "DaemonSet", "updateStrategy": ONE_BY_ONE},
    "DaemonSet-OnDelete": KINDS["DaemonSet-OnDelete"],
}
MACHINES = "MachineComponentSet"


class OnNodes(WholeBot):
    """Something that is once on each of ten nodes, released by parts of them."""

    def __init__(
        self, folder: Path, cluster: Cluster, namespace: str, kind: str, **places: Any
    ) -> None:
        self.namespace, self.kind = namespace, kind
        if kind == MACHINES:
            self.made = component_set(namespace, "{{ version }}", maxUnavailable=1)
        else:
            notes = {"sluice.test/ready-after": "300ms"}
            spec = SHAPES[kind] | {"pool": POOL, "notes": notes}
            self.made = workload(namespace=namespace, image="agent:{{ version }}", **spec)
        template = as_template(self.made)
        cluster.api.create(*of_version(template, OLD))
        scope = places.pop("scope")
        component = {"scope": scope, "batches": [1, "50%", "100%"]}
        super().__init__(folder, cluster, template, component=component, places=places)
        self.joined: set[str] = set()
        """Nodes whose pod was made of the newest template: no kind can prevent that."""
        wait_until(lambda: self.on(OLD) == self.nodes() and self.all_ready(), "the old one", 60)
        self.after_tick = self.look

    def unit_of(self, part: str) -> str:
        return f"node-agent@{self.cluster.name}/{part}"

    def is_as_audited(self, release: str) -> None:
        if self.kind != MACHINES:  # whose certificates name nodes, not pods
            super().is_as_audited(release)

    # what is there

    def nodes(self) -> list[str]:
        return sorted(node["metadata"]["name"] for node in self._nodes())

    def on(self, version: str) -> list[str]:
        """The nodes that have it."""
        return sorted(name for name, found in self.versions().items() if found == version)

    def versions(self) -> dict[str, str]:
        if self.kind == MACHINES:
            return {node["metadata"]["name"]: reported(node) for node in self._nodes()}
        pods = self.pods(self.namespace)
        return {pod["spec"].get("nodeName", ""): version_of(pod) for pod in pods}

    def all_ready(self) -> bool:
        if self.kind == MACHINES:
            return all(map(is_ready, self._nodes()))
        pods = self.pods(self.namespace)
        return len(pods) == len(self.nodes()) and all(map(is_ready, pods))

    def members(self, part: str) -> set[str]:
        """The nodes of a unit, as its file says."""
        what, _, name = part.partition(":")
        if what == "node":
            return {name}
        canary = {n["metadata"]["name"] for n in self._nodes() if RING in n["metadata"]["labels"]}
        return canary if name == "canary" else set(self.nodes()) - canary

    def spec(self) -> Object:
        """But for gates that are open, and what the server fills in."""
        api = API if self.kind == MACHINES else "apps/v1"
        kind = MACHINES if self.kind == MACHINES else "DaemonSet"
        found: Object = self.cluster.api.get(kind, "agent", self.namespace, api)["spec"]
        found.pop("version", None)
        found.pop("template", None)
        return {name: value for name, value in found.items() if value not in (0, False)}

    def look(self) -> None:
        """In each part as many nodes as its batch allows, and nobody of a part before its turn."""
        versions = self.versions()
        for release in self.world.bot.board.releases.values():
            for state in release.units.values():
                version = release.index.component(release.index.units[state.unit]).version
                members = self.members(state.unit.partition("/")[2]) - self.joined
                there = sorted(name for name in members if versions.get(name) == version)
                allowed = sum(state.targets.values())
                assert len(there) <= allowed, (state.unit, there, allowed, state.phase)

    def _nodes(self) -> list[Object]:
        return self.cluster.api.listed("Node", labels=f"pool={POOL}")

    # what happens

    def joins(self, name: str) -> None:
        self.joined.add(name)
        self.cluster.add_nodes(name, pool=POOL)

    def leaves(self, name: str) -> None:
        self.cluster.remove_node(name)

    def until_on(self, part: str, version: str, number: int) -> None:
        """Until so many nodes of the part have it, in the middle of whatever batch."""
        self.until(
            lambda: len(self.members(part) & set(self.on(version))) >= number,
            f"{number} nodes of {part} have {version}",
        )

    def stands_still(self, release: str) -> None:
        """What rolls is stopped, and nothing is written any more."""
        units = self.world.active(release).units.values
        self.until(lambda: all(u.look_at is None for u in units() if u.in_flight), "it is stopped")
        self.until(self.all_ready, "what was under way arrives")
        stopped, sent = self.versions(), len(self.outcomes())
        self.for_a_while()
        assert self.versions() == stopped
        assert len(self.outcomes()) == sent, "a stopped cluster is left alone"


@pytest.fixture
def ten_machines(cluster: Cluster, namespace: str) -> Iterator[None]:
    """Ten nodes that nothing else runs on, three of them canaries."""
    machines(cluster)
    for name in CANARIES:
        cluster.api.merge("Node", name, {"metadata": {"labels": {RING: "canary"}}})
    operator = Controller(cluster.api, namespace)
    yield
    operator.close()
    for node in cluster.api.listed("Node", labels=f"pool={POOL}"):
        cluster.remove_node(node["metadata"]["name"])


CANARY, REST = "nodeSet:canary", "nodeSet:rest"


@pytest.mark.parametrize("kind", [*SHAPES, MACHINES])
def test_node_sets_one_after_another_while_nodes_come_and_go(
    cluster: Cluster, namespace: str, ten_machines: None, tmp_path: Path, kind: str
) -> None:
    """The canaries, then the rest, in batches of each; the second release is taken back in the
    middle of the rest, and takes the canaries along: one object cannot be of two versions."""
    sets = [{"name": "canary", "selector": {"matchLabels": {RING: "canary"}}}]
    story = OnNodes(tmp_path, cluster, namespace, kind, scope="nodeSet", nodeSets=sets)
    try:
        before = story.spec()
        first = story.release(NEW)
        through_both_sets(story, first)
        assert story.spec() == before, "what was borrowed is given back"
        story.is_as_audited(first)
        taken_back_in_the_middle(story, story.release(LAST))
        assert story.spec() == before
    finally:
        story.close()


def through_both_sets(story: OnNodes, release: str) -> None:
    canary, rest = story.unit_of(CANARY), story.unit_of(REST)
    story.until_on(CANARY, NEW, 2)
    story.says(f"pause {release} --finish-batch lunch")
    story.until_batch(release, canary, 2)
    story.for_a_while(0.4)
    assert len(story.on(NEW)) == 2, "not one more for as long as nobody says so"
    story.says(f"resume {release}")
    story.until_batch(release, rest, 1)
    assert set(story.on(NEW)) > set(CANARIES)
    assert story.state(release, canary).phase is UnitPhase.SUCCEEDED
    assert story.state(release, canary).total == len(CANARIES)

    story.until_on(REST, NEW, 2)
    assert story.state(release, rest).batch == 2, "in the middle of it"
    story.joins("machine-more")
    story.leaves(next(name for name in story.on(OLD) if name in story.members(REST)))
    story.until_batch(release, rest, 2)
    assert "machine-more" in story.on(NEW)
    assert story.on(OLD), "others of the rest wait for the last batch"

    done = len(story.on(NEW))
    story.until(lambda: len(story.on(NEW)) > done, "the last batch has begun")
    story.says(f"pause {release} it smells")
    story.stands_still(release)
    assert story.on(OLD), "stopped in the middle of its last batch"
    story.says(f"resume {release}")
    story.until_ended(release)
    assert story.on(NEW) == story.nodes()
    assert story.all_ready()
    story.joined.clear()


def taken_back_in_the_middle(story: OnNodes, release: str) -> None:
    canary, rest = story.unit_of(CANARY), story.unit_of(REST)
    story.until_on(REST, LAST, 2)
    assert set(story.on(LAST)) > set(CANARIES)
    story.leaves(story.on(LAST)[-1])
    answer = story.says(f"rollback {rest} it leaks")
    assert answer.body["units"] == 2, "the canaries go with it"
    story.until(lambda: story.on(NEW) == story.nodes() and story.all_ready(), "all are back")
    ended = ("ROLLED_BACK", "ROLLED_BACK")
    story.until(
        lambda: tuple(story.state(release, unit).phase.value for unit in (rest, canary)) == ended,
        "both say so",
    )
    events = story.world.events(release, "unit.rolled-back")
    assert [event.unit for event in events] == [rest, canary], "the last one first"


LISTED = ["machine-5", "machine-2", "machine-7"]


def test_node_after_node_where_one_goes_before_its_turn(
    cluster: Cluster, namespace: str, ten_machines: None, tmp_path: Path
) -> None:
    """In the order as written, and never one that nobody wrote down; who is gone is nobody."""
    story = OnNodes(tmp_path, cluster, namespace, "DaemonSet", scope="node", nodes=LISTED)
    first, second, third = (story.unit_of(f"node:{name}") for name in LISTED)
    try:
        release = story.release(NEW)
        story.until_on("node:machine-5", NEW, 1)
        story.says(f"pause {release} lunch")
        story.stands_still(release)
        assert story.on(NEW) == ["machine-5"]
        story.says(f"resume {release}")
        story.until_on("node:machine-2", NEW, 1)
        assert story.state(release, first).phase is UnitPhase.SUCCEEDED
        assert story.state(release, third).began is None
        story.leaves("machine-7")
        story.joins("machine-more")
        story.until_ended(release)
        assert story.on(NEW) == ["machine-2", "machine-5", "machine-more"]
        assert len(story.on(OLD)) == 7, "nobody wrote them down"
        story.joined.clear()

        release = story.release(LAST)
        story.until_on("node:machine-2", LAST, 1)
        assert story.says(f"rollback {second} it leaks").body["units"] == 2
        story.until(lambda: story.on(LAST) == [] and story.all_ready(), "both are back")
        assert set(story.on(NEW)) >= {"machine-2", "machine-5"}
        assert len(story.on(OLD)) >= 7, "the others have never been touched"
    finally:
        story.close()


class InNamespaces(WholeBot):
    """A Deployment of ten pods in each of two namespaces."""

    def __init__(self, folder: Path, cluster: Cluster, spaces: list[str], pool: str) -> None:
        self.spaces = spaces
        notes = {"sluice.test/ready-after": "1s"}
        slow = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
        spec = KINDS["Deployment"] | {"pool": pool, "notes": notes, "strategy": slow}
        made = workload(namespace="{{ unit.namespace }}", image="agent:{{ version }}", **spec)
        template = as_template(made)
        for space in spaces:
            text = template.replace("{{ unit.namespace }}", space)
            cluster.api.create(*of_version(text, OLD))
        component = {"scope": "namespace", "batches": [1, "50%", "100%"]}
        places = {"namespaces": [{"name": space} for space in spaces]}
        super().__init__(folder, cluster, template, component=component, places=places)
        wait_until(lambda: [self.has(s) for s in spaces] == [{OLD: 10}] * 2, "the old ones", 60)
        self.after_tick = self.look

    def unit_of(self, space: str) -> str:
        return f"node-agent@{self.cluster.name}/namespace:{space}"

    def has(self, space: str) -> dict[str, int]:
        return counts(filter(is_ready, self.pods(space)))

    def look(self) -> None:
        """In each namespace as many pods as its own batch allows."""
        for release in self.world.bot.board.releases.values():
            for state in release.units.values():
                version = release.index.component(release.index.units[state.unit]).version
                there = counts(self.pods(state.unit.rpartition(":")[2])).get(version, 0)
                assert there <= sum(state.targets.values()), (state.unit, there, state.phase)


def test_namespaces_side_by_side_one_stopped_and_one_taken_back(
    cluster: Cluster, namespace: str, ten_nodes: str, tmp_path: Path
) -> None:
    """They share nothing: what is done to one of them is nothing to the other."""
    other = f"{namespace}-b"
    cluster.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}})
    story = InNamespaces(tmp_path, cluster, [namespace, other], ten_nodes)
    here, there = map(story.unit_of, story.spaces)
    try:
        first = story.release(NEW)
        story.until(lambda: story.has(namespace).get(NEW, 0) >= 6, "its last batch is half done")
        story.says(f"pause {here} it smells")
        story.until(lambda: story.state(first, there).phase is UnitPhase.SUCCEEDED, "the other")
        story.until(lambda: sum(story.has(namespace).values()) >= 10, "what was under way arrives")
        stopped = story.has(namespace)
        story.for_a_while(0.4)
        assert story.has(namespace) == stopped
        assert OLD in stopped, "stopped in the middle of its last batch"
        assert story.has(other) == {NEW: 10}
        story.says(f"resume {here}")
        story.until_ended(first)
        assert story.has(namespace) == {NEW: 10}
        story.is_as_audited(first)

        second = story.release(LAST)
        story.until(lambda: story.has(namespace).get(LAST, 0) >= 6, "its last batch is half done")
        assert story.says(f"rollback {here} it leaks").body["units"] == 1
        story.until(lambda: story.state(second, there).phase is UnitPhase.SUCCEEDED, "the other")
        story.until(lambda: story.has(namespace) == {NEW: 10}, "it is back")
        assert story.has(other) == {LAST: 10}
    finally:
        story.close()
        cluster.api.delete("Namespace", other)
