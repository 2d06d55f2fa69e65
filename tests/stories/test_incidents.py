"""Public incidents, set up again: which gate stops each one here, in which wave, and how many pods
had it by then. First half: a bad version, a wrong target. docs/incidents.md is the table of all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.ports import Rendering, RenderJob, Unreachable
from tests import repo_files
from tests.incidents import (
    COMPONENT,
    EU_1,
    EU_2,
    PIPELINE,
    POLICY,
    ST_1,
    TEMPLATE,
    crashes,
    exposed,
    found,
    gates,
    merged,
    place,
    pull,
    two_waves,
)
from tests.stories import test_incidents_data
from tests.world import World


def test_a_release_that_serves_on_7_of_8_nodes_is_not_done(world: World) -> None:
    """Knight Capital, 2012: one of eight servers did not get the new code, and nobody looked.

    A batch has converged when every pod of it runs the version and is ready. The next wave waits.
    """
    two_waves(world)
    world.changes({"fleet/clusters/eu-1.yaml": repo_files.cluster("eu-1", "prod", 8)})
    release = world.releases()
    while world.unit(release, EU_1).batch < 2:
        world.run_for(minutes=1)
    fault = {"do": "neverReady", "image": "registry.local/node-agent:2.5.0", "pods": 1}
    text = repo_files.cluster("eu-1", "prod", 8, [fault])
    world.changes({"fleet/clusters/eu-1.yaml": text})
    while world.unit(release, EU_1).phase != "APPLYING":
        world.run_for(minutes=1)
    world.run_for(minutes=15)
    assert gates(world, release)[EU_1] == "converged"
    assert "8 of 8 pods updated, 8 in all; not all of them have been seen ready" in world.why(
        release
    )
    world.run_for(hours=2)
    assert world.unit(release, EU_1).phase == "FAILED"
    assert gates(world, release)[EU_2] == "holds"
    assert [one.batch for one in world.certificates(release) if one.unit == EU_1] == [1, 2]
    assert place(world, release, EU_1) == ("production", 1)
    assert exposed(world, "2.5.0") == {"st-1": 2, "eu-1": 8}
    assert "7 of 8 pods good: node-agent-" in world.thread(release)


def test_a_release_that_reaches_more_than_was_meant_is_seen_and_capped(world: World) -> None:
    """Amazon S3, 2017: a mistyped argument took away far more servers than was meant.

    The plan names every unit; floors refuse a first wave that is too large; a limit holds over all.
    """
    policy = {
        "windows": {"attended": "5m"},
        "floors": [{"components": {}, "firstWave": 1}],
        "limits": {"unitsInFlight": 1},
    }
    world.changes({POLICY: repo_files.doc("Policy", "policy", policy)})
    wide = {PIPELINE: repo_files.pipeline(waves=["100%"])}
    wrong = found(world, wide | {"releases/2026/r.yaml": repo_files.release("r", "2.5.0")})
    assert list(wrong) == ["below-floor"]
    meant_one = {"names": ["eu-*"]}
    two_waves(world)
    text = repo_files.release("wider", "2.5.0", units=meant_one)
    card = pull(world, "wider", {"releases/2026/wider.yaml": text})
    assert "2 units" in card
    release = merged(world, "wider")
    world.run_until("2026-11-24T09:10:00Z")
    assert [u.unit for u in world.active(release).units.values() if u.in_flight] == [EU_1]
    assert place(world, release, EU_1) == ("production", 1)
    assert world.says("stop --reason 'more than I meant'", by="cleo").code == 0
    world.run_for(hours=8)
    assert exposed(world, "2.5.0") == {"eu-1": 2}
    assert gates(world, release)[EU_2] == "holds"


class Broken:
    """A validator with a bug of its own."""

    def render(self, jobs: Sequence[RenderJob]) -> tuple[Rendering, ...]:
        raise RuntimeError("index out of range")


def test_a_validator_that_crashes_has_not_said_yes(world: World) -> None:
    """Facebook, 2021: the audit tool that should have stopped the command had a bug.

    A renderer that fails is a refusal: without a plan nothing begins. And what stops a release
    needs neither chat nor the clusters.
    """
    world.around = lambda ports: replace(ports, renderer=Broken())
    world.start()
    release = world.releases()
    world.run_until("2026-11-24T12:00:00Z")
    assert exposed(world, "2.5.0") == {}
    assert world.fleet.writes("st-1") == []
    assert world.phase(release) == ""
    assert world.bot.problems == ["a bug in Sluice: RuntimeError: index out of range"]
    world.around = lambda ports: ports
    world.start()
    world.run_for(minutes=30)
    assert set(gates(world, release).values()) == {"holds"}
    assert "without a pull request whose plan was shown" in world.why(release)
    assert exposed(world, "2.5.0") == {}


def test_a_check_that_crashes_has_not_said_yes(world: World) -> None:
    """Facebook, 2021, once more: the check after a batch breaks, and chat is out of reach.

    One pod has the version; `stop` goes by the inbox of the bot, and it holds at once.
    """
    check = {"cel": {}, "successCondition": "result.nothing == 0"}
    world.write({"checks/audit.yaml": repo_files.doc("Check", "audit", check)})
    world.changes({COMPONENT: repo_files.component(checks={"after": ["workload", "audit"]})})
    release = world.releases()

    def silent(post: Any) -> None:
        raise Unreachable("no route to chat")

    world.chat.put = silent  # type: ignore[method-assign]
    world.run_until("2026-11-24T09:20:00Z")
    assert exposed(world, "2.5.0") == {"st-1": 1}
    assert gates(world, release)[ST_1] == "checks_after"
    assert "post-check audit could not be asked" in world.why(release)
    assert world.says("stop --reason 'pager'", by="dan").code == 0
    world.run_until("2026-11-24T16:00:00Z")
    assert exposed(world, "2.5.0") == {"st-1": 1}
    assert place(world, release, ST_1) == ("staging", 1)


def test_a_fault_that_shows_at_peak_load_shows_in_the_silence(world: World) -> None:
    """Roblox, 2021: a change of the day before failed when the load rose, and was not taken back.

    A floor asks for a silence that spans a day; health must hold all the while; the way back needs
    no window.
    """
    policy = {"windows": {"attended": "5m"}, "floors": [{"components": {}, "soak": "24h"}]}
    wrong = found(world, {POLICY: repo_files.doc("Policy", "policy", policy)})
    assert list(wrong) == ["below-floor"]
    world.write({COMPONENT: repo_files.component(soak="24h")})
    world.changes({POLICY: repo_files.doc("Policy", "policy", policy)})
    release = world.releases()
    world.run_until("2026-11-25T06:00:00Z")
    assert gates(world, release)[ST_1] == "soaked"
    world.fleet.sicken("st-1", world.pods("st-1", "2.5.0"))
    world.run_for(minutes=30)
    assert world.unit(release, ST_1).phase == "FAILED"
    assert exposed(world, "2.5.0") == {"st-1": 2}
    assert gates(world, release)[EU_1] == "holds"
    assert place(world, release, ST_1) == ("staging", 1)
    assert "not healthy during the soak: 0 of 2 pods good" in world.thread(release)
    world.says(f"rollback {release} --reason 'latency at peak'", by="ben")
    world.run_until("2026-11-25T07:30:00Z")
    assert world.phase(release) == "ROLLED_BACK"
    assert exposed(world, "2.4.1") == {"st-1": 2, "eu-1": 4, "eu-2": 4}


def test_a_name_of_another_kind_is_no_target_and_nothing_is_deleted_on_the_way(
    world: World,
) -> None:
    """Atlassian, 2022: ids of sites where ids of an app were meant; 883 sites deleted in minutes.

    Targets are resolved by kind against the inventory; a release deletes nothing; an undo that
    deletes asks first.
    """
    text = repo_files.release("wrong", "2.5.0", units={"names": ["node-agent"]})
    card = pull(world, "wrong", {"releases/2026/wrong.yaml": text})
    assert "nothing that it selects is in a stage" in card
    said = world.says("rollback eu-1 --reason cleanup", by="ben")
    assert (said.code, said.text) == (2, "Refused: there is no release eu-1.")
    without = repo_files.TEMPLATE.partition("---\n")[2]
    world.run_to_the_end(world.releases("first", "2.4.1"))
    text = repo_files.release("second", "2.5.0")
    card = pull(world, "second", {"releases/2026/second.yaml": text, TEMPLATE: without})
    assert "ConfigMap infra/node-agent is no longer rendered in all units" in card
    assert "- ConfigMap infra/node-agent: asked about, then deleted unit by unit" in card
    release = merged(world, "second")
    world.run_to_the_end(release)
    assert [w for c in ("st-1", "eu-1", "eu-2") for w in world.writes(c) if "delete" in w] == []
    assert world.live("eu-1", "ConfigMap")["data"] == {"level": "info"}


def test_a_canary_that_does_not_come_up_is_the_last_one(world: World) -> None:
    """CrowdStrike, 2024: a content file went to every sensor at once; the validator had passed it.

    Evidence alone opens nothing: the first pod has to come up and stay up.
    """
    required = repo_files.component(releasable={"evidence": "required"})
    version = {"component": "node-agent", "version": "2.5.0", "images": {},
               "evidence": [{"name": "validator", "passed": True}]}  # fmt: skip
    path = "components/node-agent/versions/2.5.0.yaml"
    world.write({COMPONENT: required})
    world.changes({path: repo_files.doc("ComponentVersion", "node-agent-2.5.0", version)})
    crashes(world, "2.5.0")
    release = world.releases()
    world.run_until("2026-11-24T16:00:00Z")
    assert exposed(world, "2.5.0") == {"st-1": 1}
    assert place(world, release, ST_1) == ("staging", 1)
    assert world.unit(release, ST_1).phase == "FAILED"
    assert gates(world, release) | {ST_1: ""} == {ST_1: "", EU_1: "holds", EU_2: "holds"}
    assert "CrashLoopBackOff" in world.thread(release)


def test_the_table_of_the_docs_is_that_of_the_stories() -> None:
    """A row without a story claims what nobody has tried."""
    stories = {
        name for name in (*globals(), *vars(test_incidents_data)) if name.startswith("test_")
    }
    stories -= {"test_incidents_data", "test_the_table_of_the_docs_is_that_of_the_stories"}
    text = (Path(__file__).parents[2] / "docs" / "incidents.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.endswith("` |")]
    assert sorted(row[-1].strip("` |") for row in rows) == sorted(stories)
    assert all(len(row) == 5 for row in rows)
