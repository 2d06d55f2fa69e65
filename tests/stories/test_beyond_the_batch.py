"""More pods than a batch wanted are on the new version: the record says so, for ever."""

from __future__ import annotations

from bot.core import chain
from bot.core.messages_audit import line_text
from tests import repo_files
from tests.world import World


def test_a_node_that_joins_in_the_middle_is_told_where_its_batch_is_done(world: World) -> None:
    """The release goes on; who reads the audit later sees that a batch was larger than planned."""
    release = world.releases()
    world.run_until("2026-11-24T09:02:00Z")
    for _ in range(600):
        began = [e for e in world.events(release, "batch.applying") if e.unit == "node-agent@eu-1"]
        if began:
            break
        world.run_for(minutes=1)
    text = repo_files.cluster("eu-1", "prod", 6, haPair="a")
    world.changes({"fleet/clusters/eu-1.yaml": text}, "Two machines more")
    world.run_to_the_end(release)
    done = [e for e in world.events(release, chain.DONE) if e.unit == "node-agent@eu-1"]
    leaks = {event.batch: event.data.get("leak") for event in done}
    assert leaks[min(leaks)] == 2
    assert leaks[max(leaks)] is None, "the last batch wants all"
    first = next(event for event in done if event.batch == min(leaks))
    assert "2 more than this batch wanted" in line_text(first)
    assert world.running()["eu-1"] == "2.5.0×6"
