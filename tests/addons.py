"""Several components in the world of a story: coredns ← mesh, coredns ← ingress; logs alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from tests import repo_files
from tests.world import World

GRAPH: Mapping[str, Sequence[str]] = {
    "coredns": (),
    "mesh": ("coredns",),
    "ingress": ("coredns",),
    "logs": (),
}
"""Component → what it depends on."""
CLUSTERS = ("st-1", "eu-1", "eu-2")
NAMES = tuple(GRAPH)


def component_files(name: str, depends_on: Sequence[str] = (), **spec: Any) -> dict[str, str]:
    """The files of a component like node-agent under another name."""
    written = json.loads(repo_files.component(dependsOn=list(depends_on), **spec))
    written["metadata"]["name"] = name
    return {
        f"components/{name}/component.yaml": json.dumps(written),
        f"components/{name}/templates/{name}.yaml": repo_files.TEMPLATE.replace("node-agent", name),
        f"components/{name}/values/default.yaml": repo_files.VALUES.replace("node-agent", name),
    }


def running(name: str, version: str = "1.0") -> list[Any]:
    """Its objects as somebody applied them before Sluice came."""
    text = repo_files.TEMPLATE.replace("node-agent", name)
    text = text.replace("{{ values.image }}", f"registry.local/{name}:{version}")
    return list(yaml.safe_load_all(text.replace("{{ values.level }}", "info")))


def brings(
    world: World,
    graph: Mapping[str, Sequence[str]] = GRAPH,
    *,
    clusters: Sequence[str] = CLUSTERS,
    waves: Sequence[int | str] | None = (1, "100%"),
    **spec: Any,
) -> None:
    """The repo has these components, all clusters run 1.0 of them, and production has two waves."""
    for name, depends_on in graph.items():
        world.write(component_files(name, depends_on, **spec))
    if waves is not None:
        world.write({"pipelines/standard.yaml": repo_files.pipeline(waves=list(waves))})
    world.push("Add components")
    world.tick()
    for cluster in clusters:
        for name in graph:
            world.fleet.seed(cluster, running(name))


def addons(
    world: World, *names: str, name: str = "addons", version: str = "1.1", **spec: Any
) -> str:
    """A release of several components: proposed, merged, seen. Its name."""
    asked = [{"name": one, "version": version} for one in names or NAMES]
    return world.releases(name, version, components=asked, **spec)


def crashes(world: World, component: str, cluster: str, version: str = "1.1") -> None:
    """From now on a version of a component never becomes ready in a cluster."""
    group = "staging" if cluster.startswith("st") else "prod"
    fault = {"do": "neverReady", "image": f"registry.local/{component}:{version}"}
    world.breaks(cluster, fault, group=group)


def mended(world: World, cluster: str) -> None:
    world.heals(cluster, group="staging" if cluster.startswith("st") else "prod")


def phases(world: World, release: str, cluster: str = "") -> dict[str, str]:
    """Unit → phase, of one cluster or of all."""
    return {
        unit.unit: unit.phase.value
        for unit in world.active(release).units.values()
        if not cluster or unit.unit.endswith(f"@{cluster}")
    }


def until(world: World, done: Callable[[], bool], *, minutes: int = 600) -> None:
    """Run, minute by minute, until something is so; fail when it does not come to be."""
    for _ in range(minutes):
        if done():
            return
        world.run_for(minutes=1)
    raise AssertionError("it did not come to be")


def in_flight(world: World, *releases: str) -> set[str]:
    """Units that are in flight now."""
    active = [world.bot.board.releases.get(release) for release in releases]
    return {unit.unit for one in active if one for unit in one.units.values() if unit.in_flight}


def began(world: World, release: str) -> list[str]:
    """Units in the order in which they began."""
    found: dict[str, None] = {}
    for event in world.events(release, "batch.applying"):
        found.setdefault(event.unit)
    return list(found)
