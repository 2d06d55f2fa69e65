"""One of a thing is told as one: a count that does not agree makes a reader doubt the figure."""

from __future__ import annotations

from dataclasses import replace

from bot.core.grammar import parse
from bot.core.messages_refusal import Refusal
from bot.core.messages_terminal import without_plan
from bot.model.state import ReleasePhase
from tests.messages.views import state


def test_what_stood_before_never_runs_in_the_number_that_it_is() -> None:
    """One file never runs, two never run."""
    before = state(ReleasePhase.BEFORE_US)
    one = without_plan([before])
    assert "1 Release file stood" in one
    assert "never runs by itself:" in one
    two = without_plan([before, replace(before, release="other")])
    assert "2 Release files stood" in two
    assert "never run by themselves:" in two


def test_a_wrong_decision_is_answered_in_whole_sentences() -> None:
    """What is not understood is followed by how it is written."""
    told = parse("approve agent#one", by="ana", surface="terminal")
    assert isinstance(told, Refusal)
    assert "A decision is RELEASE#NUMBER." in told.text
