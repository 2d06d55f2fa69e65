"""The page of commands, and every command typed out in the docs, against the command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bot.cli.entry import COMMANDS, cli
from bot.cli.flags import COMMON
from tests.docs.pages import code, pages, read, table

TYPED = re.compile(r"(?:^|&& |^\$ )sluice (?P<words>[^#\n]*)", re.MULTILINE)
_BLOCK = re.compile(r"^```(?:sh|console|text)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_has_its_place_on_the_page_and_no_other_has() -> None:
    """A command that is not told is not found; one that is told and gone wastes an evening."""
    headings = re.findall(r"^### (\S+)$", read("commands.md"), re.MULTILINE)
    assert sorted(headings) == sorted(COMMANDS)
    assert re.findall(r"<!-- usage: (\S+) -->", read("commands.md")) == headings


def test_the_common_flags_are_told() -> None:
    """They are hidden in the help of each command, so here they must stand."""
    told = {
        flag.split()[0]
        for row in table(read("commands.md"), "every command")
        for flag in code(row[0])
    }
    assert told == {"--as" if name == "as_name" else f"--{name}" for name in COMMON}


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_what_a_page_tells_to_type_can_be_typed(page: Path) -> None:
    """In an incident commands are copied, not read."""
    wrong = [f"{line}: {why}" for line in _typed(page) if (why := _problem(line))]
    assert wrong == []


def test_a_wrong_command_would_be_noticed() -> None:
    """The reading of blocks must not pass over everything."""
    assert _problem("rolback x") == "no command rolback"
    assert _problem("pause all --finish-bach") == "no option --finish-bach"
    runbook = next(page for page in pages() if page.name == "runbook.md")
    assert len(list(_typed(runbook))) > 20


def _typed(page: Path) -> Iterator[str]:
    if page.name == "commands.md":  # synopses, held by the tests above
        return
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        for found in TYPED.finditer(block):
            yield found["words"].split("  ")[0].strip()


def _problem(line: str) -> str:
    """Why it cannot be typed; "" when it can."""
    words = shlex.split(line.replace("\\|", "|").split(" && ")[0].split(" | ")[0])
    while words and words[0].startswith("--") and words[0] not in ("--version", "--help"):
        words = words[1:] if "=" in words[0] or words[0] == "--json" else words[2:]
    if not words or words[0].startswith("-"):
        return ""
    if words[0] not in COMMANDS:
        return f"no command {words[0]}"
    command = cli.get_command(click.Context(cli), words[0])
    assert command is not None
    known = {name for param in command.params for name in param.opts}
    strange = [w for w in words[1:] if w.startswith("--") and w.partition("=")[0] not in known]
    return f"no option {strange[0]}" if strange else ""
