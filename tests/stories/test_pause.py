"""Stopping is always possible and instant; resuming is nothing else than letting go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.model.effects import Purpose, Write
from bot.model.state import Intent, IntentStatus
from bot.ports import Conflict, Fleet, Store
from bot.reconciler.tick import Ports
from tests.world import World


def test_a_pause_stops_what_rolls_and_resume_lets_it_go_on(world: World) -> None:
    """No forward write after the pause; the batch in hand is stopped in the cluster too."""
    release = world.releases()
    world.run_until("2026-11-24T09:00:00Z")
    said = world.says(f"pause {release} --reason 'odd latency'", by="cleo")
    assert said.code == 0
    assert "no forward write begins" in said.text
    world.run_for(hours=2)
    assert world.running()["st-1"] == "2.4.1×2"
    assert "odd latency" in world.why(release)
    before = len(world.fleet.writes("st-1"))
    world.run_for(hours=1)
    assert len(world.fleet.writes("st-1")) == before, "a stopped cluster is left alone"

    assert world.says(f"resume {release}").code == 0
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_pause_that_lets_the_batch_finish(world: World) -> None:
    """--finish-batch: the batch in hand ends with its soak and checks, the next does not begin."""
    release = world.releases()
    world.run_until("2026-11-24T09:00:00Z")
    world.says(f"pause {release} --finish-batch", by="cleo")
    world.run_for(hours=1)
    unit = world.unit(release, "node-agent@st-1")
    assert (unit.phase, unit.batch) == ("PENDING", 1)
    assert world.running()["st-1"] == "2.4.1×1 2.5.0×1"


def test_stop_is_pause_all_and_anybody_may(world: World) -> None:
    """The red button belongs to everybody in people.yaml."""
    release = world.releases()
    assert world.says("stop --reason 'pager'", by="dan").code == 0
    world.run_until("2026-11-24T12:00:00Z")
    assert world.phase(release) == "SCHEDULED"
    assert world.says("resume all", by="dan").code == 3, "an admin is no operator"
    assert world.says("resume all", by="ben").code == 0
    world.run_for(minutes=1)
    assert world.phase(release) == "PROGRESSING"


def test_time_under_a_hold_does_not_count_against_the_deadline(world: World) -> None:
    """A batch that was paused for a day has not failed to converge."""
    release = world.releases()
    world.run_until("2026-11-24T09:00:00Z")
    world.says(f"pause {release}")
    world.run_until("2026-11-25T10:00:00Z")
    world.says(f"resume {release}")
    world.run_for(minutes=3)
    assert world.unit(release, "node-agent@st-1").phase == "SOAKING"


def test_resuming_what_is_not_held_is_refused_with_the_reason(world: World) -> None:
    """A refusal says why."""
    release = world.releases()
    said = world.says(f"resume {release}")
    assert said.code == 3
    assert said.body["refused"]["code"] == "not-held"


def test_a_stranger_stops_nothing(world: World) -> None:
    """Deny by default: who is nobody in people.yaml may not even pause."""
    release = world.releases()
    said = world.says(f"pause {release}", by="mallory")
    assert said.code == 3
    assert said.body["refused"]["code"] == "not-mapped"


class PressingFleet:
    """A fleet during whose first write in production somebody presses the red button."""

    def __init__(self, fleet: Fleet, store: Store) -> None:
        self._fleet, self._store, self.pressed = fleet, store, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)

    def write(self, cluster: str, write: Write, **how: Any) -> Any:
        if cluster.startswith("eu-") and not self.pressed:
            self.pressed = True
            at = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
            self._store.note("red", "stop", by="dan", surface="test", at=at, data={})
        return self._fleet.write(cluster, write, **how)


def test_a_stop_is_heard_between_two_writes_of_one_tick(world: World) -> None:
    """One call was on the wire; the other, of the same tick and already intended, never leaves."""

    def around(ports: Ports) -> Ports:
        return replace(ports, fleet=PressingFleet(ports.fleet, ports.store))

    world.around = around
    world.start()
    release = world.releases()
    world.run_until("2026-11-24T10:30:00Z")
    written = [len(world.fleet.writes(cluster)) for cluster in ("eu-1", "eu-2")]
    forward = [w for c in ("eu-1", "eu-2") for w in world.fleet.writes(c) if "template" in str(w)]
    assert len(forward) == 1, f"{written} writes in eu-1 and eu-2"
    assert "[not_stopped]" in world.why(release)
    world.says("resume all")
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


class BusyFleet:
    """A fleet in which controllers write their counts between a look and the stop, now and then."""

    def __init__(self, fleet: Fleet, busy: list[str]) -> None:
        self._fleet, self.busy = fleet, busy

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fleet, name)

    def write(self, cluster: str, write: Write, **how: Any) -> Any:
        if write.purpose is Purpose.STOP and self.busy:
            raise Conflict(self.busy.pop())
        return self._fleet.write(cluster, write, **how)


def test_a_stop_that_meets_a_busy_controller_is_sent_again_at_once(world: World) -> None:
    """While something rolls its status is written all the time: the next look would be too late."""
    busy = ["the object has been modified", "the object has been modified"]
    world.around = lambda ports: replace(ports, fleet=BusyFleet(ports.fleet, busy))
    world.start()
    release = world.releases()
    world.run_until("2026-11-24T09:00:00Z")
    since = world.clock.at
    world.says(f"pause {release} odd latency")
    for _ in range(4):
        due = world.bot.next_due()
        assert due is not None
        world.clock.at = max(due, world.clock.at)
        world.tick()
        if "stop" in purposes(world):
            break
    assert "stop" in purposes(world)
    assert not busy
    assert world.clock.at - since < timedelta(seconds=1)


def purposes(world: World) -> list[str]:
    """What the writes that were done were for."""
    rows = world.bot.ports.store.rows(Intent)
    return [row.purpose for row in rows if row.status is IntentStatus.DONE]
