"""Custom resources and operators are rehearsed by their rows, like any other kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from bot.ports import Connection
from bot.rehearse import Asked, Rehearsal, rehearse
from bot.rehearse.fleet import RehearsedFleet
from tests import repo_files
from tests.stories import test_own_kinds_story as own
from tests.stories import test_sharded_operator as sharded
from tests.world import World, WorldClock, moment

AT = moment("2026-11-24T08:00:00Z")
RELEASE = "node-agent-2-5-0"


def rehearsed(path: Path, files: Mapping[str, str]) -> Rehearsal:
    world = World(path)
    try:
        world.write({"releases/2025/old.yaml": repo_files.release("old", "2.4.1"), **files})
        world.push("The fleet as it is")
        text = repo_files.release(RELEASE, "2.5.0")
        world.proposes(RELEASE, {f"releases/2026/{RELEASE}.yaml": text})
        world.start()
        assert world.git is not None
        head = world.git.head(f"pr/{RELEASE}")
        assert head is not None
        return rehearse(Asked(release=None, at=AT), world.git, head, None)
    finally:
        world.close()


def test_a_custom_resource_is_rehearsed_in_its_batches(tmp_path: Path) -> None:
    files = {own.ROW: own.row(), own.TEMPLATE: own.WIDGET}
    told = rehearsed(tmp_path, files)
    assert [ending.phase for ending in told.endings] == ["SUCCEEDED"]


def test_the_copy_of_a_real_cluster_works_by_the_rows_too() -> None:
    """A real cluster has its own controllers; its copy in memory has none but ours."""
    clock = WorldClock(AT)
    fleet = RehearsedFleet(clock, lambda cluster: 4, lambda unit: 1)
    fleet.kinds = [own.SPEC]
    fleet.connect([Connection(cluster="c", connection={"kubeconfig": {"name": "c"}})])
    text = own.WIDGET.replace("{{ values.image }}", "registry.local/node-agent:2.4.1")
    fleet.seed("c", [yaml.safe_load(text)])
    assert len(fleet.pods("c")) == 4
    fleet.close()


def test_an_operator_is_rehearsed_without_anybody_to_serve(tmp_path: Path) -> None:
    """No file says which namespaces there are: its batches are empty, and it still ends."""
    told = rehearsed(tmp_path, {sharded.ROW: sharded.row(), sharded.TEMPLATE: sharded.OPERATOR})
    assert [ending.phase for ending in told.endings] == ["SUCCEEDED"]
