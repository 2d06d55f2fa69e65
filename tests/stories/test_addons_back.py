"""Add-on releases backwards, and beside others: dependents first, one component alone, one unit."""

from __future__ import annotations

from bot.model.state import Blocked
from tests import repo_files
from tests.addons import CLUSTERS, NAMES, addons, brings, crashes, in_flight, phases, until
from tests.stories.test_addons import phases_of_store
from tests.world import World

TWO = ("coredns", "mesh")


def halfway(world: World) -> str:
    """Staging and eu-1 have it all; eu-2 is under way."""
    brings(world)
    release = addons(world)
    until(world, lambda: world.unit(release, "ingress@eu-1").phase == "SUCCEEDED")
    until(world, lambda: world.unit(release, "coredns@eu-2").phase == "SUCCEEDED")
    world.run_for(minutes=2)
    return release


def test_the_whole_release_goes_back_dependents_first(world: World) -> None:
    """In each cluster mesh and ingress are back before coredns goes back under them; logs goes
    beside them.
    """
    release = halfway(world)
    assert world.says(f"rollback {release} --reason leak").code == 0
    seen: list[set[str]] = []
    for _ in range(400):
        if release not in world.bot.board.releases:
            break
        world.run_for(seconds=10)
        seen.append(in_flight(world, release))
    assert world.phase(release) == "ROLLED_BACK"
    back = {event.unit: event.seq for event in world.events(release, "unit.rolled-back")}
    for cluster in CLUSTERS:
        for name in ("mesh", "ingress"):
            assert back[f"{name}@{cluster}"] < back[f"coredns@{cluster}"]
        first = [e.seq for e in world.events(release, "write")
                 if e.unit == f"coredns@{cluster}" and e.data["purpose"] != "forward"]  # fmt: skip
        assert back[f"mesh@{cluster}"] < min(first)
    for name in NAMES:
        assert set(world.running(name).values()) == {"1.0×2", "1.0×4"}


def test_one_unit_takes_its_dependents_along(world: World) -> None:
    """Nothing brought on top of the new coredns stays on the old one, and the answer names it."""
    release = halfway(world)
    answer = world.says("rollback coredns@eu-1 --reason odd")
    assert answer.code == 0
    assert answer.body["along"] == ["mesh@eu-1", "ingress@eu-1"]
    assert "mesh@eu-1" in answer.text
    world.run_to_the_end(release)
    assert phases_of_store(world, release) | {
        "coredns@eu-1": "ROLLED_BACK", "mesh@eu-1": "ROLLED_BACK", "ingress@eu-1": "ROLLED_BACK"
    } == phases_of_store(world, release)  # fmt: skip
    assert world.unit(release, "logs@eu-1").phase == "SUCCEEDED"
    assert world.unit(release, "mesh@eu-2").phase == "SUCCEEDED"


def test_one_component_goes_back_and_stays_back(world: World) -> None:
    """`rollback component:coredns`: with what needs it, everywhere; its content is blocked, what
    had not begun is left out, and logs goes on.
    """
    release = halfway(world)
    answer = world.says("rollback component:coredns --reason leak")
    assert answer.code == 0, answer.text
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    for cluster in CLUSTERS:
        assert world.unit(release, f"coredns@{cluster}").phase == "ROLLED_BACK"
        assert world.unit(release, f"logs@{cluster}").phase == "SUCCEEDED"
    assert set(world.running("coredns").values()) == {"1.0×2", "1.0×4"}
    assert set(world.running("mesh").values()) == {"1.0×2", "1.0×4"}
    assert world.running("logs")["eu-2"] == "1.1×4"
    (blocked,) = world.bot.ports.store.rows(Blocked)
    assert (blocked.component, blocked.version, blocked.reason) == ("coredns", "1.1", "leak")


def test_what_waits_for_a_unit_that_was_taken_back_ends_with_it(world: World) -> None:
    """A release does not wait for ever for what a person took back: it ends, and says what it left
    out.
    """
    brings(world)
    release = addons(world, *TWO)
    until(world, lambda: world.unit(release, "coredns@eu-1").began is not None)
    assert world.says("rollback coredns@eu-1 --reason odd").code == 0
    until(world, lambda: world.unit(release, "mesh@st-1").phase == "SUCCEEDED")
    world.run_for(minutes=1)
    assert "Waiting for coredns@eu-1, which was rolled back" in world.why(release)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"
    assert world.unit(release, "mesh@eu-1").phase == "SKIPPED"
    assert world.unit(release, "mesh@eu-2").phase == "SUCCEEDED"
    (event,) = world.events(release, "unit.skipped")
    assert "coredns@eu-1" in event.data["reason"]


def test_a_failure_that_takes_its_unit_back_frees_the_rest_with_a_skip(world: World) -> None:
    """`onFailure: rollbackUnit`: coredns is back where it was, mesh waits, logs goes on; with a
    skip mesh goes forward on the old one.
    """
    brings(world, onFailure="rollbackUnit")
    crashes(world, "coredns", "st-1")
    release = addons(world)
    until(world, lambda: world.unit(release, "coredns@st-1").phase == "ROLLED_BACK")
    world.run_for(hours=2)
    assert world.unit(release, "mesh@st-1").phase == "PENDING"
    assert world.unit(release, "logs@eu-2").phase == "SUCCEEDED"
    assert world.phase(release) == "PROGRESSING"
    assert "goes on without it" in world.says("skip coredns@st-1 --reason known").text
    world.run_to_the_end(release)
    assert world.unit(release, "mesh@st-1").phase == "SUCCEEDED"


def test_a_way_back_leaves_alone_what_a_newer_release_brought(world: World) -> None:
    """mesh 1.2 came after; taking coredns back does not touch it."""
    brings(world)
    release = addons(world, *TWO)
    world.run_to_the_end(release)
    newer = world.releases("mesh-1-2", "1.2", components=[{"name": "mesh", "version": "1.2"}])
    world.run_to_the_end(newer)
    world.says("rollback coredns@eu-1 --reason odd")
    world.run_for(hours=1)
    assert world.running("coredns")["eu-1"] == "1.0×4"
    assert world.running("mesh")["eu-1"] == "1.2×4"


def test_a_second_release_waits_for_the_components_that_it_has_too(world: World) -> None:
    """The lock is component@cluster: what the first release does not have goes on at once."""
    brings(world)
    first = addons(world, *TWO)
    second = addons(world, "mesh", "logs", name="more", version="1.2")
    world.run_until("2026-11-24T09:03:00Z")
    assert in_flight(world, first) == {"coredns@st-1"}
    assert in_flight(world, second) == {"logs@st-1"}
    assert "mesh@st-1 [dependencies]" in world.why(second)
    until(world, lambda: world.unit(first, "mesh@st-1").phase == "SUCCEEDED")
    assert f"mesh@st-1 [unit_free] Waiting: release {first} is at work" in world.why(second)
    world.run_to_the_end(first)
    world.run_to_the_end(second)
    assert world.running("logs")["eu-2"] == "1.2×4"
    assert world.running("mesh")["eu-2"] == "1.2×4"


def test_a_dependency_outside_the_release_is_waited_for(world: World) -> None:
    """coredns is in flight by another release: mesh waits in that cluster, logs does not."""
    brings(world)
    first = world.releases("dns-1-1", "1.1", components=[{"name": "coredns", "version": "1.1"}])
    second = addons(world, "mesh", "logs")
    world.run_until("2026-11-24T09:03:00Z")
    assert "coredns@st-1" in in_flight(world, first)
    assert in_flight(world, second) == {"logs@st-1"}
    assert f"(release {first})" in world.why(second)
    world.run_to_the_end(second)
    assert world.phase(second) == "SUCCEEDED"


def test_a_window_of_one_component_holds_no_other(world: World) -> None:
    """coredns may move in the afternoon only: its dependents wait with it, logs does not."""
    brings(world)
    afternoon = repo_files.window("dns", components={"names": ["coredns"]}, **{"from": "14:00"})
    morning = repo_files.window(
        "rest",
        components={
            "matchExpressions": [{"key": "nothing", "operator": "DoesNotExist"}],
            "names": ["mesh", "ingress", "logs"],
        },
    )
    world.changes({"calendar/windows.yaml": afternoon + "---\n" + morning})
    release = addons(world)
    world.run_until("2026-11-24T13:00:00Z")
    assert phases(world, release, "st-1") == {
        "coredns@st-1": "PENDING",
        "mesh@st-1": "PENDING",
        "ingress@st-1": "PENDING",
        "logs@st-1": "SUCCEEDED",
    }
    assert "coredns@st-1 [window]" in world.why(release)
    assert "mesh@st-1 [dependencies]" in world.why(release)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_cluster_that_does_not_answer_takes_all_its_units_out(world: World) -> None:
    """What needs coredns is quarantined with it: the release ends, and all of it is owed."""
    brings(world)
    release = addons(world)
    gone = {"do": "unreachable", "from": "2026-11-24T08:00:00Z", "to": "2027-11-24T23:00:00Z"}
    world.breaks("eu-1", gone)
    world.run_to_the_end(release, days=1)
    assert world.phase(release) == "SUCCEEDED"
    found = phases_of_store(world, release)
    assert {found[f"{name}@eu-1"] for name in NAMES} == {"QUARANTINED"}
    assert found["mesh@eu-2"] == "SUCCEEDED"
