"""Snooze: not now. What began goes on; what would begin or be asked waits until the time, and why
says until when.
"""

from __future__ import annotations

from tests import repo_files
from tests.world import World

ST_1 = "node-agent@st-1"


def test_a_snoozed_release_begins_when_its_time_has_come(world: World) -> None:
    """Nobody has to remember to resume it."""
    release = world.releases()
    said = world.says(f"snooze {release} --until 2026-11-24T10:30:00Z --reason 'the load test'")
    assert said.code == 0, said.text
    assert said.body["until"] == "2026-11-24T10:30:00Z"
    world.run_until("2026-11-24T10:29:59Z")
    assert world.fleet.writes("st-1") == []
    assert "Snoozed" in world.why(release)
    assert "Tue 24 Nov 10:30" in world.why(release)
    assert world.active(release).waiting[0].wait.until == world.clock.at.replace(
        minute=30, second=0
    )
    world.run_for(seconds=2)
    assert world.unit(release, ST_1).phase == "APPLYING"
    assert "The snooze of node-agent-2-5-0 is over" in world.thread(release)
    assert world.bot.board.holds == {}
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_a_snooze_stops_nothing_that_rolls(world: World) -> None:
    """The batch in hand ends and soaks; the next one waits."""
    release = world.releases()
    world.run_until("2026-11-24T09:00:02Z")
    assert world.unit(release, ST_1).phase == "APPLYING"
    world.says(f"snooze {ST_1} --until 1h --reason lunch")
    world.run_until("2026-11-24T09:30:00Z")
    unit = world.unit(release, ST_1)
    assert (unit.phase, unit.done, unit.stopped_since) == ("PENDING", 1, None)
    world.run_to_the_end(release)
    assert world.phase(release) == "SUCCEEDED"


def test_nobody_is_asked_while_it_is_snoozed(world: World) -> None:
    """A question at night wakes people for what can wait; it is asked when the snooze is over."""
    approval = {"when": "before", "roles": ["approver"], "count": 1}
    stages = repo_files.pipeline(approval=approval)
    world.changes({"pipelines/standard.yaml": stages})
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.says(f"snooze {release} --until 3h --reason 'the approvers are on a plane'")
    world.run_until("2026-11-24T12:00:59Z")
    assert not world.events(release, "decision.asked")
    world.run_until("2026-11-24T12:40:00Z")
    assert [e.data["id"] for e in world.events(release, "decision.asked")] == [f"{release}#1"]


def test_who_was_asked_before_is_called_again_after_the_snooze(world: World) -> None:
    """The reminder: an open decision is named when its snooze is over."""
    asks = {"approvals": [{"components": {}, "count": 1, "roles": ["approver"]}]}
    policy = {"windows": {"attended": "5m"}} | asks
    world.changes({"policy/policy.yaml": repo_files.doc("Policy", "policy", policy)})
    release = world.releases()
    world.run_until("2026-11-24T08:30:00Z")
    world.says(f"snooze {release} --until 1h --reason 'in a meeting'")
    world.run_until("2026-11-24T09:31:00Z")
    assert f"Still to decide: {release}#1" in world.thread(release)


def test_a_snooze_may_be_cut_short_or_made_longer(world: World) -> None:
    """The last word counts, and resume is the last word too."""
    release = world.releases()
    world.says(f"snooze {release} --until 8h --reason later")
    world.says(f"snooze {release} --until 2h --reason 'not that late'")
    assert len(world.bot.board.holds) == 1
    world.run_until("2026-11-24T09:30:00Z")
    assert world.says(f"resume {release}").code == 0
    world.run_for(seconds=5)
    assert world.unit(release, ST_1).phase == "APPLYING"


def test_a_snooze_is_over_at_its_moment(world: World) -> None:
    """`--until 10:30` is half past ten, not the next time that somebody looks."""
    release = world.releases()
    world.says(f"snooze {release} --until 2026-11-24T10:30:00Z --reason 'the load test'")
    world.run_until("2026-11-24T10:29:59Z")
    due = world.bot.next_due()
    assert due is not None
    assert due.isoformat() == "2026-11-24T10:30:00+00:00"
    world.clock.at = due
    world.tick()
    assert world.bot.board.holds == {}
    assert "The snooze of node-agent-2-5-0 is over" in world.thread(release)


def test_of_two_snoozes_each_is_over_at_its_own_time(world: World) -> None:
    """The bot wakes for the first, though no release is there to wake; the second one stands."""
    world.says("snooze cluster:eu-1 --until 2026-11-24T14:00:00Z --reason 'exam day'")
    world.says("snooze cluster:st-1 --until 2026-11-24T10:30:00Z --reason 'the load test'")
    assert len(world.bot.board.holds) == 2
    due = world.bot.next_due()
    assert due is not None
    assert due.isoformat() == "2026-11-24T10:30:00+00:00"
    world.clock.at = due
    world.tick()
    assert [hold.scope for hold in world.bot.board.holds.values()] == ["cluster:eu-1"]


def test_a_rollback_waits_for_no_snooze(world: World) -> None:
    """What was put off must not keep what is broken."""
    release = world.releases()
    world.run_until("2026-11-24T09:01:00Z")
    world.says(f"snooze {release} --until 8h --reason later")
    assert world.says(f"rollback {release} bad").code == 0
    world.run_for(minutes=10)
    assert world.phase(release) == "ROLLED_BACK"


def test_a_snoozed_release_that_has_nothing_left_ends(world: World) -> None:
    """A snooze delays what begins; a good end is no beginning."""
    release = world.releases(units={"names": ["st-1"]})
    world.run_until("2026-11-24T09:10:00Z")
    assert world.unit(release, ST_1).phase == "SOAKING"
    world.says(f"snooze {release} --until 12d --reason holidays")
    world.run_until("2026-11-24T09:30:00Z")
    assert world.phase(release) == "SUCCEEDED"


def test_who_may_snooze_and_what_it_needs(world: World) -> None:
    """Operators and owners; a time, a reason, and not for ever."""
    release = world.releases()
    assert world.says(f"snooze {release} --until 1h --reason x", by="dan").code == 3
    assert world.says(f"snooze {release} --reason x").code == 2
    assert world.says(f"snooze {release} --until 1h").code == 2
    assert world.says(f"snooze {release} --until 2026-11-24T07:00:00Z --reason x").code == 2
    assert "14 days" in world.says(f"snooze {release} --until 15d --reason x").text


def test_a_snooze_that_cannot_be_is_refused_in_plain_words(world: World) -> None:
    """The moment is one; it is only too late."""
    release = world.releases()
    said = world.says(f"snooze {release} --until 15d --reason x").text
    assert "Wed 9 Dec 08:00 UTC will not do: a snooze lasts 14 days at most" in said
    assert "is not one" not in said
    said = world.says(f"snooze {release} --until 2026-11-24T07:00:00Z --reason x").text
    assert "will not do: it is not in the future" in said
