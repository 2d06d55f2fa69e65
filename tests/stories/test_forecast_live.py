"""The forecast of a release that runs: from where it stands, as if what stops it were lifted."""

from __future__ import annotations

from datetime import timedelta

from bot.core.forecast_live import live
from bot.core.messages_forecast_live import behind_notes, held_notes
from tests import repo_files
from tests.world import World


def test_the_forecast_of_a_running_release_comes_true(world: World) -> None:
    """It counts `batchTakes` for each of seven batches ahead; here they take seconds instead."""
    release = world.releases()
    world.run_until("2026-11-24T08:32:00Z")
    active = world.active(release)

    said = live(world.bot.board, active, world.clock.at).forecast
    world.run_to_the_end(release)

    assert said.end is not None
    assert timedelta() <= said.end - world.clock.at <= 7 * timedelta(minutes=5)
    assert said.units["node-agent@st-1"].start == active.units["node-agent@st-1"].began


def test_a_paused_release_says_by_whom_and_what_it_would_be_if_resumed_now(world: World) -> None:
    """A forecast that silently assumed the pause away would be believed."""
    release = world.releases()
    world.run_until("2026-11-24T09:05:00Z")
    before = live(world.bot.board, world.active(release), world.clock.at)
    world.says(f"pause {release} --reason 'odd latency'", by="cleo")
    world.run_for(hours=1)

    seen = live(world.bot.board, world.active(release), world.clock.at)

    (hold,) = seen.holds
    assert hold.by == "cleo"
    assert held_notes(seen.holds, release, "UTC") == [
        "Paused by cleo since Tue 24 Nov 09:05 UTC: odd latency.",
        "Nothing moves until then; the times below are as if it were lifted now.",
    ]
    assert before.forecast.end is not None
    assert seen.forecast.end is not None
    assert seen.forecast.end > before.forecast.end


def test_the_card_tells_the_forecast_end_and_none_while_it_is_held(world: World) -> None:
    """People ask one thing of a card: when is it over."""
    release = world.releases()
    world.run_until("2026-11-24T09:05:00Z")
    view = world.view(release)
    assert view.ends is not None
    assert "orecast end Tue 24 Nov" in world.chat.cards[f"card/{release}"]

    world.says(f"pause {release} --reason 'odd latency'", by="cleo")

    assert world.view(release).ends is None
    assert "orecast end" not in world.chat.cards[f"card/{release}"]


def test_a_forecast_end_is_reckoned_when_something_changed_not_at_every_tick(world: World) -> None:
    """Ten times 400 releases a second would cost more than everything else the bot does."""
    release = world.releases()
    reckoned = set()
    ticks, began = 0, world.clock.at
    while world.clock.at < began + timedelta(hours=1):
        world.run_for(seconds=5)
        world.view(release)
        last = world.active(release).reckoned
        reckoned.add(last and last.at)
        ticks += 1

    assert ticks > 400
    assert len(reckoned) <= 6 + 3 + 2, "every ten minutes, and when a wave or the phase changed"


def test_another_release_that_has_the_units_first_is_reckoned_with(world: World) -> None:
    """Two releases of one component: the second begins when the first has ended."""
    first = world.releases()
    second = world.releases("node-agent-2-6-0", "2.6.0")
    world.run_until("2026-11-24T08:40:00Z")

    ahead = live(world.bot.board, world.active(first), world.clock.at)
    seen = live(world.bot.board, world.active(second), world.clock.at)

    assert dict(seen.behind) == {first: ahead.forecast.end}
    assert ahead.forecast.end is not None
    assert seen.forecast.start == ahead.forecast.end
    assert "reckoned roughly" in behind_notes(seen.behind, "UTC")[0]
    assert dict(ahead.behind) == {}


def test_units_that_were_skipped_are_not_exposed(world: World) -> None:
    """What people left out stays out of the curve."""
    release = world.releases()
    world.run_until("2026-11-24T08:20:00Z")
    world.says("skip node-agent@eu-2 --reason 'old kernel'", by="ana")

    seen = live(world.bot.board, world.active(release), world.clock.at)

    assert seen.without == {"node-agent@eu-2"}


def test_an_open_decision_is_named(world: World) -> None:
    """A forecast while people are asked is one of a yes that comes now."""
    approval = {"when": "before", "roles": ["approver"], "count": 1}
    world.changes({"pipelines/standard.yaml": repo_files.pipeline(approval=approval)})
    release = world.releases()
    world.run_until("2026-11-24T10:00:00Z")

    seen = live(world.bot.board, world.active(release), world.clock.at)

    assert [one.id for one in seen.decisions] == [f"{release}#1"]
    assert "if the yes comes at once" in world.chat.cards[f"card/{release}"]
