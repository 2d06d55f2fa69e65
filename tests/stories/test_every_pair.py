"""Every state of a unit, every verb: whatever is said at whatever moment, no law is broken, and it
ends. Rollback during a rollback, retry of what is back, pause while checks are asked, all of it.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.simulated import SimulatedFleet
from bot.core.chain_rows import Record, verify
from bot.model.state import (
    Certificate,
    Decision,
    DecisionStatus,
    Hold,
    Intent,
    UnitPhase,
)
from tests import repo_files
from tests.world import HeardChat, World, WorldClock

UNIT, NAME = "node-agent@st-1", "node-agent-2-5-0"
CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
GONE = {"do": "unreachable", "from": "2026-11-24T08:01:00Z", "to": "2026-11-24T12:00:00Z"}
SLOW = {"cel": {}, "successCondition": "result.unavailable == 0", "interval": "5m", "count": 3}
COMPONENT = "components/node-agent/component.yaml"
OLD, NEW = "2.4.1", "2.5.0"

Reach = Callable[[World], None]


def until(at: str, *said: str) -> Reach:
    def reach(world: World) -> None:
        world.releases()
        world.run_until(f"2026-11-24T{at}Z")
        for command in said:
            answer = world.says(command)
            assert answer.code == 0, answer.text

    return reach


def with_fault(fault: dict[str, str], at: str, *said: str) -> Reach:
    def reach(world: World) -> None:
        world.breaks("st-1", fault, group="staging")
        until(at, *said)(world)

    return reach


def between_batches(world: World) -> None:
    until("09:03:00", f"pause {UNIT} --finish-batch")(world)
    world.run_until("2026-11-24T09:30:00Z")
    assert world.unit(NAME, UNIT).in_flight


def verifying(world: World) -> None:
    world.write({"checks/slow.yaml": repo_files.doc("Check", "slow", SLOW)})
    world.changes({COMPONENT: repo_files.component(checks={"after": ["slow"]})})
    until("09:09:00")(world)


def taken_back_by_itself(world: World) -> None:
    world.changes({COMPONENT: repo_files.component(onFailure="rollbackUnit")})
    with_fault(CRASH, "10:30:00")(world)


def freeze_on_the_way_back(world: World) -> None:
    freeze = {
        "from": "2026-11-24T09:00", "to": "2026-11-24T12:00", "zone": "UTC",
        "actions": ["rollback"], "reason": "Hands off", "owner": "ana",
    }  # fmt: skip
    world.changes({"calendar/freezes/hands.yaml": repo_files.doc("Freeze", "hands", freeze)})
    until("09:22:00", f"rollback {NAME} slow")(world)


STATES: dict[str, tuple[Reach, UnitPhase]] = {
    "not begun": (until("08:30:00"), UnitPhase.PENDING),
    "between batches": (between_batches, UnitPhase.PENDING),
    "applying": (until("09:00:01"), UnitPhase.APPLYING),
    "applying, paused": (until("09:00:01", f"pause {NAME}"), UnitPhase.APPLYING),
    "soaking": (until("09:03:00"), UnitPhase.SOAKING),
    "verifying": (verifying, UnitPhase.VERIFYING),
    "succeeded": (until("09:22:00"), UnitPhase.SUCCEEDED),
    "failed": (with_fault(CRASH, "09:45:00"), UnitPhase.FAILED),
    "skipped": (until("08:30:00", f"skip {UNIT} --reason later"), UnitPhase.SKIPPED),
    "quarantined": (with_fault(GONE, "09:30:00"), UnitPhase.QUARANTINED),
    "going back": (until("09:22:00", f"rollback {UNIT} slow"), UnitPhase.ROLLING_BACK),
    "release going back": (until("09:22:00", f"rollback {NAME} slow"), UnitPhase.ROLLING_BACK),
    "way back frozen": (freeze_on_the_way_back, UnitPhase.ROLLING_BACK),
    "back by itself": (taken_back_by_itself, UnitPhase.ROLLED_BACK),
    "stage back": (until("09:22:00", f"rollback {NAME}/staging slow"), UnitPhase.ROLLING_BACK),
}

STEERING = (
    f"pause {NAME}",
    f"rollback {UNIT} --reason slow",
    f"rollback {NAME} --reason slow",
    f"rollback {NAME}/staging --reason slow",
    f"retry {UNIT}",
    f"skip {UNIT} --reason later",
    f"override {UNIT} --reason seen",
)
OTHERS = (
    f"approve {NAME}",
    f"reject {NAME} --reason no",
    f"accept {NAME}",
    f"pause {UNIT} --finish-batch",
    "stop",
    f"resume {NAME}",
    f"retry {NAME}",
    f"retry {NAME}/staging",
    f"cancel {NAME} --reason never",
    f"override {NAME} --gate irreversible --reason seen",
    f"freeze {NAME} --until 2h --reason audit",
    f"unfreeze {NAME}",
    f"snooze {NAME} --until 2h --reason lunch",
)
VERBS = STEERING + (OTHERS if os.environ.get("SLUICE_EVERY_PAIR") else ())
"""Every verb where `SLUICE_EVERY_PAIR` asks for all of them: that takes a minute of one core."""


@pytest.fixture(scope="module", params=STATES)
def state(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, UnitPhase]]:
    """A world that stands in this state, to be copied for every verb."""
    path = tmp_path_factory.mktemp("state")
    world = World(path, db=str(path / "sluice.db"))
    world.fleet = SimulatedFleet(world.clock, str(path / "fleet.db"))
    world.push("The fleet as it is")
    world.start()
    for cluster in ("st-1", "eu-1", "eu-2"):
        world.fleet.seed(cluster, repo_files.running())
    reach, phase = STATES[request.param]
    reach(world)
    yield world, phase
    world.close()


def copied(world: World, path: Path) -> World:
    """The same world once more: its repo, its store, its clusters, its hour; another process."""
    copy: World = World.__new__(World)
    copy.__dict__ |= world.__dict__
    copy.bare = path / "releases.git"
    shutil.copytree(world.bare, copy.bare)
    for name in ("sluice.db", "fleet.db"):
        with (
            closing(sqlite3.connect(world.path / name)) as old,
            closing(sqlite3.connect(path / name)) as new,
        ):
            old.backup(new)
    copy.path, copy.db = path, str(path / "sluice.db")
    copy.clock = WorldClock(world.clock.at)
    copy.chat = HeardChat()
    copy.fleet = SimulatedFleet(copy.clock, str(path / "fleet.db"))
    copy.store = copy.git = copy._bot = None
    copy.start()
    return copy


def people_answer(world: World) -> None:
    """The night is over: what holds is lifted, what asks is answered, what failed is taken back."""
    world.fleet.sicken("st-1", [p["metadata"]["name"] for p in world.fleet.pods("st-1")], well=True)
    for command in ("resume all", f"resume {NAME}", f"resume {UNIT}", f"unfreeze {NAME}"):
        world.says(command)
    for row in world.bot.ports.store.rows(Decision, parent=NAME):
        if row.status is not DecisionStatus.APPROVED:
            world.says(f"approve {row.id}", by="ben")
    for command in (f"cancel {NAME} --reason over", f"rollback {NAME} --reason over"):
        world.says(command)


def ends(world: World) -> str:
    """Run until the release has ended; people help when it waits for them."""
    world.run_until("2026-11-24T16:00:00Z")
    for _ in range(3):
        if world.phase(NAME, ended=True):
            break
        people_answer(world)
        world.run_for(hours=5)
    return world.phase(NAME, ended=True)


def check(world: World) -> None:
    """What must hold at the end, whatever was said."""
    store = world.bot.ports.store
    assert not [hold for hold in store.rows(Hold) if hold.release == NAME]
    running = world.running()
    for name in world_units(world):
        unit, runs = world.unit(NAME, name), running[name.partition("@")[2]]
        whole = {UnitPhase.SUCCEEDED: NEW, UnitPhase.ROLLED_BACK: OLD}.get(unit.phase)
        if whole is not None:
            assert runs.partition("×")[0] == whole, f"{name} is {unit.phase} and runs {runs}"
            assert " " not in runs
        assert unit.phase.ended or unit.began is None
        assert not unit.in_flight
    record = Record(
        lines=tuple(store.events()),
        count=store.event_count(),
        certificates=store.rows(Certificate),
        intents=store.rows(Intent),
        decisions=store.rows(Decision),
    )
    assert verify(record) is None
    assert not any(event.data.get("code") == "bug" for event in record.lines)


def world_units(world: World) -> list[str]:
    return [f"node-agent@{cluster}" for cluster in ("st-1", "eu-1", "eu-2")]


def test_the_state_is_the_one_that_is_meant(state: tuple[World, UnitPhase]) -> None:
    """A pair that is not reached proves nothing."""
    world, phase = state
    assert world.unit(NAME, UNIT).phase is phase


@pytest.mark.parametrize("command", VERBS)
def test_whatever_is_said_it_ends_and_no_law_is_broken(
    state: tuple[World, UnitPhase], command: str, tmp_path: Path
) -> None:
    world = copied(state[0], tmp_path)
    try:
        said = world.says(command)
        assert said.code in (0, 2, 3), said.text
        refused = (said.body or {}).get("refused") or {}
        assert refused.get("code") != "bug", said.text
        assert ends(world), f"does not end:\n{world.why(NAME)}"
        check(world)
    finally:
        world.fleet.close()
        assert world.git is not None
        world.git.close()
        assert world.store is not None
        world.store.close()
