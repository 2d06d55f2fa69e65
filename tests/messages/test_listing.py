"""Lists, pages and the answer of why, as the terminal shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.core.messages import as_text, card, listing, queue, status_text, why_text
from bot.core.messages_text import table
from bot.model.gate import Wait
from tests.messages.test_card import STATES
from tests.messages.views import NOW, RELEASE, large, stop, view, wait, waiting


def test_the_list_of_releases_reads_well(golden: Callable[[str, str], None]) -> None:
    """One line a release, whatever state it is in; columns stand under each other."""
    told = listing(make() for make in STATES.values())
    golden("messages/listing.txt", told + "\n")
    assert len(told.splitlines()) == len(STATES) + 1


def test_a_list_of_nothing_says_so() -> None:
    """An empty answer looks like a broken one."""
    assert listing(()) == "No release."
    assert queue(()) == "Nothing waits for a decision."
    assert why_text(()) == "Nothing is in the way: the next step is due."


def test_the_queue_of_a_person_holds_only_what_that_person_can_decide() -> None:
    """Being asked for what one cannot do teaches people to look away."""
    views = [make() for make in STATES.values()]
    assert f"approve {RELEASE}#3" in queue(views, "cem")
    assert queue(views, "ana") == "Nothing waits for a decision."


def test_status_of_one_release_is_its_card() -> None:
    """The terminal and the channel show one and the same."""
    assert status_text(large()) == as_text(card(large()))


def test_why_tells_an_equal_reason_once_and_counts_its_units() -> None:
    """A thousand units that wait for one window wait for one reason."""
    told = why_text(large().waiting)
    assert told.splitlines() == [
        "node-agent@c-0000, node-agent@c-0001, node-agent@c-0002 and 997 more: "
        "Rolling out: 3 of 6 pods updated, 6 in all."
    ]


def test_why_begins_with_what_stopped_and_names_the_rule() -> None:
    """What only people can clear comes first, with its place on main."""
    night = Wait(
        code="window",
        facts={"why": "Outside weekdays-berlin"},
        until=NOW,
        source="calendar/windows.yaml:3",
    )
    lines = (
        waiting("node-agent@eu-2", night),
        waiting("node-agent@eu-1", stop("check", name="p99", when="after", verdict="FAILED")),
    )
    first, second = why_text(lines).splitlines()
    assert first.startswith("node-agent@eu-1: Stopped: post-check p99 failed.")
    assert "Cleared by operator or network." in first
    assert second.endswith("[calendar/windows.yaml:3]")


def test_why_says_when_it_clears_by_itself() -> None:
    """Everything that waits says until when, if anybody can know."""
    line = waiting("node-agent@eu-1", replace(wait("fleet-limit", limit=2, in_flight=2), until=NOW))
    assert "Until Tue 24 Nov 10:00 Europe/Berlin." in why_text((line,), "Europe/Berlin")


def test_columns_stand_under_each_other_with_emoji_in_them() -> None:
    """⏸️ is two signs, 🔵 one, and both are two columns wide."""
    first, second = table([("⏸️ paused", "x"), ("🔵 paused", "x")]).splitlines()
    assert first.index("x") - second.index("x") == 1
    assert status_text(view())
