"""Settings as they are told: the page, the example to copy, and the code."""

from __future__ import annotations

from dataclasses import fields

from bot.config import SECRET, Settings
from tests.docs.pages import ROOT, code, read, table

VARIABLES = sorted(str(each.metadata["variable"]) for each in fields(Settings))


def told() -> dict[str, list[str]]:
    return {code(row[0])[0]: row for row in table(read("configuration.md"), "# Configuration")}


def test_every_setting_is_told_on_the_page_and_no_other() -> None:
    """There is no third place to look for one."""
    plain = [f"{SECRET}<NAME>" if name.startswith(SECRET) else name for name in VARIABLES]
    assert sorted(told()) == sorted(plain)


def test_every_setting_stands_in_the_example_to_copy() -> None:
    """`.env.example` is what people start from."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert [name for name in VARIABLES if f"#{name}=" not in example] == []


def test_defaults_on_the_page_are_those_of_the_code() -> None:
    """A wrong default is believed for years."""
    settings, rows = Settings(), told()
    assert code(rows["SLUICE_REPO"][1]) == [settings.repo]
    assert code(rows["SLUICE_DB"][1]) == [str(settings.db)]
    assert code(rows["SLUICE_TICK"][1]) == [f"{settings.tick.seconds}s"]
    assert code(rows["PORT"][1]) == [str(settings.port)]
