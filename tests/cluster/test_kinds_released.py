"""Releases of workloads of every kind by the whole bot, from the pull request to the certificate.

One long story a kind, on ten pods: what the gates say is what the controllers do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.model.state import UnitPhase
from tests.cluster.api import Object, is_ready
from tests.cluster.control_plane import Cluster
from tests.cluster.kinds import KINDS, MOST
from tests.cluster.waiting import wait_until
from tests.cluster.whole_bot import WholeBot, as_template, counts, of_version
from tests.cluster.workloads import workload

COUNT = 10
OLD, NEW, BAD, LAST = "2.4.1", "2.5.0", "2.6.0-never-ready", "2.7.0"


class Story(WholeBot):
    """Ten pods of one kind, in batches of 1, 5 and all."""

    def __init__(
        self, folder: Path, cluster: Cluster, namespace: str, kind: str, pool: str
    ) -> None:
        spec = KINDS[kind] | {"pool": pool, "notes": {"sluice.test/ready-after": "300ms"}}
        if kind == "Deployment":  # else half of it would go at once, with nothing left to stop
            spec["strategy"] = {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 1}}
        self.made = workload(namespace=namespace, image="agent:{{ version }}", **spec)
        self.namespace, self.kind = namespace, self.made["kind"]
        self.unit = f"node-agent@{cluster.name}"
        kruise = self.made["apiVersion"].startswith("apps.kruise.io/")
        self.controller = "kruise-manager" if kruise else "kube-controller-manager"
        self.stood: set[tuple[str, int]] = set()
        """Versions, and of how many pods a batch of them stood while it was watched."""
        self.fewest = COUNT
        """The fewest pods that served after any tick."""
        # Its controller counts no node whose pod is just gone, and takes as many once more when the
        # template changes at that moment.
        self.most_gone = 6 if kind == "Kruise-DaemonSet" else 3
        template = as_template(self.made)
        cluster.api.create(*of_version(template, OLD))
        super().__init__(folder, cluster, template, component={"batches": [1, 5, "100%"]})
        wait_until(lambda: self.counts() == {OLD: COUNT} and self.all_ready(), "ten old pods", 60)
        self.after_tick = self.look

    def look(self) -> None:
        """No more pods of a version than its batch allows; exactly so many while it is watched."""
        pods = self.pods(self.namespace)
        seen = counts(pods)
        self.fewest = min(self.fewest, sum(map(is_ready, pods)))
        for release in self.world.bot.board.releases.values():
            for state in release.units.values():
                version = release.index.component(release.index.units[state.unit]).version
                allowed = sum(state.targets.values())
                assert seen.get(version, 0) <= allowed, (version, seen, state.phase)
                if state.phase in (UnitPhase.SOAKING, UnitPhase.VERIFYING):
                    assert seen[version] == allowed, (seen, state.phase)
                    # A surge leaves every old pod where it is, but in its last batch.
                    beside = allowed if self.kind == "Deployment" and allowed < COUNT else 0
                    assert sum(seen.values()) == COUNT + beside, seen
                    self.stood.add((version, allowed))

    def counts(self) -> dict[str, int]:
        return counts(self.pods(self.namespace))

    def all_ready(self) -> bool:
        return all(map(is_ready, self.pods(self.namespace)))

    def spec(self) -> Object:
        api, meta = self.made["apiVersion"], self.made["metadata"]
        found: Object = self.cluster.api.get(self.kind, meta["name"], self.namespace, api)["spec"]
        return found

    def is_left_alone(self, release: str) -> bool:
        """Whether the bot has stopped what rolls, and seen it."""
        return self.world.active(release).units[self.unit].look_at is None

    def phase(self, release: str) -> UnitPhase:
        found: UnitPhase = self.state(release, self.unit).phase
        return found


@pytest.fixture(params=[kind for kind in MOST if kind != "StatefulSet-ordered"])
def story(
    request: pytest.FixtureRequest, cluster: Cluster, namespace: str, ten_nodes: str, tmp_path: Path
) -> Iterator[Story]:
    told = Story(tmp_path, cluster, namespace, request.param, ten_nodes)
    yield told
    told.close()


def test_a_release_of_every_kind_from_its_pull_request_to_the_way_back(story: Story) -> None:
    """Three releases of one workload: through its batches, broken, and taken back in the middle."""
    before = as_ours(story.spec())
    with story.cluster.frozen(story.controller):
        first = story.release(NEW)
        nothing_is_believed_done(story, first)
        second = story.release(BAD)
        assert f"release {first} is at work on {story.unit}" in story.why()
        story.says(f"pause {second} one after the other")
    stops_where_it_is_told(story, first)
    story.until_ended(first)
    assert {(NEW, 1), (NEW, 5)} <= story.stood
    assert story.counts() == {NEW: COUNT}
    assert as_ours(story.spec()) == before | {"image": f"agent:{NEW}"}
    story.is_as_audited(first)

    story.says(f"resume {second}")
    one_broken_pod_is_held_and_taken_back(story, second)

    third = story.release(LAST)
    story.until(lambda: story.counts().get(LAST, 0) >= 7, "its last batch is half done")
    story.says(f"rollback {third} it leaks")
    story.until_ended(third, "ROLLED_BACK")
    assert {(LAST, 1), (LAST, 5)} <= story.stood
    assert story.counts() == {NEW: COUNT}
    assert story.all_ready()
    assert as_ours(story.spec()) == before | {"image": f"agent:{NEW}"}
    story.is_as_audited(third)
    assert story.fewest >= COUNT - story.most_gone, "never more at once than the workload allows"


def nothing_is_believed_done(story: Story, release: str) -> None:
    """Its controller stands still: all its counts say ten of ten, of the revision before."""
    story.until(lambda: "0 of 1 pods updated" in story.why() and story.outcomes(), "it waits")
    if story.controller == "kruise-manager":  # its webhooks are in it: no write is taken
        assert {status for _, status, _ in story.outcomes()} == {"NOT_SENT"}
    else:
        story.until(lambda: "has not seen the change yet" in story.why(), "the lag is told")
        story.for_a_while(0.4)
    assert story.phase(release) is UnitPhase.APPLYING
    assert story.counts() == {OLD: COUNT}


def stops_where_it_is_told(story: Story, release: str) -> None:
    """`--finish-batch` ends the batch in hand; a pause stops in the middle of the last one."""
    story.until_batch(release, story.unit, 1)
    story.until(lambda: story.counts()[NEW] > 1, "the second batch rolls")
    story.says(f"pause {release} --finish-batch lunch")
    story.until_batch(release, story.unit, 2)
    story.for_a_while(0.4)
    assert story.counts()[NEW] == 5
    story.says(f"resume {release}")
    story.until(lambda: story.counts()[NEW] >= 6, "the last batch is half done")
    story.says(f"pause {release} it smells")
    story.until(lambda: story.is_left_alone(release), "what rolls is stopped")
    story.until(story.all_ready, "what was under way arrives")
    stopped = story.counts()
    assert 6 <= stopped[NEW] < COUNT
    sent = len(story.outcomes())
    story.for_a_while(0.8)
    assert story.counts() == stopped
    assert len(story.outcomes()) == sent, "a stopped cluster is left alone"
    story.says(f"resume {release}")


def one_broken_pod_is_held_and_taken_back(story: Story, release: str) -> None:
    """The canary did its work: nothing else is touched, and one pod is all that suffers."""
    story.until(lambda: "0 of 1 pod good" in story.why(), "it is told what is wrong")
    story.fewest = COUNT
    story.leap(minutes=21)
    story.until(lambda: story.phase(release) is UnitPhase.FAILED, "its time is over")
    assert f"Stopped on {release}" in story.why()
    story.for_a_while(0.4)
    assert story.counts()[BAD] == 1
    story.says(f"rollback {release} never ready")
    story.until_ended(release, "ROLLED_BACK")
    assert story.counts() == {NEW: COUNT}
    assert story.fewest >= COUNT - 1
    story.is_as_audited(release)


def as_ours(spec: Object) -> Object:
    """A spec, but for gates that are open and what is empty: servers fill such in, or drop it."""
    (container,) = spec["template"]["spec"].pop("containers")
    strategy = spec.get("updateStrategy") or {}
    for roll in (strategy, strategy.get("rollingUpdate") or {}):
        for name in [name for name in ("partition", "paused") if not roll.get(name, True)]:
            del roll[name]
    return spec | {"image": container["image"]}
