"""Seeded histories: faults, crashes and people at random, then peace; every law is checked.

The second act is without faults: what has not ended by then waits for a person, and says so.
`SLUICE_SEEDS=200` runs more; a failure names its seed.
"""

from __future__ import annotations

import os
import random  # noqa: TID251 - seeded histories are drawn, and named by their seed
from datetime import timedelta
from pathlib import Path

import pytest

from bot.core import chain
from bot.model.state import Intent
from tests import repo_files
from tests.stories.breaking import Crash, Fuse, fused
from tests.world import World

RELEASE = "node-agent-2-5-0"
SEEDS = int(os.environ.get("SLUICE_SEEDS", "30"))
CLUSTERS = ("st-1", "eu-1", "eu-2")
COMMANDS = (
    f"pause {RELEASE} --reason look",
    f"resume {RELEASE}",
    "stop --reason pager",
    "resume all",
    f"retry {RELEASE}",
    "skip node-agent@eu-2 --reason later",
    f"approve {RELEASE}",
    f"rollback {RELEASE} --reason odd",
    "freeze all --until 30m --reason INC-7",
    "unfreeze all",
    f"override {RELEASE} --reason seen",
)
PEOPLE = ("ana", "ben", "cleo", "dan", "mallory")


def faults(chance: random.Random) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    if chance.random() < 0.3:
        found.append({"do": "loseAnswers", "every": chance.randint(1, 3)})
    if chance.random() < 0.2:
        start = 9 * 60 + chance.randint(0, 60)
        end = start + chance.randint(1, 30)
        at = [f"2026-11-24T{t // 60:02}:{t % 60:02}:00Z" for t in (start, end)]
        found.append({"do": "unreachable", "from": at[0], "to": at[1]})
    if chance.random() < 0.2:
        found.append({"do": "slow", "takes": "90s"})
    return found


def first_act(world: World, chance: random.Random) -> None:
    """Two hours with everything that can happen."""
    end = world.clock.at.replace(hour=11)
    while world.clock.at < end:
        try:
            if chance.random() < 0.15:
                world.says(chance.choice(COMMANDS), by=chance.choice(PEOPLE))
            world.tick()
            world.clock.at += timedelta(seconds=chance.choice((5, 30, 120)))
        except Crash:
            world.dies()
            world.around = fused(Fuse(at=chance.randint(20, 120)))


def second_act(world: World) -> None:
    """Nobody does anything any more, nothing breaks: a day goes by."""
    world.around = lambda ports: ports
    world.start()
    world.run_for(days=1)


def laws(world: World) -> None:
    """Checked from what clusters received and what was recorded, not from what the bot believes."""
    store = world.bot.ports.store
    events = store.events()
    assert chain.verify(events) is None, "the audit is whole"
    digests = [row.digest for row in store.rows(Intent)]
    sent = sum(len(world.fleet.writes(cluster)) for cluster in CLUSTERS)
    assert sent <= len(digests), "every write has an intent"
    succeeded = [e.unit for e in events if e.kind == "unit.succeeded"]
    rolled_back = any(e.kind == "unit.rolling-back" for e in events)
    if not rolled_back and not any(e.kind == "unit.retry" for e in events):
        assert len(succeeded) == len(set(succeeded)), "nothing succeeds twice"
    if world.phase(RELEASE, ended=True):
        return
    waiting = world.active(RELEASE).waiting
    assert waiting, "what has not ended says why"
    assert all(line.wait.who or line.wait.until or line.gate == "earlier" for line in waiting)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_history_breaks_no_law_and_comes_to_rest(tmp_path: Path, seed: int) -> None:
    """Whatever happens for two hours, a quiet day later the release has ended or asks somebody."""
    chance = random.Random(seed)
    world = World(tmp_path)
    for cluster, group, nodes in (("st-1", "staging", 2), ("eu-1", "prod", 4), ("eu-2", "prod", 4)):
        text = repo_files.cluster(cluster, group, nodes, faults(chance), haPair="a")
        world.write({f"fleet/clusters/{cluster}.yaml": text})
    world.push("The fleet as it is")
    world.start()
    for cluster in CLUSTERS:
        world.fleet.seed(cluster, repo_files.running())
    world.releases()
    world.clock.at = world.clock.at.replace(hour=9)
    world.around = fused(Fuse(at=chance.randint(20, 120)))
    world.start()
    first_act(world, chance)
    second_act(world)
    laws(world)
    world.close()
