"""Parts of a cluster wherever people name something: in commands, questions and answers."""

from __future__ import annotations

import pytest

from tests import repo_files
from tests.stories.scopes import EU_1, cluster, on, only_eu_1
from tests.stories.test_kinds import DAEMON_SET
from tests.world import World

CANARY, REST = f"{EU_1}/nodeSet:canary", f"{EU_1}/nodeSet:rest"


def test_a_unit_of_a_part_is_paused_by_its_name_and_by_what_it_is_part_of(world: World) -> None:
    """Cluster, group and label reach it as well; its own name reaches no other part."""
    only_eu_1(world, DAEMON_SET)
    release = world.releases()
    for scope in (CANARY, EU_1, "cluster:eu-1", "group:prod", "label:nodeSet=canary"):
        answer = world.says(f"pause {scope} look")
        assert answer.code == 0, answer.text
        assert answer.body["releases"] == [release]
        assert f"{CANARY} [holds]" in world.why(release)
        assert world.says(f"resume {scope}").code == 0


def test_the_pause_of_one_part_lets_the_other_go_on(world: World) -> None:
    only_eu_1(world, DAEMON_SET)
    release = world.releases()
    world.says(f"pause {REST} not yet")
    world.run_for(hours=3)
    assert world.unit(release, CANARY).phase == "SUCCEEDED"
    assert on(world, "2.5.0") == ["n-1", "n-2"]
    assert f"{REST} [holds]" in world.why(release)


@pytest.mark.parametrize(
    ("scope", "meant"),
    [
        (f"{EU_1}/nodeSet:canray", CANARY),
        (f"{EU_1}/nodeset:canary", CANARY),
        ("node-agent@eu-11/nodeSet:canary", CANARY),
        ("node-agnt@eu-1", EU_1),
    ],
)
def test_a_part_that_there_is_not_is_asked_back(world: World, scope: str, meant: str) -> None:
    """A stop of nothing must not look like a stop."""
    only_eu_1(world, DAEMON_SET)
    world.releases()
    answer = world.says(f"pause {scope} typo")
    assert answer.code == 2
    assert f"Did you mean {meant}?" in answer.text


def test_the_whole_of_a_cluster_can_be_frozen_before_any_release(world: World) -> None:
    """Main says which parts there are; a freeze may come first."""
    only_eu_1(world, DAEMON_SET)
    for scope in (EU_1, CANARY):
        assert world.says(f"freeze {scope} --until 2h --reason switch").code == 0
    release = world.releases()
    world.run_for(hours=1)
    assert on(world, "2.5.0") == []
    assert "switch" in world.why(release)


def test_the_whole_of_a_cluster_is_rolled_back_by_one_name(world: World) -> None:
    only_eu_1(world, DAEMON_SET)
    release = world.releases()
    while world.unit(release, REST).began is None:
        world.run_for(seconds=20)
    assert world.says(f"rollback {EU_1} no").body["units"] == 2
    world.run_for(minutes=20)
    assert on(world, "2.4.1") == [f"n-{n}" for n in range(1, 7)]


def test_skipping_is_of_one_part(world: World) -> None:
    only_eu_1(world, DAEMON_SET)
    release = world.releases()
    answer = world.says(f"skip {EU_1} all of it")
    assert answer.code != 0
    assert world.says(f"skip {CANARY} no canary today").code == 0
    world.run_to_the_end(release)
    assert on(world, "2.5.0") == ["n-3", "n-4", "n-5", "n-6"]


def test_windows_and_freezes_see_the_labels_of_a_part(world: World) -> None:
    """A window for canaries alone: the rest waits for its own."""
    only_eu_1(world, DAEMON_SET)
    canaries = {"matchLabels": {"nodeSet": "canary"}}
    rest = {"matchLabels": {"nodeSet": "rest"}}
    early = {"from": "09:00", "to": "12:00", "units": canaries}
    late = {"from": "14:00", "to": "17:00", "units": rest}
    windows = repo_files.window("early", **early) + "---\n" + repo_files.window("late", **late)
    world.changes({"calendar/windows.yaml": windows}, "A window for each set")
    release = world.releases()
    world.run_until("2026-11-24T13:59:00Z")
    assert on(world, "2.5.0") == ["n-1", "n-2"]
    assert f"{REST} [window]" in world.why(release)
    world.run_until("2026-11-24T14:10:00Z")
    assert world.unit(release, REST).began is not None


def test_a_set_of_labels_of_its_own_is_seen_by_pipelines(world: World) -> None:
    """`labels` of a node set count like those of its cluster, and win."""
    sets = [
        {"name": "b", "selector": {"matchLabels": {"pool": "b"}}, "labels": {"risk": "high"}},
        {"name": "canary", "selector": {"matchLabels": {"pool": "canary"}}},
    ]
    no_risk = {"key": "risk", "operator": "DoesNotExist"}
    stages = [
        {"name": "low", "units": {"matchExpressions": [no_risk]}},
        {"name": "high", "units": {"matchLabels": {"risk": "high"}}},
    ]
    only_eu_1(
        world,
        DAEMON_SET,
        cluster_file=cluster(nodeSets=sets),
        pipeline=repo_files.doc("Pipeline", "standard", {"stages": stages}),
    )
    release = world.releases()
    planned = [[*stage.waves] for stage in world.active(release).index.plan.stages]
    assert planned == [[(CANARY, REST)], [(f"{EU_1}/nodeSet:b",)]]
