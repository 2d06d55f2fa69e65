"""The page of risk rules tells every name that a rule may use, and its examples are rules."""

from __future__ import annotations

import re
from pathlib import Path

from bot.core.risk import VARIABLES, problems

PAGE = (Path(__file__).parents[2] / "docs/risk-rules.md").read_text(encoding="utf-8")


def test_every_name_is_told_and_nothing_else() -> None:
    """A name that the page invents would be an error in somebody's pull request."""
    table = PAGE[PAGE.index("| Name |") : PAGE.index("A unit is in flight from")]
    told = {
        name
        for line in table.splitlines()
        if line.startswith("|")
        for name in re.findall(r"`([a-zA-Z]+\.[a-zA-Z0-9]+)`", line.split("|")[1])
    }
    assert told == set(VARIABLES)


def test_the_examples_are_rules_without_a_mistake() -> None:
    """People copy them."""
    block = PAGE[PAGE.index("```cel") :]
    block = block[: block.index("\n```")]
    rules = [line for line in block.splitlines()[1:] if line and not line.startswith("#")]
    assert len(rules) > 4
    for rule in rules:
        assert problems(rule) is None, rule
    assert problems("release.tier == '0' && inFlight.tier0 > 0") is None
