"""Release repos of several components: coredns ← node-agent, ingress; logs stands alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.plan.world import BASE, DAEMON_SET, Files, World, document, release

GRAPH: Mapping[str, Sequence[str]] = {
    "coredns": (),
    "node-agent": ("coredns",),
    "ingress": ("coredns",),
    "logs": (),
}
"""Component → what it depends on."""


def component(name: str, depends_on: Sequence[str] = (), extra: str = "") -> dict[str, str]:
    """A component like node-agent under another name."""
    return {
        f"components/{name}/component.yaml": document(
            f"""
            kind: Component
            metadata: {{name: {name}, labels: {{tier: "0"}}}}
            spec:
              owners: [network]
              batches: [1, 50%, 100%]
              dependsOn: [{", ".join(depends_on)}]
              {extra}
            """
        ),
        f"components/{name}/templates/ds.yaml": DAEMON_SET.replace("node-agent", name),
        f"components/{name}/values/default.yaml": f'image: "{name}:{{{{ version }}}}"\ncpu: 100m\n',
    }


def components(graph: Mapping[str, Sequence[str]] = GRAPH) -> dict[str, str]:
    """All components of a graph."""
    return {
        path: text
        for name, depends_on in graph.items()
        for path, text in component(name, depends_on).items()
    }


def addons(*names: str, name: str = "addons", extra: str = "", **versions: str) -> dict[str, str]:
    """A release of several components; 2.5.0 of each that is not said otherwise."""
    brought = ", ".join(
        f"{{name: {one}, version: {versions.get(one.replace('-', '_'), '2.5.0')}}}" for one in names
    )
    written = release(name, extra=extra)
    path, text = next(iter(written.items()))
    return {path: text.replace("[{name: node-agent, version: 2.5.0}]", f"[{brought}]")}


def addon_world(graph: Mapping[str, Sequence[str]] = GRAPH, *more: Files) -> World:
    """Main has these components, and Releases of node-agent only."""
    files = {**BASE, **components(graph)}
    for one in more:
        files |= one
    world = World()
    world.starts_with(files)
    return world
