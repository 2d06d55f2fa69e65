"""Units that are parts of a cluster, as the pull request shows them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.core.plan_shown import PullPlan
from tests import repo_files
from tests.plan.world import PULL, World

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
SETS = [
    {"name": "canary", "selector": {"matchLabels": {"pool": "canary"}}},
    {"name": "blue", "selector": {"matchLabels": {"pool": "blue"}}},
]
DAEMON_SET = """\
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: node-agent, namespace: infra}
spec:
  selector: {matchLabels: {app: node-agent}}
  template:
    metadata: {labels: {app: node-agent}}
    spec: {containers: [{name: agent, image: "{{ values.image }}"}]}
"""


def cluster(name: str, **spec: object) -> str:
    labels = {"n-1": {"pool": "canary"}, "n-2": {"pool": "canary"}, "n-3": {"pool": "blue"}}
    simulated = {"nodes": 9, "nodeLabels": labels}
    return repo_files.doc(
        "Cluster", name, {"group": "prod", "connection": {"simulated": simulated}} | spec
    )


def proposed(template: str, scope: str, *, units: object = None, **spec: object) -> PullPlan:
    """The plan of a release of two clusters with these parts."""
    files = repo_files.base() | {
        "fleet/clusters/eu-1.yaml": cluster("eu-1", **spec),
        "fleet/clusters/eu-2.yaml": cluster("eu-2", **spec),
        "components/node-agent/component.yaml": repo_files.component(scope=scope),
        "components/node-agent/templates/node-agent.yaml": template,
        "pipelines/standard.yaml": repo_files.doc(
            "Pipeline", "standard", {"stages": [{"name": "all", "units": {}}]}
        ),
    }
    del files["fleet/clusters/st-1.yaml"]
    world = World()
    world.starts_with(files)
    world.proposes({"releases/2026/one.yaml": repo_files.release("one", "2.5.0", units=units)})
    return world.planner.pull("c1", PULL, now=NOW)


def codes(plan: PullPlan) -> set[str]:
    return {one.code for one in plan.findings if one.level == "error"}


def test_sets_come_as_they_are_written_over_all_clusters_and_the_rest_last() -> None:
    """The canaries of every cluster go before the second set of any."""
    (shown,) = proposed(DAEMON_SET, "nodeSet", nodeSets=SETS).releases
    assert [unit.unit for unit in shown.plan.units] == [
        f"node-agent@{name}/nodeSet:{place}"
        for place in ("canary", "blue", "rest")
        for name in ("eu-1", "eu-2")
    ]
    assert all("as its cluster has it written" in unit.reason for unit in shown.plan.units)
    first = shown.units["node-agent@eu-1/nodeSet:canary"]
    assert (first.batches, first.counts) == ((1, "50%", "100%"), (1, 2))
    assert shown.units["node-agent@eu-1/nodeSet:rest"].counts == (1, 3, 6)
    assert not any("not in this release" in said for said in shown.warnings)


def test_the_nodes_that_a_unit_asks_for_are_part_of_its_plan() -> None:
    """Another selector is another plan, and voids what was approved."""
    other = [SETS[0] | {"selector": {"matchLabels": {"pool": "green"}}}, SETS[1]]
    hashes = {
        proposed(DAEMON_SET, "nodeSet", nodeSets=sets).releases[0].plan.plan_hash
        for sets in (SETS, other, SETS)
    }
    assert len(hashes) == 2


def test_a_release_of_one_set_warns_of_what_it_leaves() -> None:
    only = {"matchLabels": {"nodeSet": "canary"}}
    (shown,) = proposed(DAEMON_SET, "nodeSet", nodeSets=SETS, units=only).releases
    said = [one for one in shown.warnings if "not in this release" in one]
    assert len(said) == 1
    assert "blue" in said[0]
    assert "rest" in said[0]


def test_a_cluster_without_sets_is_one_unit() -> None:
    (shown,) = proposed(DAEMON_SET, "nodeSet").releases
    names = [unit.unit for unit in shown.plan.units]
    assert names == ["node-agent@eu-1/nodeSet:rest", "node-agent@eu-2/nodeSet:rest"]


DEPLOYMENT = DAEMON_SET.replace("DaemonSet", "Deployment")
BY_PLACE = DAEMON_SET.replace("labels: {app: node-agent}}\n    spec", "labels: {app: node-agent, "
                              'place: "{{ unit.place }}"}}\n    spec')  # fmt: skip
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: node-agent, namespace: infra}
data: {}
"""


@pytest.mark.parametrize(
    ("template", "scope", "code"),
    [
        (DEPLOYMENT, "nodeSet", "cannot-choose-nodes"),
        (DEPLOYMENT, "node", "cannot-choose-nodes"),
        (DAEMON_SET + "---\n" + DEPLOYMENT, "nodeSet", "cannot-choose-nodes"),
        (CONFIG, "nodeSet", "nothing-on-nodes"),
        (BY_PLACE, "nodeSet", "differs-by-place"),
        (DEPLOYMENT, "namespace", "shared-workload"),
    ],
)
def test_what_cannot_go_by_parts_is_refused(template: str, scope: str, code: str) -> None:
    """At the component's scope, before anything is merged."""
    spaces = [{"name": "team-a"}, {"name": "team-b"}]
    plan = proposed(template, scope, nodeSets=SETS, namespaces=spaces, nodes=["n-1", "n-2"])
    assert codes(plan) == {code}
    assert plan.releases == ()
    (found,) = [one for one in plan.findings if one.code == code]
    assert found.path == "components/node-agent/component.yaml"


def test_namespaces_with_objects_of_their_own_share_nothing() -> None:
    own = DEPLOYMENT.replace("namespace: infra", "namespace: {{ unit.namespace }}")
    spaces = [{"name": "team-b", "labels": {"wave": "1"}}, {"name": "team-a"}]
    (shown,) = proposed(own, "namespace", namespaces=spaces).releases
    assert [unit.unit for unit in shown.plan.units][:2] == [
        "node-agent@eu-1/namespace:team-a",
        "node-agent@eu-1/namespace:team-b",
    ]
    first = shown.plan.units[1]
    assert first.labels["wave"] == "1"
    assert (first.labels["namespace"], first.labels["cluster"]) == ("team-b", "eu-1")
    assert {one.ref.namespace for one in first.objects} == {"team-b"}


def test_the_forecast_takes_the_sets_of_a_cluster_one_after_another() -> None:
    """Clusters go side by side; what shares a DaemonSet does not."""
    (shown,) = proposed(DAEMON_SET, "nodeSet", nodeSets=SETS).releases
    told = shown.forecast.units
    for name in ("eu-1", "eu-2"):
        places = ("canary", "blue", "rest")
        canary, blue, rest = (told[f"node-agent@{name}/nodeSet:{one}"] for one in places)
        assert canary.end is not None
        assert blue.end is not None
        assert canary.end <= (blue.start or NOW) < blue.end <= (rest.start or NOW)
    first = {told[f"node-agent@{name}/nodeSet:canary"].start for name in ("eu-1", "eu-2")}
    assert len(first) == 1
    assert shown.forecast.end == told["node-agent@eu-1/nodeSet:rest"].end


def test_namespaces_that_share_nothing_are_forecast_side_by_side() -> None:
    own = DEPLOYMENT.replace("namespace: infra", "namespace: {{ unit.namespace }}")
    spaces = [{"name": "team-a"}, {"name": "team-b"}]
    (shown,) = proposed(own, "namespace", namespaces=spaces).releases
    assert len({unit.start for unit in shown.forecast.units.values()}) == 1


def test_nodes_that_no_file_lists_are_told() -> None:
    """A release of single nodes ends well, and the others keep the old version for good."""
    (shown,) = proposed(DAEMON_SET, "node", nodes=["n-1", "n-2", "n-3"]).releases
    said = [one for one in shown.warnings if "scope node" in one]
    assert len(said) == 2
    assert said[0].startswith(
        "node-agent: n-4, n-5, n-6 and 3 more of eu-1 keep their version: a component of scope"
    )
    (shown,) = proposed(
        DAEMON_SET, "node", nodes=[f"n-{number}" for number in range(1, 10)]
    ).releases
    assert not any("scope node" in one for one in shown.warnings)
