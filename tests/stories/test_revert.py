"""A rollback sticks in Git as well: the revert pull request, what it restores and blocks."""

from __future__ import annotations

from tests import repo_files
from tests.world import World

POLICY = """\
# Who changes this file asks Ana first.
apiVersion: sluice/v1
kind: Policy
metadata: {name: policy}
spec:
  windows: {attended: 5m}  # people watch for five minutes
"""
VALUES = "components/node-agent/values/default.yaml"
DEBUG = 'image: "registry.local/node-agent:{{ version }}"\nlevel: debug\n'
NAME = "node-agent-2-5-0"
FILE = f"releases/2026/{NAME}.yaml"


def with_values(world: World, name: str = NAME, version: str = "2.5.0", text: str = DEBUG) -> str:
    """A pull request that brings a release and changes values with it."""
    files = {
        f"releases/2026/{name}.yaml": repo_files.release(name, version),
        VALUES: text,
    }
    world.proposes(name, files)
    world.tick()
    world.merges(name)
    world.run_until("2026-11-24T09:22:00Z")
    return name


def taken_back(world: World, release: str) -> None:
    assert world.says(f"rollback {release} log storm in eu").code == 0
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"


def test_the_release_file_goes_and_what_it_changed_comes_back(world: World) -> None:
    """Main says again what the clusters run; the block tells why not to try again."""
    world.changes({"policy/policy.yaml": POLICY})
    before = world.files[VALUES]
    release = with_values(world)
    taken_back(world, release)
    files = world.branch(f"revert-{release}")
    assert FILE not in files
    assert files[VALUES] == before
    policy = files["policy/policy.yaml"]
    assert "# Who changes this file asks Ana first." in policy
    assert "# people watch for five minutes" in policy
    assert "version: 2.5.0" in policy
    assert "log storm in eu" in policy
    assert f"pr/revert-{release}" in world.thread(release)


def test_a_file_that_changed_since_is_left_and_named(world: World) -> None:
    """Somebody else's later change is not taken away in passing."""
    release = with_values(world)
    later = DEBUG + "more: yes\n"
    world.changes({VALUES: later}, "Another change")
    taken_back(world, release)
    files = world.branch(f"revert-{release}")
    assert files[VALUES] == later
    assert FILE not in files
    message = world._git("log", "-1", "--format=%B", f"origin/pr/revert-{release}")
    assert VALUES in message
    assert FILE not in message


def test_merging_the_revert_plans_nothing(world: World) -> None:
    """It only makes main true: nothing is scheduled, nothing is written, nothing is held."""
    release = with_values(world)
    taken_back(world, release)
    writes = {cluster: world.writes(cluster) for cluster in ("st-1", "eu-1", "eu-2")}
    world.merges(f"revert-{release}", by="ana")
    world.run_for(hours=3)
    assert not world.bot.board.releases
    assert not world.bot.board.holds
    assert {cluster: world.writes(cluster) for cluster in writes} == writes
    assert FILE not in world.files
    assert world.bot.board.rules.broken is None


def test_version_and_name_are_refused_afterwards(world: World) -> None:
    """2.5.0 is blocked in the policy, and a Release's name is used up for ever."""
    release = with_values(world)
    taken_back(world, release)
    world.merges(f"revert-{release}", by="ana")
    world.tick()
    again = {
        "releases/2026/again.yaml": repo_files.release("again", "2.5.0"),
        FILE: repo_files.release(NAME, "2.6.0"),
    }
    world.proposes("again", again)
    world.tick()
    shown = world.chat.cards["pull/pr/again"]
    assert "blocked" in shown
    assert f"releases/2026/{NAME}.yaml" in shown
    world.merges("again")
    world.run_for(hours=3)
    assert world.running() == {"eu-1": "2.4.1×4", "eu-2": "2.4.1×4", "st-1": "2.4.1×2"}


def test_a_blocked_version_that_is_merged_all_the_same_waits(world: World) -> None:
    """Two pull requests at a time: the second was merged before the first was rolled back."""
    first = with_values(world)
    name = "node-agent-2-5-0-more"
    world.proposes(name, {f"releases/2026/{name}.yaml": repo_files.release(name, "2.5.0")})
    world.tick()
    world.merges(name)
    world.tick()
    assert "[unit_free]" in world.why(name)
    taken_back(world, first)
    world.run_for(hours=1)
    assert world.running()["st-1"] == "2.4.1×2"
    assert "[not_blocked]" in world.why(name)
    assert "log storm in eu" in world.why(name)
    override = "override component:node-agent --gate blocked --reason 'it was eu only'"
    said = world.says(override, by="dan")
    assert said.code == 0, said.text
    world.run_to_the_end(name)
    assert world.phase(name) == "SUCCEEDED"
    events = world.events(name, "override")
    assert {event.who for event in events} == {"dan"}


def test_the_revert_is_proposed_when_the_git_host_is_back(world: World) -> None:
    """The release ends in its clusters; that Git is away must not lose the pull request."""
    release = with_values(world)
    world.says(f"rollback {release} leak")
    world.run_for(minutes=2)
    away = world.bare.rename(world.bare.with_name("away.git"))
    world.run_for(minutes=15)
    assert world.running()["st-1"] == "2.4.1×2"
    away.rename(world.bare)
    world.run_for(minutes=5)
    assert FILE not in world.branch(f"revert-{release}")
    assert world.branch(f"revert-{release}")


def waiting_behind(world: World, first: str, name: str = "node-agent-2-5-0-more") -> str:
    """A second release of the same version, merged before the first was rolled back."""
    world.proposes(name, {f"releases/2026/{name}.yaml": repo_files.release(name, "2.5.0")})
    world.tick()
    world.merges(name)
    world.tick()
    assert "[unit_free]" in world.why(name)
    taken_back(world, first)
    return name


def unblocked(world: World) -> None:
    """A person takes the block out of main's policy."""
    world.changes({"policy/policy.yaml": POLICY}, "2.5.0 was not to blame")


def test_the_block_holds_until_a_person_takes_it_out_of_main(world: World) -> None:
    """Main is where a block is seen and reviewed: once it is there, main's word counts."""
    name = waiting_behind(world, with_values(world))
    world.run_for(hours=1)
    assert "[not_blocked]" in world.why(name)
    world.merges("revert-node-agent-2-5-0", by="ana")
    world.run_for(hours=1)
    assert "[not_blocked]" in world.why(name)
    assert "policy/policy.yaml" in next(w.wait.source or "" for w in world.view(name).waiting)
    unblocked(world)
    world.run_to_the_end(name)
    assert world.phase(name) == "SUCCEEDED"
    assert set(world.running().values()) == {"2.5.0×2", "2.5.0×4"}


def test_a_policy_that_never_had_the_block_lifts_none(world: World) -> None:
    """Before the revert is merged any change of the policy could drop it by accident."""
    name = waiting_behind(world, with_values(world))
    unblocked(world)
    world.run_for(hours=2)
    assert "[not_blocked]" in world.why(name)
    world.dies()
    world.start()
    world.run_for(hours=2)
    assert "[not_blocked]" in world.why(name)


def test_a_block_of_content_is_lifted_in_main_as_well(world: World) -> None:
    """Of a configuration release only the content is blocked; so is what a person unblocks."""
    world.changes({"policy/policy.yaml": POLICY})
    world.run_to_the_end(world.releases("first", "2.5.0"))
    release = with_values(world, "trace", "2.5.0")
    world.run_until("2026-11-24T14:00:00Z")
    taken_back(world, release)
    (blocked,) = world.bot.board.rules.blocked
    assert blocked.content
    world.merges("revert-trace", by="ana")
    world.tick()
    assert [row.on_main for row in world.bot.board.rules.blocked] == [True]
    again = {"releases/2026/again.yaml": repo_files.release("again", "2.5.0"), VALUES: DEBUG}
    world.proposes("again", again)
    world.tick()
    world.merges("again")
    world.run_for(hours=1)
    assert "[not_blocked]" in world.why("again")
    unblocked(world)
    assert not world.bot.board.rules.blocked
    world.run_to_the_end("again")
    assert world.live("st-1", "ConfigMap")["data"]["level"] == "debug"


def test_an_older_release_goes_back_while_a_newer_one_waits(world: World) -> None:
    """The newer one has written nothing: it waits until all is back, then has its turn."""
    first = with_values(world)
    second = "node-agent-2-6-0"
    world.proposes(second, {f"releases/2026/{second}.yaml": repo_files.release(second, "2.6.0")})
    world.tick()
    world.merges(second)
    world.run_for(minutes=1)
    assert world.says(f"rollback {first} leak").code == 0
    world.run_for(seconds=10)
    assert "[unit_free]" in world.why(second)
    world.run_to_the_end(second)
    assert world.phase(first) == "ROLLED_BACK"
    assert set(world.running().values()) == {"2.6.0×2", "2.6.0×4"}
    assert world.says(f"rollback {second} leak").code == 0
    world.run_for(minutes=20)
    assert set(world.running().values()) == {"2.4.1×2", "2.4.1×4"}, "not what the first had left"
