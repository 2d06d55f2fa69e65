"""Clusters that do not answer: before a batch, in the middle of one, while it soaks.

Unknown is not a yes and not a failure: it waits, it says so, and what is owed is made good.
"""

from __future__ import annotations

from typing import Any

from bot.model.effects import Purpose, Write
from bot.model.plan import ObjectRef
from tests import repo_files
from tests.world import World

EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"


def away(start: str, end: str) -> dict[str, Any]:
    return {
        "do": "unreachable",
        "from": f"2026-11-24T{start}:00Z",
        "to": f"2026-11-24T{end}:00Z",
    }


def test_unreachable_before_it_begins_waits_and_then_leaves_the_wave(world: World) -> None:
    """A quarter of an hour of patience; then the others go on, and the cluster is owed."""
    world.breaks("eu-1", away("09:00", "13:00"))
    release = world.releases()
    world.run_until("2026-11-24T09:28:00Z")
    assert world.unit(release, EU_1).phase == "PENDING"
    assert "[reachable]" in world.why(release)
    assert world.unit(release, EU_2).phase != "PENDING", "nobody waits for it in its wave"
    world.run_until("2026-11-24T09:35:00Z")
    assert world.unit(release, EU_1).phase == "QUARANTINED"
    assert "eu-1" in world.chat.cards[f"card/{release}"]
    assert "connection timed out" in world.thread(release)
    world.run_until("2026-11-24T12:00:00Z")
    assert world.phase(release) == "SUCCEEDED", "counted and shown as owed"
    assert world.running() == {"eu-1": "2.4.1×4", "eu-2": "2.5.0×4", "st-1": "2.5.0×2"}
    ended = world.events(release, "release.succeeded")[0]
    assert ended.data["owed"] == 1


def test_a_quarantined_cluster_comes_back_and_catches_up(world: World) -> None:
    """The same plan, the same gates; nobody has to remember it."""
    world.breaks("eu-1", away("09:00", "10:25"))
    world.changes({"components/node-agent/component.yaml": repo_files.component(soak="1h")})
    release = world.releases()
    world.run_until("2026-11-24T10:36:00Z")
    assert world.events(release, "unit.quarantined")
    assert world.events(release, "unit.back")
    world.run_to_the_end(release)
    assert world.running()["eu-1"] == "2.5.0×4"
    assert world.events(release, "release.succeeded")[0].data["owed"] == 0


def test_what_is_owed_when_a_release_has_ended_is_caught_up_by_retry(world: World) -> None:
    """The release has succeeded without it; a person brings it in with the same plan."""
    world.breaks("eu-1", away("09:00", "13:00"))
    release = world.releases()
    world.run_until("2026-11-24T13:30:00Z")
    assert world.phase(release) == "SUCCEEDED"
    said = world.says(f"retry {release}")
    assert said.code == 0, said.text
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running()["eu-1"] == "2.5.0×4"


def test_unreachable_in_the_middle_of_a_batch_waits(world: World) -> None:
    """What rolls there rolls on; when it answers again the batch is judged by what it is then."""
    gone = {**away("09:00", "09:10"), "from": "2026-11-24T09:00:02Z"}
    world.breaks("st-1", gone, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:09:00Z")
    unit = world.unit(release, ST_1)
    assert unit.phase == "APPLYING"
    assert "st-1" in world.why(release)
    world.run_until("2026-11-24T09:11:00Z")
    assert world.unit(release, ST_1).phase == "SOAKING"
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_unreachable_beyond_the_deadline_of_a_batch_fails_the_unit(world: World) -> None:
    """It began, and nobody can say how it stands: a person is asked."""
    gone = {**away("09:00", "12:00"), "from": "2026-11-24T09:00:02Z"}
    world.breaks("st-1", gone, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:25:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert "[holds]" in world.why(release)
    assert world.running()["eu-1"] == "2.4.1×4"
    world.run_until("2026-11-24T12:01:00Z")
    assert world.says(f"retry {release}").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running()["st-1"] == "2.5.0×2"


def test_unreachable_while_it_soaks_is_asked_again_before_the_next_batch(world: World) -> None:
    """Silence that nobody could hear proves nothing: the soak ends when it was seen healthy."""
    world.breaks("st-1", away("09:02", "09:20"), group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:19:00Z")
    unit = world.unit(release, ST_1)
    assert (unit.phase, unit.batch) == ("SOAKING", 1)
    assert "st-1" in world.why(release)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_it_returns_in_another_state(world: World) -> None:
    """Sick when it comes back: the unit fails by what it is, not by what it was."""
    world.breaks("st-1", away("09:02", "09:20"), group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:10:00Z")
    world.fleet.sicken("st-1", world.pods("st-1", "2.5.0"))
    world.run_until("2026-11-24T09:22:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert world.running()["eu-1"] == "2.4.1×4"


def test_it_returns_and_somebody_has_taken_the_batch_back(world: World) -> None:
    """By hand, while nobody saw it: the driver brings the batch again, and no more than it."""
    gone = {**away("09:00", "09:10"), "from": "2026-11-24T09:00:02Z"}
    world.breaks("st-1", gone, group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:05:00Z")
    world.breaks("st-1", group="staging")
    old = repo_files.running()[1]["spec"]["template"]
    ref = ObjectRef("apps.kruise.io/v1beta1", "DaemonSet", "infra", "node-agent")
    edit = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body={"spec": {"template": old}})
    world.fleet.write("st-1", edit, fence="", manager="kubectl")
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.running()["st-1"] == "2.5.0×2"
