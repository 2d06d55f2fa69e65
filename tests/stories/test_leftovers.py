"""What leaves the template: asked about once, deleted unit by unit, kept where it must be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml

from bot.core.messages_plan import plan_text
from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from bot.ports import Refused
from bot.reconciler.known import known
from tests import repo_files
from tests.world import World

TEMPLATE = "components/node-agent/templates/node-agent.yaml"
COMPONENT = "components/node-agent/component.yaml"
EXTRA = "components/node-agent/templates/extra.yaml"
OLD = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: old, namespace: infra}
data: {a: "1"}
"""
ST_1, EU_1, EU_2 = "node-agent@st-1", "node-agent@eu-1", "node-agent@eu-2"
REF = ObjectRef("v1", "ConfigMap", "infra", "old")
EVERY = ("st-1", "eu-1", "eu-2")


def leaves(world: World, text: str = OLD, *, merged: bool = True) -> str:
    """2.4.1 brings the object everywhere; 2.5.0 does not render it any more."""
    world.changes({EXTRA: text})
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({EXTRA: None})
    return world.releases() if merged else ""


def there(world: World, name: str = "old", kind: str = "ConfigMap") -> list[str]:
    return [cluster for cluster in EVERY if world.live(cluster, kind, name) is not None]


def deletes(world: World, cluster: str) -> int:
    return world.writes(cluster).count("delete ConfigMap")


def open_ones(world: World, release: str) -> list[str]:
    return [d.asks for d in world.view(release).decisions if d.status == "OPEN"]


def fates(world: World, release: str, unit: str) -> list[tuple[str, str]]:
    return [(one.fate.value, one.why) for one in world.unit(release, unit).leftovers]


def edit(world: World, cluster: str, ref: ObjectRef, body: Any, fence: str = "") -> None:
    write = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body=body)
    world.fleet.write(cluster, write, fence=fence, manager="kubectl-edit")


def test_the_release_goes_on_and_asks_once_about_what_left(world: World) -> None:
    """A thousand clusters are one question. Nobody's answer holds up the version; the release only
    does not end, and says why.
    """
    release = leaves(world)
    world.run_for(days=1)
    assert set(world.running().values()) == {"2.5.0×2", "2.5.0×4"}
    assert there(world) == list(EVERY), "nothing is deleted without a yes"
    assert len(open_ones(world, release)) == 1
    assert "ConfigMap infra/old is no longer rendered: delete it" in open_ones(world, release)[0]
    assert len(world.events(release, "decision.asked")) == 1
    assert world.phase(release) == "PROGRESSING"
    assert "[leftovers] Needs decision: ConfigMap infra/old left the template" in world.why(release)
    assert f"approve {release}#1" in world.why(release)


def test_a_yes_deletes_it_unit_by_unit_with_soak_checks_and_certificate(world: World) -> None:
    """Deletion is a step as any batch is: one wave after the other, watched, and proved."""
    release = leaves(world)
    world.run_for(days=1)
    assert world.says(f"approve {release}#1", by="ben").code == 0
    world.run_for(minutes=1)
    assert there(world) == ["eu-1", "eu-2"], "the first stage first"
    world.run_to_the_end(release)
    assert there(world) == []
    assert world.phase(release) == "SUCCEEDED"
    assert len(world.events(release, "decision.asked")) == 1
    last = max(
        (one for one in world.certificates(release) if one.unit == EU_1), key=lambda one: one.batch
    )
    assert {"object": "ConfigMap infra/old", "leftover": "deleted"} in last.pods
    assert last.approvers == ("ben",)
    (told,) = (e for e in world.events(release, "leftovers.deleted") if e.unit == EU_1)
    assert told.data["objects"] == ["ConfigMap infra/old"]
    assert told.data["by"] == ["ben"]
    assert len([e for e in world.events(release, "unit.succeeded") if e.unit == EU_1]) == 1


def test_a_yes_before_the_unit_is_well_deletes_nothing_before_that(world: World) -> None:
    """Old pods may still read it: what left goes after the last batch and its checks."""
    release = leaves(world)
    world.run_for(minutes=1)
    assert world.says(f"approve {release}#1", by="ben").code == 0
    while world.unit(release, ST_1).done < 2:
        assert there(world) == list(EVERY)
        world.run_for(minutes=1)
    world.run_to_the_end(release)
    assert there(world) == []
    batches = [e.batch for e in world.events(release, "batch.applying") if e.unit == EU_1]
    leaving = [e for e in world.events(release, "batch.applying") if e.data.get("leaves")]
    assert {e.batch for e in leaving if e.unit == EU_1} == {max(batches)}


def test_a_no_keeps_it_tells_and_does_not_ask_the_next_release(world: World) -> None:
    """No is an answer, not a hold: the release ends, and the record says what stayed and why."""
    release = leaves(world)
    world.run_for(days=1)
    assert world.says(f"reject {release}#1 --reason 'read by cron'", by="ben").code == 0
    world.run_to_the_end(release)
    assert there(world) == list(EVERY)
    assert fates(world, release, EU_1) == [("kept", "no")]
    assert {e.unit for e in world.events(release, "leftover.kept")} == {ST_1, EU_1, EU_2}
    again = world.releases("third", "2.6.0")
    world.run_to_the_end(again)
    assert not world.events(again, "decision.asked")
    assert there(world) == list(EVERY)


def test_a_rollback_creates_again_what_was_deleted(world: World) -> None:
    """As it was applied last; and after it the old version's record is whole."""
    release = leaves(world)
    world.says(f"approve {release}#1", by="ben")
    world.run_for(minutes=1)
    world.says(f"approve {release}#1", by="ben")
    while "eu-1" in there(world):
        world.run_for(minutes=10)
    assert world.says(f"rollback {release} --reason slow", by="ana").code == 0
    world.run_to_the_end(release)
    assert there(world) == list(EVERY)
    assert world.live("eu-1", "ConfigMap", "old")["data"] == {"a": "1"}
    assert world.running()["eu-1"] == "2.4.1×4"


def test_a_rollback_deletes_nothing_and_drops_the_question(world: World) -> None:
    """What stood open stands again by right: it is part of what runs."""
    release = leaves(world)
    world.run_for(minutes=20)
    assert world.says(f"rollback {release} --reason slow", by="ana").code == 0
    world.run_to_the_end(release)
    assert there(world) == list(EVERY)
    assert not [c for c in EVERY if deletes(world, c)]
    assert [e.data["id"] for e in world.events(release, "decision.void")] == [f"{release}#1"]
    # Of the next release it is a leftover again: it was asked about, and never answered.
    world.says(f"override {release} --gate blocked --reason again")
    again = world.releases("third", "2.6.0")
    world.run_for(minutes=5)
    assert len(open_ones(world, again)) == 1


def test_a_pause_is_heard_between_two_deletions(world: World) -> None:
    """Two objects leave: a stop after the first keeps the second."""
    two = OLD + "---\n" + OLD.replace("name: old", "name: older")
    release = leaves(world, two)
    world.run_for(days=1)
    world.says(f"approve {release}#1", by="ben")
    while deletes(world, "st-1") == 0:
        world.run_for(seconds=1)
    world.says("pause all", by="ana")
    world.run_for(hours=2)
    assert deletes(world, "st-1") == 1
    assert len(there(world)) + len(there(world, "older")) == 5
    world.says("resume all", by="ana")
    world.run_to_the_end(release)
    assert there(world) == there(world, "older") == []


def test_it_leaves_only_inside_windows(world: World) -> None:
    """A yes at night deletes nothing before the morning."""
    release = leaves(world)
    world.run_until("2026-11-25T20:00:00Z")
    world.says(f"approve {release}#1", by="ben")
    world.run_until("2026-11-26T08:59:00Z")
    assert there(world) == list(EVERY)
    assert "[window]" in world.why(release)
    world.run_to_the_end(release)
    assert there(world) == []


def test_what_holds_data_is_never_deleted_on_the_way_forward(world: World) -> None:
    """The built-in guard: nobody is asked, the claim stays, and the record says why."""
    claim = OLD.replace("ConfigMap", "PersistentVolumeClaim").replace('data: {a: "1"}', "spec: {}")
    release = leaves(world, claim)
    world.run_to_the_end(release)
    assert there(world, kind="PersistentVolumeClaim") == list(EVERY)
    assert fates(world, release, EU_1) == [("kept", "guarded")]
    assert not world.events(release, "decision.asked")


def test_the_annotation_keep_is_honoured(world: World) -> None:
    """As Helm does: `helm.sh/resource-policy: keep`."""
    text = OLD.replace(
        "namespace: infra", 'namespace: infra, annotations: {"helm.sh/resource-policy": keep}'
    )
    release = leaves(world, text)
    world.run_to_the_end(release)
    assert there(world) == list(EVERY)
    assert fates(world, release, EU_1) == [("kept", "policy")]


def test_what_somebody_edited_meanwhile_stays(world: World) -> None:
    """It may serve somebody now who is not us."""
    release = leaves(world)
    world.run_for(days=1)
    edit(world, "eu-1", REF, {"data": {"a": "2"}})
    world.says(f"approve {release}#1", by="ben")
    world.run_to_the_end(release)
    assert there(world) == ["eu-1"]
    assert fates(world, release, EU_1) == [("kept", "edited")]
    assert fates(world, release, EU_2) == [("deleted", "")]


def test_another_object_of_its_name_is_not_deleted(world: World) -> None:
    """Somebody deleted ours and made their own: same name, another uid."""
    release = leaves(world)
    world.run_for(days=1)
    obj = world.live("eu-1", "ConfigMap", "old")
    gone = Write(ref=REF, verb="delete", purpose=Purpose.RESTORE)
    world.fleet.write("eu-1", gone, fence="", manager="kubectl")
    fence = obj["metadata"]["annotations"]["sluice/fence"]
    made = {k: v for k, v in obj.items() if k != "metadata"} | {
        "metadata": {"name": "old", "namespace": "infra"}
    }
    new = Write(ref=REF, verb="create", purpose=Purpose.FORWARD, body=made)
    world.fleet.write("eu-1", new, fence=fence, manager="kubectl")
    world.says(f"approve {release}#1", by="ben")
    world.run_to_the_end(release)
    assert there(world) == ["eu-1"]
    assert fates(world, release, EU_1) == [("kept", "another")]


def test_what_the_component_never_wrote_is_not_its_to_delete(world: World) -> None:
    """It was found as it was wanted, and so never written: it carries no fence of ours."""
    for cluster in EVERY:
        world.fleet.seed(cluster, [yaml.safe_load(OLD)])
    release = leaves(world)
    world.run_to_the_end(release)
    assert there(world) == list(EVERY)
    assert fates(world, release, EU_1) == [("kept", "not-ours")]


def test_what_another_component_brings_now_stays(world: World) -> None:
    """It moved: the new owner's release is on its way or done."""
    release = leaves(world, merged=False)
    world.changes(
        {
            "components/other/component.yaml": repo_files.doc(
                "Component",
                "other",
                {"owners": ["network"], "render": {"jinja": "templates/"}, "soak": "1m"},
            ),
            "components/other/templates/old.yaml": OLD.replace('"1"', '"2"'),
        }
    )
    other = world.releases("other-1", "1.0.0", components=[{"name": "other", "version": "1.0.0"}])
    world.run_for(hours=3)
    assert "node-agent → other" in world.why(other), "who takes an object over is asked about it"
    assert world.says(f"approve {other}", by="ben").code == 0
    world.run_to_the_end(other)
    release = world.releases()
    world.run_to_the_end(release)
    assert there(world) == list(EVERY)
    assert fates(world, release, EU_1) == [("kept", "rendered")]


def test_a_crash_between_intent_and_deletion_deletes_once(world: World) -> None:
    """The intent stands, the process is gone: the look tells what happened."""
    release = leaves(world)
    world.run_for(days=1)
    world.says(f"approve {release}#1", by="ben")
    for _ in range(40):
        world.tick()
        world.dies()
        world.run_for(minutes=2)
    world.run_to_the_end(release)
    assert there(world) == []
    assert [deletes(world, cluster) for cluster in EVERY] == [1, 1, 1]
    intents = [e for e in world.events(release, "write.intended") if e.data["verb"] == "delete"]
    assert len(intents) >= 3 or not intents


def test_a_newer_release_takes_the_question_over(world: World) -> None:
    """Nobody answers, and the next version comes: it does not wait, and asks itself."""
    release = leaves(world)
    world.run_for(days=1)
    newer = world.releases("third", "2.6.0")
    world.run_for(days=1)
    assert world.phase(release) == "SUCCEEDED"
    assert set(world.running().values()) == {"2.6.0×2", "2.6.0×4"}
    assert there(world) == list(EVERY)
    assert len(open_ones(world, newer)) == 1
    assert world.says(f"approve {newer}#1", by="ben").code == 0
    world.run_to_the_end(newer)
    assert there(world) == []


def test_an_author_does_not_say_yes(world: World) -> None:
    """Who took it out of the template is not the one who lets it be deleted."""
    release = leaves(world)
    world.run_for(minutes=5)
    refused = world.says(f"approve {release}#1", by="cleo").body["refused"]
    assert refused["code"] == "author"


class MayNotDelete:
    """A fleet in which eu-1 gives us no right to delete."""

    def __init__(self, fleet: Any) -> None:
        self._fleet = fleet

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)

    def write(self, cluster: str, write: Write, **named: Any) -> Any:
        if cluster == "eu-1" and write.verb == "delete":
            raise Refused("configmaps is forbidden: the right delete is missing")
        return self._fleet.write(cluster, write, **named)


def test_a_deletion_that_the_cluster_refuses_does_not_take_the_version_back(world: World) -> None:
    """The version is well: what does not go stays and is told."""
    release = leaves(world)
    world.run_for(days=1)
    world.dies()
    world.around = lambda ports: replace(ports, fleet=MayNotDelete(ports.fleet))
    world.start()
    world.says(f"approve {release}#1", by="ben")
    world.run_to_the_end(release)
    assert there(world) == ["eu-1"]
    assert fates(world, release, EU_1) == [("kept", "refused")]
    assert world.running()["eu-1"] == "2.5.0×4"
    said = "ConfigMap infra/old stays, as the cluster does not delete it, on 1 unit"
    assert said in world.chat.cards[f"card/{release}"]


def test_skip_leaves_what_would_leave(world: World) -> None:
    """One cluster is to keep it: the unit stays a success, and the object stays."""
    release = leaves(world)
    world.run_until("2026-11-25T20:00:00Z")
    world.says(f"approve {release}#1", by="ben")
    assert world.says(f"skip {ST_1} --reason 'needed there'", by="ana").code == 0
    world.run_to_the_end(release)
    assert there(world) == ["st-1"]
    assert world.unit(release, ST_1).phase == "SUCCEEDED"
    assert fates(world, release, ST_1) == [("kept", "no")]


def test_what_the_component_allows_goes_without_a_question(world: World) -> None:
    """`guard.delete.allow`: generated names that change with each version, say."""
    world.changes({COMPONENT: repo_files.component(guard={"delete": {"allow": ["ConfigMap/ol*"]}})})
    release = leaves(world)
    world.run_to_the_end(release)
    assert there(world) == []
    assert not world.events(release, "decision.asked")


def test_what_the_component_keeps_stays_and_main_may_say_so_meanwhile(world: World) -> None:
    """On a bad night somebody sets `keep` on main: the yes of before deletes nothing more."""
    release = leaves(world)
    world.run_until("2026-11-25T20:00:00Z")
    world.says(f"approve {release}#1", by="ben")
    world.changes({COMPONENT: repo_files.component(guard={"delete": {"keep": ["ConfigMap"]}})})
    world.run_to_the_end(release)
    assert there(world) == list(EVERY)
    assert fates(world, release, EU_1) == [("kept", "component")]


def test_the_plan_of_the_pull_request_shows_what_will_leave(world: World) -> None:
    """Who merges knows that somebody will be asked about it."""
    leaves(world, merged=False)
    world.proposes("two", {"releases/2026/two.yaml": repo_files.release("two", "2.5.0")})
    world.tick()
    git = world.bot.ports.git
    base, head = git.head("main"), git.head("pr/two")
    assert base
    assert head
    facts = known(world.bot.ports.store, world.bot.board)
    plan = world.bot.planner.pull(base, head, now=world.clock.at, known=facts)
    (shown,) = plan.releases
    (left,) = shown.leaves
    assert (left.object, left.does, left.units) == (
        "ConfigMap infra/old",
        "ask",
        (ST_1, EU_1, EU_2),
    )
    assert any(one.what == "leftovers" for one in shown.approvals)
    text = plan_text(plan)
    assert "ConfigMap infra/old: asked about, then deleted unit by unit, in 3 units" in text
