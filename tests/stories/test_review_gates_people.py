"""Who wrote it, who must say yes now, and floors that rise after the merge."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from tests import repo_files
from tests.world import World

NAME = "node-agent-2-5-0"
FILE = f"releases/2026/{NAME}.yaml"
ST_1 = "node-agent@st-1"


def policy(count: int = 0, **spec: Any) -> dict[str, str]:
    base: dict[str, Any] = {"windows": {"attended": "5m"}}
    if count:
        base["approvals"] = [{"components": {}, "count": count, "roles": ["approver"]}]
    return {"policy/policy.yaml": repo_files.doc("Policy", "policy", base | spec)}


def open_decision(world: World) -> Any:
    return max(world.active(NAME).decisions.values(), key=lambda one: one.number)


def test_a_policy_that_asks_only_after_the_merge_is_obeyed(world: World) -> None:
    """The plan asked nobody; before the first write the rules of now count."""
    world.clock.at = world.clock.at.replace(hour=18)
    release = world.releases()
    world.changes(policy(2))
    world.run_until("2026-11-25T09:30:00Z")
    assert "[approval]" in world.why(release)
    assert world.running()["st-1"] == "2.4.1×2"
    world.says(f"approve {release}", by="ana")
    assert world.says(f"approve {release}", by="ben").body["approved"] is True
    world.run_for(minutes=5)
    assert "2.5.0" in world.running()["st-1"]


def test_a_policy_that_asks_after_the_first_write_asks_nothing(world: World) -> None:
    """What began goes on: it is asked once, before the first write."""
    release = world.releases()
    world.run_until("2026-11-24T09:05:00Z")
    world.changes(policy(2))
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_other_roles_of_now_decide(world: World) -> None:
    """A yes of somebody who may not decide any more by the policy is none."""
    world.changes(policy(1))
    world.clock.at = world.clock.at.replace(hour=18)
    release = world.releases()
    asked = [{"components": {}, "count": 1, "roles": ["admin"], "expires": "40h"}]
    world.changes(policy(approvals=asked))
    assert world.says(f"approve {release}", by="ben").body["refused"]["code"] == "role"
    assert world.says(f"approve {release}", by="dan").body["approved"] is True


def test_a_yes_is_open_again_when_more_people_are_needed(world: World) -> None:
    """One was enough and is not any more: the second can be given, and it goes on."""
    world.changes(policy(1))
    world.clock.at = world.clock.at.replace(hour=18)
    release = world.releases()
    assert world.says(f"approve {release}", by="ana").body["approved"] is True
    world.changes(policy(2))
    assert world.events(release, "decision.reopened")
    said = world.says(f"approve {release}", by="ben")
    assert (said.body["have"], said.body["approved"]) == (2, True)
    world.run_until("2026-11-25T09:10:00Z")
    assert world.phase(release) == "PROGRESSING"


def test_a_yes_is_open_again_when_who_gave_it_has_no_role_any_more(world: World) -> None:
    """ana is no approver any more: somebody else says yes, and nothing is stuck."""
    world.changes(policy(1))
    world.clock.at = world.clock.at.replace(hour=18)
    release = world.releases()
    assert world.says(f"approve {release}", by="ana").body["approved"] is True
    people = repo_files.people().replace('"ana",\n        "ben",\n        "cleo"', '"ben"')
    assert people != repo_files.people()
    world.changes({"people.yaml": people})
    world.run_until("2026-11-25T09:10:00Z")
    assert "[approval]" in world.why(release)
    assert world.says(f"approve {release}", by="ben").body["approved"] is True
    world.run_for(minutes=2)
    assert world.phase(release) == "PROGRESSING"


def test_who_only_merges_may_have_approved(world: World) -> None:
    """The merge is nobody's part of the pull request: ana says yes and merges it."""
    world.changes(policy(1))
    world.proposes(NAME, {FILE: repo_files.release(NAME, "2.5.0")})
    world.tick()
    assert world.says(f"approve {NAME}", by="ana").body["approved"] is True
    world.merges(NAME, by="ana")
    world.run_until("2026-11-24T09:10:00Z")
    assert world.active(NAME).state.authors == ("cleo@example.com",)
    assert world.phase(NAME) == "PROGRESSING"


def merged_with_more(world: World, *, by: str) -> None:
    """Somebody merges it by hand, and puts a file of his own into the merge commit."""
    git = world._git
    git("fetch", "-q", "origin")
    git("merge", "-q", "--no-ff", "--no-commit", f"origin/pr/{NAME}", by=by)
    (world.work / "note.txt").write_text("more than was shown")
    git("add", "-A")
    git("commit", "-q", "-m", "Merge, and more", by=by)
    git("push", "-q", "origin", "HEAD:main")
    world.tick()


def test_who_adds_something_to_the_merge_is_an_author(world: World) -> None:
    """A merge commit that brings more than the pull request is somebody's work."""
    world.changes(policy(1))
    world.proposes(NAME, {FILE: repo_files.release(NAME, "2.5.0")})
    world.tick()
    merged_with_more(world, by="ana")
    assert "ana@example.com" in world.active(NAME).state.authors


def test_the_yes_of_who_is_an_author_since_the_merge_is_none(world: World) -> None:
    """Approved as a reviewer, then something was added while merging: somebody else looks at it."""
    world.changes(policy(1))
    world.proposes(NAME, {FILE: repo_files.release(NAME, "2.5.0")})
    world.tick()
    assert world.says(f"approve {NAME}", by="ana").body["approved"] is True
    merged_with_more(world, by="ana")
    world.run_until("2026-11-24T09:30:00Z")
    assert "[approval]" in world.why(NAME)
    assert world.running()["st-1"] == "2.4.1×2"
    assert world.says(f"approve {NAME}", by="ben").code == 0
    world.run_for(minutes=2)
    assert "2.5.0" in world.running()["st-1"]


def test_all_commits_of_a_merge_that_nobody_saw_have_authors(world: World) -> None:
    """Merged while the bot was down: cleo wrote it, and may neither accept nor approve it."""
    world.changes(policy(1))
    world.dies()
    world.proposes(NAME, {FILE: repo_files.release(NAME, "2.5.0")})
    world.merges(NAME, by="dan")
    world.start()
    world.tick()
    assert set(world.active(NAME).state.authors) == {"cleo@example.com", "dan@example.com"}
    assert world.says(f"accept {NAME}", by="cleo").body["refused"]["code"] == "author"
    assert world.says(f"accept {NAME}", by="ana").code == 0
    assert world.says(f"approve {NAME}", by="cleo").body["refused"]["code"] == "author"


def test_an_author_without_an_e_mail_is_an_unknown_one(world: World) -> None:
    """Nobody knows who that was: one more person looks, and everybody can read how many."""
    world.changes(policy(1))
    _propose(world, mail="")
    world.merges(NAME)
    world.run_until("2026-11-24T09:10:00Z")
    assert world.says(f"approve {NAME}", by="ben").body["count"] == 2
    view = world.view(NAME)
    assert view.needs[open_decision(world).id] == 2
    assert "1 of 2 approvals" in world.chat.cards[f"card/{NAME}"]


def test_who_is_named_in_a_trailer_is_an_author(world: World) -> None:
    """Written together: ben may not say yes to it either."""
    world.changes(policy(1))
    _propose(world, mail="cleo@example.com", more="\n\nCo-authored-by: Ben <ben@example.com>\n")
    world.merges(NAME)
    world.run_until("2026-11-24T09:10:00Z")
    assert set(world.active(NAME).state.authors) == {"ben@example.com", "cleo@example.com"}
    assert world.says(f"approve {NAME}", by="ben").body["refused"]["code"] == "author"


def _propose(world: World, *, mail: str, more: str = "") -> None:
    """A pull request whose one commit has this author and this end of its message."""
    git = world._git
    git("checkout", "-q", "-B", f"pr/{NAME}")
    there = world.work / FILE
    there.parent.mkdir(parents=True, exist_ok=True)
    there.write_text(repo_files.release(NAME, "2.5.0"))
    git("add", "-A")
    who = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "somebody"), ("EMAIL", mail))
    }
    subprocess.run(
        ["git", "commit", "-q", "-m", f"Propose it{more}"],
        cwd=world.work,
        env=os.environ | who,
        check=True,
    )
    git("push", "-q", "origin", f"HEAD:pr/{NAME}")
    git("checkout", "-q", "main")
    world.tick()


def test_a_check_that_a_floor_asks_after_the_merge_is_asked(world: World) -> None:
    """The plan is frozen; the floor of now is stricter, and its check says no."""
    world.clock.at = world.clock.at.replace(hour=18)
    release = world.releases()
    never = repo_files.doc("Check", "never", {"workload": {}, "failureCondition": "true"})
    world.changes(
        {
            "checks/never.yaml": never,
            "components/node-agent/component.yaml": repo_files.component(
                checks={"after": ["workload", "never"]}
            ),
            **policy(floors=[{"components": {}, "checks": ["never"]}]),
        }
    )
    world.run_until("2026-11-25T09:30:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert "never" in (world.unit(release, ST_1).failure or "")


def test_a_first_wave_that_is_too_large_by_now_waits(world: World) -> None:
    """A plan is frozen: what the policy no longer allows does not begin, and says why."""
    world.clock.at = world.clock.at.replace(hour=18)
    release = world.releases()
    world.changes(policy(floors=[{"components": {}, "firstWave": 1}]))
    world.run_until("2026-11-25T13:00:00Z")
    assert world.running() == {"eu-1": "2.4.1×4", "eu-2": "2.4.1×4", "st-1": "2.5.0×2"}
    assert "[first_wave]" in world.why(release)
