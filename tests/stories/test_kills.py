"""Three releases, and a kill before and after every single durable write and effect of each.

However the process dies and wherever: after a restart the same end, word for word and write for
write. docs/simulation.md says how many moments there are. By default every n-th is tried;
`SLUICE_EVERY_KILL=1` tries them all.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.chain_rows import Record, verify
from bot.core.messages import as_text
from bot.model.state import Certificate, Decision, DecisionStatus, Intent, ReleaseState, UnitState
from tests import addons, repo_files
from tests.memory_world import MemoryWorld
from tests.stories.breaking import Crash, Fuse, fused
from tests.stories.test_tasks import task

OLD = {"st-1": "2.4.1×2", "eu-1": "2.4.1×4", "eu-2": "2.4.1×4"}
NEW = {"st-1": "2.5.0×2", "eu-1": "2.5.0×4", "eu-2": "2.5.0×4"}
CLUSTERS = ("st-1", "eu-1", "eu-2")
QUICK = {"batches": [1, "100%"], "batchSoak": "1m", "soak": "2m"}
MOST = timedelta(days=2)
THINKS = timedelta(seconds=20)
"""What people take before they act."""


@dataclass
class Act:
    """What somebody does once, as soon as something is so."""

    when: Callable[[MemoryWorld], bool]
    does: Callable[[MemoryWorld], None]


@dataclass
class Scenario:
    """A release from its merge to its end."""

    begins: Callable[[], tuple[MemoryWorld, str]]
    acts: Callable[[str], Sequence[Act]]
    components: Sequence[str]
    step: int
    """Which part of its moments is tried where nobody asks for all."""


def command(text: str, by: str = "ben") -> Callable[[MemoryWorld], None]:
    """A note in the inbox: durable before the bot hears of it."""

    def does(world: MemoryWorld) -> None:
        at = world.clock.at
        world.memory.note(f"said/{text}", text, by=by, surface="test", at=at, data={})

    return does


def unit(world: MemoryWorld, release: str, name: str) -> UnitState:
    found: UnitState | None = world.memory.get(UnitState, f"{release}/{name}")
    assert found is not None
    return found


def asked(world: MemoryWorld) -> bool:
    return any(one.status is DecisionStatus.OPEN for one in world.memory.rows(Decision))


# the three releases


def begun(files: dict[str, str | None], names: Sequence[str], version: str) -> MemoryWorld:
    world = MemoryWorld()
    world.write(files)
    world.push("The fleet as it is")
    world.start()
    for cluster in CLUSTERS:
        for name in names:
            running = repo_files.running() if name == "node-agent" else addons.running(name)
            world.fleet.seed(cluster, running)
    return world


def plain() -> tuple[MemoryWorld, str]:
    """Two waves of production, and a yes before the first of them."""
    ask = {"when": "before", "roles": ["approver"], "count": 1}
    pipeline = repo_files.pipeline(waves=[1, "100%"], approval=ask)
    files: dict[str, str | None] = {
        "pipelines/standard.yaml": pipeline,
        "components/node-agent/component.yaml": repo_files.component(**QUICK),
    }
    world = begun(files, ["node-agent"], "2.5.0")
    return world, world.releases()


def plain_acts(release: str) -> Sequence[Act]:
    return [Act(asked, command(f"approve {release}"))]


def broken() -> tuple[MemoryWorld, str]:
    """The first pod falls sick in its silence; tried again it is well; then all is taken back."""
    files: dict[str, str | None] = {
        "pipelines/standard.yaml": repo_files.pipeline(waves=[1, "100%"]),
        "components/node-agent/component.yaml": repo_files.component(**QUICK),
    }
    world = begun(files, ["node-agent"], "2.5.0")
    return world, world.releases()


def broken_acts(release: str) -> Sequence[Act]:
    first, second = "node-agent@st-1", "node-agent@eu-1"

    def sicken(world: MemoryWorld) -> None:
        world.fleet.sicken("st-1", world.pods("st-1", "2.5.0"))

    def retry(world: MemoryWorld) -> None:
        world.fleet.sicken("st-1", world.pods("st-1", "2.5.0"), well=True)
        command(f"retry {first}")(world)

    return [
        Act(lambda w: unit(w, release, first).phase == "SOAKING", sicken),
        Act(lambda w: unit(w, release, first).phase == "FAILED", retry),
        Act(
            lambda w: (
                (unit(w, release, second).phase, unit(w, release, second).batch) == ("SOAKING", 2)
            ),
            command(f"rollback {release} --reason slow"),
        ),
    ]


def addon() -> tuple[MemoryWorld, str]:
    """Two components of which one needs the other, and a Job in every cluster before them."""
    stages = [
        {"name": "staging", "units": {"matchLabels": {"environment": "staging"}},
         "tasks": {"before": ["drain-cache"]}},
        {"name": "production", "units": {}, "waves": [1, "100%"],
         "tasks": {"before": ["drain-cache"]}},
    ]  # fmt: skip
    files: dict[str, str | None] = {
        **task(),
        "pipelines/standard.yaml": repo_files.doc("Pipeline", "standard", {"stages": stages}),
        **addons.component_files("coredns", (), **QUICK),
        **addons.component_files("mesh", ["coredns"], **QUICK),
    }
    world = begun(files, ["coredns", "mesh"], "1.1")
    return world, addons.addons(world, "coredns", "mesh")


SCENARIOS = {
    "plain": Scenario(plain, plain_acts, ["node-agent"], 3),
    "broken": Scenario(broken, broken_acts, ["node-agent"], 3),
    "addon": Scenario(addon, lambda _: (), ["coredns", "mesh"], 7),
}


# a life of it


@dataclass(frozen=True)
class End:
    """How it ended, all that was written and all that was said."""

    phase: str
    units: dict[str, str]
    running: dict[str, dict[str, str]]
    writes: dict[str, list[tuple[str, str, str]]]
    certificates: list[tuple[str, int]]
    told: Counter[tuple[str, str, int]]
    thread: list[str]
    branches: dict[str, str]


def lived(scenario: Scenario, fuse: Fuse) -> tuple[End, int]:
    """From the merge to the end, through as many restarts as it takes. And how many they were."""
    world, release = scenario.begins()
    acts = list(scenario.acts(release))
    world.around = fused(fuse)
    world.dies()
    end, crashes = world.clock.at + MOST, 0
    while True:
        for act in [act for act in acts[:1] if act.when(world)]:
            acts.remove(act)
            world.clock.at += THINKS
            act.does(world)
        try:
            world.tick()
            over = world.phase(release, ended=True)
            if over:
                world.tick()
            due = world.bot.next_due()
        except Crash:
            crashes += 1
            world.dies()
            continue
        if over:
            most = max(world.chat.times.values())
            assert most <= 1 + crashes, "a line is said again only when its answer was lost"
            return ended(world, release, scenario), crashes
        if acts and acts[0].when(world):
            continue
        assert due is not None, f"it waits for people:\n{world.why(release)}"
        world.clock.at = max(due, world.clock.at + timedelta(seconds=1))
        assert world.clock.at < end, f"it does not end:\n{world.why(release)}"


ONCE = re.compile(r"(release|batch|unit)\.")
TIMES = re.compile(r"\d\d:\d\d|It took .*")
"""A second more or less, where a restart looks earlier than the one that died would have."""


def ended(world: MemoryWorld, release: str, scenario: Scenario) -> End:
    store = world.memory
    record = Record(
        lines=tuple(store.events()),
        count=store.event_count(),
        certificates=store.rows(Certificate),
        intents=store.rows(Intent),
        decisions=store.rows(Decision),
    )
    assert verify(record) is None
    assert not [line for line in record.lines if line.data.get("code") == "bug"]
    assert not [one for one in record.intents if one.status == "INTENDED"], "nothing is left open"
    thread = [one for one in world.chat.posts.values() if one.thread == f"card/{release}"]
    state = store.get(ReleaseState, release)
    return End(
        phase=state.phase.value,
        units={one.unit: one.phase.value for one in store.rows(UnitState, parent=release)},
        running={name: world.running(name) for name in scenario.components},
        writes={
            cluster: [
                (one["verb"], one["object"], f"{one['patch']} {one['outcome']}")
                for one in world.fleet.writes(cluster)
            ]
            for cluster in CLUSTERS
        },
        certificates=sorted((one.unit, one.batch) for one in world.certificates(release)),
        told=Counter(
            (line.kind, line.unit, line.batch)
            for line in record.lines
            if line.release == release and ONCE.match(line.kind)
        ),
        thread=sorted(TIMES.sub("", as_text(one.message)) for one in thread),
        branches=world.branches(),
    )


# the kills


ALONE: dict[str, tuple[End, Fuse]] = {}


def alone(name: str) -> tuple[End, Fuse]:
    """The life that nothing disturbs, and the effects that it had."""
    if name not in ALONE:
        fuse = Fuse()
        end, crashes = lived(SCENARIOS[name], fuse)
        assert crashes == 0
        ALONE[name] = end, fuse
    return ALONE[name]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_at_any_moment_changes_nothing_of_the_end(name: str, after: bool) -> None:
    """Before: it never left. After: it has happened, and whoever did it is gone."""
    expected, whole = alone(name)
    step = 1 if os.environ.get("SLUICE_EVERY_KILL") else SCENARIOS[name].step
    for at in range(1 + after * (step // 2), whole.count + 1, step):
        where = f"a kill {'after' if after else 'before'} effect {at}, {whole.calls[at - 1]}"
        fuse = Fuse(at=at, after=after)
        try:
            found, crashes = lived(SCENARIOS[name], fuse)
        except AssertionError as broken:
            raise AssertionError(f"{where}: {broken}") from broken
        assert crashes == 1, where
        assert found == expected, where


@pytest.mark.parametrize("again", [1, 2, 3])
def test_a_kill_while_it_gets_up_again_changes_nothing_either(again: int) -> None:
    """The process that came to mend dies too, in its first effects."""
    expected, whole = alone("broken")
    step = 1 if os.environ.get("SLUICE_EVERY_KILL") else 12
    for at in range(again, whole.count - again, step):
        for after in (False, True):
            where = f"kills {'after' if after else 'before'} effect {at} and {again} later"
            found, crashes = lived(SCENARIOS["broken"], Fuse(at=at, after=after, again=again))
            assert crashes == 2, where
            assert found == expected, where


def test_each_of_the_three_comes_to_the_end_that_is_meant() -> None:
    """Equal ends prove little if the end is not the one that people want."""
    plain, broken, addon = (alone(name)[0] for name in SCENARIOS)
    assert (plain.phase, len(plain.certificates)) == ("SUCCEEDED", 6)
    assert plain.running == {"node-agent": NEW}
    assert (broken.phase, len(broken.certificates)) == ("ROLLED_BACK", 3)
    assert broken.running == {"node-agent": OLD}
    assert broken.told["unit.failed", "node-agent@st-1", 1] == 1
    assert "pr/revert-node-agent-2-5-0" in broken.branches
    assert (addon.phase, len(addon.certificates)) == ("SUCCEEDED", 15)
    assert set(addon.units.values()) == {"SUCCEEDED"}
    assert [what.split("/")[-3] for verb, what, _ in addon.writes["st-1"] if verb == "create"] == [
        "Job"
    ]


def test_the_page_says_how_many_moments_there_are() -> None:
    """A figure that nobody counts again is wrong by the next change."""
    text = (Path(__file__).parents[2] / "docs" / "simulation.md").read_text(encoding="utf-8")
    for name in SCENARIOS:
        calls = Counter(alone(name)[1].calls)
        counts = [calls[effect] for effect in ("commit", "write", "put", "propose")]
        cells = " | ".join(map(str, [*counts, 2 * sum(counts)]))
        assert f"| {name} | {cells} |" in text, f"docs/simulation.md: | {name} | {cells} |"
