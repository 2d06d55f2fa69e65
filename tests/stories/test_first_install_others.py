"""A first install is undone, and by then others have to do with it: theirs stays, whatever was said
of the rest.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from tests import repo_files
from tests.stories.test_added import audit
from tests.stories.test_first_install import on_an_empty_cluster
from tests.stories.test_leftovers import COMPONENT, edit
from tests.world import World

CONFIG = ObjectRef("v1", "ConfigMap", "infra", "node-agent")


def asked(world: World, **component: object) -> str:
    """Installed on eu-3 and to be taken back: the question is open."""
    release = on_an_empty_cluster(world)
    world.run_to_the_end(release)
    if component:
        world.changes({COMPONENT: repo_files.component(**component)})
        world.run_for(minutes=2)
    assert world.says(f"rollback {release} --reason 'wrong cluster'").code == 0
    world.run_for(minutes=5)
    return release


def yes(world: World, release: str) -> None:
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"


def test_what_somebody_edited_since_stays_and_is_told(world: World) -> None:
    """It is theirs as well now: the yes was to what the release had made."""
    release = asked(world)
    edit(world, "eu-3", CONFIG, {"data": {"level": "mine"}})
    yes(world, release)
    assert world.live("eu-3", "ConfigMap", "node-agent") is not None
    assert world.running()["eu-3"] == "", "the rest goes"
    assert "ConfigMap infra/node-agent stays: somebody has edited it" in audit(world, release)


def test_what_somebody_deleted_and_made_anew_is_not_ours(world: World) -> None:
    release = asked(world)
    live = world.live("eu-3", "ConfigMap", "node-agent")
    assert live is not None
    uid = live["metadata"]["uid"]
    gone = Write(ref=CONFIG, verb="delete", purpose=Purpose.FORWARD, uid=uid)
    world.fleet.write("eu-3", gone, fence="", manager="kubectl")
    meta = {"name": "node-agent", "namespace": "infra"}
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"mine": "yes"}}
    new = Write(ref=CONFIG, verb="create", purpose=Purpose.FORWARD, body=theirs)
    world.fleet.write("eu-3", new, fence="", manager="kubectl")
    yes(world, release)
    live = world.live("eu-3", "ConfigMap", "node-agent")
    assert live is not None
    assert live["data"] == {"mine": "yes"}
    assert "it is not known to be written by this component" in audit(world, release)


def test_what_a_newer_plan_has_written_stays(world: World) -> None:
    """Another store brought it meanwhile: the fence of its write is above ours."""
    release = asked(world)
    live = world.live("eu-3", "ConfigMap", "node-agent")
    assert live is not None
    write = Write(ref=CONFIG, verb="patch", purpose=Purpose.FORWARD, body={"data": live["data"]})
    world.fleet.write("eu-3", write, fence="99999.1", manager="sluice")
    yes(world, release)
    assert world.live("eu-3", "ConfigMap", "node-agent") is not None
    assert "a newer plan has written it" in audit(world, release)


def test_what_says_keep_itself_stays(world: World) -> None:
    """helm.sh/resource-policy: keep, put there by the people of the cluster."""
    release = asked(world)
    keep = {"metadata": {"annotations": {"helm.sh/resource-policy": "keep"}}}
    edit(world, "eu-3", CONFIG, keep)
    yes(world, release)
    assert world.live("eu-3", "ConfigMap", "node-agent") is not None


def test_what_the_component_keeps_is_no_part_of_the_question(world: World) -> None:
    release = asked(world, guard={"delete": {"keep": ["ConfigMap"]}})
    (event,) = world.events(release, "decision.asked")
    assert "DaemonSet" in event.data["asks"]
    assert "ConfigMap" not in event.data["asks"]
    yes(world, release)
    assert world.live("eu-3", "ConfigMap", "node-agent") is not None
    assert world.running()["eu-3"] == ""
    assert "ConfigMap infra/node-agent stays: the component's guard keeps it" in audit(
        world, release
    )


def test_a_component_that_keeps_all_of_it_asks_nobody(world: World) -> None:
    """Nothing would be deleted: there is nothing to decide, and the store still knows of it."""
    release = asked(world, guard={"delete": {"keep": ["*"]}})
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    assert not world.events(release, "decision.asked")
    assert world.running()["eu-3"] == "2.4.1×4"


def test_allow_is_about_single_objects_and_asks_about_a_whole_install_all_the_same(
    world: World,
) -> None:
    """Names that change with each version may go unasked; all that a cluster runs may not."""
    release = asked(world, guard={"delete": {"allow": ["*"]}})
    assert world.phase(release) == "ROLLING_BACK"
    assert "[undo_decided]" in world.why(release)
    yes(world, release)
    assert world.fleet.objects("eu-3") == ()


class EditsFirst:
    """A fleet where somebody is a moment faster than the deletion."""

    def __init__(self, fleet: Any) -> None:
        self.fleet = fleet

    def __getattr__(self, name: str) -> Any:
        return getattr(self.fleet, name)

    def write(self, cluster: str, write: Write, **said: str) -> Any:
        if write.verb == "delete" and write.ref == CONFIG:
            mine = {"data": {"level": "mine"}}
            theirs = Write(ref=CONFIG, verb="patch", purpose=Purpose.FORWARD, body=mine)
            self.fleet.write(cluster, theirs, fence="", manager="kubectl-edit")
        return self.fleet.write(cluster, write, **said)


def test_an_edit_between_the_look_and_the_write_is_not_deleted_with_it(world: World) -> None:
    world.dies()
    world.around = lambda ports: replace(ports, fleet=EditsFirst(ports.fleet))
    world.start()
    release = asked(world)
    yes(world, release)
    live = world.live("eu-3", "ConfigMap", "node-agent")
    assert live is not None
    assert live["data"]["level"] == "mine"
