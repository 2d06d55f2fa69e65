"""The guard: fields that may not change. Blocked, asked about once, or left as they are."""

from __future__ import annotations

from typing import Any

from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from tests import repo_files
from tests.world import World

EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"
COMPONENT = "components/node-agent/component.yaml"
TEMPLATE = "components/node-agent/templates/node-agent.yaml"
DAEMON_SET = ObjectRef("apps.kruise.io/v1beta1", "DaemonSet", "infra", "node-agent")
CONFIG = ObjectRef("v1", "ConfigMap", "infra", "node-agent")
HOST = "hostNetwork: true, containers:"


def certified(world: World, **spec: Any) -> None:
    """2.4.1 is applied everywhere, by us."""
    if spec:
        world.changes({COMPONENT: repo_files.component(**spec)})
    world.run_to_the_end(world.releases("first", "2.4.1"))


def templated(old: str, new: str) -> dict[str, str]:
    assert old in repo_files.TEMPLATE
    return {TEMPLATE: repo_files.TEMPLATE.replace(old, new)}


def edit(world: World, cluster: str, ref: ObjectRef, body: Any, by: str = "kubectl-edit") -> None:
    write = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body=body)
    world.fleet.write(cluster, write, fence="", manager=by)


def host_network(world: World, cluster: str) -> bool:
    pods = world.live(cluster, "DaemonSet")["spec"]["template"]["spec"]
    return bool(pods.get("hostNetwork"))


def wants_host_network(world: World) -> str:
    """2.5.0 comes with `hostNetwork: true`, which is on the built-in list: asked."""
    certified(world)
    world.changes(templated("containers:", HOST))
    release = world.releases()
    world.run_for(minutes=2)
    return release


def merged_all_the_same(world: World) -> str:
    """The pull request shows an error; somebody merges it, and an approver takes it as it came."""
    release = world.releases()
    world.run_for(minutes=1)
    assert "came to main without a pull request whose plan was shown" in world.why(release)
    assert world.says(f"accept {release}", by="ben").code == 0
    return release


def open_ones(world: World, release: str) -> list[str]:
    return [d.asks for d in world.view(release).decisions if d.status == "OPEN"]


def test_a_guarded_change_is_asked_about_before_anything_is_written(world: World) -> None:
    """It names path, from and to, and why it matters; nothing has left before the yes."""
    release = wants_host_network(world)
    assert world.unit(release, ST_1).phase == "PENDING"
    assert world.running()["st-1"] == "2.4.1×2"
    (asked,) = open_ones(world, release)
    assert "DaemonSet infra/node-agent spec.template.spec.hostNetwork: not there → true" in asked
    assert "[guard] Needs decision" in world.why(release)
    assert f"approve {release}#1" in world.why(release)


def test_one_yes_covers_the_same_change_in_every_unit(world: World) -> None:
    """A thousand clusters with the same change are one question, not a thousand."""
    release = wants_host_network(world)
    assert world.says(f"approve {release}#1", by="ana").code == 0
    world.run_to_the_end(release)
    assert all(host_network(world, cluster) for cluster in ("st-1", "eu-1", "eu-2"))
    assert len(world.events(release, "decision.asked")) == 1


def test_the_yes_is_in_the_audit_of_each_unit_and_in_its_certificate(world: World) -> None:
    """Who looks later finds what was changed, and on whose word."""
    release = wants_host_network(world)
    world.says(f"approve {release}#1", by="ana")
    world.run_to_the_end(release)
    told = {e.unit: e.data for e in world.events(release, "guard.granted")}
    assert set(told) == {ST_1, EU_1, EU_2}
    assert told[EU_1]["by"] == ["ana"]
    assert told[EU_1]["changes"][0]["path"] == "spec.template.spec.hostNetwork"
    assert all(one.approvers == ("ana",) for one in world.certificates(release))


def test_no_author_says_yes_to_it(world: World) -> None:
    """The one who wrote the change is not the one who lets it through."""
    release = wants_host_network(world)
    refused = world.says(f"approve {release}#1", by="cleo").body["refused"]
    assert refused["code"] == "author"


def test_rejected_it_holds_the_release(world: World) -> None:
    """No is an answer: nothing is written, and the hold says who said so."""
    release = wants_host_network(world)
    assert world.says(f"reject {release}#1 --reason 'ports collide'", by="ana").code == 0
    world.run_for(hours=2)
    assert world.running()["st-1"] == "2.4.1×2"
    assert "ports collide" in world.why(release)


def test_a_question_is_void_when_the_change_changes(world: World) -> None:
    """Somebody sets the field by hand: what was asked is no change there any more. What the next
    cluster is asked about is a question of its own.
    """
    release = wants_host_network(world)
    edit(world, "st-1", DAEMON_SET, {"spec": {"template": {"spec": {"hostNetwork": True}}}})
    world.run_for(hours=2)
    assert world.running()["st-1"] == "2.5.0×2"
    assert [e.data["id"] for e in world.events(release, "decision.void")] == [f"{release}#1"]
    assert world.says(f"approve {release}#1", by="ana").body["refused"]["code"] == "void"
    assert world.running()["eu-1"] == "2.4.1×4"
    assert world.says(f"approve {release}#2", by="ana").code == 0
    world.run_to_the_end(release)


def test_what_is_blocked_stops_the_unit_and_nobody_overrides_it(world: World) -> None:
    """A Service address, a selector: no release changes it, and no admin either."""
    certified(world)
    selector = templated("matchLabels: {app: node-agent}", "matchLabels: {app: other}")
    text = selector[TEMPLATE].replace("labels: {app: node-agent}", "labels: {app: other}")
    world.changes({TEMPLATE: text})
    release = merged_all_the_same(world)
    world.run_for(hours=2)
    assert world.unit(release, ST_1).phase == "PENDING"
    assert world.running()["st-1"] == "2.4.1×2"
    why = world.why(release)
    assert "[guard] Stopped by the guard" in why
    assert "spec.selector.matchLabels.app: node-agent → other" in why
    assert len(world.events(release, "unit.guarded")) == 1, "told once"
    for scope in (ST_1, release):
        said = world.says(f"override {scope} --gate guard --reason please", by="dan")
        assert said.body["refused"]["code"] == "override-never"
    assert world.says(f"skip {ST_1} --reason 'done by hand'", by="ana").code == 0
    assert world.phase(release) == "PROGRESSING" or world.phase(release) == "SCHEDULED"


def test_a_component_may_block_what_is_only_asked(world: World) -> None:
    """Stricter is always possible: the approver is not even asked."""
    guard = {"block": ["spec.template.spec.hostNetwork"]}
    certified(world, guard=guard)
    world.changes(templated("containers:", HOST))
    release = merged_all_the_same(world)
    world.run_for(hours=1)
    assert not open_ones(world, release)
    assert "its component says so" in world.why(release)
    assert not host_network(world, "st-1")


def test_a_block_that_comes_to_main_meanwhile_counts_at_once(world: World) -> None:
    """On a bad night somebody blocks a field: what has not been written is not written."""
    release = wants_host_network(world)
    guard = {"block": ["spec.template.spec.hostNetwork"]}
    world.changes({COMPONENT: repo_files.component(guard=guard)})
    world.says(f"approve {release}#1", by="ana")
    world.run_for(hours=1)
    assert world.running()["st-1"] == "2.4.1×2"
    assert "Stopped by the guard" in world.why(release)


def test_an_ignored_field_is_left_as_it_is_in_the_cluster(world: World) -> None:
    """The level belongs to somebody else: their value stays, ours is not brought, nothing asks."""
    certified(world, guard={"ignore": ["ConfigMap:data.level"]})
    edit(world, "eu-1", CONFIG, {"data": {"level": "debug"}})
    values = repo_files.VALUES.replace("level: info", "level: error")
    world.changes({"components/node-agent/values/default.yaml": values})
    release = world.releases()
    world.run_to_the_end(release)
    assert world.running()["eu-1"] == "2.5.0×4"
    assert world.live("eu-1", "ConfigMap")["data"]["level"] == "debug"
    assert world.live("eu-2", "ConfigMap")["data"]["level"] == "info"
    assert not world.events(release, "unit.drifted")


def test_an_ignored_field_that_left_the_template_stays_in_the_cluster(world: World) -> None:
    """Removal is a change too."""
    certified(world, guard={"ignore": ["ConfigMap:data.level"]})
    world.changes(templated('{level: "{{ values.level }}"}', '{other: "1"}'))
    release = world.releases()
    world.run_to_the_end(release)
    assert world.live("eu-1", "ConfigMap")["data"] == {"level": "info", "other": "1"}


def test_a_rollback_is_not_stopped_by_what_was_asked_about(world: World) -> None:
    """The way back puts back what was there, without another question."""
    release = wants_host_network(world)
    world.says(f"approve {release}#1", by="ana")
    world.run_to_the_end(release)
    world.says(f"rollback {release} slow")
    world.run_for(hours=1)
    assert world.phase(release) == "ROLLED_BACK"
    assert not any(host_network(world, cluster) for cluster in ("st-1", "eu-1", "eu-2"))


def test_a_change_that_appears_in_the_middle_keeps_the_next_write_back(world: World) -> None:
    """Somebody takes the node's network away by hand between two writes of a unit: bringing it
    back would be a guarded change, so it is asked about like any other.
    """
    certified(world, batches=["100%"])
    world.changes(templated("containers:", HOST))
    first = world.releases()
    world.run_for(minutes=2)
    world.says(f"approve {first}#1", by="ana")
    world.run_to_the_end(first)
    slow = {"do": "slow", "image": "registry.local/node-agent:2.6.0", "takes": "5m"}
    world.changes({"fleet/clusters/st-1.yaml": repo_files.cluster("st-1", "staging", 2, [slow])})
    second = world.releases("second", "2.6.0")
    world.run_for(seconds=30)
    assert world.unit(second, ST_1).phase == "APPLYING"
    edit(world, "st-1", DAEMON_SET, {"spec": {"template": {"spec": {"hostNetwork": None}}}})
    world.run_for(minutes=6)
    assert not host_network(world, "st-1")
    assert "[unguarded] Needs decision" in world.why(second)
    world.says(f"approve {second}", by="ana")
    world.run_to_the_end(second)
    assert host_network(world, "st-1")
