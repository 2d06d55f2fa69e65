"""The audit in words: every kind of line has its sentence, and a stranger has one all the same."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from bot.core.messages_audit import KINDS, line_text, people
from bot.model.state import Event

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_every_sentence_is_of_a_line_that_there_is() -> None:
    """A kind that was renamed would be told by its facts only, and nobody would notice."""
    found = set()
    for path in (Path(__file__).parents[2] / "bot").rglob("*.py"):
        text = path.read_text()
        found |= set(re.findall(r'(?:\.tell|\.event)\(\s*"([a-z.-]+)"', text))
        found |= set(re.findall(r'kind="([a-z]+\.[a-z.-]+)"', text))
    assert {*KINDS} - {"write", "write.outcome", "batch.succeeded", "check"} <= found


def test_a_line_says_who_and_why() -> None:
    event = Event(
        at=AT, kind="unit.rolling-back", release="r", unit="a@b", who="ana", data={"reason": "leak"}
    )
    assert line_text(event) == "a@b: goes back by ana: leak."


def test_a_line_of_another_version_is_told_by_its_facts() -> None:
    event = Event(at=AT, kind="unit.later", unit="a@b", who="ben", data={"n": 3, "of": ["x"]})
    assert line_text(event) == "a@b: unit later by ben (n 3, of x)."


def test_people_are_named_once() -> None:
    events = [Event(at=AT, kind="x", who=who) for who in ("sluice", "ana", "ben", "ana")]
    assert people(events) == ("ana", "ben")
