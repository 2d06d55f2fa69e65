"""Several releases at a time, limits over all of them, and the order of units inside one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import yaml

from bot.model.plan import ObjectRef
from tests import repo_files
from tests.world import World

EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"


def other(world: World, name: str = "dns", *, depends_on: tuple[str, ...] = ()) -> None:
    """A second component with the same objects under another name."""
    spec = json.loads(repo_files.component(dependsOn=list(depends_on)))
    spec["metadata"]["name"] = name
    template = repo_files.TEMPLATE.replace("node-agent", name)
    values = f'image: "registry.local/{name}:{{{{ version }}}}"\nlevel: info\n'
    world.write(
        {
            f"components/{name}/component.yaml": json.dumps(spec),
            f"components/{name}/templates/{name}.yaml": template,
            f"components/{name}/values/default.yaml": values,
        }
    )
    world.push(f"Add {name}")
    world.tick()
    for cluster in ("st-1", "eu-1", "eu-2"):
        text = template.replace("{{ values.image }}", f"registry.local/{name}:1.0")
        objects = yaml.safe_load_all(text.replace("{{ values.level }}", "info"))
        world.fleet.seed(cluster, list(objects))


def limits(world: World, **limits: int) -> None:
    spec = {"windows": {"attended": "5m"}, "limits": limits}
    world.changes({"policy/policy.yaml": repo_files.doc("Policy", "policy", spec)})


def both(world: World) -> tuple[str, str]:
    """Both components are released by one merge each, one after the other."""
    first = world.releases()
    second = world.releases("dns-1-1", "1.1", components=[{"name": "dns", "version": "1.1"}])
    return first, second


def watch(world: World, *releases: str, until: str) -> list[set[str]]:
    """Which units are in flight, minute by minute."""
    seen: list[set[str]] = []
    while world.clock.at.isoformat() < until:
        world.run_for(minutes=1)
        active = [world.bot.board.releases.get(release) for release in releases]
        seen.append({u.unit for a in active if a for u in a.units.values() if u.in_flight})
    return seen


def test_releases_of_two_components_run_side_by_side(world: World) -> None:
    """They share clusters, not objects: neither waits for the other."""
    other(world)
    first, second = both(world)
    world.run_until("2026-11-24T09:01:00Z")
    assert world.running()["st-1"] == "2.4.1×1 2.5.0×1"
    assert world.running("dns")["st-1"] == "1.0×1 1.1×1"
    world.run_to_the_end(first)
    world.run_to_the_end(second)
    assert world.phase(first) == world.phase(second) == "SUCCEEDED"


class Told:
    """A fleet that remembers what was asked of it, in order."""

    def __init__(self, fleet: Any) -> None:
        self._fleet = fleet
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)

    def get(self, cluster: str, ref: ObjectRef) -> Any:
        self.calls.append(f"look {ref.name}")
        return self._fleet.get(cluster, ref)

    def write(self, cluster: str, write: Any, *, fence: str, manager: str = "sluice") -> Any:
        self.calls.append(f"write {write.ref.name}")
        return self._fleet.write(cluster, write, fence=fence, manager=manager)


def test_what_was_waited_for_goes_first(world: World) -> None:
    """A batch whose time has come is not late because others are looked at once more."""
    other(world)
    world.changes({"components/node-agent/component.yaml": repo_files.component(batchSoak="1h")})
    soaking = world.releases()
    moment = {"at": "2026-11-24T09:20", "zone": "UTC"}
    due = world.releases(
        "dns-1-1", "1.1", components=[{"name": "dns", "version": "1.1"}], notBefore=moment
    )
    told = Told(world.fleet)
    world.around = lambda ports: replace(ports, fleet=told)  # type: ignore[arg-type]
    world.start()
    world.run_until("2026-11-24T09:19:50Z")
    assert world.unit(soaking, ST_1).phase == "SOAKING"
    told.calls.clear()
    world.clock.at += timedelta(minutes=1)
    world.tick()
    assert world.unit(due, "dns@st-1").phase == "APPLYING"
    assert told.calls.index("write dns") < told.calls.index("look node-agent")


def test_one_failing_does_not_hold_the_other(world: World) -> None:
    """A failure belongs to its release."""
    other(world)
    crash = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
    world.breaks("st-1", crash, group="staging")
    first, second = both(world)
    world.run_to_the_end(second)
    assert world.phase(second) == "SUCCEEDED"
    assert world.unit(first, ST_1).phase == "FAILED"


def test_the_limit_in_flight_is_over_all_releases(world: World) -> None:
    """`unitsInFlight: 1`: whatever is merged, one unit at a time in the whole fleet."""
    other(world)
    limits(world, unitsInFlight=1)
    first, second = both(world)
    world.run_until("2026-11-24T09:10:00Z")
    assert "[concurrency]" in world.why(second)
    for seen in watch(world, first, second, until="2026-11-24T13:00"):
        assert len(seen) <= 1
    assert world.phase(first) == world.phase(second) == "SUCCEEDED"


def test_what_depends_on_each_other_is_never_in_flight_together_in_a_cluster(world: World) -> None:
    """Two things that lean on each other are not moved at once; in other clusters they may."""
    other(world, depends_on=("node-agent",))
    first, second = both(world)
    world.run_until("2026-11-24T09:05:00Z")
    assert "[dependencies]" in world.why(second)
    for seen in watch(world, first, second, until="2026-11-24T12:00"):
        clusters = [unit.partition("@")[2] for unit in seen]
        assert len(clusters) == len(set(clusters)), seen
    assert world.phase(first) == world.phase(second) == "SUCCEEDED"


def test_a_stage_has_as_many_in_flight_as_it_says(world: World) -> None:
    """`maxConcurrency: 1`: production one cluster after the other."""
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(maxConcurrency=1)})
    release = world.releases()
    world.run_until("2026-11-24T09:20:00Z")
    for seen in watch(world, release, until="2026-11-24T10:30"):
        assert len(seen) <= 1
    assert world.phase(release) == "SUCCEEDED"


def spread(world: World, **production: Any) -> str:
    """Four production clusters, two pairs."""
    world.write({"fleet/clusters/eu-3.yaml": repo_files.cluster("eu-3", "prod", 4, haPair="b")})
    world.write({"fleet/clusters/eu-4.yaml": repo_files.cluster("eu-4", "prod", 4, haPair="b")})
    stage = {"spread": ["haPair"], "waves": [2, "100%"]} | production
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(**stage)}, "Two pairs")
    for cluster in ("eu-3", "eu-4"):
        world.fleet.seed(cluster, repo_files.running())
    return world.releases()


def test_the_two_halves_of_a_pair_never_go_together(world: World) -> None:
    """`spread: [haPair]`: while one half is worked on, the other one carries the load."""
    release = spread(world)
    waves = world.active(release).index.plan.stages[1].waves
    pairs = {"eu-1": "a", "eu-2": "a", "eu-3": "b", "eu-4": "b"}
    for wave in waves:
        halves = [pairs[unit.partition("@")[2]] for unit in wave]
        assert len(halves) == len(set(halves))
    for seen in watch(world, release, until="2026-11-24T11:00"):
        halves = [pairs[u.partition("@")[2]] for u in seen if "eu-" in u]
        assert len(halves) == len(set(halves)), seen
    assert world.phase(release) == "SUCCEEDED"


def test_a_wave_begins_when_the_one_before_has_ended(world: World) -> None:
    """Its soak and checks included, in the order that the plan showed."""
    release = spread(world)
    waves = [wave for stage in world.active(release).index.plan.stages for wave in stage.waves]
    world.run_to_the_end(release)
    ended = {e.unit: e.seq for e in world.events(release, "unit.succeeded")}
    began: dict[str, int] = {}
    for event in world.events(release, "batch.applying"):
        began.setdefault(event.unit, event.seq)
    for before, after in pairwise(waves):
        assert max(ended[unit] for unit in before) < min(began[unit] for unit in after)
