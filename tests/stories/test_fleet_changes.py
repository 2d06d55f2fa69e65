"""The fleet changes while a release runs: clusters join it, leave it, come back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.core.additions import amended, as_merged
from bot.core.plan import plan_hash
from bot.core.soundness import flaws
from bot.reconciler.known import known
from tests import repo_files
from tests.stories.test_unreachable import EU_1, EU_2
from tests.world import World

EU_3 = "node-agent@eu-3"


def arrives(world: World, name: str = "eu-3", **files: str) -> None:
    """A cluster that main has from now on."""
    path = f"fleet/clusters/{name}.yaml"
    world.changes({path: repo_files.cluster(name, "prod", 2), **files}, f"Build {name}")
    world.fleet.seed(name, repo_files.running())


def joining(world: World, **spec: Any) -> str:
    return world.releases(lateJoiners="join", **spec)


def test_a_cluster_that_joins_is_the_last_wave_of_its_stage(world: World) -> None:
    """Same definition, same gates; what was approved stays what it was."""
    release = joining(world)
    before = world.active(release).index.plan
    world.run_until("2026-11-24T09:10:00Z")
    arrives(world)
    plan = world.active(release).index.plan
    assert plan.stages[1].waves == (*before.stages[1].waves, (EU_3,))
    assert [unit.unit for unit in plan.units[: len(before.units)]] == [
        unit.unit for unit in before.units
    ]
    (addition,) = plan.additions
    assert addition.units == (EU_3,)
    assert plan.plan_hash == before.plan_hash == plan_hash(plan)
    (told,) = world.events(release, "release.amended")
    assert (told.data["digest"], told.data["units"]) == (addition.digest, [EU_3])
    assert "Joined: node-agent@eu-3" in world.chat.cards[f"card/{release}"]
    assert "node-agent@eu-3" in world.thread(release)
    world.run_to_the_end(release)
    assert world.running()["eu-3"] == "2.5.0×2"
    began = {event.unit: event.at for event in reversed(world.events(release, "batch.applying"))}
    assert began[EU_3] > max(began[EU_1], began[EU_2])


def test_it_gets_what_the_release_froze_and_not_what_main_says_now(world: World) -> None:
    """Templates and values that changed since wait for a release of their own."""
    release = joining(world)
    world.run_until("2026-11-24T09:10:00Z")
    newer = {"components/node-agent/values/default.yaml": repo_files.VALUES + "level: trace\n"}
    text = newer["components/node-agent/values/default.yaml"].replace("level: info\n", "")
    world.changes({"components/node-agent/values/default.yaml": text})
    own = {"components/node-agent/values/clusters/eu-3.yaml": "level: warn\n"}
    arrives(world, **own)
    world.run_to_the_end(release)
    assert world.live("eu-3", "ConfigMap")["data"]["level"] == "warn", "its own values are new"
    assert world.live("eu-1", "ConfigMap")["data"]["level"] == "info"


def test_by_default_it_is_owed(world: World) -> None:
    """A plan is frozen: only who says join lets it grow."""
    release = world.releases()
    world.run_until("2026-11-24T09:10:00Z")
    arrives(world)
    assert world.active(release).index.plan.additions == ()
    assert EU_3 in world.view(release).owed


def test_what_joined_survives_a_restart(world: World) -> None:
    """The amendment is a row, and the plan still is the one of its hash."""
    release = joining(world)
    world.run_until("2026-11-24T09:10:00Z")
    arrives(world)
    world.dies()
    world.start()
    active = world.active(release)
    assert not list(flaws(active.state, active.index.plan, active.units))
    assert EU_3 in active.units
    assert len(world.events(release, "release.amended")) == 1
    world.run_to_the_end(release)
    assert world.running()["eu-3"] == "2.5.0×2"


@pytest.mark.parametrize("what", ["unit", "object", "plan", "wave", "gone"])
def test_the_digest_of_what_joins_covers_all_of_it(world: World, what: str) -> None:
    """The hash of the plan covers what was merged; what came later is held by its own digest, so
    that nothing of it can be made another thing by hand.
    """
    release = joining(world)
    world.run_until("2026-11-24T09:10:00Z")
    arrives(world)
    active = world.active(release)
    plan = active.index.plan
    assert not list(flaws(active.state, plan, active.units))
    (joined,) = [unit for unit in plan.units if unit.unit == EU_3]
    rest = tuple(unit for unit in plan.units if unit.unit != EU_3)
    stage = plan.stages[1]
    first = (*stage.waves[0], EU_3)
    sooner = replace(stage, waves=(first, *stage.waves[1:-1], ()))
    changed = {
        "unit": replace(plan, units=(*rest, replace(joined, revision="9.9.9@aaaa"))),
        "object": replace(plan, units=(*rest, replace(joined, objects=joined.objects[:1]))),
        "plan": replace(plan, additions=(replace(plan.additions[0], digest="sha256:0"),)),
        "wave": replace(plan, stages=(plan.stages[0], sooner)),
        "gone": replace(plan, units=rest),
    }[what]
    assert list(flaws(active.state, changed, active.units)) == [
        f"what joined {release} is not what was recorded when it joined"
    ]


def test_a_digest_is_of_the_plan_that_it_is_added_to(world: World) -> None:
    """The same cluster joining another plan is another amendment."""
    release = joining(world)
    world.run_until("2026-11-24T09:10:00Z")
    arrives(world)
    plan = world.active(release).index.plan
    merged = as_merged(plan)
    assert amended(merged, plan, {"eu-3"}, world.clock.at, "c") is not None
    other = replace(merged, plan_hash="sha256:another")
    digests = {
        found.additions[0].digest
        for base in (merged, other)
        if (found := amended(base, plan, {"eu-3"}, world.clock.at, "c")) is not None
    }
    assert len(digests) == 2
    assert plan.additions[0].digest in digests


def test_after_its_end_nobody_joins(world: World) -> None:
    """A release that has ended begins nothing by itself."""
    release = joining(world)
    world.run_to_the_end(release)
    arrives(world)
    world.run_for(hours=2)
    assert world.running()["eu-3"] == "2.4.1×2"


def test_a_cluster_that_leaves_does_not_block_the_end(world: World) -> None:
    """Its unit is left out and listed, no failure; nothing is asked of a cluster without a
    connection.
    """
    release = world.releases()
    world.run_until("2026-11-24T09:10:00Z")
    world.changes({"fleet/clusters/eu-2.yaml": None}, "Retire eu-2")
    unit = world.unit(release, EU_2)
    assert (unit.phase, unit.left, unit.failure) == ("SKIPPED", True, None)
    assert "main has its cluster no more" in world.thread(release)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.unit(release, EU_1).phase == "SUCCEEDED"


def test_one_that_leaves_in_the_middle_of_a_batch_is_no_failure(world: World) -> None:
    """Nobody can say how it stands; nobody needs to."""
    release = world.releases()
    world.run_until("2026-11-24T09:15:22Z")
    assert world.unit(release, EU_2).phase == "APPLYING"
    world.changes({"fleet/clusters/eu-2.yaml": None}, "Retire eu-2")
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.unit(release, EU_2).phase == "SKIPPED"
    assert not world.events(release, "unit.failed")


def test_one_that_failed_and_leaves_holds_nobody_any_more(world: World) -> None:
    """The way out of a broken cluster may be to give it up."""
    world.breaks("eu-1", {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"})
    release = world.releases()
    world.run_until("2026-11-24T11:00:00Z")
    assert world.unit(release, EU_1).phase == "FAILED"
    world.changes({"fleet/clusters/eu-1.yaml": None}, "Retire eu-1")
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_one_that_comes_back_goes_on_by_its_gates(world: World) -> None:
    """Its file was deleted by mistake, and is there again."""
    release = world.releases()
    world.run_until("2026-11-24T09:10:00Z")
    text = world.files["fleet/clusters/eu-2.yaml"]
    world.changes({"fleet/clusters/eu-2.yaml": None}, "Retire eu-2")
    world.changes({"fleet/clusters/eu-2.yaml": text}, "That was a mistake")
    assert world.unit(release, EU_2).phase == "PENDING"
    world.run_to_the_end(release)
    assert world.running()["eu-2"] == "2.5.0×4"


def test_the_pull_request_that_relabels_lists_the_running_releases(world: World) -> None:
    """Whoever merges it knows what it does to what runs: nothing, and that is worth knowing."""
    release = world.releases()
    world.run_until("2026-11-24T09:10:00Z")
    relabelled = repo_files.cluster("eu-1", "prod", 4, haPair="b")
    files = {"fleet/clusters/eu-1.yaml": relabelled, "fleet/clusters/eu-2.yaml": None}
    world.proposes("relabel", files)
    assert world.git is not None
    head = next(pull.head for pull in world.git.pulls() if pull.id == "pr/relabel")
    main = world.git.head()
    assert main is not None
    facts = known(world.bot.ports.store, world.bot.board)
    shown = world.bot.planner.pull(main, head, now=world.clock.at, known=facts)
    found = {one.code: one for one in shown.findings}
    assert {one.level for one in shown.findings} == {"warning"}
    moved, gone = found["running-cluster-relabelled"], found["running-cluster-leaves"]
    assert moved.path == "fleet/clusters/eu-1.yaml"
    assert moved.message == f"eu-1 changes haPair while it is in {release}"
    assert gone.message == f"eu-2 is taken away while it is in {release}"
    world.merges("relabel")
    world.tick()
    world.run_to_the_end(release)
    assert world.unit(release, EU_1).phase == "SUCCEEDED"
