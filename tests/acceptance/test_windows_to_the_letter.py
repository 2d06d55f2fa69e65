"""windows: the calendar rules of the contract by the command line, and no guess beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.terminal import Said, sluice

UNIT = "node-agent@eu-1"


def window(name: str, body: str, zone: str = "Europe/Berlin") -> str:
    head = f"apiVersion: sluice/v1\nkind: Window\nmetadata: {{name: {name}}}\n"
    return f"{head}spec:\n  zone: {zone}\n{body}"


def only(repo: Path, *documents: str) -> None:
    """These are all windows and freezes there are."""
    (repo / "calendar/freezes/year-end.yaml").unlink()
    (repo / "calendar/windows.yaml").write_text("---\n".join(documents))


def ask(repo: Path, at: str, *more: str) -> Any:
    said = sluice("--repo", repo, "windows", "--unit", UNIT, "--at", at, "--json", *more)
    assert said.code == 0
    return said.json


@pytest.mark.parametrize(
    ("body", "at", "next_open", "next_close"),
    [
        # Clocks go forward on 29 March 2026 at 02:00, back on 25 October 2026 at 03:00.
        ("  days: [Sun]\n  from: '02:00'\n  to: '03:00'\n", "2026-03-28T12:00:00Z",
         "2026-04-05T00:00:00Z", "2026-04-05T01:00:00Z"),
        ("  days: [Sun]\n  from: '01:30'\n  to: '02:30'\n", "2026-03-28T12:00:00Z",
         "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"),
        ("  days: [Sun]\n  from: '02:30'\n  to: '03:30'\n", "2026-10-24T12:00:00Z",
         "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"),
        ("  days: [Sun]\n  from: '01:00'\n  to: '02:30'\n", "2026-10-24T12:00:00Z",
         "2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z"),
        ("  days: [Sun]\n  from: '02:15'\n  to: '02:45'\n", "2026-10-24T12:00:00Z",
         "2026-11-01T01:15:00Z", "2026-11-01T01:45:00Z"),
        ("  days: [Fri-Mon]\n  from: '22:00'\n  to: '04:00'\n", "2026-11-24T05:00:00Z",
         "2026-11-27T21:00:00Z", "2026-11-28T03:00:00Z"),
        ("  starts: 2028-01-01\n", "2026-11-24T05:00:00Z", None, None),
    ],
)  # fmt: skip
def test_an_allow_never_grows_when_clocks_change(
    repo: Path, body: str, at: str, next_open: str | None, next_close: str | None
) -> None:
    """One batch at three at night, because a clock was set back, is one too many."""
    only(repo, window("w", body))
    found = ask(repo, at)
    assert (found["open"], found["nextOpen"], found["nextClose"]) == (False, next_open, next_close)


def test_by_names_what_decides_in_the_order_of_the_contract(repo: Path) -> None:
    """Every Deny that covers; else every Allow that covers; else every matching Allow."""
    only(
        repo,
        window("a1", "  days: [Mon, Tue]\n", "UTC"),
        window("a2", "  days: [Tue]\n", "UTC"),
        window("d1", "  effect: Deny\n  days: [Mon]\n", "UTC"),
        window("other", "  components: {names: [log-shipper]}\n", "UTC"),
    )
    assert ask(repo, "2026-11-23T12:00:00Z")["by"] == ["d1"]
    assert ask(repo, "2026-11-24T12:00:00Z")["by"] == ["a1", "a2"]
    assert ask(repo, "2026-11-25T12:00:00Z")["by"] == ["a1", "a2"]
    assert ask(repo, "2026-11-23T12:00:00Z", "--action", "rollback")["open"] is True


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("calendar/freezes/year-end.yaml", "reason:", "reasn:"),
        ("calendar/windows.yaml", "Europe/Berlin", "Europe/Berln"),
        ("calendar/windows.yaml", "Europe/Berlin", "../../etc/passwd"),
        ("calendar/windows.yaml", "DE-BE", "DE-XX"),
        ("policy/policy.yaml", "windows:", "windos:"),
    ],
)
def test_a_calendar_that_cannot_be_read_answers_nothing(
    repo: Path, file: str, before: str, after: str
) -> None:
    """A freeze with a typo is still meant: `open` would be a guess, and a crash is no answer."""
    text = (repo / file).read_text()
    (repo / file).write_text(text.replace(before, after))
    said = sluice("--repo", repo, "windows", "--unit", UNIT, "--json")
    assert said.code == 1
    assert {one["path"] for one in said.json["findings"]} == {file}


def test_a_broken_neighbour_does_not_hide_the_answer_for_a_unit(repo: Path) -> None:
    """What another cluster's file says wrong decides nothing here."""
    (repo / "fleet/clusters/eu-2.yaml").write_text("{{{")
    assert sluice("--repo", repo, "windows", "--unit", UNIT).code == 0
    assert sluice("--repo", repo, "windows").code == 1


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2026-11-24t09:00:00z", 0),
        ("2026-11-24T10:00:00+01:00", 0),
        ("2026-11-24T09:00", 2),
        ("9999-12-31T23:59:59-14:00", 2),
        ("0001-01-01T00:00:00+14:00", 2),
    ],
)
def test_at_takes_moments_and_nothing_else(repo: Path, at: str, code: int) -> None:
    """A moment that cannot be reckoned with is wrong usage, and no bug of ours."""
    said: Said = sluice("--repo", repo, "windows", "--unit", UNIT, "--at", at, "--json")
    assert said.code == code
    assert said.json.get("open", True) is True
