"""One word for one thing: what the bot says, against the glossary (law 11)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import ROOT, read, table

UNSAID = "## Words that the bot never says"


def sentences() -> Iterator[tuple[str, str]]:
    """Where, and what: every text in the modules of messages that is no docstring and no name."""
    for path in sorted((ROOT / "bot/core").glob("messages*.py")):
        for line, text in _texts(path):
            yield f"{path.name}:{line}", text
    for path in sorted((ROOT / "tests/golden/messages").iterdir()):
        yield path.name, path.read_text(encoding="utf-8")


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    comments = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or id(node) in comments:
            continue
        # A text without a space is a code or a key, which nobody reads.
        if isinstance(node.value, str) and " " in node.value.strip():
            yield node.lineno, node.value


def unsaid() -> dict[str, str]:
    """Word → what is said instead."""
    return {row[0]: row[1] for row in table(read("glossary.md"), UNSAID)}


def test_the_bot_calls_things_by_their_one_name() -> None:
    """Two words for one thing make two things, in an incident at the latest."""
    words = re.compile(rf"\b({'|'.join(map(re.escape, unsaid()))})(s|d|ing)?\b", re.IGNORECASE)
    strays = [
        f"{where}: {found[0]}" for where, text in sentences() if (found := words.search(text))
    ]
    assert strays == []


def test_the_words_of_the_design_are_all_explained() -> None:
    """A newcomer finds each word of a card on one page."""
    rows = table(read("glossary.md"), "# Glossary")
    terms = {term for row in rows for term in re.findall(r"\*\*(.+?)\*\*", row[0])}
    assert terms >= {
        *("Component", "Unit", "Scope", "Release", "Pipeline", "Stage", "Wave", "Batch", "Soak"),
        *("Revision", "Decision", "Plan", "Cluster spec", "Target spec", "DB spec"),
        *("Certificate", "Gate", "Hold", "Verdict", "Window", "Freeze", "Override"),
    }


def test_the_list_of_unsaid_words_is_really_looked_for() -> None:
    """An empty list, or modules that moved, would let everything through."""
    assert "grayscale" in unsaid()
    assert sum(1 for _ in sentences()) > 200
