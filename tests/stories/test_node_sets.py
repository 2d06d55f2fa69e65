"""Node sets: one after another, each by its own batches, the object shared by all of them."""

from __future__ import annotations

import pytest

from tests.stories.scopes import (
    EU_1,
    KRUISE_SET,
    MACHINES,
    cluster,
    on,
    only_eu_1,
    relabel,
)
from tests.stories.test_kinds import DAEMON_SET
from tests.world import World

CANARY, REST = f"{EU_1}/nodeSet:canary", f"{EU_1}/nodeSet:rest"
KINDS = {
    "DaemonSet": DAEMON_SET,
    "KruiseDaemonSet": KRUISE_SET,
    "MachineComponentSet": MACHINES,
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS)
BOTH_WAYS = pytest.mark.parametrize("kind", ["DaemonSet", "MachineComponentSet"])
"""By deletion and by the kind's own choice of nodes."""
ALL = [f"n-{number}" for number in range(1, 7)]


def spec_of(world: World, kind: str) -> dict[str, object]:
    spec: dict[str, object] = world.live("eu-1", kind.removeprefix("Kruise"))["spec"]
    return spec


def nodes_on(world: World, version: str, kind: str) -> list[str]:
    return on(world, version, kind.removeprefix("Kruise"))


@EVERY_KIND
def test_the_canary_set_comes_first_and_the_rest_after_it(world: World, kind: str) -> None:
    """Until canary has ended well, nobody of the rest is touched; at the end all is as before."""
    only_eu_1(world, KINDS[kind])
    before = {k: v for k, v in spec_of(world, kind).items() if k not in ("template", "version")}
    release = world.releases()
    assert [unit.unit for unit in world.active(release).index.plan.units] == [CANARY, REST]
    while world.unit(release, REST).began is None:
        assert set(nodes_on(world, "2.5.0", kind)) <= {"n-1", "n-2"}
        world.run_for(seconds=20)
    assert world.unit(release, CANARY).phase == "SUCCEEDED"
    assert world.unit(release, CANARY).total == 2
    assert "shares" not in world.why(release)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.unit(release, REST).total == 4, "the rest is what no set has"
    assert nodes_on(world, "2.5.0", kind) == ALL
    after = {k: v for k, v in spec_of(world, kind).items() if k not in ("template", "version")}
    assert {k: v for k, v in after.items() if k in before} == before
    assert not set(after) - set(before) - {"partition", "pause"}


def deleted(world: World, since: int = 0) -> list[str]:
    """The nodes of the pods that were deleted by us, in order."""
    writes = world.fleet.writes("eu-1")[since:]
    assert all(write["manager"] == "sluice" for write in writes)
    return [write["object"].split("/")[-1] for write in writes if "/Pod/" in write["object"]]


def strategy_type(world: World) -> str:
    found: str = world.live("eu-1", "DaemonSet")["spec"]["updateStrategy"]["type"]
    return found


def breaks(world: World, **faults: object) -> None:
    world.changes({"fleet/clusters/eu-1.yaml": cluster(faults=[faults])}, "eu-1 breaks")


def until_rest_begins(world: World, release: str) -> None:
    while world.unit(release, REST).began is None:
        world.run_for(seconds=20)


@BOTH_WAYS
def test_a_failure_in_the_second_set_takes_both_back_newest_first(world: World, kind: str) -> None:
    """One object cannot be of two versions: who takes back the rest takes back the canaries."""
    only_eu_1(world, KINDS[kind])
    before = spec_of(world, kind)
    release = world.releases()
    until_rest_begins(world, release)
    breaks(world, do="crashLoop", image="registry.local/node-agent:2.5.0")
    if kind == "MachineComponentSet":
        breaks(world, do="crashLoop")
    world.run_for(hours=1)
    assert world.unit(release, REST).phase == "FAILED"
    assert world.unit(release, CANARY).phase == "SUCCEEDED"
    assert len(nodes_on(world, "2.4.1", kind)) >= 2, "the failed batch went no further"
    relabel(world, {"n-1": {"pool": "canary"}, "n-2": {"pool": "canary"}})
    answer = world.says(f"rollback {REST} it crashes")
    assert answer.body["units"] == 2, "the canaries go with it, and that is said"
    assert world.unit(release, CANARY).phase == "ROLLING_BACK"
    assert f"Waiting for {REST}" in world.why(release)
    world.run_for(minutes=30)
    assert nodes_on(world, "2.4.1", kind) == ALL
    assert spec_of(world, kind) == before
    ends = [event.unit for event in world.events(release, "unit.rolled-back")]
    assert ends == [REST, CANARY]


@BOTH_WAYS
def test_a_set_is_taken_back_alone_before_the_next_has_begun(world: World, kind: str) -> None:
    """Nothing of the rest is touched, and the rest does not go forward past it."""
    only_eu_1(world, KINDS[kind])
    before = spec_of(world, kind)
    pods = {p["metadata"]["name"] for p in world.fleet.pods("eu-1")}
    rest = {p["metadata"]["name"] for p in world.fleet.pods("eu-1") if _of_rest(p)}
    release = world.releases()
    world.run_until("2026-11-24T09:15:00Z")
    assert nodes_on(world, "2.5.0", kind) == ["n-1", "n-2"]
    assert world.says(f"rollback {CANARY} too slow").body["units"] == 1
    world.run_for(minutes=20)
    assert nodes_on(world, "2.4.1", kind) == ALL
    assert spec_of(world, kind) == before
    assert rest <= {p["metadata"]["name"] for p in world.fleet.pods("eu-1")} or not pods
    world.run_for(hours=3)
    assert world.unit(release, REST).began is None
    assert f"{REST} [shared_object] Waiting for {CANARY}" in world.why(release)
    assert "was taken back" in world.why(release)
    world.says(f"skip {REST} not this time")
    world.run_for(minutes=1)
    assert world.phase(release) == "SUCCEEDED"


def _of_rest(pod: dict[str, dict[str, str]]) -> bool:
    return pod["spec"]["nodeName"] not in ("n-1", "n-2")


@BOTH_WAYS
def test_a_pause_between_two_sets_and_a_restart(world: World, kind: str) -> None:
    """Not a write while it stands; the bot that comes back goes on where the other one was."""
    only_eu_1(world, KINDS[kind])
    release = world.releases()
    until_rest_begins(world, release)
    world.says(f"pause {release} lunch")
    world.run_for(minutes=2)
    sent = len(world.fleet.writes("eu-1"))
    world.dies()
    world.run_for(hours=1)
    assert len(world.fleet.writes("eu-1")) == sent
    assert set(nodes_on(world, "2.5.0", kind)) < set(ALL)
    world.says(f"resume {release}")
    world.run_to_the_end(release)
    assert nodes_on(world, "2.5.0", kind) == ALL


@pytest.mark.parametrize(("kind", "every"), [("KruiseDaemonSet", 2), ("MachineComponentSet", 3)])
def test_lost_answers_and_restarts_change_nothing(world: World, kind: str, every: int) -> None:
    """Every answer may be lost and every tick the last one of a process."""
    only_eu_1(
        world, KINDS[kind], cluster_file=cluster(faults=[{"do": "loseAnswers", "every": every}])
    )
    before = {k: v for k, v in spec_of(world, kind).items() if k not in ("template", "version")}
    release = world.releases()
    while world.unit(release, REST).began is None:
        assert set(nodes_on(world, "2.5.0", kind)) <= {"n-1", "n-2"}
        world.run_for(seconds=37)
        world.dies()
    world.run_for(minutes=10)
    world.dies()
    world.says(f"rollback {release} back again")
    world.run_for(minutes=30)
    assert world.phase(release) == "ROLLED_BACK"
    assert nodes_on(world, "2.4.1", kind) == ALL
    after = {k: v for k, v in spec_of(world, kind).items() if k not in ("template", "version")}
    assert after == before


@BOTH_WAYS
def test_a_node_that_joins_a_set_while_it_runs_gets_the_version_too(
    world: World, kind: str
) -> None:
    """And one that changes sets after its old one is done is not forgotten."""
    only_eu_1(world, KINDS[kind])
    release = world.releases()
    until_rest_begins(world, release)
    # n-7 is new; n-5 moves from the rest, still old, into the set that is done.
    pools = {node: {"pool": "canary"} for node in ("n-1", "n-2", "n-5")}
    relabel(world, pools, nodes=7)
    world.run_to_the_end(release)
    assert nodes_on(world, "2.5.0", kind) == [*ALL, "n-7"]
    assert nodes_on(world, "2.4.1", kind) == []


@BOTH_WAYS
def test_a_node_that_left_its_set_goes_back_with_it(world: World, kind: str) -> None:
    """It has the new version by this release: the way back reaches it wherever it is now."""
    only_eu_1(world, KINDS[kind])
    before = spec_of(world, kind)
    world.releases()
    world.run_until("2026-11-24T09:15:00Z")
    assert nodes_on(world, "2.5.0", kind) == ["n-1", "n-2"]
    relabel(world, {"n-1": {"pool": "canary"}})
    world.says(f"rollback {CANARY} no")
    world.run_for(minutes=20)
    assert nodes_on(world, "2.4.1", kind) == ALL
    assert spec_of(world, kind) == before


def test_percent_batches_count_the_nodes_of_the_set_when_they_begin(world: World) -> None:
    """Of twelve nodes, four in the canary set: 50 % is two of them."""
    only_eu_1(world, DAEMON_SET, cluster_file=cluster(nodes=12, canary=4))
    release = world.releases()
    world.run_until("2026-11-24T09:02:00Z")
    unit = world.unit(release, CANARY)
    assert (list(unit.totals.values()), list(unit.targets.values())) == ([4], [1])
    world.run_until("2026-11-24T09:08:00Z")
    assert list(world.unit(release, CANARY).targets.values()) == [2]
    assert "2 of 4" in world.chat.cards[f"card/{release}"]


def test_a_node_in_two_sets_holds_the_unit_and_says_so(world: World) -> None:
    """Only the cluster knows its labels; nobody is updated twice, or by the wrong set."""
    edge = {"name": "edge", "selector": {"matchLabels": {"zone": "edge"}}}
    canary = {"name": "canary", "selector": {"matchLabels": {"pool": "canary"}}}
    sets = {"nodeSets": [canary, edge]}
    only_eu_1(world, DAEMON_SET, cluster_file=cluster(**sets))
    twice = {"n-1": {"pool": "canary", "zone": "edge"}, "n-2": {"pool": "canary"}}
    relabel(world, twice, **sets)
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    assert world.fleet.writes("eu-1") == []
    assert "node n-1 of eu-1 is in the node sets canary and edge at once" in world.why(release)
    assert "n-1" in world.chat.cards[f"card/{release}"]
    world.says(f"resume {release}")
    world.run_for(minutes=1)
    assert world.fleet.writes("eu-1") == [], "resuming is not mending"
    relabel(world, {"n-1": {"zone": "edge"}, "n-2": {"pool": "canary"}}, **sets)
    world.says(f"resume {release}")
    world.run_to_the_end(release)
    assert nodes_on(world, "2.5.0", "DaemonSet") == ALL


def test_nothing_is_to_be_done_where_a_set_has_the_version(world: World) -> None:
    """A second release of the same version writes nothing, set by set."""
    only_eu_1(world, DAEMON_SET)
    world.run_to_the_end(world.releases())
    sent = len(world.fleet.writes("eu-1"))
    again = world.releases("again", "2.5.0")
    world.run_to_the_end(again)
    assert world.phase(again) == "SUCCEEDED"
    assert len(world.fleet.writes("eu-1")) == sent


def test_a_release_of_one_set_leaves_the_others_and_the_next_release_ends_it(
    world: World,
) -> None:
    """The object is not given back to its controller before all of the cluster has the version."""
    only_eu_1(world, DAEMON_SET)
    before = spec_of(world, "DaemonSet")["updateStrategy"]
    first = world.releases("canary-only", units={"matchLabels": {"nodeSet": "canary"}})
    world.run_to_the_end(first)
    assert nodes_on(world, "2.5.0", "DaemonSet") == ["n-1", "n-2"]
    assert strategy_type(world) == "OnDelete"
    second = world.releases("the-rest", units={"matchLabels": {"nodeSet": "rest"}})
    world.run_to_the_end(second)
    assert nodes_on(world, "2.5.0", "DaemonSet") == ALL
    assert spec_of(world, "DaemonSet")["updateStrategy"] == before


def test_a_release_of_the_rest_goes_back_to_what_the_rest_ran(world: World) -> None:
    """The canaries had the new version by an earlier release: they keep it."""
    only_eu_1(world, DAEMON_SET)
    world.run_to_the_end(
        world.releases("canary-only", units={"matchLabels": {"nodeSet": "canary"}})
    )
    second = world.releases("the-rest", units={"matchLabels": {"nodeSet": "rest"}})
    world.run_until("2026-11-24T10:10:00Z")
    assert len(nodes_on(world, "2.5.0", "DaemonSet")) > 2
    world.says(f"rollback {second} no")
    world.run_for(minutes=20)
    assert world.phase(second) == "ROLLED_BACK"
    assert nodes_on(world, "2.5.0", "DaemonSet") == ["n-1", "n-2"]
    assert strategy_type(world) == "OnDelete"


def test_two_releases_never_meet_in_a_cluster_even_in_different_sets(world: World) -> None:
    """The lock is of component and cluster: the object is one."""
    only_eu_1(world, DAEMON_SET)
    first = world.releases("canaries", units={"matchLabels": {"nodeSet": "canary"}})
    second = world.releases("the-rest", "2.6.0", units={"matchLabels": {"nodeSet": "rest"}})
    world.run_until("2026-11-24T09:10:00Z")
    assert world.unit(first, CANARY).in_flight
    assert world.unit(second, REST).began is None
    assert "canaries" in world.why(second)
    world.run_to_the_end(first)
    world.run_to_the_end(second)
    assert nodes_on(world, "2.6.0", "DaemonSet") == ["n-3", "n-4", "n-5", "n-6"]
    assert nodes_on(world, "2.5.0", "DaemonSet") == ["n-1", "n-2"]


def test_only_sets_with_nodes_are_written_to(world: World) -> None:
    """A set without a node is done at once; the rest is not held up."""
    only_eu_1(world, DAEMON_SET, cluster_file=cluster(canary=0))
    release = world.releases()
    world.run_until("2026-11-24T09:00:10Z")
    assert world.unit(release, CANARY).phase == "SUCCEEDED"
    world.run_to_the_end(release)
    assert nodes_on(world, "2.5.0", "DaemonSet") == ALL


@BOTH_WAYS
def test_a_first_install_is_asked_about_since_it_reaches_every_node(
    world: World, kind: str
) -> None:
    """No kind can be created for a part of a cluster; nothing is written before somebody knows."""
    only_eu_1(world, KINDS[kind], running=False)
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    assert world.fleet.writes("eu-1") == []
    assert "reaches all nodes of the cluster at once" in world.why(release)
    world.says(f"approve {release}", by="ben")
    world.run_to_the_end(release)
    assert nodes_on(world, "2.5.0", kind) == ALL
    assert world.says(f"rollback {release} no").code == 0
    world.run_for(minutes=5)
    world.says(f"approve {release}", by="ben")
    world.run_for(minutes=10)
    assert world.phase(release) == "ROLLED_BACK"
    assert world.live("eu-1", kind) is None
