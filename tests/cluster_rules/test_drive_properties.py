"""From any state in between, with any answers lost: it converges, and never goes too far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.cluster.drive import Mode, up_to_date
from tests.cluster_rules.unit import KINDS, KRUISE_ALPHA, Unit, workload

DEPLOYMENT_SPECS: list[dict[str, Any]] = [
    {},
    {"minReadySeconds": 7, "strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 2}}},
    {"progressDeadlineSeconds": 100, "strategy": {"rollingUpdate": {"maxSurge": "50%"}}},
]
DAEMON_SET_SPECS: list[dict[str, Any]] = [
    {},
    {"minReadySeconds": 4},
    {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "40%"}}},
    {"updateStrategy": {"type": "OnDelete"}},
]


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

    def unit(self) -> Unit:
        count = {"replicas": self.size} if self.kind == "Deployment" else {}
        old, new = (workload(self.api_version, self.kind, v, **self.spec, **count) for v in "12")
        new["spec"]["template"]["metadata"]["annotations"] = {"new": "yes"}
        faults = [{"do": "loseAnswers", "every": self.every}] if self.every else []
        return Unit(old=[old], new=[new], nodes=self.size, faults=faults, applied=self.applied)

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
    api_version, kind = draw(st.sampled_from([*KINDS, (KRUISE_ALPHA, "DaemonSet")]))
    specs = DEPLOYMENT_SPECS if kind == "Deployment" else DAEMON_SET_SPECS
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
    own = {k: v for k, v in unit.live()["spec"].items() if k != "template"}
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
    assert unit.live()["spec"]["template"] == was["template"]
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


def _closed(spec: dict[str, Any]) -> dict[str, Any]:
    """The spec without the template; `paused: false` is the same as no `paused`."""
    kept = {k: v for k, v in spec.items() if k != "template"}
    strategy = dict(kept.get("updateStrategy") or {})
    if "rollingUpdate" in strategy:
        rolling = {
            k: v for k, v in strategy["rollingUpdate"].items() if (k, v) != ("paused", False)
        }
        kept["updateStrategy"] = strategy | {"rollingUpdate": rolling}
    return kept
