"""Components that are released by parts of a cluster: node sets, namespaces, single nodes.

Changes the documents that it is given; draws with the chance that it is given.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from bot.model.plan import JSON
from bot.sim import docs as make

BY_NODES = ("agent", "net")
"""Components whose pods can be chosen by node."""
BY_NAMESPACE = ("dns", "store", "conf")
"""Components that can run in several namespaces of a cluster."""
SETS: JSON = [
    {"name": "canary", "selector": {"matchLabels": {"pool": "canary"}}, "labels": {"risk": "low"}},
    {"name": "edge", "selector": {"matchLabels": {"pool": "edge"}}},
]
TEAMS = ("team-a", "team-b", "team-c")


def narrow(
    chance: random.Random,
    documents: dict[str, JSON],
    components: Sequence[str],
    *,
    staged: bool,
) -> None:
    """Gives some components a narrower scope, and every cluster the parts for it. `staged`: whether
    a part of each may be in a stage of its own.
    """
    for name in components:
        scope = _scope(chance, name)
        if scope == "cluster":
            continue
        spec = documents[f"components/{name}/component.yaml"]["spec"]
        tier = documents[f"components/{name}/component.yaml"]["metadata"]["labels"]["tier"]
        documents |= make.component(name, tier, {**spec, "scope": scope})
    for path, one in list(documents.items()):
        if path.startswith("fleet/clusters/"):
            documents[path] = {**one, "spec": _with_parts(chance, one["spec"])}
    if staged and chance.random() < 0.3:
        _stages(chance, documents)


def _scope(chance: random.Random, component: str) -> str:
    if component in BY_NODES:
        return chance.choice(("nodeSet", "nodeSet", "node", "cluster"))
    if component in BY_NAMESPACE:
        return chance.choice(("namespace", "namespace", "cluster"))
    return "cluster"


def _with_parts(chance: random.Random, spec: JSON) -> JSON:
    simulated = dict(spec["connection"]["simulated"])
    nodes = simulated["nodes"] = chance.choice((2, 3, 3, 4))
    pools = chance.choice((("canary",), ("canary", "edge"), ("canary", "canary", "edge")))
    simulated["nodeLabels"] = {
        f"n-{number}": {"pool": pool} for number, pool in enumerate(pools, 1) if number <= nodes
    }
    listed = [f"n-{number}" for number in range(1, nodes + 1)]
    chance.shuffle(listed)
    teams = TEAMS[: chance.choice((2, 2, 3))]
    return {
        **spec,
        "connection": {"simulated": simulated},
        "nodeSets": SETS[: chance.choice((1, 2))],
        "nodes": listed[: chance.choice((1, 2, 3))],
        "namespaces": [{"name": name, "labels": {"team": name}} for name in teams],
    }


def _stages(chance: random.Random, documents: dict[str, JSON]) -> None:
    """Canaries of all clusters are a stage of their own, before everything else."""
    one = documents["pipelines/standard.yaml"]
    label = chance.choice(({"nodeSet": "canary"}, {"team": "team-a"}, {"risk": "low"}))
    first: dict[str, JSON] = {"name": "first", "units": {"matchLabels": label}}
    if chance.random() < 0.5:
        first["maxFailures"] = 1
    stages = [first, *one["spec"]["stages"]]
    documents["pipelines/standard.yaml"] = {**one, "spec": {**one["spec"], "stages": stages}}
