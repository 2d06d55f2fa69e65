"""A baseline: a new cluster gets what is certified for its group, in the order of the graph."""

from __future__ import annotations

from typing import Any

from tests import repo_files
from tests.addons import GRAPH, NAMES, addons, began, brings, until
from tests.world import World

NEW = "eu-3"


def joins(world: World, *clusters: str, group: str = "prod") -> None:
    """New, empty clusters."""
    files: dict[str, str | None] = {
        f"fleet/clusters/{name}.yaml": repo_files.cluster(name, group, 2) for name in clusters
    }
    world.changes(files, "New clusters")


def baseline(world: World, name: str = "first-day", **spec: Any) -> str:
    """A release that names no version."""
    return world.releases(name, "", **{"components": None, "baseline": True, **spec})


def certified(world: World, version: str = "1.1", **spec: Any) -> None:
    """All components are released everywhere, or where `units` says."""
    name = f"addons-{version.replace('.', '-')}"
    world.run_to_the_end(addons(world, name=name, version=version, **spec))


def test_a_new_cluster_gets_all_that_its_group_runs(world: World) -> None:
    """Four components in the order of their graph; the clusters that have them are left alone."""
    brings(world)
    certified(world)
    joins(world, NEW)
    release = baseline(world, units={"names": ["eu-*"]})
    plan = world.active(release).index.plan
    assert {unit.unit for unit in plan.units} == {f"{name}@{NEW}" for name in NAMES}
    assert {component.version for component in plan.components} == {"1.1"}
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    order = began(world, release)
    assert order.index(f"coredns@{NEW}") < order.index(f"mesh@{NEW}")
    for name in GRAPH:
        assert world.running(name)[NEW] == "1.1×2"


def test_each_group_has_its_own_versions(world: World) -> None:
    """Staging is ahead: a new cluster gets what its own group has, and nothing newer."""
    brings(world)
    certified(world)
    certified(world, "1.2", units={"matchLabels": {"environment": "staging"}})
    joins(world, NEW)
    joins(world, "st-2", group="staging")
    release = baseline(world)
    plan = world.active(release).index
    versions = {unit.unit: plan.component(unit).version for unit in plan.plan.units}
    assert versions["mesh@st-2"] == "1.2"
    assert versions[f"mesh@{NEW}"] == "1.1"
    assert len(versions) == 2 * len(NAMES)
    world.run_to_the_end(release)
    assert world.running("mesh") | {NEW: "1.1×2", "st-2": "1.2×2"} == world.running("mesh")


def test_the_version_of_most_clusters_counts_and_a_blocked_one_never(world: World) -> None:
    """One cluster that is ahead makes no version the group's; a block takes one out."""
    brings(world)
    certified(world)
    certified(world, "1.2", units={"names": ["eu-1"]})
    joins(world, NEW)
    release = baseline(world)
    plan = world.active(release).index
    assert plan.component(plan.units[f"mesh@{NEW}"]).version == "1.2", "one of each: the newer"
    blocked = [{"component": "mesh", "version": "1.2", "reason": "INC-7"}]
    world.says(f"cancel {release} --reason again")
    spec = {"windows": {"attended": "5m"}, "blocked": blocked}
    world.changes({"policy/policy.yaml": repo_files.doc("Policy", "policy", spec)})
    again = baseline(world, "second-try", units={"names": [NEW]})
    plan = world.active(again).index
    assert plan.component(plan.units[f"mesh@{NEW}"]).version == "1.1"


def test_what_was_not_proved_is_not_the_group_s(world: World) -> None:
    """Half a release in one cluster is newer, and no reason to bring it to a new one."""
    brings(world)
    certified(world)
    half = addons(world, name="addons-1-2", version="1.2", units={"names": ["eu-1"]})
    until(world, lambda: world.unit(half, "coredns@eu-1").phase == "SOAKING")
    world.says(f"pause {half} --finish-batch")
    assert "1.2" in world.running("coredns")["eu-1"]
    joins(world, NEW)
    release = baseline(world, units={"names": [NEW]})
    plan = world.active(release).index.plan
    assert {component.version for component in plan.components} == {"1.1"}


def test_where_nothing_is_known_it_says_so(world: World) -> None:
    """An empty store certifies nothing: no guess is made."""
    brings(world)
    release = baseline(world)
    assert world.phase(release) == "SCHEDULED"
    (hold,) = world.view(release).holds
    assert "nothing is known of what is certified" in hold.reason
    assert not world.writes("eu-1")


def test_another_answer_at_the_merge_is_another_plan(world: World) -> None:
    """The pull request showed 1.1; before its merge the group moved on: approvals are void."""
    brings(world)
    certified(world)
    joins(world, NEW)
    spec = {"components": None, "baseline": True, "units": {"names": [NEW]}}
    world.proposes(
        "first-day", {"releases/2026/first-day.yaml": repo_files.release("first-day", "", **spec)}
    )
    world.tick()
    shown = world.active("first-day").index.plan
    certified(world, "1.2", units={"names": ["eu-1", "eu-2"]})
    world.merges("first-day")
    world.tick()
    merged = world.active("first-day").index.plan
    assert {c.version for c in shown.components} == {"1.1"}
    assert {c.version for c in merged.components} == {"1.2"}
    assert shown.plan_hash != merged.plan_hash


def test_components_that_are_named_must_be_what_is_certified(world: World) -> None:
    """A baseline is no way to bring something new past its own release."""
    brings(world)
    certified(world)
    joins(world, NEW)
    wrong = baseline(world, "wrong", components=[{"name": "mesh", "version": "9.9"}])
    (hold,) = world.view(wrong).holds
    assert "mesh 9.9 is not what is certified for prod" in hold.reason
    right = baseline(world, "right", components=[{"name": "mesh", "version": "1.1"}],
                     units={"names": [NEW]})  # fmt: skip
    until(world, lambda: world.phase(right) == "SUCCEEDED")
    assert world.running("mesh")[NEW] == "1.1×2"
    assert world.running("logs")[NEW] == ""
