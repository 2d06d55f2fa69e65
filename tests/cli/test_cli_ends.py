"""How commands end: exit codes, one JSON document, no traceback; and how they start: light."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from bot.cli import files
from bot.cli.entry import COMMANDS
from bot.cli.flags import Verb
from tests.cli.terminal import Town, sluice
from tests.run.processes import ROOT, SCRIPT

HEAVY = (
    "git", "sqlite_utils", "jinja2", "cel", "apscheduler", "slack_bolt", "github", "kubernetes",
    "prometheus_client", "ruamel", "urllib.request", "asyncio",
)  # fmt: skip


def _breaks(with_: BaseException) -> Callable[[], int]:
    def callback() -> int:
        raise with_

    return callback


def test_a_bug_is_one_line_with_where_the_report_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A traceback frightens users and tells them nothing; the report is for us."""
    broken = Verb("schema", callback=_breaks(ZeroDivisionError("at the worst moment")))
    monkeypatch.setitem(files.VERBS, "schema", broken)
    said = sluice("schema")
    assert said.code == 70
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err
    report = Path(re.search(r"\S+\.txt", said.err)[0])  # type: ignore[index]
    assert "at the worst moment" in report.read_text()
    report.unlink()
    document = sluice("schema", "--json").json
    Path(document["error"]["report"]).unlink()
    assert document["error"]["code"] == "bug"


def test_an_interrupt_ends_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is no mistake."""
    monkeypatch.setitem(
        files.VERBS, "schema", Verb("schema", callback=_breaks(KeyboardInterrupt()))
    )
    said = sluice("schema")
    assert (said.code, said.err.strip()) == (130, "")


def test_a_closed_pipe_ends_quietly() -> None:
    """`sluice schema | head` is everyday life."""
    shown = subprocess.run(
        f"{sys.executable} -c {shlex.quote(SCRIPT)} schema --json | head -c 20",
        shell=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert shown.stderr == ""


def test_an_answer_that_cannot_be_written_is_no_bug() -> None:
    """A full disk behind `> file` must not look like an empty answer, nor like a fault of ours."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, "schema", "Window", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=False,
        )
    assert done.returncode == 4
    assert done.stderr == "sluice: the answer cannot be written: No space left on device\n"


def test_an_unknown_command_names_the_near_one() -> None:
    """`sluice plna` means plan."""
    said = sluice("plna")
    assert said.code == 2
    assert "did you mean `plan`?" in said.err


def test_unknown_settings_are_wrong_usage(monkeypatch: pytest.MonkeyPatch, example: Path) -> None:
    """A misspelt variable would be silently ignored for years."""
    monkeypatch.setenv("SLUICE_REPPO", "x")
    said = sluice("windows", "--repo", example, "--json")
    assert said.code == 2
    assert "SLUICE_REPO" in said.json["error"]["why"]


def test_flags_may_stand_before_or_after_the_verb(example: Path) -> None:
    """People add --json at the end, scripts put it in front."""
    words = ("--repo", example, "--at", "2026-11-24T09:00:00Z")
    before = sluice(*words, "--json", "windows")
    after = sluice("windows", *words, "--json")
    assert before.out == after.out
    assert sluice("--repo", "/nowhere", "windows", *words, "--json").out == after.out


def test_every_command_has_help_in_one_line_and_of_its_own() -> None:
    """--help is the manual that is always at hand."""
    shown = sluice("--help").out
    for name, (_, said) in COMMANDS.items():
        assert f"  {name} " in shown
        assert said in " ".join(shown.split())
        own = sluice(name, "--help")
        assert own.code == 0
        assert own.out.startswith(f"Usage: sluice {name}")
    assert isinstance(files.VERBS["lint"], click.Command)


@pytest.mark.parametrize("words", [("windows",), ("lint",), ("schema", "Release")])
def test_a_question_about_files_loads_nothing_heavy(example: Path, words: tuple[str, ...]) -> None:
    """The command line is used in loops and prompts: what is not needed must not be loaded."""
    loaded = _loaded(example, *words)
    conditions = {"cel"} if words == ("lint",) else set()  # a check of the example has one
    assert loaded & set(HEAVY) <= conditions
    assert ("holidays" in loaded) == (words == ("windows",)), "only where a window names them"
    calendar = example / "calendar/windows.yaml"
    lines = [one for one in calendar.read_text().splitlines() if "holidays:" not in one]
    calendar.write_text("\n".join(lines))
    assert "holidays" not in _loaded(example, *words)


ENGINE = ("turn", "situation", "forecast", "lifecycle", "board")
"""What decides of releases: a question about files needs none of it."""
BESIDE = ("bot.reconciler", "bot.cluster", "bot.ports", "bot.model.state", "checks", "sqlite3")


def test_a_question_about_files_loads_no_engine(example: Path) -> None:
    """Every module costs each time. `windows` needs the rules of the calendar and names of units,
    nothing else; `lint` renders and judges, and runs nothing ahead.
    """
    engine = {f"bot.core.{name}" for name in ENGINE}
    lint, windows = _loaded(example, "lint"), _loaded(example, "windows")
    assert engine.isdisjoint(lint)
    assert engine.isdisjoint(windows)
    assert not [name for name in windows if name.startswith(BESIDE)]
    assert len([name for name in windows if name.startswith("bot.")]) <= 45
    assert len([name for name in lint if name.startswith("bot.")]) <= 120


def _loaded(repo: Path, *words: str) -> set[str]:
    """The modules of a process that answered a question."""
    code = (
        "import sys, json; from bot.cli import main; code = main();"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--repo", str(repo), *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stderr))


@pytest.mark.parametrize(
    "words",
    [
        ("audit", ""),
        ("status", "--db", ""),
        ("lint", "--repo", ""),
        ("rehearse", "agent-2-0-0", "--from", "nope/x"),
    ],
)
def test_an_empty_name_and_what_is_no_version_are_wrong_usage(
    town: Town, words: tuple[str, ...]
) -> None:
    """A variable that was not set in a script must not answer for something else."""
    town.merged()
    said = town.sluice(*words)
    assert (said.code, said.out) == (2, ""), said
