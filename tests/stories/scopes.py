"""Clusters with node sets, namespaces and nodes, and components scoped to them: for stories."""

from __future__ import annotations

from typing import Any

import yaml

from tests import repo_files
from tests.stories.test_kinds import DAEMON_SET
from tests.world import World

TEMPLATE = "components/node-agent/templates/node-agent.yaml"
COMPONENT = "components/node-agent/component.yaml"
PIPELINE = "pipelines/standard.yaml"
CANARY = {"name": "canary", "selector": {"matchLabels": {"pool": "canary"}}}
EU_1 = "node-agent@eu-1"

KRUISE_SET = DAEMON_SET.replace("apps/v1", "apps.kruise.io/v1beta1")
MACHINES = """\
apiVersion: kubenode.alibabacloud.com/v1
kind: MachineComponentSet
metadata: {name: node-agent}
spec: {componentName: node-agent, version: "{{ version }}"}
"""


def cluster(name: str = "eu-1", *, nodes: int = 6, canary: int = 2, **spec: Any) -> str:
    """A cluster whose first nodes are labelled for the node set canary."""
    labels = {f"n-{number}": {"pool": "canary"} for number in range(1, canary + 1)}
    simulated: dict[str, Any] = {"nodes": nodes, "nodeLabels": labels}
    if faults := spec.pop("faults", None):
        simulated["faults"] = faults
    body = {"group": "prod", "connection": {"simulated": simulated}, "nodeSets": [CANARY]} | spec
    return repo_files.doc("Cluster", name, {k: v for k, v in body.items() if v is not None})


def one_stage(**stage: Any) -> str:
    return repo_files.doc(
        "Pipeline", "standard", {"stages": [{"name": "all", "units": {}} | stage]}
    )


def only_eu_1(
    world: World,
    template: str,
    *,
    scope: str = "nodeSet",
    running: bool = True,
    cluster_file: str = "",
    component: Any = None,
    pipeline: str = "",
) -> None:
    """The fleet is eu-1 alone, and it runs 2.4.1 of the component in this shape."""
    files: dict[str, str | None] = {
        "fleet/clusters/st-1.yaml": None,
        "fleet/clusters/eu-2.yaml": None,
        "fleet/clusters/eu-1.yaml": cluster_file or cluster(),
        TEMPLATE: template,
        COMPONENT: repo_files.component(scope=scope, **(component or {})),
        PIPELINE: pipeline or one_stage(),
    }
    world.changes(files, "One cluster with narrow scopes")
    world.fleet.rebuild("eu-1")
    if running:
        world.fleet.seed("eu-1", list(yaml.safe_load_all(as_of(template, "2.4.1"))))
    world.run_for(minutes=5)


def as_of(template: str, version: str) -> str:
    text = template.replace("{{ values.image }}", f"registry.local/node-agent:{version}")
    return text.replace("{{ version }}", version).replace("{{ values.level }}", "info")


def on(world: World, version: str, kind: str = "DaemonSet", cluster: str = "eu-1") -> list[str]:
    """The nodes whose pod (or component) has the version."""
    if kind == "MachineComponentSet":
        live = world.live(cluster, kind)
        nodes = world.fleet.children(cluster, live)
        note = "kubenode.alibabacloud.com/node-agent"
        return sorted(
            n["metadata"]["name"]
            for n in nodes
            if (n["metadata"].get("annotations") or {}).get(note) == version
        )
    return sorted(
        pod["spec"]["nodeName"]
        for pod in world.fleet.pods(cluster)
        if pod["spec"]["containers"][0]["image"].endswith(f":{version}")
        and "deletionTimestamp" not in pod["metadata"]
    )


def relabel(world: World, labels: dict[str, dict[str, str]], nodes: int = 6, **spec: Any) -> None:
    """Somebody labels the nodes of eu-1 anew, or nodes join."""
    simulated = {"nodes": nodes, "nodeLabels": labels}
    body = {"group": "prod", "connection": {"simulated": simulated}, "nodeSets": [CANARY]} | spec
    text = repo_files.doc("Cluster", "eu-1", body)
    world.changes({"fleet/clusters/eu-1.yaml": text}, "Nodes change")
