"""How fast a release goes back: its own limit, no forward limit, and a time that the card names."""

from __future__ import annotations

from typing import Any

from tests import repo_files
from tests.world import World

MANY = [f"eu-{n}" for n in range(1, 7)]


def released(world: World, **production: Any) -> str:
    """Six production clusters in one wave run the new version."""
    for name in MANY[2:]:
        world.write({f"fleet/clusters/{name}.yaml": repo_files.cluster(name, "prod", 2)})
    policy = {"windows": {"attended": "5m"}, "limits": {"unitsInFlight": 1}}
    world.write({"policy/policy.yaml": repo_files.doc("Policy", "policy", policy)})
    world.write({"components/node-agent/component.yaml": repo_files.component(
        batches=["100%"], soak="1m")})  # fmt: skip
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(waves=["100%"], **production)})
    for name in MANY[2:]:
        world.fleet.seed(name, repo_files.running())
    release = world.releases()
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    return release


def most_at_once(world: World, release: str) -> int:
    """The most clusters that were between the first write of their way back and its end."""
    open_now: set[str] = set()
    most = 0
    for event in world.events(release):
        if event.kind == "write" and event.data["purpose"] == "restore":
            open_now.add(event.unit)
        elif event.kind == "unit.rolled-back":
            open_now.discard(event.unit)
        most = max(most, len(open_now))
    return most


def test_a_rollback_keeps_its_own_limit(world: World) -> None:
    """`rollback.maxConcurrency: 2`: two clusters at a time, and all of them in the end."""
    release = released(world, rollback={"maxConcurrency": 2})
    assert world.says(f"rollback {release} leak").code == 0
    world.run_for(seconds=5)
    assert "[rollback_limit]" in world.why(release)
    assert "2 of 2 units of stage production go back already" in world.why(release)
    world.run_for(minutes=20)
    assert world.phase(release) == "ROLLED_BACK"
    assert most_at_once(world, release) == 2
    assert set(world.running().values()) == {"2.4.1×2", "2.4.1×4"}


def test_no_forward_limit_stops_a_rollback(world: World) -> None:
    """`limits.unitsInFlight: 1` is for going forward: all six go back at once."""
    release = released(world, maxConcurrency=1)
    world.says(f"rollback {release} leak")
    world.run_for(minutes=20)
    assert world.phase(release) == "ROLLED_BACK"
    assert most_at_once(world, release) == 6


def test_a_percentage_is_of_the_stage(world: World) -> None:
    release = released(world, rollback={"maxConcurrency": "50%"})
    world.says(f"rollback {release} leak")
    world.run_for(minutes=20)
    assert most_at_once(world, release) == 3


def test_a_cluster_that_does_not_answer_takes_nobody_s_place(world: World) -> None:
    """One at a time, and the first is away: the others go on, and it follows when it is back."""
    release = released(world, rollback={"maxConcurrency": 1})
    gone = {"do": "unreachable", "from": "2026-11-24T00:00:00Z", "to": "2026-11-24T23:00:00Z"}
    for name in ("eu-3", "eu-4"):
        text = repo_files.cluster(name, "prod", 2, [gone])
        world.changes({f"fleet/clusters/{name}.yaml": text})
    world.says(f"rollback {release} leak")
    world.run_for(hours=1)
    back = {cluster: told for cluster, told in world.running().items() if "2.4.1" in told}
    assert set(back) == {"st-1", "eu-1", "eu-2", "eu-5", "eu-6"}
    assert "eu-3" in world.chat.cards[f"card/{release}"]
    world.run_until("2026-11-24T23:30:00Z")
    assert world.phase(release) == "ROLLED_BACK"
    assert most_at_once(world, release) == 1


def test_the_card_says_by_when_it_will_be_back(world: World) -> None:
    """Five minutes a batch, one cluster at a time, two stages."""
    release = released(world, rollback={"maxConcurrency": 1})
    at = world.clock.at
    world.says(f"rollback {release} leak")
    assert "Back by about" in world.chat.cards[f"card/{release}"]
    ends = world.view(release).ends
    assert ends is not None
    assert (ends - at).total_seconds() == 7 * 5 * 60


def test_what_waits_on_its_way_back_asks_nothing_of_anybody(world: World) -> None:
    """Held up by a freeze over night: no look, no write, no tick but the one at its end."""
    release = released(world)
    freeze = {
        "from": "2026-11-24T00:00", "to": "2026-11-25T06:00", "zone": "UTC",
        "actions": ["rollback"], "reason": "Hands off", "owner": "ana",
    }  # fmt: skip
    world.changes({"calendar/freezes/hands.yaml": repo_files.doc("Freeze", "hands", freeze)})
    world.says(f"rollback {release} leak")
    world.run_for(minutes=1)
    due = world.bot.next_due()
    assert due is not None
    assert due.isoformat() == "2026-11-25T06:00:00+00:00"
    world.run_until("2026-11-25T06:20:00Z")
    assert world.phase(release) == "ROLLED_BACK"
