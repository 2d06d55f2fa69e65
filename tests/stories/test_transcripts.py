"""Three whole stories as people read them in the thread, reviewed as prose (`--update-golden`)."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests import repo_files
from tests.world import World

CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
Golden = Callable[[str, str], None]


def told(world: World, release: str) -> str:
    """Thread and last card, as they stand in the channel."""
    posts = [line for line in world.chat.transcript if line]
    card = world.chat.cards[f"card/{release}"]
    text = "\n".join([*posts, "", "The card at the end:", card, ""])
    text = re.sub(r"Merged as [0-9a-f]{8}", "Merged as <commit>", text)
    return re.sub(r"Plan: [0-9a-f]{12}", "Plan: <hash>", text)


def test_a_release_with_a_night_and_an_approval(world: World, golden: Golden) -> None:
    """Merged late, staging before the close, a yes in the morning, then production."""
    approval = {"when": "before", "roles": ["approver"], "count": 1}
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(approval=approval)})
    world.clock.at = world.clock.at.replace(hour=16, minute=20)
    release = world.releases()
    world.run_until("2026-11-25T09:30:00Z")
    world.says(f"approve {release}", by="ana")
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    golden("transcripts/night-and-approval.txt", told(world, release))


def test_a_crash_and_a_rollback_that_sticks(world: World, golden: Golden) -> None:
    """One cluster crashes, the operator looks, and takes everything back."""
    world.breaks("eu-1", CRASH)
    release = world.releases()
    world.run_until("2026-11-24T10:30:00Z")
    world.says(f"resume {release}", by="ben")
    world.says(f"rollback {release} crash loop in eu-1", by="ben")
    world.run_to_the_end(release)
    assert world.phase(release) == "ROLLED_BACK"
    golden("transcripts/crash-and-rollback.txt", told(world, release))


def test_a_pause_a_failing_check_and_an_override(world: World, golden: Golden) -> None:
    """Everything that people may say to a release that does not simply go through."""
    spec = {"cel": {}, "successCondition": "result.updated != 4"}
    world.write({"checks/not-four.yaml": repo_files.doc("Check", "not-four", spec)})
    component = repo_files.component(checks={"after": ["workload", "not-four"]})
    world.changes({"components/node-agent/component.yaml": component})
    release = world.releases()
    world.run_until("2026-11-24T09:16:00Z")
    world.says(f"pause {release} --reason 'odd latency'", by="cleo")
    world.run_for(minutes=20)
    world.says(f"resume {release}", by="ben")
    world.run_until("2026-11-24T11:00:00Z")
    world.says("override node-agent@eu-1 --reason 'four is fine'", by="dan")
    world.run_for(minutes=5)
    world.says("skip node-agent@eu-2 --reason 'hardware is replaced on Friday'", by="ana")
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    golden("transcripts/pause-check-override.txt", told(world, release))
