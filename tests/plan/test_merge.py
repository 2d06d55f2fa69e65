"""What a commit on main brings: the plan that was shown, now for good."""

from __future__ import annotations

import pytest

from bot.core.plan_shown import Known
from tests.plan.world import BASE, NOW, PULL, World, document, release


@pytest.fixture
def world() -> World:
    return World()


def test_the_merge_brings_the_plan_that_the_pull_request_showed(world: World) -> None:
    """Approvals bind to the hash: it must survive the merge, a commit and a new process."""
    world.proposes(release("node-agent-2-5-0"))
    shown = world.planner.pull("c1", PULL, now=NOW)
    commit = world.lands(release("node-agent-2-5-0"))

    for planner in (world.planner, World(world.git).planner):
        merged = planner.merge(commit, now=NOW, pull=PULL, authors=("ben@example.com",))
        (planned,) = merged.releases
        assert merged.failed == {}
        assert {planned.plan.release: planned.plan.plan_hash} == shown.hashes
        assert (planned.plan.commit, planned.plan.position) == (commit, 2)
        assert (planned.plan.pull, planned.plan.authors) == (PULL, ("ben@example.com",))
        digests = {one.digest for unit in planned.plan.units for one in unit.objects}
        assert digests == set(planned.blobs)


def test_what_main_gained_meanwhile_changes_the_hash_only_if_it_matters(world: World) -> None:
    """An unrelated merge must not void approvals; one that changes the objects must."""
    world.proposes(release("node-agent-2-5-0"))
    shown = world.planner.pull("c1", PULL, now=NOW).hashes

    check = document("kind: Check\nmetadata: {name: other}\nspec: {workload: {}}")
    world.lands({"README.md": "x", "checks/other.yaml": check})
    same = world.planner.merge(world.lands(release("node-agent-2-5-0")), now=NOW)
    other = World()
    other.proposes(release("node-agent-2-5-0"))
    other.lands({"components/node-agent/values/default.yaml": "image: other\ncpu: 1m\n"})
    different = other.planner.merge(other.lands(release("node-agent-2-5-0")), now=NOW)

    assert {one.plan.release: one.plan.plan_hash for one in same.releases} == shown
    assert {one.plan.release: one.plan.plan_hash for one in different.releases} != shown


def test_a_release_that_does_not_lint_on_main_is_failed_with_its_findings(world: World) -> None:
    """It is held with the reason; it never rolls out half understood."""
    text = BASE["pipelines/standard.yaml"].replace("{name: staging,", "{name: staging, wait: 1,")

    merged = world.planner.merge(
        world.lands(release("node-agent-2-5-0"), {"pipelines/standard.yaml": text}), now=NOW
    )

    assert merged.releases == ()
    (findings,) = merged.failed.values()
    assert any("wait" in finding.message for finding in findings)


def test_a_commit_without_a_new_release_plans_nothing_and_tells_edits(world: World) -> None:
    """A spec never changes after its merge; the reconciler must hear of it."""
    edited = release("node-agent-2-4-0", "2.4.1")

    merged = world.planner.merge(world.lands(edited), now=NOW)

    assert (merged.releases, merged.edited, merged.removed) == ((), ("node-agent-2-4-0",), ())


def test_a_release_file_taken_away_is_told(world: World) -> None:
    """Deleting the file cancels, or asks; it is never overlooked."""
    files = dict(world.git.commits[0])
    del files["releases/2026/node-agent-2-4-0.yaml"]
    world.git.commits.append(files)

    assert world.planner.merge("c2", now=NOW).removed == ("node-agent-2-4-0",)


def test_the_first_commit_brings_all_its_releases(world: World) -> None:
    """`run --since` may begin at the root."""
    merged = world.planner.merge("c1", now=NOW, known=Known())

    assert [one.plan.release for one in merged.releases] == ["node-agent-2-4-0"]
