"""`sluice demo`: the whole story happens, other answers count, nothing is told untrue."""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.demo import LEFT, run, show
from bot.demo.files import SICK, repo_files
from bot.demo.teller import Teller, teller_for

PLAN = re.compile(r"\b(Plan:?) [0-9a-f]{12}\b")
"""A plan's hash changes with every word of the example repo; the story does not."""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Interrupted(io.StringIO):
    """A person who types Ctrl-C at the second question."""

    def __init__(self) -> None:
        super().__init__("\n")
        self.asked = 0

    def readline(self, size: int | None = -1, /) -> str:
        self.asked += 1
        if self.asked == 2:
            raise KeyboardInterrupt
        return super().readline()


@pytest.fixture(autouse=True)
def leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """However a demo ends, its temporary folder is gone."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield
    assert not list(tmp_path.iterdir())


def played(*answers: str) -> tuple[int, str]:
    """Exit code and text where these answers are typed, and then the terminal is gone."""
    said = io.StringIO()
    typed = io.StringIO("".join(f"{answer}\n" for answer in answers))
    code = show(Teller(said, answers=typed, speed=0, colours=False))
    return code, said.getvalue()


def test_without_a_terminal_the_whole_story_happens_by_itself(
    golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first thing a stranger runs: every step is proved while it is told."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    said = io.StringIO()
    assert run(auto=False, speed=None, stream=said) == 0
    golden("demo.txt", PLAN.sub(r"\1 <12 hex>", said.getvalue()))


def test_a_no_a_retry_and_a_skip_are_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who tries the other answers sees what the bot really does, and a truthful end."""
    code, said = played("what?", "m", "card", "rej", "approve", "go-on", "why", "retry", "skip")
    assert code == 0
    assert "Not understood: what?" in said
    assert "Rejected: node-agent-2-5-0#1" in said
    assert "Paused" not in said
    assert f"{SICK} failed again" not in said, "proofs are not narration"
    assert f"Retrying node-agent@{SICK}" in said
    assert f"Skipped node-agent@{SICK}" in said
    assert "Succeeded: node-agent 2.4.1 → 2.5.0 on 5 units" in said
    assert re.search(rf"{SICK} +2\.4\.1 ×6 +2\.4\.1 ×5, 2\.5\.0 ×1", said)
    assert "it sticks" not in said, "nothing was rolled back, so nothing is told of it"


def test_a_rejected_release_can_be_rolled_back_before_production() -> None:
    """The cautious answer: production never sees the version."""
    code, said = played("merge", "reject", "rollback")
    assert code == 0
    assert "production never saw 2.5.0" in said
    assert "approve production" not in said


def test_a_pull_request_that_is_closed_changes_nothing() -> None:
    """The shortest story."""
    code, said = played("close")
    assert code == 0
    assert "the release forgotten" in said
    assert "staging" not in said.partition("forgotten")[2]


def test_ctrl_c_leaves_cleanly() -> None:
    """Nobody is held in a demo, and no folder stays."""
    said = io.StringIO()
    assert show(Teller(said, answers=Interrupted(), speed=0, colours=False)) == LEFT
    assert said.getvalue().endswith("nothing else was touched.\n")


def test_a_step_that_does_not_happen_is_named_and_fails_the_demo() -> None:
    """Where no cluster fails, the demo must not tell that one did."""
    files = dict(repo_files())
    sick = f"fleet/clusters/{SICK}.yaml"
    files[sick] = files[sick].replace(b"crashLoop", b"slow")
    said = io.StringIO()
    assert show(Teller(said, answers=None, speed=0, colours=False), files) == 1
    assert said.getvalue().endswith(f"This step did not happen: {SICK} failed\n")
    assert "rolling back" not in said.getvalue()


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR is honoured, and a pipe gets text."""
    for stream, wanted, coloured in (
        (Terminal(), None, True),
        (Terminal(), "1", False),
        (io.StringIO(), None, False),
    ):
        monkeypatch.delenv("NO_COLOR", raising=False)
        if wanted:
            monkeypatch.setenv("NO_COLOR", wanted)
        teller = teller_for(stream, auto=True, speed=0)
        teller.types("ana", "sluice list")
        assert ("\x1b[" in stream.getvalue()) is coloured
        assert "ana $ sluice list" in stream.getvalue()
