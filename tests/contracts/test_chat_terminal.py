"""The local chat in a terminal, which cannot edit what it has printed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from bot.adapters.terminal_chat import TerminalChat
from bot.model.message import Message, Tone
from bot.ports import Unreachable
from tests.contracts.chats import NOW, Terminal, card, reply

CARD = Message(
    text="Wave 1 of 4.",
    title="node-agent 2.5.0",
    tone=Tone.ROLLING,
    lines=("Wave 1 of 4.", "Pause with `pause all`."),
)


def test_cards_and_threads_read_like_a_conversation() -> None:
    """When, where, what it belongs to; replies are set in, under the name of their thread."""
    stream = Terminal()
    chat = TerminalChat(stream, plain=True)
    there = NOW.astimezone(timezone(timedelta(hours=-3, minutes=-30)))
    chat.put(replace(card("x", at=there), message=CARD))
    chat.put(reply("Batch 1 on eu-1 began.", at=NOW + timedelta(seconds=5)))
    assert stream.getvalue() == (
        "2026-11-24 09:00:03 UTC  C01NET  node-agent-2-5-0\n"
        "  🔵 rolling out · node-agent 2.5.0\n"
        "  Wave 1 of 4.\n"
        "  Pause with `pause all`.\n"
        "2026-11-24 09:00:08 UTC  C01NET  ↳ node-agent-2-5-0\n"
        "      Batch 1 on eu-1 began.\n"
    )


def test_an_edit_prints_only_what_changed() -> None:
    """A card is edited at every batch; printed whole each time it would bury the conversation."""
    stream = Terminal()
    chat = TerminalChat(stream, plain=True)
    chat.put(replace(card("x"), message=CARD))
    stream.truncate(stream.seek(0))
    later = card("x", at=NOW + timedelta(minutes=1))
    chat.put(replace(later, message=replace(CARD, lines=("Wave 2 of 4.", CARD.lines[1]))))
    chat.put(replace(later, message=replace(CARD, lines=("Wave 2 of 4.",))))
    assert stream.getvalue() == (
        "2026-11-24 09:01:03 UTC  C01NET  node-agent-2-5-0\n"
        "  + Wave 2 of 4.\n"
        "2026-11-24 09:01:03 UTC  C01NET  node-agent-2-5-0\n"
        "  - Pause with `pause all`.\n"
    )


@pytest.mark.parametrize(("tty", "plain"), [(True, True), (False, False), (False, True)])
def test_no_colour_where_it_was_not_wanted_or_nobody_sees_it(tty: bool, plain: bool) -> None:
    """NO_COLOR is honoured, and a log file holds no escapes."""
    stream = Terminal()
    stream.tty = tty
    TerminalChat(stream, plain=plain).put(replace(card("x"), message=CARD))
    assert "\x1b" not in stream.getvalue()


def test_colour_adds_nothing_but_colour() -> None:
    """Never colour alone: without it, the words are the same."""
    coloured, plain = Terminal(), Terminal()
    coloured.tty = True
    for stream in (coloured, plain):
        chat = TerminalChat(stream, plain=False)
        chat.put(replace(card("x"), message=CARD))
        chat.put(card("Done."))
    text = coloured.getvalue()
    assert "\x1b[1m" in text
    for escape in ("\x1b[1m", "\x1b[2m", "\x1b[0m"):
        text = text.replace(escape, "")
    assert text == plain.getvalue()


def test_a_terminal_without_emoji_shows_the_words() -> None:
    """A server's console is often ASCII; the state has a word beside its sign."""
    stream = Terminal()
    stream.encoding = "ascii"
    TerminalChat(stream, plain=True).put(replace(card("x"), message=CARD))
    assert "rolling out" in stream.getvalue()
    assert stream.getvalue().isascii()


def test_a_closed_stream_is_out_of_reach() -> None:
    """The terminal window may be closed; releases go on."""
    stream = Terminal()
    chat = TerminalChat(stream, plain=True)
    stream.close()
    with pytest.raises(Unreachable):
        chat.put(card("Done."))


def test_what_is_remembered_does_not_grow_for_ever() -> None:
    """A bot runs for months; a card that is edited stays known all the while."""
    stream = Terminal()
    chat = TerminalChat(stream, plain=True)
    chat.put(card("Rolling out."))
    for number in range(5000):
        chat.put(reply("Batch done.", str(number)))
        if number % 1000 == 0:
            chat.put(card("Rolling out."))
    assert stream.getvalue().count("Rolling out.") == 1
    assert len(chat._shown) <= 2000
