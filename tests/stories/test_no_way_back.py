"""What cannot simply be put back is said before, holds, and waits for the word of an admin."""

from __future__ import annotations

from bot.core.messages_figures import tone
from bot.core.messages_listing import queue
from bot.model.message import Tone
from tests import repo_files
from tests.world import World

EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"
COMPONENT = "components/node-agent/component.yaml"
CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.6.0"}
PAIR = {"from": "2.4.*", "to": "2.6.*", "reason": "the flow table has another layout"}


def one_way(world: World, **spec: object) -> str:
    """2.4.1 everywhere by a release; then 2.6.0, which has no simple way back to it."""
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({COMPONENT: repo_files.component(irreversible=[PAIR], **spec)})
    return world.releases("second", "2.6.0")


def test_such_a_unit_holds_and_says_why(world: World) -> None:
    """The rollback touches nothing that it would break; the card lists what stays and why."""
    release = one_way(world)
    world.run_to_the_end(release)
    said = world.says(f"rollback {release} slow")
    assert said.code == 0
    world.run_for(hours=5)
    assert world.phase(release) == "ROLLING_BACK"
    assert set(world.running().values()) == {"2.6.0×2", "2.6.0×4"}
    assert "[reversible]" in world.why(release)
    assert PAIR["reason"] in world.why(release)
    card = world.chat.cards[f"card/{release}"]
    assert "Cannot simply be rolled back" in card
    assert PAIR["reason"] in card


def test_an_admin_sends_it_back_all_the_same(world: World) -> None:
    """With a reason, unit by unit or all; nobody else can."""
    release = one_way(world)
    world.run_to_the_end(release)
    world.says(f"rollback {release} slow")
    override = "--gate irreversible --reason 'tables were drained'"
    assert world.says(f"override {EU_1} {override}", by="ben").body["refused"]["code"] == "role"
    assert world.says(f"override {EU_1} {override}", by="dan").code == 0
    world.run_for(minutes=10)
    assert world.running() == {"eu-1": "2.4.1×4", "eu-2": "2.6.0×4", "st-1": "2.6.0×2"}
    assert world.says(f"override {release} {override}", by="dan").code == 0
    world.run_for(minutes=10)
    assert world.phase(release) == "ROLLED_BACK"
    assert set(world.running().values()) == {"2.4.1×2", "2.4.1×4"}
    told = [e.data["reason"] for e in world.events(release, "override")]
    assert told == ["tables were drained"] * len(told)


def test_it_may_be_left_as_it_is(world: World) -> None:
    """Skipped, it stays on the new version and is owed; the rollback ends."""
    release = one_way(world)
    world.run_to_the_end(release)
    world.says(f"rollback {release} slow")
    for unit in (EU_1, EU_2, ST_1):
        assert world.says(f"skip {unit} --reason 'mended by hand'").code == 0
    world.run_for(minutes=5)
    assert world.phase(release) == "ROLLED_BACK"
    assert set(world.running().values()) == {"2.6.0×2", "2.6.0×4"}


def test_half_way_it_is_stopped_where_it_stands(world: World) -> None:
    """While people think, not one pod more goes forward."""
    slow = {"do": "slow", "image": "registry.local/node-agent:2.6.0", "takes": "5m"}
    text = repo_files.cluster("st-1", "staging", 4, [slow])
    world.changes({"fleet/clusters/st-1.yaml": text})
    world.run_for(minutes=5)
    release = one_way(world, batches=["100%"], batchDeadline="2h")
    while "2.6.0" not in world.running()["st-1"]:
        world.run_for(seconds=30)
    world.says(f"rollback {release} slow")
    running = world.running()["st-1"]
    assert "2.4.1" in running
    world.run_for(hours=2)
    assert world.running()["st-1"] == running
    assert world.live("st-1", "DaemonSet")["spec"]["updateStrategy"]["rollingUpdate"]["paused"]
    world.says(f"override {release} --gate irreversible --reason drained", by="dan")
    world.run_for(minutes=30)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running()["st-1"] == "2.4.1×4"


def test_on_failure_it_is_not_taken_back_by_itself(world: World) -> None:
    """`onFailure: rollbackUnit` is for what has a way back: this one fails, holds and asks."""
    world.write({})
    release = one_way(world, onFailure="rollbackUnit")
    world.breaks("st-1", CRASH, group="staging")
    world.run_for(hours=4)
    unit = world.unit(release, ST_1)
    assert unit.phase == "FAILED"
    assert "not taken back by itself" in (unit.failure or "")
    assert PAIR["reason"] in (unit.failure or "")
    assert world.running()["st-1"] == "2.4.1×1 2.6.0×1"
    assert world.events(release, "hold.set")


def test_another_pair_goes_back_as_always(world: World) -> None:
    """`to` and `from` are globs of versions: 2.5.0 is not meant."""
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({COMPONENT: repo_files.component(irreversible=[PAIR])})
    release = world.releases("second", "2.5.0")
    world.run_to_the_end(release)
    world.says(f"rollback {release} slow")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLED_BACK"


def test_a_version_that_nobody_knows_may_be_any(world: World) -> None:
    """What kubectl had put there before Sluice came: unknown is not a yes."""
    world.changes({COMPONENT: repo_files.component(irreversible=[PAIR])})
    release = world.releases("second", "2.6.0")
    world.run_to_the_end(release)
    world.says(f"rollback {release} slow")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLING_BACK"
    assert "a version that Sluice does not know" in world.why(release)


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: flows.example.com}}
spec:
  group: example.com
  scope: Cluster
  names: {{plural: flows, kind: Flow}}
  versions:
    - {{name: v1alpha1, served: true, storage: {alpha}}}
    - {{name: v1, served: true, storage: {stable}}}
"""


def test_a_crd_that_stores_another_version_is_not_put_back(world: World) -> None:
    """Objects written as v1 would be read as v1alpha1: an admin has to know."""
    path = "components/node-agent/templates/crd.yaml"
    world.changes({path: CRD.format(alpha="true", stable="false")})
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({path: CRD.format(alpha="false", stable="true")})
    release = world.releases("second", "2.5.0")
    world.run_for(minutes=2)
    assert world.says(f"approve {release}", by="ben").code == 0, "the guard asks before"
    world.run_to_the_end(release)
    world.says(f"rollback {release} slow")
    world.run_for(minutes=15)
    assert world.phase(release) == "ROLLING_BACK"
    assert "stores its objects as v1 now" in world.why(release)


def shown(world: World, release: str, files: dict[str, str]) -> str:
    """The pull request of a release as people read it before they merge it."""
    world.proposes(release, files)
    world.tick()
    return world.chat.cards[f"pull/pr/{release}"]


def test_the_plan_says_so_before_anybody_merges(world: World) -> None:
    """With the number of units and the reason: who merges knows that it will not simply go back."""
    world.run_to_the_end(world.releases("first", "2.4.1"))
    path = "components/node-agent/templates/crd.yaml"
    world.changes({COMPONENT: repo_files.component(irreversible=[PAIR])})
    world.changes({path: CRD.format(alpha="true", stable="false")})
    world.run_to_the_end(world.releases("with-crd", "2.4.2"))
    files = {
        "releases/2026/second.yaml": repo_files.release("second", "2.6.0"),
        path: CRD.format(alpha="false", stable="true"),
    }
    card = shown(world, "second", files)
    assert "3 units cannot simply be rolled back: node-agent from 2.4.2 to 2.6.0" in card
    assert PAIR["reason"] in card
    assert "stores its objects as v1 now" in card


def test_the_plan_says_what_no_rollback_deletes_unasked(world: World) -> None:
    """A namespace that a release creates outlives its rollback."""
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: agents}\n"
    files = {
        "releases/2026/second.yaml": repo_files.release("second", "2.5.0"),
        "components/node-agent/templates/space.yaml": space,
    }
    assert "Namespace agents would be new on up to 3 units" in shown(world, "second", files)


def test_the_plan_says_what_an_api_server_refuses(world: World) -> None:
    """A selector never changes: no batch would write it, and the plan knows."""
    world.run_to_the_end(world.releases("first", "2.4.1"))
    template = repo_files.TEMPLATE.replace(
        "selector: {matchLabels: {app: node-agent}}", "selector: {matchLabels: {app: agent}}"
    ).replace("labels: {app: node-agent}", "labels: {app: agent}")
    files = {
        "releases/2026/second.yaml": repo_files.release("second", "2.5.0"),
        "components/node-agent/templates/node-agent.yaml": template,
    }
    told = shown(world, "second", files)
    assert "the guard blocks DaemonSet infra/node-agent spec.selector.matchLabels.app" in told
    assert "in 3 units" in told


def test_a_unit_that_waits_for_an_admin_is_shown_as_that(world: World) -> None:
    """It waits without end, and a card with a forecast end would let everybody wait with it."""
    release = one_way(world)
    while world.unit(release, ST_1).phase != "SUCCEEDED":
        world.run_for(minutes=1)
    assert queue([world.view(release)]) == "Nothing waits for a decision."
    assert world.says(f"rollback {ST_1} slow").code == 0
    world.run_for(minutes=2)
    view = world.view(release)
    assert any(line.wait.code == "irreversible" for line in view.waiting)
    assert tone(view) is Tone.DECISION
    assert "orecast end" not in world.chat.cards[f"card/{release}"]
    assert queue([view]) == f"{release}  waits for somebody  why {release}"
