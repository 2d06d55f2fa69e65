"""Node sets: one after another, each by its own batches, the object shared by all of them."""

from __future__ import annotations

import pytest

from tests.stories.scopes import (
    EU_1,
    KRUISE_SET,
    MACHINES,
    on,
    only_eu_1,
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
    assert nodes_on(world, "2.5.0", kind) == ALL
    after = {k: v for k, v in spec_of(world, kind).items() if k not in ("template", "version")}
    assert {k: v for k, v in after.items() if k in before} == before
    assert not set(after) - set(before) - {"partition", "pause"}
