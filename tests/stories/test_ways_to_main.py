"""How a release comes to main, and what becomes of it there: merged, squashed, edited, deleted."""

from __future__ import annotations

import pytest

from tests import repo_files
from tests.world import World

NAME = "node-agent-2-5-0"
PATH = f"releases/2026/{NAME}.yaml"
ST_1 = "node-agent@st-1"


def propose(world: World, **spec: object) -> None:
    world.proposes(NAME, {PATH: repo_files.release(NAME, "2.5.0", **spec)})
    world.tick()


def test_a_release_without_a_pull_request_is_held_until_an_approver_accepts_it(
    world: World,
) -> None:
    """Nobody saw its plan: somebody looks first, and not who wrote it."""
    world.write({PATH: repo_files.release(NAME, "2.5.0")})
    world.push("Straight to main", by="cleo")
    world.run_until("2026-11-24T10:00:00Z")
    assert world.running()["st-1"] == "2.4.1×2"
    assert "without a pull request" in world.why(NAME)
    assert world.says(f"resume {NAME}", by="ana").code == 3
    author = world.says(f"accept {NAME}", by="cleo")
    assert author.body["refused"]["code"] == "author"
    admin = world.says(f"accept {NAME}", by="dan")
    assert admin.body["refused"]["code"] == "role"
    assert world.says(f"accept {NAME}", by="ben").code == 0
    world.run_to_the_end(NAME)
    assert world.phase(NAME) == "SUCCEEDED"


@pytest.mark.parametrize("how", ["fast-forward", "squash"])
def test_other_ways_to_merge_are_known_again(world: World, how: str) -> None:
    """By its head when it was fast-forwarded, by its content when it was squashed."""
    propose(world)
    world._git("fetch", "-q", "origin")
    if how == "fast-forward":
        world._git("merge", "-q", "--ff-only", f"origin/pr/{NAME}")
    else:
        world._git("merge", "-q", "--squash", f"origin/pr/{NAME}")
        world._git("commit", "-q", "-m", "Release 2.5.0, squashed", by="ana")
    world._git("push", "-q", "origin", "HEAD:main", f":pr/{NAME}")
    world.tick()
    assert world.active(NAME).state.pull == f"pr/{NAME}"
    assert world.bot.board.holds == {}
    assert "cleo@example.com" in world.active(NAME).state.authors
    world.run_to_the_end(NAME)
    assert world.phase(NAME) == "SUCCEEDED"


def test_a_pull_request_of_several_commits_fast_forwarded(world: World) -> None:
    """The release came with its first commit; the pull request is known by all of them."""
    world._git("checkout", "-q", "-B", f"pr/{NAME}")
    world.write({PATH: repo_files.release(NAME, "2.5.0")})
    world.push("First", branch=f"pr/{NAME}")
    world.write({"releases/2026/README.txt": "notes\n"})
    world.push("Second", branch=f"pr/{NAME}")
    world._git("checkout", "-q", "main")
    world.tick()
    world._git("merge", "-q", "--ff-only", f"pr/{NAME}")
    world._git("push", "-q", "origin", "HEAD:main", f":pr/{NAME}")
    world.tick()
    assert world.active(NAME).state.pull == f"pr/{NAME}"
    assert world.bot.board.holds == {}


def test_the_bot_was_down_when_it_was_merged(world: World) -> None:
    """Seen open before, found merged after: the same as if it had watched."""
    propose(world)
    world.dies()
    world.merges(NAME)
    world.run_to_the_end(NAME)
    assert world.phase(NAME) == "SUCCEEDED"


def test_an_edit_on_main_is_a_hold(world: World) -> None:
    """A release's spec does not change after the merge."""
    world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.changes({PATH: repo_files.release(NAME, "2.5.0", reason="Another reason")})
    world.run_until("2026-11-24T12:00:00Z")
    unit = world.unit(NAME, ST_1)
    assert unit.phase in ("APPLYING", "PENDING", "SOAKING")
    assert "changed on main" in world.why(NAME)
    assert world.says(f"resume {NAME} --reason 'only the reason'").code == 0
    world.run_to_the_end(NAME)
    assert world.phase(NAME) == "SUCCEEDED"


def test_an_edit_that_is_taken_back_lifts_its_hold(world: World) -> None:
    """What the hold asked for is done: main says again what was approved, and it goes on."""
    world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.changes({PATH: repo_files.release(NAME, "2.5.0", reason="Another reason")})
    assert "changed on main" in world.why(NAME)
    world.changes({PATH: repo_files.release(NAME, "2.5.0", reason="A third reason")})
    assert len(world.events(NAME, "hold.set")) == 1, "still edited: the one hold stands"
    world.changes({PATH: repo_files.release(NAME, "2.5.0")}, "As it was approved")
    assert world.bot.board.holds == {}
    (lifted,) = world.events(NAME, "hold.lifted")
    assert lifted.who == "sluice"
    world.run_to_the_end(NAME)
    assert world.phase(NAME) == "SUCCEEDED"


def test_an_edit_that_was_accepted_and_taken_back_raises_no_second_hold(world: World) -> None:
    """Somebody resumed it as it was; tidying the file up afterwards stops nobody."""
    world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.changes({PATH: repo_files.release(NAME, "2.5.0", reason="Another reason")})
    assert world.says(f"resume {NAME} --reason 'only the reason'").code == 0
    world.changes({PATH: repo_files.release(NAME, "2.5.0")}, "As it was approved")
    assert world.bot.board.holds == {}
    assert len(world.events(NAME, "hold.set")) == 1


def test_deleted_before_it_began_it_is_cancelled(world: World) -> None:
    """A revert of a release that wrote nothing undoes it."""
    world.releases()
    world.changes({PATH: None}, "Revert the release")
    assert world.phase(NAME) == "CANCELLED"
    world.run_until("2026-11-24T12:00:00Z")
    assert world.running()["st-1"] == "2.4.1×2"


def test_deleted_after_it_began_somebody_is_asked(world: World) -> None:
    """The file is gone, the pods are not: roll back, or go on."""
    world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.changes({PATH: None}, "Revert the release")
    world.run_until("2026-11-24T12:00:00Z")
    assert world.unit(NAME, ST_1).phase != "SUCCEEDED"
    assert "taken away from main" in world.why(NAME)
    assert world.says(f"rollback {NAME} --reason reverted").code == 0
    world.run_to_the_end(NAME)
    assert world.phase(NAME) == "ROLLED_BACK"
    assert world.running()["st-1"] == "2.4.1×2"


def test_deleted_after_its_end_nothing_happens(world: World) -> None:
    """Tidying up is no revert."""
    world.releases()
    world.run_to_the_end(NAME)
    world.changes({PATH: None}, "Tidy up")
    world.run_for(days=1)
    assert world.phase(NAME) == "SUCCEEDED"
    assert world.running()["st-1"] == "2.5.0×2"


def test_clusters_that_join_while_it_runs_are_listed_as_owed(world: World) -> None:
    """`lateJoiners: ignore`: the plan is frozen, and nobody forgets the new cluster."""
    world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.changes({"fleet/clusters/eu-3.yaml": repo_files.cluster("eu-3", "prod", 4)})
    world.fleet.seed("eu-3", repo_files.running())
    view = world.view(NAME)
    assert view.owed == ("node-agent@eu-3",)
    world.run_to_the_end(NAME)
    assert world.phase(NAME) == "SUCCEEDED"
    assert world.running()["eu-3"] == "2.4.1×4"


def test_a_relabelled_cluster_stays_where_it_was_planned(world: World) -> None:
    """eu-1 becomes staging while the release runs: it is still released in production."""
    world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.changes({"fleet/clusters/eu-1.yaml": repo_files.cluster("eu-1", "staging", 4)})
    world.run_until("2026-11-24T09:08:00Z")
    assert world.unit(NAME, "node-agent@eu-1").phase == "PENDING"
    assert "[earlier]" in world.why(NAME)
    assert world.view(NAME).owed == ()
    world.run_to_the_end(NAME)
    assert world.running()["eu-1"] == "2.5.0×4"


def test_two_releases_of_one_component_go_one_after_the_other(world: World) -> None:
    """Never two releases on one component in one cluster."""
    world.releases()
    world.releases("node-agent-2-6-0", "2.6.0")
    world.run_until("2026-11-24T09:10:00Z")
    assert NAME in world.why("node-agent-2-6-0")
    assert "[unit_free]" in world.why("node-agent-2-6-0")
    world.run_to_the_end("node-agent-2-6-0")
    assert world.phase(NAME) == "SUCCEEDED"
    assert world.running()["eu-1"] == "2.6.0×4"


def test_its_successor_takes_over_by_saying_so(world: World) -> None:
    """`supersedes`: the running one is stopped where it stands, and ends as superseded."""
    world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.releases("node-agent-2-6-0", "2.6.0", supersedes=[NAME])
    world.run_to_the_end("node-agent-2-6-0")
    assert world.phase(NAME) == "SUPERSEDED"
    assert set(world.running().values()) == {"2.6.0×2", "2.6.0×4"}
