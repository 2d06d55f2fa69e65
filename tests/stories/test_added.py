"""What a release added beside what stood before: the way back puts back first, and asks then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.messages_audit import line_text
from bot.model.plan import ObjectRef
from tests import repo_files
from tests.stories.test_leftovers import (
    COMPONENT,
    EU_1,
    EXTRA,
    OLD,
    ST_1,
    MayNotDelete,
    edit,
    open_ones,
    there,
)
from tests.world import World

REF = ObjectRef("v1", "ConfigMap", "infra", "old")


def adds(world: World, text: str = OLD, **component: object) -> str:
    """2.4.1 does not have the object, 2.5.0 adds it; it has come to st-1 and eu-1."""
    world.run_to_the_end(world.releases("first", "2.4.1"))
    if component:
        world.changes({COMPONENT: repo_files.component(**component)})
    world.changes({EXTRA: text})
    release = world.releases()
    while "eu-1" not in there(world):
        world.run_for(minutes=5)
    return release


def audit(world: World, release: str) -> str:
    return "\n".join(map(line_text, world.bot.ports.store.events(release=release)))


def back(world: World, release: str) -> None:
    assert world.says(f"rollback {release} --reason slow", by="ana").code == 0
    world.run_for(hours=1)


def test_the_workload_goes_back_at_once_and_one_question_is_about_all_that_was_added(
    world: World,
) -> None:
    """Nobody waits for an answer with a broken version running; nothing is deleted without one."""
    release = adds(world)
    back(world, release)
    assert world.phase(release) == "ROLLING_BACK"
    assert world.running()["st-1"] == "2.4.1×2"
    assert world.running()["eu-1"].startswith("2.4.1×")
    assert {"st-1", "eu-1"} <= set(there(world))
    (asked,) = open_ones(world, release)
    assert "the release added ConfigMap infra/old" in asked
    assert ST_1 in asked
    assert EU_1 in asked
    assert "what node-agent@st-1 ran before is back" in world.why(release)
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert there(world) == []
    assert world.live("st-1", "ConfigMap", "node-agent") is not None
    assert "deleted ConfigMap infra/old, which the release had added" in audit(world, release)


def test_a_no_keeps_it_and_no_later_release_asks_about_it(world: World) -> None:
    release = adds(world)
    back(world, release)
    assert world.says(f"reject {release} --reason 'read by cron'", by="ben").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert {"st-1", "eu-1"} <= set(there(world))
    assert "a person said no (ben)" in audit(world, release)
    world.changes({EXTRA: None})
    again = world.releases("third", "2.6.0")
    world.run_to_the_end(again)
    assert not world.events(again, "decision.asked")
    assert {"st-1", "eu-1"} <= set(there(world))


def test_a_kill_while_the_question_is_open_forgets_nothing(world: World) -> None:
    """The bot starts anew from its store: the same question, and the same answer counts."""
    release = adds(world)
    back(world, release)
    world.start()
    world.run_for(minutes=5)
    assert len(open_ones(world, release)) == 1
    assert world.says(f"approve {release}#1", by="ben").code == 0
    world.run_for(seconds=5)
    world.start()
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert there(world) == []


@pytest.mark.parametrize(
    ("said", "stays"), [({"allow": ["ConfigMap"]}, False), ({"keep": ["ConfigMap"]}, True)]
)
def test_the_component_may_say_so_once_and_for_all(
    world: World, said: dict[str, list[str]], *, stays: bool
) -> None:
    release = adds(world, guard={"delete": said})
    assert world.says(f"rollback {release} --reason slow", by="ana").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert not world.events(release, "decision.asked")
    assert (there(world) != []) == stays
    if stays:
        assert "the component's guard keeps it" in audit(world, release)


def test_what_somebody_edited_meanwhile_stays_and_is_told(world: World) -> None:
    """Somebody uses it now: it is theirs as well."""
    release = adds(world)
    edit(world, "st-1", REF, {"data": {"a": "mine"}})
    back(world, release)
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(release)
    assert there(world) == ["st-1"]
    assert "somebody has edited it since it was applied" in audit(world, release)


def test_what_is_edited_between_the_yes_and_the_deletion_stays(world: World) -> None:
    release = adds(world)
    back(world, release)
    edit(world, "eu-1", REF, {"data": {"a": "mine"}})
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(release)
    assert there(world) == ["eu-1"]


def test_a_skip_of_one_unit_keeps_it_there(world: World) -> None:
    """The people of one cluster know that it is in use."""
    release = adds(world)
    back(world, release)
    assert world.says(f"skip {ST_1} --reason 'in use'", by="ana").code == 0
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(release)
    assert there(world) == ["st-1"]
    assert world.unit(release, ST_1).phase.value == "ROLLED_BACK"


CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: old, namespace: infra}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def test_a_claim_is_never_deleted_by_a_yes_to_the_rest(world: World) -> None:
    """The guard keeps what holds data, here as everywhere."""
    release = adds(world, OLD + "---\n" + CLAIM)
    back(world, release)
    (asked,) = open_ones(world, release)
    assert "PersistentVolumeClaim" not in asked
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(release)
    assert there(world) == []
    assert "eu-1" in there(world, kind="PersistentVolumeClaim")
    assert "PersistentVolumeClaim infra/old stays" in audit(world, release)


def test_a_newer_release_that_waits_takes_the_question_over(world: World) -> None:
    """The fix does not wait for an answer about a ConfigMap; it asks itself, as it does not have
    it either.
    """
    release = adds(world)
    back(world, release)
    world.changes({EXTRA: None})
    fix = world.releases("fix", "2.6.0")
    world.run_for(days=1)
    assert world.phase(release, ended=True) == "ROLLED_BACK"
    assert {"st-1", "eu-1"} <= set(there(world))
    (asked,) = open_ones(world, fix)
    assert "ConfigMap infra/old is no longer rendered" in asked
    assert world.says(f"approve {fix}", by="ben").code == 0
    world.run_to_the_end(fix)
    assert there(world) == []


def test_a_fix_that_renders_it_again_has_it(world: World) -> None:
    release = adds(world)
    back(world, release)
    world.changes({EXTRA: OLD.replace('"1"', '"2"')})
    fix = world.releases("fix", "2.6.0")
    world.run_to_the_end(fix)
    assert there(world) == ["st-1", "eu-1", "eu-2"]
    live = world.live("st-1", "ConfigMap", "old")
    assert live is not None
    assert live["data"] == {"a": "2"}


def test_an_object_that_the_cluster_does_not_delete_stays_and_is_told(
    world: World,
) -> None:
    """What stood before is back all the same, and the other units are done."""
    release = adds(world, guard={"delete": {"allow": ["ConfigMap"]}})
    world.dies()
    world.around = lambda ports: replace(ports, fleet=MayNotDelete(ports.fleet))
    world.start()
    back(world, release)
    assert world.running()["eu-1"] == "2.4.1×4"
    assert there(world) == ["eu-1"]
    assert world.phase(release, ended=True) == "ROLLED_BACK"
    assert "stays: the cluster does not delete it" in audit(world, release)
    assert "the right delete is missing" in audit(world, release)
