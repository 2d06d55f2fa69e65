"""What a batch has to show to its end: health, checks that can pass, a soak that was watched."""

from __future__ import annotations

from typing import Any

from bot.model.state import Certificate
from tests import repo_files
from tests.world import World

EU_1, EU_2, ST_1 = "node-agent@eu-1", "node-agent@eu-2", "node-agent@st-1"


def asks(world: World, when: str = "after", **spec: Any) -> None:
    """One check `slow` that always says yes, asked as `spec` says."""
    slow = {"cel": {}, "successCondition": "true", **spec}
    checks = {"after": ["workload"], when: ["slow"]}
    world.changes(
        {
            "checks/slow.yaml": repo_files.doc("Check", "slow", slow),
            "components/node-agent/component.yaml": repo_files.component(checks=checks),
        }
    )


def away(start: str, end: str) -> dict[str, Any]:
    day = "" if "-" in end else "2026-11-24T"
    return {
        "do": "unreachable",
        "from": f"2026-11-24T{start}:00Z",
        "to": f"{day}{end}:00Z",
    }


def certificates(world: World, unit: str = ST_1) -> list[Certificate]:
    return [row for row in world.bot.ports.store.rows(Certificate) if row.unit == unit]


def test_pods_that_break_while_checks_are_asked_fail_the_batch(world: World) -> None:
    """A check of something else says yes; nobody certifies pods that are down."""
    asks(world, interval="2m", count=3)
    release = world.releases()
    world.run_until("2026-11-24T09:06:00Z")
    assert world.unit(release, ST_1).phase == "VERIFYING"
    world.fleet.sicken("st-1", world.pods("st-1", "2.5.0"))
    world.run_for(minutes=8)
    assert world.unit(release, ST_1).phase == "FAILED"
    assert certificates(world) == []


def test_a_batch_that_somebody_took_back_while_checks_are_asked_is_not_certified(
    world: World,
) -> None:
    """What converged must still be so in the very moment of the certificate."""
    asks(world, interval="2m", count=2)
    release = world.releases()
    world.run_until("2026-11-24T09:06:00Z")
    assert world.unit(release, ST_1).phase == "VERIFYING"
    old = world.live("st-1", "DaemonSet")
    old["spec"]["template"]["spec"]["containers"][0]["image"] = "registry.local/node-agent:2.4.1"
    _edit(world, "st-1", {"spec": {"template": old["spec"]["template"]}})
    world.run_for(minutes=10)
    assert certificates(world) == []
    assert world.unit(release, ST_1).phase == "FAILED"


def test_a_node_that_joins_while_checks_are_asked_is_waited_for(world: World) -> None:
    """Its pod is one more that has to serve: no certificate before that, and why says so."""
    asks(world, interval="2m", count=2)
    release = world.releases()
    world.run_until("2026-11-24T09:06:00Z")
    assert world.unit(release, ST_1).phase == "VERIFYING"
    slow = {"do": "slow", "image": "registry.local/node-agent:2.5.0", "takes": "5m"}
    joined = repo_files.cluster("st-1", "staging", 3, [slow])
    world.changes({"fleet/clusters/st-1.yaml": joined}, "A third node")
    world.run_for(minutes=3)
    assert "still_converged" in {line.gate for line in world.active(release).waiting}
    assert f"{ST_1} [still_converged] " in world.why(release), "people are told, too"
    assert certificates(world) == []
    world.run_for(minutes=5)
    assert len(certificates(world)) == 1


def _edit(world: World, cluster: str, body: Any) -> None:
    from bot.model.effects import Purpose, Write
    from bot.model.plan import ObjectRef

    ref = ObjectRef("apps.kruise.io/v1beta1", "DaemonSet", "infra", "node-agent")
    write = Write(ref=ref, verb="patch", purpose=Purpose.FORWARD, body=body)
    world.fleet.write(cluster, write, fence="", manager="kubectl")


def test_a_check_before_a_batch_may_take_longer_than_two_minutes(world: World) -> None:
    """Two answers five minutes apart: the first is not forgotten before the second is in."""
    asks(world, "before", interval="5m", count=2)
    release = world.releases()
    world.run_until("2026-11-24T09:03:00Z")
    assert f"{ST_1} [checks_before]" in world.why(release), "what waits says so between two looks"
    world.run_until("2026-11-24T09:08:00Z")
    assert world.unit(release, ST_1).phase == "APPLYING" or world.unit(release, ST_1).batch == 1


def test_a_check_may_ask_for_more_than_fifty_answers(world: World) -> None:
    """Every good answer counts, however many there are."""
    asks(world, interval="1s", count=60)
    release = world.releases()
    world.run_until("2026-11-24T09:12:00Z")
    assert [row.batch for row in certificates(world)] == [1]
    assert world.unit(release, ST_1).phase != "FAILED"


def test_a_check_that_never_says_yes_ends_the_batch(world: World) -> None:
    """Too few answers by its deadline: a person decides, and nobody waits for ever."""
    asks(world, successCondition="false", failureCondition="false", inconclusiveLimit=1000)
    release = world.releases()
    world.run_until("2026-11-24T10:30:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert certificates(world) == []


def test_a_slow_check_has_the_time_that_it_needs(world: World) -> None:
    """Ten answers five minutes apart are longer than a batch's deadline, and that is no failure."""
    asks(world, interval="5m", count=10)
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")
    assert [row.batch for row in certificates(world)] == [1]
    assert world.unit(release, ST_1).phase != "FAILED"


def test_a_soak_goes_on_for_as_long_as_nobody_could_watch_it(world: World) -> None:
    """Silence must be watched: ten minutes away are ten minutes more, told once."""
    world.breaks("st-1", away("09:02", "09:12"), group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:04:00Z")
    planned = world.unit(release, ST_1).soak_until
    assert planned is not None
    world.run_until("2026-11-24T09:14:00Z")
    later = world.unit(release, ST_1).soak_until
    assert world.unit(release, ST_1).phase == "SOAKING"
    assert later is not None
    assert 9 * 60 < (later - planned).total_seconds() < 13 * 60
    assert len(world.events(release, "soak.extended")) == 1
    world.run_to_the_end(release)
    assert len(world.events(release, "soak.extended")) == 1
    assert certificates(world)[0].soak_until == later


def test_a_soak_goes_on_for_as_long_as_the_bot_was_away(world: World) -> None:
    """The bot was down through the whole soak: nobody watched it."""
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    assert world.unit(release, ST_1).phase == "SOAKING"
    world.dies()
    world.clock.at = world.clock.at.replace(hour=11)
    world.run_for(seconds=30)
    assert world.unit(release, ST_1).phase == "SOAKING"
    assert world.events(release, "soak.extended")
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_cluster_that_dies_in_its_soak_is_not_waited_for_for_ever(world: World) -> None:
    """As long as a batch may take; then a person decides."""
    world.breaks("st-1", away("09:02", "2028-01-01T00:00"), group="staging")
    release = world.releases()
    world.run_until("2026-11-24T09:20:00Z")
    assert world.unit(release, ST_1).phase == "SOAKING"
    world.run_until("2026-11-24T09:25:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    assert "did not answer" in world.why(release)
    assert world.says(f"skip {ST_1} --reason gone").code == 0


def test_a_dead_cluster_does_not_keep_a_rollback_from_ending(world: World) -> None:
    """The others go back, the dead one is asked again and again, and an approver may leave it."""
    release = world.releases()
    world.run_until("2026-11-24T09:30:00Z")
    world.breaks("eu-1", away("09:00", "2028-01-01T00:00"))
    world.breaks("eu-1", away("09:00", "2028-01-01T00:00"))
    assert world.says(f"rollback {release} --reason bad").code == 0
    world.run_for(hours=3)
    assert world.running()["st-1"] == "2.4.1×2", "an older wave does not wait for it"
    assert f"{EU_1} [reachable]" in world.why(release)
    line = next(line for line in world.view(release).waiting if line.unit == EU_1)
    assert set(line.wait.who) == {"ana", "ben", "cleo"}, "who may skip it"


def test_a_rollback_that_could_not_be_watched_is_given_its_time_again(world: World) -> None:
    """Away for longer than the deadline: it is judged by what it does once it is back."""
    release = world.releases()
    world.run_until("2026-11-24T09:30:00Z")
    assert world.says(f"rollback {release} --reason bad").code == 0
    world.breaks("eu-1", away("09:00", "10:30"))
    world.run_until("2026-11-24T11:30:00Z")
    assert world.phase(release) == "ROLLED_BACK"
    assert world.running()["eu-1"] == "2.4.1×4"


def test_a_successor_does_not_wait_for_a_cluster_that_is_gone(world: World) -> None:
    """Nobody can tell what rolls there; its fences protect what the newer one writes."""
    release = world.releases(units={"names": ["eu-*"]})
    world.run_until("2026-11-24T09:00:02Z")
    assert world.unit(release, EU_1).phase == "APPLYING"
    world.breaks("eu-1", away("09:00", "2028-01-01T00:00"))
    newer = world.releases("node-agent-2-5-1", "2.5.1", supersedes=[release])
    world.run_for(minutes=5)
    assert world.phase(release) == "SUPERSEDED"
    assert world.phase(newer) in ("SCHEDULED", "PROGRESSING")


def test_a_first_install_that_waits_for_a_person_does_not_hold_up_older_waves(
    world: World,
) -> None:
    """Delete or keep: nobody answers, and everything else goes back."""
    gone = world.live("eu-2", "DaemonSet")
    assert gone is not None
    for ref in ("DaemonSet", "ConfigMap"):
        _delete(world, "eu-2", ref)
    release = world.releases()
    world.run_until("2026-11-24T09:40:00Z")
    assert "2.5.0" in world.running()["eu-2"]
    assert world.says(f"rollback {release} --reason bad").code == 0
    world.run_for(hours=1)
    assert world.unit(release, EU_2).phase == "ROLLING_BACK"
    assert world.running()["st-1"] == "2.4.1×2"


def _delete(world: World, cluster: str, kind: str) -> None:
    from bot.model.effects import Purpose, Write
    from bot.model.plan import ObjectRef

    api = "apps.kruise.io/v1beta1" if kind == "DaemonSet" else "v1"
    ref = ObjectRef(api, kind, "infra", "node-agent")
    write = Write(ref=ref, verb="delete", purpose=Purpose.FORWARD, body={})
    world.fleet.write(cluster, write, fence="", manager="kubectl")


def test_nothing_is_put_back_while_a_restored_store_is_not_compared(world: World) -> None:
    """What a restored store says was there before may be long gone: not even a rollback goes on."""
    release = world.releases()
    world.run_until("2026-11-24T09:20:00Z")
    _hold_all(world, "store-restored")
    before = len(world.writes("st-1"))
    assert world.says(f"rollback {release} --reason bad").code == 0
    world.run_for(minutes=10)
    assert "[compared]" in world.why(release)
    assert len(world.writes("st-1")) == before


def test_a_pause_does_not_stop_a_rollback(world: World) -> None:
    """Only what makes the past uncertain does."""
    release = world.releases()
    world.run_until("2026-11-24T09:20:00Z")
    _hold_all(world, "paused")
    assert world.says(f"rollback {release} --reason bad").code == 0
    world.run_for(minutes=10)
    assert world.phase(release) == "ROLLED_BACK"


def _hold_all(world: World, code: str) -> None:
    from bot.model.state import Hold, HoldCode
    from bot.ports import Changes

    hold = Hold(
        id=f"all/{code}",
        scope="all",
        code=HoldCode(code),
        reason="a test",
        by="sluice",
        at=world.clock.at,
    )
    world.bot.ports.store.commit(Changes(puts=(hold,)))
    world.bot.board.holds[hold.id] = hold


def test_an_override_after_a_stop_in_the_cluster_converges_again_first(world: World) -> None:
    """We paused what rolled when the check failed: it has to stand again before it is certified."""
    never = {"workload": {}, "failureCondition": "true"}
    world.changes(
        {
            "checks/never.yaml": repo_files.doc("Check", "never", never),
            "components/node-agent/component.yaml": repo_files.component(
                checks={"after": ["never"]}
            ),
        }
    )
    release = world.releases()
    world.run_until("2026-11-24T09:05:00Z")
    world.fleet.sicken("st-1", world.pods("st-1", "2.5.0")[:0])
    world.run_until("2026-11-24T09:06:00Z")
    assert world.unit(release, ST_1).phase == "FAILED"
    unit = world.unit(release, ST_1)
    said = world.says(f"override {ST_1} --reason seen", by="ana")
    assert said.code == 0, said.text
    again = [event.data for event in world.events(release, "batch.soaking")]
    assert len(again) == (2 if unit.halted else 1)
    world.run_for(minutes=20)
    assert all(row.updated == len(row.pods) for row in certificates(world))
