"""What the stories of public incidents ask of a world: what stopped it, where, and how many had it.

Reads only; `configured` and `crashes` set the scene.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests import repo_files
from tests.world import World

ST_1, EU_1, EU_2 = "node-agent@st-1", "node-agent@eu-1", "node-agent@eu-2"
COMPONENT = "components/node-agent/component.yaml"
VALUES = "components/node-agent/values/default.yaml"
TEMPLATE = "components/node-agent/templates/node-agent.yaml"
PIPELINE = "pipelines/standard.yaml"
POLICY = "policy/policy.yaml"

LOADED = repo_files.TEMPLATE.replace(
    "containers: [{", 'containers: [{env: [{name: LEVEL, value: "{{ values.level }}"}], '
)
"""Pods that read their configuration when they start: another value is another revision."""


def found(world: World, files: Mapping[str, str | None]) -> dict[str, str]:
    """What lint says against a change: code → message, of errors only."""
    before = dict(world.files)
    world._git("checkout", "-q", "-B", "tried")
    world.write(files)
    number = world._git("branch", "-r", "--list", "origin/tried-*").count("\n")
    head = world.push("Tried", branch=f"tried-{number}")
    world._git("checkout", "-q", "main")
    world.files = before
    wrong = world.bot.planner.lint(head, now=world.clock.at)
    return {one.code: one.message for one in wrong if one.level == "error"}


def pull(world: World, name: str, files: Mapping[str, str | None]) -> str:
    """A pull request as people read it before they merge it."""
    world.proposes(name, files)
    world.tick()
    return world.chat.cards[f"pull/pr/{name}"]


def merged(world: World, name: str) -> str:
    """The pull request is merged, and the bot has seen it."""
    world.merges(name)
    world.tick()
    return name


def gates(world: World, release: str) -> dict[str, str]:
    """Unit → the first closed gate of it."""
    return {line.unit: line.gate for line in world.view(release).waiting}


def place(world: World, release: str, unit: str) -> tuple[str, int]:
    """Stage and wave of a unit; waves count from 1."""
    plan = world.active(release).index.plan
    found = world.active(release).index.units[unit]
    return plan.stages[found.stage].name, found.wave + 1


def exposed(world: World, version: str) -> dict[str, int]:
    """Cluster → pods that run a version, where there are any."""
    clusters = ("st-1", "eu-1", "eu-2")
    counts = {cluster: len(world.pods(cluster, version)) for cluster in clusters}
    return {cluster: count for cluster, count in counts.items() if count}


def configured(world: World, level: str) -> dict[str, int]:
    """Cluster → pods that started with this configuration, where there are any."""
    counts = {}
    for cluster in ("st-1", "eu-1", "eu-2"):
        containers = [pod["spec"]["containers"][0] for pod in world.fleet.pods(cluster)]
        counts[cluster] = sum(
            {"name": "LEVEL", "value": level} in one.get("env", ()) for one in containers
        )
    return {cluster: count for cluster, count in counts.items() if count}


def loads_its_values(world: World, **component: object) -> None:
    """All clusters run 2.4.1, brought by us, with pods that read `level` when they start."""
    world.write({TEMPLATE: LOADED, COMPONENT: repo_files.component(**component)})
    world.push("Read the level at the start")
    world.tick()
    world.run_to_the_end(world.releases("as-it-is", "2.4.1"))


def crashes(world: World, version: str, *clusters: str, pods: int | None = None) -> None:
    """From now on new pods of a version crash in these clusters."""
    fault: dict[str, object] = {"do": "crashLoop", "image": f"registry.local/node-agent:{version}"}
    if pods is not None:
        fault["pods"] = pods
    for cluster in clusters or ("st-1", "eu-1", "eu-2"):
        world.breaks(cluster, fault, group="staging" if cluster == "st-1" else "prod")


def two_waves(world: World, **spec: object) -> None:
    """Production in two waves: eu-1, then eu-2."""
    world.changes({PIPELINE: repo_files.pipeline(waves=[1, "100%"], **spec)})
