"""The Chat port: a post appears once, is edited in place, and foreign text stays text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.message import Button, Message, Tone
from bot.ports import Unreachable
from tests.contracts.chats import CHATS, NOW, ChatUnderTest, card, reply


@pytest.fixture(params=CHATS)
def under_test(request: pytest.FixtureRequest) -> ChatUnderTest:
    return CHATS[request.param]()


def test_a_post_is_seen_once_however_often_it_is_put(under_test: ChatUnderTest) -> None:
    """Every effect may be done twice: a crash after posting puts the same post again."""
    under_test.chat.put(card("Waiting for approval."))
    seen = under_test.seen()
    assert seen.count("Waiting for approval.") == 1
    under_test.chat.put(card("Waiting for approval."))
    under_test.chat.put(card("Waiting for approval.", at=NOW + timedelta(minutes=1), sent=True))
    assert under_test.seen() == seen


def test_an_edit_shows_what_is_new(under_test: ChatUnderTest) -> None:
    """The card is the truth about the release; an edit that is not seen would be a lie."""
    under_test.chat.put(card("Waiting for approval."))
    under_test.chat.put(card("Rolling out, wave 2."))
    assert "Rolling out, wave 2." in under_test.seen()


def test_going_back_to_an_earlier_text_is_an_edit(under_test: ChatUnderTest) -> None:
    """Paused, resumed, paused again: the second pause must be seen as well."""
    for text in ("Paused by ana.", "Rolling out.", "Paused by ana."):
        under_test.chat.put(card(text))
    seen = under_test.seen()
    assert seen.rindex("Paused by ana.") > seen.index("Rolling out.") or "Rolling" not in seen


def test_the_same_text_under_two_keys_is_two_posts(under_test: ChatUnderTest) -> None:
    """Two releases, or two events, may say the same."""
    under_test.chat.put(card("Batch 1 done.", "card/a"))
    under_test.chat.put(card("Batch 1 done.", "card/b"))
    under_test.chat.put(reply("Batch 1 done.", "1"))
    under_test.chat.put(reply("Batch 1 done.", "2"))
    assert under_test.seen().count("Batch 1 done.") == 4


def test_everything_in_a_message_can_be_read(under_test: ChatUnderTest) -> None:
    """Who is asked, what is asked and which command answers it."""
    message = Message(
        text="Approve stage production?",
        title="node-agent 2.5.0",
        tone=Tone.DECISION,
        lines=("2 of 4 waves are done.",),
        facts=(("ends", "Tue 14:00"),),
        rows=(("wave", "units"), ("2", "12")),
        buttons=(Button(label="Approve", command="approve node-agent-2-5-0#3"),),
        mentions=("ana",),
    )
    under_test.chat.put(replace(card("x"), message=message))
    for part in (
        *("node-agent 2.5.0", "needs decision", "2 of 4 waves are done.", "ends", "Tue 14:00"),
        *("units", "12", "Approve", "approve node-agent-2-5-0#3", "ana"),
    ):
        assert part in under_test.seen()


HOSTILE = (
    "\x1b[2J\x1b[1;1H",  # clears the screen
    "\x1b]0;owned\x07",  # renames the window
    "\x9b31m",  # the same in one character
    "\r\x08\x08",  # writes over what stands there
    "\u202etxt.exe\u2066",  # turns the direction round
    "\u2028\x85\x0b\x0c",  # line ends of other alphabets
    "\x00\x7f",
)


def test_foreign_text_cannot_act_on_whoever_reads_it(under_test: ChatUnderTest) -> None:
    """A pull request title must not clear, forge or colour what an operator decides by."""
    for number, hostile in enumerate(HOSTILE):
        said = f"be{hostile}fore"
        message = Message(
            text=said,
            title=said,
            lines=(said,),
            facts=((said, said),),
            rows=((said, said),),
            buttons=(Button(label=said, command=said),),
            mentions=(said,),
        )
        post = replace(reply("x", f"{number}{hostile}"), message=message)
        under_test.chat.put(replace(post, channel=said, thread=said, release=said))
        under_test.chat.put(replace(post, message=replace(message, lines=(f"{said}!",))))
    seen = under_test.seen()
    assert "fore" in seen
    assert {char for char in seen if not char.isprintable()} <= {"\n"}


@given(text=st.text(max_size=40), tone=st.sampled_from([None, *Tone]))
@pytest.mark.parametrize("name", CHATS)
def test_any_text_can_be_put(name: str, text: str, tone: Tone | None) -> None:
    """Whatever a person or a cluster wrote, a post about it goes out; also twice, also edited."""
    under_test = CHATS[name]()
    message = Message(text=text, tone=tone, lines=(text, text))
    for each in (message, message, replace(message, lines=())):
        under_test.chat.put(replace(card("x"), message=each))


def test_a_chat_that_cannot_be_reached_says_so_and_shows_the_post_later(
    under_test: ChatUnderTest,
) -> None:
    """The outbox keeps the post and puts it again; it must not be taken for shown."""
    under_test.cut_off(True)
    with pytest.raises(Unreachable):
        under_test.chat.put(card("Waiting for approval."))
    under_test.cut_off(False)
    assert under_test.seen() == ""
    under_test.chat.put(card("Waiting for approval."))
    assert under_test.seen().count("Waiting for approval.") == 1
