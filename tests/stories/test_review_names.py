"""The name of a release is unique for ever, and a plan that changed leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.model.state import Pull, ReleaseState, UnitState
from tests import repo_files
from tests.world import World

NAME = "node-agent-2-5-0"
PATH = f"releases/2026/{NAME}.yaml"
TAKEN = "unique for ever"


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[World]:
    """A world whose store is a file: the bot may end and start again."""
    world = World(tmp_path, db=str(tmp_path / "sluice.db"))
    world.push("The fleet as it is")
    world.start()
    for cluster in ("st-1", "eu-1", "eu-2"):
        world.fleet.seed(cluster, repo_files.running())
    yield world
    world.close()


def ended(world: World) -> None:
    """A release that succeeded and whose file was tidied away."""
    world.releases()
    world.run_to_the_end(NAME)
    world.changes({PATH: None}, "Tidy up")


def again(world: World) -> None:
    world.proposes("again", {PATH: repo_files.release(NAME, "2.5.0")})
    world.tick()


@pytest.mark.parametrize("restarted", [False, True])
def test_a_pull_request_cannot_use_the_name_of_an_ended_release(
    kept: World, restarted: bool
) -> None:
    """It gets an error to mend; the record stays, and stays when the pull request is closed."""
    ended(kept)
    if restarted:
        kept.dies()
    again(kept)
    assert kept.phase(NAME) == "SUCCEEDED"
    assert NAME not in kept.bot.board.releases
    assert TAKEN in kept.chat.cards["pull/pr/again"]
    kept._git("push", "-q", "origin", ":pr/again")
    kept.tick()
    assert kept.phase(NAME) == "SUCCEEDED"
    assert kept.unit(NAME, "node-agent@st-1").phase == "SUCCEEDED"


def test_a_name_that_comes_to_main_again_brings_nothing(kept: World) -> None:
    """Merged past every warning: the record stays, the audit has it, nothing runs."""
    ended(kept)
    again(kept)
    kept.merges("again")
    writes = {cluster: kept.writes(cluster) for cluster in ("st-1", "eu-1", "eu-2")}
    kept.run_for(days=1)
    assert kept.phase(NAME) == "SUCCEEDED"
    assert len(kept.events(NAME, "release.name-taken")) == 1
    assert {cluster: kept.writes(cluster) for cluster in writes} == writes


def test_a_pull_request_that_was_narrowed_leaves_no_units_behind(kept: World) -> None:
    """Rows of units that the plan has no more would keep the release from ever ending."""
    kept.proposes(NAME, {PATH: repo_files.release(NAME, "2.5.0")})
    kept.tick()
    staging = {"matchLabels": {"environment": "staging"}}
    kept._git("fetch", "-q", "origin")
    kept._git("push", "-q", "origin", f":pr/{NAME}", "HEAD:refs/heads/pr/other")
    kept.proposes(NAME, {PATH: repo_files.release(NAME, "2.5.0", units=staging)})
    kept.tick()
    kept.merges(NAME)
    kept.tick()
    rows = kept.bot.ports.store.rows(UnitState, parent=NAME)
    assert [row.unit for row in rows] == ["node-agent@st-1"]
    kept.dies()
    kept.run_to_the_end(NAME)
    assert kept.phase(NAME) == "SUCCEEDED"


def test_a_plan_that_changed_while_it_was_open_leaves_no_units_behind(kept: World) -> None:
    """The same pull request, another push: the row of what it does not reach any more goes."""
    kept.proposes(NAME, {PATH: repo_files.release(NAME, "2.5.0")})
    kept.tick()
    kept.changes({"fleet/clusters/eu-2.yaml": None}, "eu-2 is taken down")
    rows = kept.bot.ports.store.rows(UnitState, parent=NAME)
    assert [row.unit for row in rows] == ["node-agent@eu-1", "node-agent@st-1"]


def test_what_ended_is_not_kept_in_memory(world: World) -> None:
    """A bot that runs for months remembers what runs, and finds the rest in its store."""
    ended(world)
    world.tick()
    bot = world.bot
    assert bot.board.applied == {}
    assert not bot.versions._known
    assert bot.noticer._pulls._pulls == {}
    assert bot.ports.store.get(Pull, f"pr/{NAME}").state == "merged"
    assert world.says(f"rollback {NAME} --reason bad").code == 0
    world.run_to_the_end(NAME)
    assert bot.ports.store.get(ReleaseState, NAME).phase == "ROLLED_BACK"


def test_files_that_come_again_are_no_merge_of_what_was_merged(world: World) -> None:
    """A change and its revert give the same files as a merge long ago: nobody merged it twice."""
    world.proposes("notes", {"releases/2026/README.txt": "notes\n"})
    world.tick()
    world.merges("notes")
    world.tick()
    world.changes({"releases/2026/README.txt": "other\n"})
    world.write({"releases/2026/README.txt": "notes\n"})
    commit = world.bot.ports.git.commit(world.push("As it was merged once"))
    assert world.bot.noticer._pulls.of_commit(commit) is None


@pytest.mark.parametrize("year", ["0001", "1999", "2200", "9999"])
def test_a_year_that_nobody_can_mean_is_a_finding(world: World, year: str) -> None:
    """No zone reckons with the ends of time: said at the pull request, never an overflow."""
    at = {"at": f"{year}-01-01T00:00", "zone": "Asia/Tokyo"}
    freeze = {"from": "2026-01-01T00:00", "to": f"{year}-12-31T23:59", "zone": "Asia/Tokyo"}
    files = {
        PATH: repo_files.release(NAME, "2.5.0", notBefore=at),
        "calendar/freezes/x.yaml": repo_files.doc(
            "Freeze", "x", freeze | {"reason": "x", "owner": "ana"}
        ),
    }
    world.proposes("far", files)
    world.tick()
    assert NAME not in world.bot.board.releases
    said = world.chat.cards["pull/pr/far"]
    assert said.count("expected a year from 2000 to 2199") == 2
