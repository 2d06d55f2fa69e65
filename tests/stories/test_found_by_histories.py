"""What seeded histories found, told once each: a release that waits for nobody, a bot in a rush."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.ports import GitError
from tests import repo_files
from tests.addons import addons, brings
from tests.stories.scopes import cluster, only_eu_1
from tests.stories.test_kinds import DAEMON_SET
from tests.world import World

CRASH = {"do": "crashLoop", "image": "registry.local/node-agent:2.5.0"}
AFTER = {"when": "after", "roles": ["approver"], "count": 1}


def asks_after_staging(world: World) -> None:
    """A pipeline whose first stage is to be judged after it has ended."""
    stages = [
        {
            "name": "staging",
            "units": {"matchLabels": {"environment": "staging"}},
            "approval": AFTER,
        },
        {"name": "production", "units": {}},
    ]
    text = repo_files.doc("Pipeline", "standard", {"stages": stages})
    world.changes({"pipelines/standard.yaml": text})


def test_a_stage_is_judged_though_all_after_it_was_left_out(world: World) -> None:
    """Nothing is left to begin: the question is asked all the same, or the release never ends."""
    asks_after_staging(world)
    release = world.releases()
    for unit in ("node-agent@eu-1", "node-agent@eu-2"):
        assert world.says(f"skip {unit} --reason later").code == 0
    world.run_until("2026-11-24T12:00:00Z")
    assert "approval" in world.why(release)
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_for(minutes=1)
    assert world.phase(release) == "SUCCEEDED"


def test_a_release_of_which_all_was_left_out_ends(world: World) -> None:
    """Nobody is asked whether it may begin: there is nothing to begin."""
    asks_after_staging(world)
    release = world.releases()
    for unit in ("node-agent@st-1", "node-agent@eu-1", "node-agent@eu-2"):
        assert world.says(f"skip {unit} --reason never").code == 0
    world.run_for(minutes=1)
    assert "approval" in world.why(release)
    assert world.says(f"approve {release}", by="ben").code == 0
    world.run_for(minutes=1)
    assert world.phase(release) == "SUCCEEDED"


def test_a_unit_that_waits_for_its_turn_makes_nobody_tick(world: World) -> None:
    """Its cluster did not answer once; now another wave is in front: due is what can move."""
    world.breaks("eu-1", {"do": "unreachable", "from": "2026-11-24T09:00:00Z", "to": AGAIN})
    world.breaks("st-1", {"do": "unreachable", "from": "2026-11-24T08:00:00Z", "to": AGAIN},
                 group="staging")  # fmt: skip
    world.releases()
    world.run_until("2026-11-24T10:05:00Z")
    ticks = 0
    end = world.clock.at + timedelta(minutes=10)
    while world.clock.at < end and ticks < 400:
        world.tick()
        due = world.bot.next_due()
        world.clock.at = max(due or end, world.clock.at + timedelta(seconds=1))
        ticks += 1
    assert ticks < 200, "it is due again and again, and nothing can happen"


def test_a_revert_that_git_did_not_take_is_proposed_after_a_restart(world: World) -> None:
    """The release has ended in the store; that its revert is missing must not be forgotten."""
    world.clock.at = world.clock.at.replace(hour=9)
    release = world.releases()
    world.run_for(minutes=3)
    world.dies()
    world.around = lambda ports: replace(ports, git=NoProposals(ports.git))
    world.says(f"rollback {release} --reason odd")
    world.run_for(minutes=30)
    assert world.phase(release) == "ROLLED_BACK"
    assert not world.branch(f"revert-{release}")
    world.dies()
    world.around = lambda ports: ports
    world.run_for(minutes=1)
    assert world.branch(f"revert-{release}"), "the rollback sticks in Git too"


def test_a_revert_that_git_does_not_take_keeps_nobody_busy(world: World) -> None:
    """The release has ended with a cluster that is looked at now and then: only its revert is due,
    and that in a minute, not again and again at once.
    """
    world.clock.at = world.clock.at.replace(hour=9)
    world.breaks("st-1", {"do": "unreachable"}, group="staging")
    release = world.releases()
    world.run_for(minutes=40)
    assert world.unit(release, "node-agent@st-1").phase == "QUARANTINED"
    world.dies()
    world.around = lambda ports: replace(ports, git=NoProposals(ports.git))
    assert world.says(f"rollback {release} --reason odd").code == 0
    world.run_for(minutes=30)
    assert world.phase(release) == "ROLLED_BACK"
    for _ in range(3):
        world.tick()
        due = world.bot.next_due()
        assert due is not None
        assert due > world.clock.now()


def test_a_first_batch_that_is_tried_again_is_no_larger_than_written(world: World) -> None:
    """One node was the whole cluster when it failed; since then three have joined. The first batch
    is one node, as it is written, and not all four.
    """
    one, four = (
        repo_files.cluster("st-1", "staging", nodes, faults, haPair="a")
        for nodes, faults in ((1, [CRASH]), (4, ()))
    )
    world.changes({"fleet/clusters/st-1.yaml": one})
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    assert world.unit(release, "node-agent@st-1").phase == "FAILED"
    world.changes({"fleet/clusters/st-1.yaml": four})
    assert world.says("retry node-agent@st-1").code == 0
    world.run_for(minutes=1)
    first = world.events(release, "batch.applying")[-1]
    assert sum(first.data["totals"].values()) == 4
    assert sum(first.data["targets"].values()) == 1


class NoProposals:
    """A Git host that can be read, and takes no pull request."""

    def __init__(self, git: Any) -> None:
        self._git = git

    def __getattr__(self, name: str) -> Any:
        return getattr(self._git, name)

    def propose(self, *args: Any, **named: Any) -> str:
        raise GitError("the Git host takes nothing now")


def test_what_a_newer_release_took_over_does_not_hold_up_a_way_back(world: World) -> None:
    """It failed there, was replaced, and is the newer one's: the rest of the old one goes back."""
    world.clock.at = world.clock.at.replace(hour=9)
    image = "registry.local/node-agent:2.5.0"
    world.changes(
        {"pipelines/standard.yaml": repo_files.pipeline(maxFailures=1, waves=[1, "100%"])}
    )
    world.breaks("eu-1", {"do": "crashLoop", "image": image, "pods": 9})
    first = world.releases()
    world.run_for(hours=2)
    assert world.unit(first, "node-agent@eu-1").phase == "FAILED"
    second = world.releases("node-agent-2-6-0", "2.6.0", supersedes=[first])
    for _ in range(400):
        if world.unit(second, "node-agent@eu-1").began is not None:
            break
        world.run_for(seconds=30)
    assert world.phase(first) == "SUPERSEDED"
    assert world.says(f"rollback {first} --reason odd").code == 0
    world.run_for(minutes=40)
    assert world.phase(first) == "ROLLED_BACK", world.why(first)


def test_the_last_batch_has_to_fit_with_its_own_silence(world: World) -> None:
    """On one node every batch is the last: an hour of silence does not fit before 17:00."""
    spec = {"batchSoak": "1m", "soak": "1h"}
    world.write({"components/node-agent/component.yaml": repo_files.component(**spec)})
    world.write({"fleet/clusters/st-1.yaml": repo_files.cluster("st-1", "staging", 1)})
    policy = repo_files.doc("Policy", "policy", {"windows": {"attended": "1h"}})
    world.changes({"policy/policy.yaml": policy})
    world.clock.at = world.clock.at.replace(hour=16, minute=30)
    release = world.releases()
    world.run_for(minutes=5)
    assert "[window]" in world.why(release)
    assert not world.events(release, "batch.applying")


AGAIN = "2026-11-24T10:03:00Z"


def test_a_clock_that_goes_back_leaves_no_silence_unwatched(world: World) -> None:
    """The next look was due in half a minute; by the clock set back it would be in an hour."""
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    assert world.unit(release, "node-agent@st-1").phase == "SOAKING"
    world.clock.at -= timedelta(hours=1)
    sick = world.pods("st-1", "2.5.0")
    world.fleet.sicken("st-1", sick)
    world.run_for(minutes=2)
    world.fleet.sicken("st-1", sick, well=True)
    assert world.unit(release, "node-agent@st-1").phase == "FAILED"


def test_a_clock_that_goes_back_lifts_no_freeze(world: World) -> None:
    """The machine's clock is set back behind the moment at which somebody froze everything."""
    world.run_until("2026-11-24T10:00:00Z")
    assert world.says("freeze all --until 2h --reason INC-7").code == 0
    world.clock.at -= timedelta(minutes=50)
    release = world.releases()
    world.run_for(minutes=30)
    assert not world.events(release, "batch.applying")
    assert "Emergency freeze all" in world.why(release)


def test_what_left_the_template_is_found_though_nobody_is_in_the_last_node_set(
    world: World,
) -> None:
    """Both nodes are canaries, and what is shared belongs to the rest, which never wrote itself."""
    guard = {"delete": {"allow": ["ConfigMap"]}}
    only_eu_1(
        world,
        DAEMON_SET + VERSIONED,
        cluster_file=cluster(nodes=2, canary=2),
        component={"guard": guard},
    )
    for version in ("2.5.0", "2.6.0", "2.7.0"):
        release = world.releases(f"node-agent-{version.replace('.', '-')}", version)
        world.run_to_the_end(release)
        assert world.phase(release) == "SUCCEEDED"
    stands = [one["metadata"]["name"] for one in world.fleet.objects("eu-1")]
    ours = [name for name in stands if name.startswith("of-2") and name != "of-2.4.1"]
    assert ours == ["of-2.7.0"]


VERSIONED = """---
apiVersion: v1
kind: ConfigMap
metadata: {name: "of-{{ version }}", namespace: infra}
"""


def test_who_was_silent_is_asked_anew_before_what_it_needs_goes_back_under_it(
    world: World,
) -> None:
    """All of eu-1 is silent when the release is taken back. In the moment in which it answers again
    nobody has looked at mesh yet: coredns still goes after it.
    """
    brings(world, waves=None)
    release = addons(world, "coredns", "mesh")
    world.run_to_the_end(release)
    world.breaks("eu-1", {"do": "unreachable"})
    assert world.says(f"rollback {release} --reason leak").code == 0
    world.run_for(hours=1)
    assert {world.unit(release, f"{name}@eu-1").phase for name in ("coredns", "mesh")} == {
        "ROLLING_BACK"
    }
    world.heals("eu-1")
    world.run_for(minutes=30)
    assert world.phase(release) == "ROLLED_BACK"
    back = {event.unit: event.seq for event in world.events(release, "unit.rolled-back")}
    first = next(
        event.seq
        for event in world.events(release, "write")
        if event.unit == "coredns@eu-1" and event.data["purpose"] == "restore"
    )
    assert back["mesh@eu-1"] < first
