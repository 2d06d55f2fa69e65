"""Commands in bad moments: what was tried again, left out or stopped never goes past a gate."""

from __future__ import annotations

from datetime import timedelta

from bot.model.state import Certificate
from tests import repo_files
from tests.world import World

NEVER = {"do": "neverReady", "image": "registry.local/node-agent:2.5.0", "pods": 4}
NO_WAY_BACK = {"do": "neverReady", "image": "registry.local/node-agent:2.4.1", "pods": 4}
GONE = {"do": "unreachable", "from": "2026-11-24T09:00:00Z", "to": "2028-01-01T00:00:00Z"}
DAY_AFTER = {"at": "2026-11-27T09:00", "zone": "UTC"}
EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"


def in_its_first_batch(world: World) -> str:
    """A release whose first batch rolls in staging."""
    release = world.releases()
    world.run_until("2026-11-24T09:00:01Z")
    assert world.unit(release, ST_1).phase == "APPLYING"
    return release


def test_units_tried_again_keep_to_the_limit(world: World) -> None:
    """Two failed units, one place: a retry passes the gates of a batch that begins."""
    pipeline = repo_files.pipeline(maxConcurrency=1, maxFailures=1)
    world.changes({"pipelines/standard.yaml": pipeline})
    world.breaks("eu-1", NEVER)
    world.breaks("eu-2", NEVER)
    release = world.releases(units={"names": ["eu-*"]})
    world.run_until("2026-11-24T10:30:00Z")
    assert {world.unit(release, unit).phase for unit in (EU_1, EU_2)} == {"FAILED"}
    world.heals("eu-1")
    world.heals("eu-2")
    assert world.says(f"retry {release}").code == 0
    world.run_for(minutes=2)
    assert sorted(world.unit(release, unit).in_flight for unit in (EU_1, EU_2)) == [False, True]
    assert "[concurrency]" in world.why(release)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_what_was_left_out_is_tried_again_from_the_batch_that_failed(world: World) -> None:
    """Skipped, then wanted after all: a batch without a certificate is never jumped over."""
    world.breaks("st-1", NEVER | {"pods": 1}, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:25:00Z")
    failed = world.unit(release, ST_1)
    assert (failed.phase, failed.batch) == ("FAILED", 1)
    assert world.says(f"skip {ST_1} --reason later").code == 0
    world.heals("st-1", group="staging")
    assert world.says(f"retry {ST_1}").code == 0
    world.run_for(seconds=20)
    unit = world.unit(release, ST_1)
    assert (unit.batch, unit.step) == (1, 0)
    world.run_to_the_end(release)
    kept = [c.batch for c in world.bot.ports.store.rows(Certificate) if c.unit == ST_1]
    assert kept == [1, 2]


def half_way_back(world: World) -> str:
    """eu-1 was sent back, and what ran before does not come up there any more."""
    release = world.releases()
    world.run_until("2026-11-24T09:22:00Z")
    world.breaks("eu-1", NO_WAY_BACK)
    assert world.says(f"rollback {EU_1} --reason bad").code == 0
    world.run_for(minutes=30)
    assert world.unit(release, EU_1).phase == "FAILED"
    return release


def test_a_failed_way_back_is_tried_again_backwards(world: World) -> None:
    """What somebody sent back goes forward no more, whatever failed on the way."""
    release = half_way_back(world)
    world.heals("eu-1")
    assert world.says(f"retry {EU_1}").code == 0
    world.run_for(minutes=5)
    assert world.unit(release, EU_1).phase == "ROLLED_BACK"
    assert world.running()["eu-1"] == "2.4.1×4"


def test_a_dead_cluster_does_not_keep_a_rollback_open(world: World) -> None:
    """An approver leaves it out: the rest ends, and the unit stays owed until it can go back."""
    release = world.releases()
    world.run_until("2026-11-24T09:22:00Z")
    world.breaks("st-1", GONE, group="staging")
    assert world.says(f"rollback {release} --reason bad").code == 0
    world.run_for(hours=3)
    assert world.phase(release) == "ROLLING_BACK"
    assert world.bot.board.rules.blocked, "what it brought is blocked from the first moment"
    assert world.branch(f"revert-{release}"), "and the revert waits for nobody"
    assert world.says(f"skip {ST_1} --reason 'it burnt'", by="dan").code == 3
    said = world.says(f"skip {ST_1} --reason 'it burnt'", by="cleo")
    assert said.code == 0, said.text
    world.tick()
    assert world.phase(release) == "ROLLED_BACK"
    assert world.unit(release, ST_1).phase == "SKIPPED"
    world.breaks("st-1", group="staging")
    assert world.says(f"rollback {ST_1} --reason 'it is back'").code == 0
    world.run_for(minutes=10)
    assert world.unit(release, ST_1).phase == "ROLLED_BACK"
    assert world.running()["st-1"] == "2.4.1×2"


def test_a_batch_in_a_cluster_that_is_gone_can_be_left_out(world: World) -> None:
    """Nobody can stop or finish what rolls there: it is owed, and the others go on."""
    release = in_its_first_batch(world)
    world.breaks("st-1", GONE, group="staging")
    world.run_for(minutes=2)
    said = world.says(f"skip {ST_1} --reason gone")
    assert said.code == 0, said.text
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_freeze_that_ends_by_itself_lets_the_batch_go_on(world: World) -> None:
    """Nobody has to wake what stood still, and it has the time that the freeze took."""
    release = in_its_first_batch(world)
    assert world.says("freeze all --until 10m --reason storm", by="dan").code == 0
    world.run_for(minutes=9)
    assert world.unit(release, ST_1).phase == "APPLYING"
    world.run_for(minutes=3)
    after = world.unit(release, ST_1)
    assert after.phase != "APPLYING"


def test_two_holds_at_once_move_a_deadline_on_once(world: World) -> None:
    """A batch gets the time that it stood still, however many people stopped it."""
    world.breaks("st-1", NEVER, group="staging")
    release = in_its_first_batch(world)
    deadline = world.unit(release, ST_1).deadline
    assert deadline is not None
    world.says("pause all")
    world.says(f"pause {release}")
    world.run_for(hours=2)
    world.says("resume all")
    world.run_for(hours=1)
    assert world.unit(release, ST_1).deadline == deadline
    world.says(f"resume {release}")
    moved = world.unit(release, ST_1).deadline
    assert moved == deadline + timedelta(hours=3)


def test_a_freeze_for_ever_is_no_emergency(world: World) -> None:
    """Beyond what the calendar is asked it belongs into the repo, where people see it."""
    said = world.says("freeze all --until 401d --reason storm", by="dan")
    assert said.body["refused"]["code"] == "bad-time"
    assert "400 days" in said.text
    assert world.says("freeze all --until 400d --reason storm", by="dan").code == 0


def test_a_first_install_can_be_undone_twice(world: World) -> None:
    """What was decided of the first rollback says nothing of the second."""
    component = repo_files.component(onFailure="rollbackUnit")
    group = repo_files.cluster("st-2", "staging", 2, [NEVER | {"pods": 2}])
    files = {
        "fleet/clusters/st-2.yaml": group,
        "components/node-agent/component.yaml": component,
    }
    world.changes(files)
    release, unit = world.releases(), "node-agent@st-2"
    world.run_until("2026-11-24T09:30:00Z")
    assert "[undo_decided]" in world.why(release)
    assert world.says(f"approve {release}#1").code == 0
    world.run_for(minutes=1)
    assert world.unit(release, unit).phase == "ROLLED_BACK"
    assert world.says(f"retry {unit}").code == 0
    world.run_for(minutes=30)
    assert "so this time it holds" in world.why(release), "by itself it goes back once"
    assert world.says(f"rollback {unit} --reason 'once more'").code == 0
    world.run_for(minutes=1)
    assert "[undo_decided]" in world.why(release)
    assert world.says(f"reject {release}#2 --reason 'leave it for a look'").code == 0
    world.run_for(minutes=1)
    assert world.unit(release, unit).phase == "ROLLED_BACK"
    assert world.running()["st-2"] == "2.5.0×2"


def test_what_a_rollback_put_back_can_be_rolled_back_itself(world: World) -> None:
    """2.6.0 went back onto 2.5.0: that is what runs, and its way back is open again."""
    first = world.releases()
    world.run_to_the_end(first)
    second = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_until("2026-11-25T09:22:00Z")
    assert world.running()["st-1"] == "2.6.0×2"
    refused = world.says(f"rollback {first} --reason bad")
    assert refused.body["refused"]["code"] == "replaced"
    assert second in refused.text
    assert world.says(f"rollback {second} --reason bad").code == 0
    world.run_to_the_end(second)
    assert world.running()["st-1"] == "2.5.0×2"
    third = world.releases("node-agent-2-7-0", "2.7.0", notBefore=DAY_AFTER)
    said = world.says(f"rollback {first} --reason 'bad too'")
    assert said.code == 0, said.text
    world.run_to_the_end(first)
    assert world.phase(first) == "ROLLED_BACK"
    assert set(world.running().values()) == {"2.4.1×2", "2.4.1×4"}
    world.run_to_the_end(third)
    assert set(world.running().values()) == {"2.7.0×2", "2.7.0×4"}, "no fence is in its way"


def test_a_unit_that_a_newer_release_has_in_hand_is_not_taken_back(world: World) -> None:
    """The answer to the newer one's write was lost: only its own row tells that it began."""
    first = world.releases()
    world.run_to_the_end(first)
    world.breaks("st-1", {"do": "loseAnswers", "every": 1}, group="staging")
    second = world.releases("node-agent-2-6-0", "2.6.0")
    assert world.unit(second, ST_1).in_flight
    refused = world.says(f"rollback {first} --reason bad")
    assert refused.body["refused"]["code"] == "replaced"
    assert second in refused.text


def test_one_unit_taken_back_blocks_nothing(world: World) -> None:
    """Even when it is all that the release has: who wants it blocked rolls the release back."""
    release = world.releases(units={"names": ["st-1"]})
    world.run_to_the_end(release)
    assert world.says(f"rollback {ST_1} --reason 'only here'").code == 0
    world.run_for(minutes=10)
    assert world.unit(release, ST_1).phase == "ROLLED_BACK"
    assert world.bot.board.rules.blocked == ()
    assert world.branch(f"revert-{release}") == {}
