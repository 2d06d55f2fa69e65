"""A release before it happens: the real engine on a virtual clock, against copies in memory."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.rehearse import Asked, NoSuchBatch, NotPlanned, Rehearsal, UnknownRelease, UnknownUnit
from bot.rehearse import rehearse as play
from bot.rehearse.text import rehearsal_json, rehearsal_text
from tests import repo_files
from tests.world import World, moment

Golden = Callable[[str, str], None]
RELEASE = "node-agent-2-5-0"
FILE = f"releases/2026/{RELEASE}.yaml"
ST_1, EU_1, EU_2 = "node-agent@st-1", "node-agent@eu-1", "node-agent@eu-2"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The fleet as main says it, 2.4.1 released by a file of last year; a proposal beside it."""
    found = World(tmp_path)
    old = repo_files.release("node-agent-2-4-1", "2.4.1")
    waves = repo_files.pipeline(waves=[1, "100%"])
    found.write({"releases/2025/node-agent-2-4-1.yaml": old, "pipelines/standard.yaml": waves})
    found.push("The fleet as it is")
    found.proposes(RELEASE, {FILE: repo_files.release(RELEASE, "2.5.0")})
    yield found
    found.close()


def rehearsed(
    world: World, *, branch: str = f"pr/{RELEASE}", store: Any = None, **asked: Any
) -> Rehearsal:
    question = {"release": None, "at": moment("2026-11-24T08:00:00Z"), **asked}
    world.bot  # noqa: B018  (a git host on the repo)
    assert world.git is not None
    head = world.git.head(branch)
    assert head is not None
    return play(Asked(**question), world.git, head, store)


def approving(world: World, **asks: Any) -> str:
    """Production asks people now; the branch that proposes the release on top of that."""
    approval = {"when": "before", "roles": ["approver"], "count": 2, **asks}
    pipeline = repo_files.pipeline(approval=approval, waves=[1, "100%"])
    world.write({"pipelines/standard.yaml": pipeline})
    world.push("Ask people")
    world.proposes("asked", {FILE: repo_files.release(RELEASE, "2.5.0")})
    return "pr/asked"


def steady(text: str) -> str:
    text = re.sub(r"Merged as [0-9a-f]{8}", "Merged as <commit>", text)
    return re.sub(r"Plan: [0-9a-f]{12}", "Plan: <hash>", text)


def test_a_release_that_goes_well_over_a_night_and_two_approvals(
    world: World, golden: Golden
) -> None:
    """What the team would read, from the proposal to the end; reviewed as prose."""
    branch = approving(world)

    told = rehearsed(world, branch=branch, at=moment("2026-11-24T16:35:00Z"))

    assert [(one.phase, one.stands) for one in told.endings] == [("SUCCEEDED", ())]
    golden("rehearsal/night-and-approval.txt", steady(rehearsal_text(told)))


def test_a_batch_that_was_asked_to_fail_fails_there_and_everything_goes_back(
    world: World, golden: Golden
) -> None:
    """The second batch of the first production cluster: its two pods of batch one were fine."""
    told = rehearsed(world, faults=((EU_1, 2),))

    (end,) = told.endings
    assert (end.phase, end.units) == ("ROLLED_BACK", {"ROLLED_BACK": 2, "PENDING": 1})
    assert told.missed == ()
    said = [line.text for line in told.lines]
    assert any(EU_1 in text and "failed" in text and "CrashLoopBackOff" in text for text in said)
    assert any(f"{EU_1}: 1 of 4 pods updated" in text for text in said)
    curve = told.exposure[RELEASE]
    assert (curve.points[-1].clusters, curve.points[-1].nodes) == (0, 0)
    assert max(point.clusters for point in curve.points) == 2
    assert "pr/revert-node-agent-2-5-0" in told.proposed
    golden("rehearsal/failing-batch.txt", steady(rehearsal_text(told)))


def test_the_same_question_gets_the_same_answer_to_the_letter(world: World) -> None:
    """A rehearsal in a pull request that reads otherwise each time would convince nobody."""
    answers = {json.dumps(rehearsal_json(rehearsed(world, faults=((EU_2, 1),)))) for _ in range(2)}

    assert len(answers) == 1


def test_a_rehearsal_writes_nothing_anywhere(world: World) -> None:
    """Refs, store and clusters are what they were, though it opened a revert and rolled back."""
    for cluster in ("st-1", "eu-1", "eu-2"):
        world.bot.tick()
        world.fleet.seed(cluster, repo_files.running())
    store = world.store
    assert store is not None

    def everything() -> tuple[object, ...]:
        refs = subprocess.run(
            ["git", "for-each-ref"], cwd=world.bare, capture_output=True, check=True
        ).stdout
        clusters = [world.fleet.writes(one) for one in world.fleet.clusters()]
        return refs, store.writes, store.commits, clusters

    before = everything()
    rehearsed(world, store=store, faults=((EU_1, 1),))

    assert everything() == before


def test_people_answer_after_the_delay_that_was_asked_for(world: World) -> None:
    """Slow approvers are what a schedule is really made of."""
    branch = approving(world, count=1)
    soon, late = (
        rehearsed(world, branch=branch, answers_after=timedelta(minutes=minutes))
        for minutes in (5, 95)
    )

    assert late.endings[0].at - soon.endings[0].at == timedelta(minutes=90)
    assert soon.asked == {"ana": 1}


def test_where_nobody_may_approve_it_says_so_instead_of_waiting_for_ever(world: World) -> None:
    """Three approvers, one of them the author, and three approvals asked for."""
    branch = approving(world, count=3)

    (end,) = rehearsed(world, branch=branch).endings

    assert end.phase == "PROGRESSING"
    assert end.stands == (f"decision {RELEASE}#1 lacks 1 person who may answer it",)


def test_a_failure_that_nobody_answers_stands_still_and_says_why(world: World) -> None:
    """`--on-failure wait` shows how far a bad version gets while everybody sleeps."""
    told = rehearsed(world, faults=((EU_1, 1),), on_failure="wait")

    (end,) = told.endings
    assert end.phase == "PROGRESSING"
    assert "failed" in end.stands[0]
    assert end.units["FAILED"] == 1


def test_a_failed_unit_may_be_left_out(world: World) -> None:
    """`--on-failure skip`: the others go on, and the curve leaves one cluster out."""
    told = rehearsed(world, faults=((EU_1, 1),), on_failure="skip")

    (end,) = told.endings
    assert (end.phase, end.units) == ("SUCCEEDED", {"SUCCEEDED": 2, "SKIPPED": 1})


def test_a_fault_that_is_never_reached_is_told(world: World) -> None:
    """Else a rehearsal would look as if the version had survived it."""
    told = rehearsed(world, faults=((EU_1, 1), (EU_2, 3)))

    assert told.missed == (EU_2,)
    assert f"asked for in {EU_2} was never reached" in rehearsal_text(told)


def test_a_fault_of_a_configuration_is_gone_when_the_configuration_is(world: World) -> None:
    """No image is new: the fault strikes every new pod, and must not strike those put back."""
    path = "components/node-agent/templates/node-agent.yaml"
    changed = repo_files.TEMPLATE.replace(
        'image: "{{ values.image }}"}', 'image: "{{ values.image }}", args: ["--new"]}'
    )
    assert changed != repo_files.TEMPLATE
    text = repo_files.release("node-agent-args", "2.4.1")
    world.proposes("args", {path: changed, "releases/2026/node-agent-args.yaml": text})

    told = rehearsed(world, branch="pr/args", faults=((EU_1, 1),))

    (end,) = told.endings
    assert (end.phase, end.stands) == ("ROLLED_BACK", ())
    assert told.missed == ()


def test_a_release_of_main_is_rehearsed_as_if_it_came_now(world: World) -> None:
    """What ran last year may be asked again; what ran before it is not known then."""
    told = rehearsed(world, branch="main", release="node-agent-2-4-1")

    assert told.endings[0].phase == "SUCCEEDED"
    assert any("rehearsed as a first install" in one for one in told.assumptions)
    known = rehearsed(world, branch="main", release="node-agent-2-4-1", runs="2.3.0")
    assert known.endings[0].batches > told.endings[0].batches


def test_what_the_store_says_runs_is_where_it_starts(world: World) -> None:
    """After a real release the next rehearsal starts from what was really applied."""
    world.bot.tick()
    for cluster in ("st-1", "eu-1", "eu-2"):
        world.fleet.seed(cluster, repo_files.running())
    world.merges(RELEASE)
    world.bot.tick()
    world.run_to_the_end(RELEASE)
    later = repo_files.release("node-agent-2-6-0", "2.6.0")
    world.proposes("next", {"releases/2026/node-agent-2-6-0.yaml": later})

    told = rehearsed(world, branch="pr/next", store=world.store, at=world.clock.at)

    assert "3 units start from what the store says was last applied" in told.assumptions
    assert told.endings[0].phase == "SUCCEEDED"
    again = rehearsed(world, branch="main", store=world.store, release=RELEASE, at=world.clock.at)
    assert again.endings[0].batches == 0, "every unit runs this revision already"


def test_what_cannot_be_rehearsed_is_named(world: World) -> None:
    """Unknown names and batches, and a proposal that does not lint."""
    with pytest.raises(UnknownRelease) as unknown:
        rehearsed(world, release="node-agent-2-5-1")
    assert RELEASE in unknown.value.known
    with pytest.raises(UnknownRelease):
        rehearsed(world, branch="main")
    with pytest.raises(UnknownUnit) as nobody:
        rehearsed(world, faults=(("node-agent@eu-9", 1),))
    assert EU_1 in nobody.value.known
    with pytest.raises(NoSuchBatch) as too_far:
        rehearsed(world, faults=((EU_1, 4),))
    assert too_far.value.batches == 3
    world.proposes("bad", {FILE: repo_files.release(RELEASE, "2.5.0", pipeline="nope")})
    with pytest.raises(NotPlanned) as wrong:
        rehearsed(world, branch="pr/bad")
    assert wrong.value.findings
