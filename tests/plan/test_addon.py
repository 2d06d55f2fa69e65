"""The plan of a release of several components: whole clusters, in the order of the graph."""

from __future__ import annotations

from bot.core.messages_plan import plan_text
from bot.core.plan_json import plan_json
from bot.core.plan_shown import PullPlan, ReleaseShown
from tests.plan.addons import GRAPH, addon_world, addons, component
from tests.plan.world import NOW, PULL, World, cluster

FOUR = tuple(GRAPH)


def pulled(world: World, *names: str, **more: str) -> PullPlan:
    world.proposes(addons(*(names or FOUR), **more))
    pull = world.planner.pull("c1", PULL, now=NOW)
    return pull


def one(pull: PullPlan) -> ReleaseShown:
    assert not pull.has_errors, [str(finding) for finding in pull.findings]
    (shown,) = pull.releases
    return shown


def test_all_components_of_a_cluster_go_in_one_wave() -> None:
    """Whoever looks after a cluster is disturbed once, not four times."""
    plan = one(pulled(addon_world())).plan
    waves = {}
    for unit in plan.units:
        waves.setdefault(unit.cluster, set()).add((unit.stage, unit.wave))
    assert {len(places) for places in waves.values()} == {1}
    assert len(plan.units) == 4 * 4
    assert [len(wave) for wave in plan.stages[1].waves] == [4, 8]  # [1, 100%] counts clusters


def test_inside_a_cluster_what_is_needed_stands_first() -> None:
    """Whatever the order in the file, and the plan says what comes after what."""
    shown = one(pulled(addon_world(), "ingress", "logs", "node-agent", "coredns"))
    first = [unit.component for unit in shown.plan.units if unit.cluster == "st-1"]
    assert first.index("coredns") < min(first.index("ingress"), first.index("node-agent"))
    after = {component.name: component.after for component in shown.plan.components}
    assert after == {
        "ingress": ("coredns",),
        "logs": (),
        "node-agent": ("coredns",),
        "coredns": (),
    }


def test_an_order_that_goes_by_way_of_a_component_outside_is_kept() -> None:
    """node-agent needs cni, cni needs coredns: the release of both ends keeps the order."""
    graph = {"coredns": (), "cni": ("coredns",), "node-agent": ("cni",)}
    plan = one(pulled(addon_world(graph), "node-agent", "coredns")).plan
    assert {c.name: c.after for c in plan.components} == {
        "node-agent": ("coredns",),
        "coredns": (),
    }


def test_the_graph_is_part_of_the_hash() -> None:
    """An approval of one order is none of another."""
    world = addon_world()
    before = one(pulled(world)).plan.plan_hash
    free = {**GRAPH, "ingress": ()}
    assert one(pulled(addon_world(free))).plan.plan_hash != before


def test_batches_are_those_of_the_units_own_component() -> None:
    """One component in one step, its neighbour in three."""
    world = addon_world(GRAPH, component("logs", (), "batchSoak: 1m").copy())
    files = dict(world.git.commits[0])
    path = "components/logs/component.yaml"
    files[path] = files[path].replace("[1, 50%, 100%]", "[100%]")
    world.starts_with(files)
    shown = one(pulled(world))
    assert shown.units["logs@eu-1"].batches == ("100%",)
    assert shown.units["coredns@eu-1"].batches == (1, "50%", "100%")
    assert shown.units["coredns@eu-1"].counts == (1, 3, 6)


def test_the_strictest_of_all_components_rules_the_first_wave_and_the_approval() -> None:
    """A release is as dangerous as its most dangerous part."""
    world = addon_world()
    files = dict(world.git.commits[0])
    files["policy/policy.yaml"] = (
        files["policy/policy.yaml"]
        .replace(
            "spec:",
            "spec:\n  floors: [{components: {names: [logs]}, firstWave: 1}]",
        )
        .replace('{matchLabels: {tier: "0"}}, count: 2', "{names: [logs]}, count: 2")
    )
    files |= cluster("st-2", "staging", 3)
    world.starts_with(files)
    with_logs = one(pulled(world)).plan
    assert with_logs.approval is not None
    assert with_logs.approval.count == 2
    assert [len(wave) for wave in with_logs.stages[0].waves] == [4, 4]
    without = one(pulled(world, "coredns", "ingress")).plan
    assert without.approval is None
    assert [len(wave) for wave in without.stages[0].waves] == [4]


def test_each_component_tells_from_where_to_where() -> None:
    """node-agent had a release before; nobody knows what the others run."""
    shown = one(pulled(addon_world(), node_agent="2.6.0"))
    said = {row["name"]: (row["from"], row["to"]) for row in plan_json(
        PullPlan(base="", head="", releases=(shown,)))["releases"][0]["components"]}  # fmt: skip
    assert said["node-agent"] == ("2.4.0", "2.6.0")
    assert said["logs"] == (None, "2.5.0")


def test_the_graph_is_drawn_and_given_as_nodes_and_edges() -> None:
    """For people a tree, for scripts nodes and edges."""
    pull = pulled(addon_world())
    graph = plan_json(pull)["releases"][0]["graph"]
    assert {"from": "coredns", "to": "ingress"} in graph["edges"]
    assert len(graph["edges"]) == 2
    assert {"name": "node-agent", "layer": 2} in graph["nodes"]
    text = plan_text(pull)
    assert "├─ node-agent 2.4.0 → 2.5.0" in text
    assert "└─ ingress (not known) → 2.5.0" in text


def test_a_component_twice_in_a_release_is_an_error() -> None:
    """Nobody can have two versions of one thing."""
    found = pulled(addon_world(), "coredns", "logs", "coredns").findings
    assert [f.code for f in found if f.level == "error"] == ["component-twice"]


def test_a_lower_version_of_one_of_many_is_refused_at_its_line() -> None:
    """The finding stands at the component that goes down, not at the first."""
    found = pulled(addon_world(), "coredns", "node-agent", node_agent="2.3.0").findings
    (finding,) = [f for f in found if f.code == "downgrade"]
    assert "node-agent 2.3.0 is lower than 2.4.0" in finding.message


def test_the_forecast_lets_what_is_independent_go_on_its_own() -> None:
    """logs waits for nobody; ingress begins when coredns has ended in its cluster."""
    told = one(pulled(addon_world())).forecast
    assert told.units["logs@st-1"].start == told.units["coredns@st-1"].start
    assert told.units["ingress@st-1"].start == told.units["coredns@st-1"].end
    assert told.units["logs@eu-1"].start < told.units["ingress@eu-1"].start
    assert told.end == max(unit.end for unit in told.units.values())
    assert told.costs


def test_a_custom_resource_beside_its_definition_without_an_order_is_a_warning() -> None:
    """Released together and side by side: which comes first is luck, until dependsOn says it."""
    kind = (
        "\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
        "metadata: {name: widgets.example.com}\n"
        "spec: {group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets}}\n"
    )
    widget = (
        "\n---\napiVersion: example.com/v1\nkind: Widget\nmetadata: {name: w, namespace: infra}\n"
    )
    world = addon_world()
    files = dict(world.git.commits[0])
    files["components/coredns/templates/ds.yaml"] += kind
    for name in ("logs", "ingress"):
        files[f"components/{name}/templates/ds.yaml"] += widget.replace("name: w", f"name: {name}")
    world.starts_with(files)
    pull = pulled(world, "coredns", "logs", "ingress")
    (found,) = [f for f in pull.findings if f.code == "kind-of-another"]
    assert (found.path, found.level) == ("components/logs/component.yaml", "warning")
    assert one(pull), "it is planned all the same: the definition may long stand there"


def test_an_object_of_two_components_is_an_error_where_it_differs() -> None:
    """Two components that write one object undo each other; the same twice is worth a word."""
    namespace = "\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: infra, labels: {by: X}}\n"
    world = addon_world()
    files = dict(world.git.commits[0])
    for name in ("coredns", "logs"):
        files[f"components/{name}/templates/ds.yaml"] += namespace
    world.starts_with(files)
    shown = one(pulled(world, "coredns", "logs"))
    assert any("Namespace infra is rendered by coredns and by logs alike" in w
               for w in shown.warnings)  # fmt: skip
    files["components/logs/templates/ds.yaml"] = files["components/logs/templates/ds.yaml"].replace(
        "by: X", "by: logs"
    )
    world.starts_with(files)
    (finding,) = [f for f in pulled(world, "coredns", "logs").findings if f.level == "error"]
    assert finding.code == "components-together"
    assert "Namespace infra" in finding.message
