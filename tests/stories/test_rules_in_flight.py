"""Rules that change while a release runs: what is frozen stays, what is live counts at once."""

from __future__ import annotations

from typing import Any

from tests import repo_files
from tests.world import World

EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"
ATTENDED = {"windows": {"attended": "5m"}}


def policy(world: World, **spec: Any) -> None:
    world.changes({"policy/policy.yaml": repo_files.doc("Policy", "policy", ATTENDED | spec)})


def test_a_version_blocked_in_flight_begins_no_further_batch(world: World) -> None:
    """Blocks are live from main: what is out there stays, nothing more goes out."""
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    block = {"component": "node-agent", "version": "2.5.0", "reason": "INC-1201"}
    policy(world, blocked=[block])
    world.run_until("2026-11-24T12:00:00Z")
    unit = world.unit(release, ST_1)
    assert (unit.phase, unit.batch) == ("PENDING", 1)
    assert "INC-1201" in world.why(release)
    assert "[not_blocked]" in world.why(release)
    policy(world)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_floor_raised_in_flight_is_obeyed(world: World) -> None:
    """The stricter of then and now: the next silence is as long as the policy wants today."""
    release = world.releases()
    world.run_until("2026-11-24T09:00:01Z")
    path = "components/node-agent/component.yaml"
    world.write({path: repo_files.component(batchSoak="20m")})
    policy(world, floors=[{"components": {}, "batchSoak": "20m"}])
    world.run_until("2026-11-24T09:19:00Z")
    unit = world.unit(release, ST_1)
    assert (unit.phase, unit.batch) == ("SOAKING", 1)
    world.run_until("2026-11-24T09:23:00Z")
    assert world.unit(release, ST_1).batch == 2


def test_a_floor_lowered_in_flight_changes_nothing(world: World) -> None:
    """What was promised at the merge is kept."""
    component = repo_files.component(batchSoak="20m")
    world.changes({"components/node-agent/component.yaml": component})
    policy(world, floors=[{"components": {}, "batchSoak": "20m"}])
    release = world.releases()
    world.run_until("2026-11-24T09:00:01Z")
    policy(world)
    world.run_until("2026-11-24T09:19:00Z")
    assert world.unit(release, ST_1).phase == "SOAKING"


def test_a_limit_lowered_in_flight_lets_end_what_began(world: World) -> None:
    """Two are in flight when the limit becomes one: both end, and then one at a time."""
    release = world.releases()
    world.run_until("2026-11-24T09:20:00Z")
    both = [world.unit(release, name).in_flight for name in (EU_1, EU_2)]
    assert both == [True, True]
    policy(world, limits={"unitsInFlight": 1})
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_limit_holds_over_all_releases(world: World) -> None:
    """Never more units in flight than the policy says."""
    policy(world, limits={"unitsInFlight": 1})
    release = world.releases()
    most = 0
    while not world.phase(release, ended=True):
        world.run_for(minutes=1)
        flying = [u for u in (EU_1, EU_2, ST_1) if world.unit(release, u).in_flight]
        most = max(most, len(flying))
    assert most == 1
    assert world.phase(release) == "SUCCEEDED"


def test_who_left_after_voting_does_not_count_any_more(world: World) -> None:
    """An approval is a person's; who is no approver now has not approved."""
    policy(world, approvals=[{"components": {}, "count": 2}])
    release = world.releases()
    world.says(f"approve {release}", by="ana")
    people = repo_files.people().replace(
        '"approver": [\n        "ana",', '"approver": [\n        "dan",'
    )
    assert people != repo_files.people()
    world.changes({"people.yaml": people})
    world.says(f"approve {release}", by="ben")
    world.run_until("2026-11-24T10:00:00Z")
    assert "[approval]" in world.why(release)
    assert world.phase(release) == "SCHEDULED"
    assert world.says(f"approve {release}", by="dan").code == 0
    world.run_for(minutes=1)
    assert world.phase(release) == "PROGRESSING"


def test_without_a_window_nothing_more_begins(world: World) -> None:
    """`whenNoneMatches: closed`: who removes the last window closes the calendar."""
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.changes({"calendar/windows.yaml": None})
    world.run_until("2026-11-25T12:00:00Z")
    assert (world.unit(release, ST_1).phase, world.unit(release, ST_1).batch) == ("PENDING", 1)
    assert "[window]" in world.why(release)
    world.changes({"calendar/windows.yaml": repo_files.window()})
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_broken_main_stops_nothing_that_runs(world: World) -> None:
    """The last good rules stay in force for what runs; the board says that main is broken."""
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.changes({"calendar/windows.yaml": "kind: Window\nnonsense"})
    assert world.bot.board.rules.broken is not None
    assert "calendar/windows.yaml" in world.bot.board.rules.broken
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_broken_main_holds_what_has_not_begun(world: World) -> None:
    """It goes on by itself when main is mended, and says until then what is wrong where."""
    release = world.releases()
    world.changes({"calendar/windows.yaml": "kind: Window\nnonsense"})
    world.run_until("2026-11-24T10:00:00Z")
    assert world.phase(release) == "SCHEDULED"
    assert "calendar/windows.yaml" in world.why(release)
    world.changes({"calendar/windows.yaml": repo_files.window()})
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_release_merged_while_main_is_broken_waits_for_the_fix(world: World) -> None:
    """It cannot be planned on rules that nobody can read: held, and planned when they are good."""
    name = "node-agent-2-5-0"
    text = repo_files.release(name, "2.5.0")
    world.proposes(name, {f"releases/2026/{name}.yaml": text})
    world.tick()
    world.changes({"calendar/windows.yaml": "kind: Window\nnonsense"})
    world.merges(name)
    world.run_until("2026-11-24T10:00:00Z")
    assert world.phase(name) == "SCHEDULED"
    assert "calendar/windows.yaml" in world.why(name)
    world.dies()
    world.run_for(minutes=1)
    assert "calendar/windows.yaml" in world.why(name), "a restart does not forget it"
    world.changes({"calendar/windows.yaml": repo_files.window()})
    world.run_to_the_end(name)
    assert world.phase(name) == "SUCCEEDED"
    assert world.running()["eu-1"] == "2.5.0×4"


def test_what_could_not_be_planned_can_be_cancelled(world: World) -> None:
    """Nobody has to mend main for a release that nobody wants any more."""
    name = "node-agent-2-5-0"
    world.proposes(name, {f"releases/2026/{name}.yaml": repo_files.release(name, "2.5.0")})
    world.tick()
    world.changes({"calendar/windows.yaml": "kind: Window\nnonsense"})
    world.merges(name)
    world.tick()
    assert world.says(f"resume {name}").code == 3, "there is nothing that could go on"
    assert world.says(f"cancel {name} --reason 'not needed'").code == 0
    assert world.phase(name) == "CANCELLED"


def test_templates_changed_without_a_release_reach_no_cluster(world: World) -> None:
    """The plan lists them as unreleased; a Release that names the same version carries them."""
    release = world.releases()
    world.run_to_the_end(release)
    values = {
        "components/node-agent/values/default.yaml": repo_files.VALUES.replace("info", "debug")
    }
    world.changes(values)
    world.run_for(days=1)
    level = world.live("eu-1", "ConfigMap")["data"]["level"]
    assert level == "info"
    again = world.releases("node-agent-debug", "2.5.0")
    world.run_to_the_end(again)
    assert world.live("eu-1", "ConfigMap")["data"]["level"] == "debug"


def test_evidence_that_is_required_is_awaited(world: World) -> None:
    """The component's own CI says when a version is releasable; until then nothing is written."""
    required = repo_files.component(releasable={"evidence": "required"})
    world.changes({"components/node-agent/component.yaml": required})
    version = {"component": "node-agent", "version": "2.5.0", "images": {}}
    path = "components/node-agent/versions/2.5.0.yaml"
    proof = {"name": "conformance", "passed": True}
    good = repo_files.doc("ComponentVersion", "node-agent-2.5.0", version | {"evidence": [proof]})
    world.changes({path: good})
    release = world.releases()
    bad = repo_files.doc(
        "ComponentVersion", "node-agent-2.5.0", version | {"evidence": [proof | {"passed": False}]}
    )
    world.changes({path: bad})
    world.run_until("2026-11-24T10:00:00Z")
    assert world.running()["st-1"] == "2.4.1×2"
    assert "[releasable]" in world.why(release)
    world.changes({path: good})
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_block_with_an_end_is_lifted_by_itself(world: World) -> None:
    """`until`: nobody has to be awake at midnight, and `why` says when."""
    block = {"component": "node-agent", "version": "2.5.0", "reason": "INC-1201"}
    release = world.releases()
    policy(world, blocked=[block | {"until": "2026-11-25"}, block | {"until": "2026-11-26"}])
    world.run_until("2026-11-24T10:00:00Z")
    wait = world.view(release).waiting[0].wait
    assert wait.until is not None
    assert wait.until.isoformat() == "2026-11-26T00:00:00+00:00", "the longer of the two"
    assert wait.source is not None
    line = world.files["policy/policy.yaml"].splitlines()[int(wait.source.split(":")[1]) - 1]
    assert line.strip() == "{"
    world.run_until("2026-11-25T12:00:00Z")
    assert world.phase(release) == "SCHEDULED"
    world.run_until("2026-11-26T09:01:00Z")
    assert world.phase(release) == "PROGRESSING"


def test_an_override_of_a_block_is_of_that_block_and_of_no_later_one(world: World) -> None:
    """dan has seen INC-1201; of INC-1300, which comes at noon, nobody has seen anything."""
    block = {"component": "node-agent", "version": "2.5.0", "reason": "INC-1201"}
    release = world.releases()
    policy(world, blocked=[block])
    said = world.says(f"override {release} --gate blocked --reason 'a false alarm'", by="dan")
    assert said.code == 0, said.text
    world.run_until("2026-11-24T09:01:00Z")
    assert world.unit(release, ST_1).batch == 1
    policy(world, blocked=[block, block | {"reason": "INC-1300"}])
    world.run_until("2026-11-24T12:00:00Z")
    assert world.unit(release, ST_1).batch == 1
    assert "INC-1300" in world.why(release)
    said = world.says(f"override {release} --gate blocked --reason 'that too'", by="dan")
    assert said.code == 0, said.text
    world.run_to_the_end(release)
