"""Why a release that came to main is held or ended by the bot itself. State in, words out."""

from __future__ import annotations

from enum import StrEnum


class Said(StrEnum):
    """What there is to say."""

    EDITED = "its spec was changed on main after the merge; put it back, or make a new release"
    DELETED = "its file was taken away from main while it runs; roll back, or resume to go on"
    TAKEN_AWAY = "its file was taken away from main before it began"
    UNKNOWN_PULL = "it came to main without a pull request whose plan was shown"
    MAIN_BROKEN = "main does not lint: {why}"
    NOT_PLANNED = "it could not be planned: {why}"


NAME_TAKEN = "expected a new name, and a release {name} has been on main before"
NAME_TAKEN_HINT = "the name of a release is unique for ever; choose another"


def main_broken(why: str) -> str:
    """Above every list and among the bot's problems, as long as main does not lint."""
    return f"{hold_reason(Said.MAIN_BROKEN, why=why)}; the rules of its last good commit hold"


def hold_reason(said: Said, *, why: str = "") -> str:
    """The sentence; `why` is filled in where it has a place for it."""
    return said.value.replace("{why}", why)
