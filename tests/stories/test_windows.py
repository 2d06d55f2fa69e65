"""When batches may begin: windows, freezes, the fit before closing, and the time that clears it."""

from __future__ import annotations

from tests import repo_files
from tests.world import World, moment


def test_nothing_begins_at_night_and_why_says_until_when(world: World) -> None:
    """A merge in the evening waits for the morning by itself."""
    world.clock.at = moment("2026-11-24T18:00:00Z")
    release = world.releases()
    world.run_until("2026-11-25T08:59:59Z")
    assert world.running()["st-1"] == "2.4.1×2"
    assert "[window]" in world.why(release)
    assert "Wed 25 Nov 09:00" in world.why(release)
    world.run_until("2026-11-25T09:01:00Z")
    assert world.running()["st-1"] == "2.4.1×1 2.5.0×1"


def test_a_batch_that_does_not_fit_before_closing_waits_for_the_next_day(world: World) -> None:
    """A batch takes 5 min and people watch 5 min of its soak: at 16:51 there is no room for it."""
    world.clock.at = moment("2026-11-24T16:51:00Z")
    release = world.releases()
    world.run_for(minutes=5)
    assert world.running()["st-1"] == "2.4.1×2"
    assert "[window]" in world.why(release)
    assert world.bot.next_due() == moment("2026-11-25T09:00:00Z")


def test_a_batch_that_began_may_end_after_the_window_closed(world: World) -> None:
    """Soaking and checking write nothing; the next batch waits for the morning."""
    world.clock.at = moment("2026-11-24T16:49:00Z")
    release = world.releases()
    world.run_until("2026-11-24T20:00:00Z")
    unit = world.unit(release, "node-agent@st-1")
    assert (unit.phase, unit.batch) == ("PENDING", 1)
    assert world.running()["st-1"] == "2.4.1×1 2.5.0×1"
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_the_weekend_has_no_rollouts(world: World) -> None:
    """Merged on Friday evening, it begins on Monday."""
    world.clock.at = moment("2026-11-27T18:00:00Z")
    release = world.releases()
    world.run_until("2026-11-30T08:59:00Z")
    assert world.phase(release) == "SCHEDULED"
    world.run_until("2026-11-30T09:01:00Z")
    assert world.phase(release) == "PROGRESSING"


def test_a_freeze_merged_in_flight_stops_the_next_batch_and_not_the_one_in_hand(
    world: World,
) -> None:
    """The calendar is live from main: what began may end, nothing more begins."""
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    freeze = {"from": "2026-11-24T09:00", "to": "2026-11-26T09:00", "zone": "UTC"}
    spec = freeze | {"reason": "Audit week", "owner": "ana"}
    world.write({"calendar/freezes/audit.yaml": repo_files.doc("Freeze", "audit", spec)})
    world.push("Freeze for the audit")
    world.run_until("2026-11-25T12:00:00Z")
    unit = world.unit(release, "node-agent@st-1")
    assert (unit.phase, unit.batch) == ("PENDING", 1)
    assert "Audit week" in world.why(release)
    world.run_until("2026-11-26T09:01:00Z")
    assert world.running()["st-1"] == "2.5.0×2"


def test_an_emergency_freeze_stops_even_the_batch_in_hand(world: World) -> None:
    """Made with a command, in force at once, over by itself."""
    release = world.releases()
    world.run_until("2026-11-24T09:00:01Z")
    said = world.says("freeze all --until 2026-11-24T11:00:00Z --reason 'INC-7'", by="dan")
    assert said.code == 0, said.text
    world.run_until("2026-11-24T10:00:00Z")
    unit = world.unit(release, "node-agent@st-1")
    assert (unit.phase, unit.batch) == ("APPLYING", 1)
    last = world.fleet.writes("st-1")[-1]["patch"]
    assert last["spec"]["updateStrategy"]["rollingUpdate"]["paused"] is True
    assert "INC-7" in world.why(release)
    world.run_until("2026-11-24T11:05:00Z")
    assert "2.5.0" in world.running()["st-1"]


def test_not_before_holds_until_its_local_time(world: World) -> None:
    """09:00 in Berlin is 08:00 UTC, but the window opens at 09:00 UTC; 11:00 in Berlin is later."""
    not_before = {"at": "2026-11-24T11:00", "zone": "Europe/Berlin"}
    release = world.releases(notBefore=not_before)
    world.run_until("2026-11-24T09:30:00Z")
    assert "[not_before]" in world.why(release)
    world.run_until("2026-11-24T10:01:00Z")
    assert world.phase(release) == "PROGRESSING"


def test_a_release_without_a_first_write_in_time_is_held(world: World) -> None:
    """What was right two weeks ago may be wrong today: somebody looks again."""
    release = world.releases(expires="1d", notBefore={"at": "2026-12-01T09:00", "zone": "UTC"})
    world.run_until("2026-11-25T09:00:00Z")
    assert "[holds]" in world.why(release)
    assert world.says(f"resume {release}").code == 0
    world.run_until("2026-12-01T09:01:00Z")
    assert world.phase(release) == "PROGRESSING"
