"""docs/lifecycle.md says what the tables say."""

from __future__ import annotations

import inspect
from pathlib import Path

from bot.core.gates import GATES
from bot.core.lifecycle import NEXT
from bot.core.lifecycle_doc import lifecycle_markdown

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_is_what_the_tables_say() -> None:
    """Nobody reads an old diagram: `python docs/generate.py`."""
    assert (DOCS / "lifecycle.md").read_text(encoding="utf-8") == lifecycle_markdown()


def test_every_phase_that_has_gates_says_what_follows() -> None:
    """Two tables, one machine: neither knows a phase that the other does not."""
    assert set(GATES) == set(NEXT)
    for gates in GATES.values():
        assert len(set(gates)) == len(gates)
        assert all(inspect.getdoc(gate) for gate in gates), "a gate without a sentence"
