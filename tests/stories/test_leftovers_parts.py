"""Objects that left the template of a component that is released by parts of a cluster."""

from __future__ import annotations

from typing import Any

from tests import repo_files
from tests.stories.scopes import EU_1, KRUISE_SET, only_eu_1
from tests.stories.test_kinds import DAEMON_SET
from tests.stories.test_leftovers import EXTRA, OLD, deletes, fates, open_ones
from tests.stories.test_namespaces import OWN, TEAMS, A, B, C, namespaced
from tests.world import World

CANARY, REST = f"{EU_1}/nodeSet:canary", f"{EU_1}/nodeSet:rest"
IN_EACH = OLD.replace("namespace: infra", 'namespace: "{{ unit.namespace }}"')
ROLE = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: old}
rules: []
"""


def gone_from(world: World, text: str) -> str:
    """2.4.1 brings it in every part of eu-1; 2.5.0 does not render it any more."""
    world.changes({EXTRA: text})
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({EXTRA: None})
    return world.releases()


def olds(world: World) -> list[str]:
    """The namespaces in which it stands."""
    found = world.fleet.objects("eu-1")
    return [
        obj["metadata"]["namespace"]
        for obj in found
        if (obj["kind"], obj["metadata"]["name"]) == ("ConfigMap", "old")
    ]


def test_what_node_sets_share_leaves_with_the_last_of_them(world: World) -> None:
    """The nodes of the rest still run what may read it: nothing leaves with the canaries."""
    only_eu_1(world, DAEMON_SET)
    release = gone_from(world, OLD)
    world.run_for(minutes=1)
    while world.unit(release, REST).phase != "SUCCEEDED":
        assert olds(world) == ["infra"]
        assert world.unit(release, CANARY).leftovers == ()
        world.run_for(seconds=30)
    assert world.says(f"approve {release}#1", by="ben").code == 0
    world.run_to_the_end(release)
    assert olds(world) == []
    assert deletes(world, "eu-1") == 1
    assert fates(world, release, REST) == [("deleted", "")]


def test_a_rollback_of_the_rest_brings_back_what_all_sets_need(world: World) -> None:
    """Who goes back goes back to a whole version: the object first, for both sets."""
    only_eu_1(world, KRUISE_SET)
    release = gone_from(world, OLD)
    while not open_ones(world, release):
        world.run_for(minutes=1)
    assert world.says(f"approve {release}#1", by="ben").code == 0
    while olds(world):
        world.run_for(seconds=20)
    assert world.says(f"rollback {release} --reason slow", by="ana").code == 0
    world.run_to_the_end(release)
    assert olds(world) == ["infra"]
    assert world.running()["eu-1"] == "2.4.1×6"
    again = world.releases("third", "2.6.0")
    world.run_for(days=1)
    assert len(open_ones(world, again)) == 1, "it is a leftover of the next one again"


def test_a_release_of_one_set_alone_deletes_nothing_under_the_others(world: World) -> None:
    """2.5.0 for the canaries only: the rest still runs what needs it, and has no row of its own."""
    only_eu_1(world, DAEMON_SET)
    world.changes({EXTRA: OLD})
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({EXTRA: None})
    release = world.releases(units={"matchLabels": {"nodeSet": "canary"}})
    world.run_to_the_end(release)
    assert not world.events(release, "decision.asked")
    assert olds(world) == ["infra"]
    rest = world.releases("rest", "2.5.0", units={"matchLabels": {"nodeSet": "rest"}})
    world.run_for(days=1)
    assert len(open_ones(world, rest)) == 1, "who comes last asks"


def test_what_namespaces_had_together_leaves_when_the_last_has_come(world: World) -> None:
    """A ClusterRole of all three: they go side by side now, and none takes it from the others."""
    namespaced(world, OWN)
    release = gone_from(world, ROLE)
    world.run_for(days=1)
    (asked,) = open_ones(world, release)
    assert "ClusterRole old" in asked
    newest = world.events(release, "decision.asked")[-1].data["id"]
    assert world.says(f"reject {newest} --reason 'in use'", by="ben").code == 0
    world.run_to_the_end(release)
    again = world.releases("third", "2.6.0")
    world.run_to_the_end(again)
    assert not world.events(again, "decision.asked")
    assert world.live("eu-1", "ClusterRole", "old") is not None


def test_each_namespace_loses_its_own_and_one_question_is_for_all(world: World) -> None:
    """Three teams, three objects of one name: three marks, one question, one deletion each."""
    namespaced(world, OWN)
    release = gone_from(world, IN_EACH)
    world.run_for(days=1)
    assert olds(world) == list(TEAMS)
    (asked,) = open_ones(world, release)
    for team in TEAMS:
        assert f"ConfigMap {team}/old" in asked
    newest = world.events(release, "decision.asked")[-1].data["id"]
    assert world.says(f"approve {newest}", by="ben").code == 0
    world.run_to_the_end(release)
    assert olds(world) == []
    assert deletes(world, "eu-1") == 3
    for unit in (A, B, C):
        assert fates(world, release, unit) == [("deleted", "")]


def test_a_namespace_that_was_left_out_keeps_its_own(world: World) -> None:
    """It runs the old version still, which may need it; the others lose theirs."""
    namespaced(world, OWN)
    world.changes({EXTRA: IN_EACH})
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.says(f"pause {B}", by="ana")
    world.changes({EXTRA: None})
    release = world.releases()
    assert world.says(f"skip {B} --reason 'not now'", by="ana").code == 0
    world.run_for(days=1)
    newest = world.events(release, "decision.asked")[-1].data["id"]
    assert world.says(f"approve {newest}", by="ben").code == 0
    world.run_to_the_end(release)
    assert olds(world) == ["team-b"]


def breaks_when_it_is_gone(world: World) -> Any:
    """From now on pods of 2.5.0 in eu-1 crash: they needed what was deleted."""
    fault = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
    world.breaks("eu-1", fault)


def test_a_unit_that_breaks_without_it_goes_back_and_has_it_again(world: World) -> None:
    """`onFailure: rollbackUnit`, in the step that deletes: the deletion was the mistake, and the
    unit is taken back with the object, without anybody getting up. The others keep their own way.
    """
    component = "components/node-agent/component.yaml"
    world.changes({component: repo_files.component(onFailure="rollbackUnit")})
    world.changes({EXTRA: OLD})
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({EXTRA: None})
    release, eu_1 = world.releases(), "node-agent@eu-1"
    world.run_for(days=1)
    assert world.says(f"approve {release}#1", by="ben").code == 0
    while world.live("eu-1", "ConfigMap", "old") is not None:
        world.run_for(seconds=20)
    breaks_when_it_is_gone(world)
    pods = [pod["metadata"]["name"] for pod in world.fleet.pods("eu-1")]
    world.fleet.sicken("eu-1", pods)
    while world.unit(release, eu_1).phase != "ROLLED_BACK":
        world.run_for(minutes=1)
    assert world.live("eu-1", "ConfigMap", "old")["data"] == {"a": "1"}
    assert world.running()["eu-1"] == "2.4.1×4"
    assert world.live("st-1", "ConfigMap", "old") is None
    assert world.running()["st-1"] == "2.5.0×2"


def added_to(world: World) -> str:
    """2.5.0 adds it beside what each part of eu-1 has."""
    world.run_to_the_end(world.releases("first", "2.4.1"))
    world.changes({EXTRA: OLD})
    release = world.releases()
    world.run_to_the_end(release)
    assert olds(world) == ["infra"]
    return release


def test_what_a_release_added_under_all_sets_goes_with_the_last_of_them(world: World) -> None:
    only_eu_1(world, DAEMON_SET)
    release = added_to(world)
    assert world.says(f"rollback {release} --reason slow", by="ana").code == 0
    world.run_for(hours=2)
    assert len(open_ones(world, release)) == 1
    assert olds(world) == ["infra"]
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_to_the_end(release)
    assert world.phase(release, ended=True) == "ROLLED_BACK"
    assert olds(world) == []
    assert world.running()["eu-1"].startswith("2.4.1")
