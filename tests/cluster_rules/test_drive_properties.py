"""From any state in between, with any answers lost: it converges, and never goes too far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.cluster.drive import Mode, up_to_date
from tests.cluster_rules.unit import KRUISE, KRUISE_ALPHA, MACHINES, Unit, workload

Spec = dict[str, Any]


def rolling(**fields: Any) -> Spec:
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": fields}}


ON_DELETE: Spec = {"updateStrategy": {"type": "OnDelete"}}
DAEMON_SET: list[Spec] = [{}, {"minReadySeconds": 4}, rolling(maxUnavailable="40%"), ON_DELETE]
PARALLEL: Spec = {"podManagementPolicy": "Parallel"}
SPECS: dict[tuple[str, str], list[Spec]] = {
    ("apps/v1", "Deployment"): [
        {},
        {"minReadySeconds": 7, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 2}}},
        {"progressDeadlineSeconds": 100, "strategy": {"rollingUpdate": {"maxSurge": "50%"}}},
    ],
    ("apps/v1", "DaemonSet"): DAEMON_SET,
    (KRUISE, "DaemonSet"): DAEMON_SET,
    (KRUISE_ALPHA, "DaemonSet"): DAEMON_SET,
    ("apps/v1", "StatefulSet"): [
        {},
        {"minReadySeconds": 3},
        PARALLEL | {"ordinals": {"start": 5}},
        ON_DELETE,
    ],
    (KRUISE, "StatefulSet"): [
        {},
        rolling(minReadySeconds=3),
        {"reserveOrdinals": [1, 2]},
        PARALLEL | rolling(maxUnavailable="40%"),
        PARALLEL | rolling(unorderedUpdate={"priorityStrategy": {}}, maxUnavailable=2),
        PARALLEL | ON_DELETE,
    ],
    (KRUISE, "CloneSet"): [
        {},
        {"minReadySeconds": 3},
        rolling(maxSurge=1, maxUnavailable=0),
        ON_DELETE,
    ],
    (KRUISE_ALPHA, "CloneSet"): [
        {},
        {"updateStrategy": {"type": "ReCreate", "maxUnavailable": 2}},
        ON_DELETE,
    ],
    MACHINES: [{}, {"maxUnavailable": "40%"}],
}


@dataclass
class Story:
    """A unit, and what happens to it before somebody looks for good."""

    api_version: str
    kind: str
    spec: dict[str, Any]
    size: int
    every: int
    applied: bool
    acts: list[tuple[Mode, int, int]] = field(default_factory=list)
    """(mode, cumulative updated, seconds it is given)."""

    def unit(self, *faults: Spec) -> Unit:
        count: Spec = {} if self.kind in ("DaemonSet", MACHINES[1]) else {"replicas": self.size}
        old, new = (workload(self.api_version, self.kind, v, **self.spec, **count) for v in "12")
        if "template" in new["spec"]:
            new["spec"]["template"]["metadata"]["annotations"] = {"new": "yes"}
        lost: list[Spec] = [{"do": "loseAnswers", "every": self.every}] if self.every else []
        return Unit(
            old=[old], new=[new], nodes=self.size, faults=[*faults, *lost], applied=self.applied
        )

    def play(self, unit: Unit) -> int:
        """The acts in turn; the highest number that any of them allowed."""
        allowed = 0
        for mode, updated, seconds in self.acts:
            allowed = max(allowed, updated)
            unit.since = unit.clock.now()
            goal = unit.goal(mode, allowed, totals={unit.ref.key: self.size})
            for _ in range(seconds):
                unit.step(goal)
                unit.clock.pass_by(1)
                assert unit.images().get("2", 0) <= allowed, "more than the batch allowed"
        return allowed


@st.composite
def stories(draw: st.DrawFn) -> Story:
    api_version, kind = draw(st.sampled_from(list(SPECS)))
    specs = SPECS[api_version, kind]
    size = draw(st.integers(1, 8))
    act = st.tuples(
        st.sampled_from([Mode.FORWARD, Mode.FORWARD, Mode.STOP]),
        st.integers(1, max(1, size - 1)),
        st.integers(0, 25),
    )
    return Story(
        api_version,
        kind,
        draw(st.sampled_from(specs)),
        size,
        draw(st.integers(0, 3)),
        draw(st.booleans()),
        draw(st.lists(act, max_size=3)),
    )


@given(stories())
def test_from_anywhere_the_last_batch_brings_everything_and_leaves_nothing_behind(
    story: Story,
) -> None:
    """Whatever was lost or stopped before, the next look knows what is missing."""
    unit = story.unit()
    own = unit.live()["spec"]
    story.play(unit)
    progress = unit.forward(story.size, final=True, seconds=900)
    assert progress.converged
    assert unit.images() == {"2": story.size}
    assert up_to_date(unit.objects, unit.last, unit.look())
    assert _closed(unit.live()["spec"]) == _closed(own)


@given(stories())
def test_from_anywhere_a_restore_gives_back_template_and_own_fields(story: Story) -> None:
    """Exactly: what runs afterwards has the old revision, and nobody sees that we were there."""
    unit = story.unit()
    was = unit.live()["spec"]
    story.play(unit)
    assert unit.restore().converged
    assert unit.images() == {"1": story.size}
    for of in ("template", "version"):
        assert unit.live()["spec"].get(of) == was.get(of)
    assert _closed(unit.live()["spec"]) == _closed(was)


@given(stories())
def test_from_anywhere_a_restore_takes_a_crashing_version_back(story: Story) -> None:
    """Also where the controller would wait for the broken pod for ever."""
    image = "agent:2" if story.kind == MACHINES[1] else "registry.local/agent:2"
    unit = story.unit({"do": "crashLoop", "image": image})
    was = unit.live()["spec"]
    story.play(unit)
    assert unit.restore().converged
    assert unit.images() == {"1": story.size}
    assert _closed(unit.live()["spec"]) == _closed(was)


@given(stories())
def test_when_it_has_converged_the_next_look_writes_nothing(story: Story) -> None:
    """Level-triggered: looking is free."""
    unit = story.unit()
    allowed = max(1, story.play(unit))
    progress = unit.forward(allowed, seconds=900, totals={unit.ref.key: story.size})
    assert progress.converged
    sent = len(unit.sent)
    for _ in range(5):
        unit.clock.pass_by(60)
        goal = unit.goal(Mode.FORWARD, allowed, totals={unit.ref.key: story.size})
        assert unit.step(goal).healthy
    assert len(unit.sent) == sent


@given(stories())
def test_a_stop_stays_a_stop(story: Story) -> None:
    """After what was on its way has come to rest, nothing gets newer until somebody goes on."""
    unit = story.unit()
    allowed = max(1, story.play(unit))
    goal = unit.goal(Mode.STOP, allowed, totals={unit.ref.key: story.size})
    assert unit.run(goal, seconds=60).converged
    unit.clock.pass_by(30)
    there = unit.images()
    unit.clock.pass_by(3600)
    unit.run(goal, seconds=5)
    assert unit.images() == there
    assert there.get("2", 0) <= allowed


def _closed(spec: Spec) -> Spec:
    """The spec without what is released; a gate that is open is the same as none."""
    return _opened({k: v for k, v in spec.items() if k not in ("template", "version")})


def _opened(fields: Spec) -> Spec:
    gates = (("paused", False), ("pause", False), ("partition", 0))
    return {
        name: _opened(value) if isinstance(value, dict) else value
        for name, value in fields.items()
        if (name, value) not in gates
    }
