"""Slack's blocks: inside the documented limits, and deaf to whatever a text tries to inject."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.core.messages import as_blocks, as_text, card, escaped, fallback, story
from bot.model.message import Button, Message, Tone
from tests.messages.views import RELEASE, decision, done, event, large, view

SLACK = {"ana": "U01ANA", "ben": "W0BEN2", "network": "S01NET", "evil": "U1> <!here"}
NASTY = ("<!here>", "<@U01ANA>", "<https://evil.example|ok>", "<!subteam^S01>", "&lt;!here&gt;")

pieces = st.sampled_from([*NASTY, "@here", "`", "```", "*", "\n"]) | st.text(max_size=30)
texts = st.lists(pieces, max_size=5).map("".join) | st.text(min_size=1, max_size=9).map(
    lambda text: text * 400
)
styles = st.sampled_from(["default", "primary", "danger"])
messages = st.builds(
    Message,
    text=texts,
    tone=st.none() | st.sampled_from(Tone),
    title=texts,
    lines=st.lists(texts, max_size=5).map(tuple),
    facts=st.lists(st.tuples(texts, texts), max_size=3).map(tuple),
    rows=st.lists(st.lists(texts, max_size=3).map(tuple), max_size=4).map(tuple),
    buttons=st.lists(
        st.builds(
            Button,
            label=texts,
            command=texts,
            style=st.sampled_from(["default", "primary", "danger"]),
        ),
        max_size=6,
    ).map(tuple),
    mentions=st.lists(st.sampled_from([*SLACK, "stranger"]) | texts, max_size=4).map(tuple),
)


def _strings(value: Any) -> Iterator[str]:
    """Every text that Slack would parse: button values are data and are not shown."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "text" and isinstance(item, str):
                yield item
            elif key != "value":
                yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(messages)
def test_the_limits_of_slack_hold_for_any_text(message: Message) -> None:
    """A message over a limit is not posted at all: nobody would learn of the decision it asks."""
    blocks = as_blocks(message, SLACK)
    assert len(blocks) <= 50
    for block in blocks:
        match block["type"]:
            case "header":
                assert 1 <= _units(block["text"]["text"]) <= 150
            case "section":
                assert 1 <= _units(block["text"]["text"]) <= 3000
            case "context":
                assert 1 <= len(block["elements"]) <= 10
                assert all(element["text"] for element in block["elements"])
            case "actions":
                assert 1 <= len(block["elements"]) <= 4
                _check_buttons(block["elements"])
            case other:
                raise AssertionError(other)
    assert _units(fallback(message, SLACK)) <= 4000
    json.dumps(blocks)


def _check_buttons(elements: list[dict[str, Any]]) -> None:
    assert len({element["action_id"] for element in elements}) == len(elements)
    for element in elements:
        assert 1 <= _units(element["text"]["text"]) <= 75
        assert len(element["value"]) <= 2000
        confirm = element.get("confirm")
        if confirm:
            assert _units(confirm["title"]["text"]) <= 100
            assert _units(confirm["text"]["text"]) <= 300
            assert _units(confirm["confirm"]["text"]) <= 30


@given(messages)
def test_no_text_can_inject_a_mention_or_a_link(message: Message) -> None:
    """A pod's reason or a pull request's title is data: it calls nobody and leads nowhere."""
    allowed = {"<@U01ANA>", "<@W0BEN2>", "<!subteam^S01NET>"}
    for text in (*_strings(as_blocks(message, SLACK)), fallback(message, SLACK)):
        assert set(re.findall(r"<[^>]*>?", text)) <= allowed
        rest = re.sub(r"<[^>]*>", "", text)
        assert "<" not in rest
        assert ">" not in rest
        assert not re.search(r"&(?!amp;|lt;|gt;)", rest)
    if not message.mentions:
        assert "<" not in json.dumps([*_strings(as_blocks(message, SLACK))])


@given(messages)
def test_every_text_that_slack_parses_is_verbatim(message: Message) -> None:
    """Slack would turn bare addresses and channel names into links by itself."""
    for block in as_blocks(message, SLACK):
        parsed = [block.get("text", {}), *block.get("elements", [])]
        assert all(part.get("verbatim") for part in parsed if part.get("type") == "mrkdwn")


@given(texts, st.integers(1, 200))
def test_an_escape_is_never_cut_in_two(text: str, limit: int) -> None:
    """Half an escape is shown as rubbish, or worse, read as something else."""
    safe = escaped(text, limit)
    assert _units(safe) <= limit
    assert not re.search(r"&(?!amp;|lt;|gt;)", safe)


@given(messages)
def test_plain_text_moves_no_cursor(message: Message) -> None:
    """A pod's log line may hold an escape sequence; a terminal must not obey it."""
    told = as_text(message)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", told)


def test_too_much_of_everything_is_cut_and_still_offers_its_buttons() -> None:
    """What is cut is the end of the text, never what people can do about it."""
    names = tuple(f"member-{i}" for i in range(40))
    message = Message(
        text="x",
        lines=names * 3,
        facts=tuple((name, name) for name in names),
        rows=tuple((name * 50,) for name in names),
        buttons=tuple(Button(label=name, command=f"why {name}") for name in names),
        mentions=names,
    )
    blocks = as_blocks(message, SLACK)
    assert len(blocks) == 50
    assert len(blocks[0]["elements"]) == 10
    assert [b["value"] for b in blocks[-1]["elements"]] == [f"why member-{i}" for i in range(4)]
    assert all(_units(text) <= 3000 for text in _strings(blocks))


def test_only_mentions_of_the_message_mention() -> None:
    """Names come from people.yaml through the mapping; who has no id stays a name."""
    message = Message(text="Needs decision for <@U01ANA>", mentions=("ana", "network", "dora"))
    text = as_blocks(message, SLACK)
    assert text[-1]["text"]["text"] == "<@U01ANA> <!subteam^S01NET> dora"
    assert "&lt;@U01ANA&gt;" in text[0]["text"]["text"]
    assert fallback(message, SLACK).endswith("<@U01ANA> <!subteam^S01NET> dora")


def test_a_broken_id_in_the_mapping_mentions_nobody() -> None:
    """people.yaml is data too."""
    text = as_blocks(Message(text="x", mentions=("evil",)), SLACK)[-1]["text"]["text"]
    assert text == "evil"


def test_the_card_as_blocks(golden: Callable[[str, str], None]) -> None:
    """The whole card, as it goes to Slack; reviewed when it changes."""
    asked = view(
        *done("st-1", "st-2"), decisions=(decision(),), deciders={f"{RELEASE}#3": ("cem", "dora")}
    )
    told = json.dumps(as_blocks(card(asked), SLACK), indent=1, ensure_ascii=False)
    golden("messages/card-decision.json", told + "\n")


def test_a_card_of_a_thousand_units_is_at_most_twelve_blocks() -> None:
    """Vertical space is scarce in a channel."""
    assert len(as_blocks(card(large()))) <= 12


def test_a_primary_or_dangerous_button_asks_again() -> None:
    """One wrong tap on a phone must not approve or roll back a fleet."""
    asked = event("decision.asked", id=f"{RELEASE}#3", asks="Begin?", roles=["approver"], count=1)
    message = story(asked, view())
    assert message is not None
    approve, reject = as_blocks(message)[-1]["elements"]
    assert approve["confirm"]["title"]["text"] == "Approve?"
    assert "confirm" not in reject
