"""Finding: one mistake, its place, what was expected and what to do about it.

Findings are collected, all of them; nothing here is raised.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

Level = Literal["error", "warning"]
Pointer = tuple[str | int, ...]
"""The way into a document, in the file's own keys: ("spec", "batches", 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line for the author. Line and column count from 1; None: the file as a whole."""

    path: str
    line: int | None = None
    column: int | None = None
    level: Level = "error"
    code: str
    message: str
    hint: str = ""

    @property
    def sort_key(self) -> tuple[str, int, int, str, str, str]:
        """By place, then by what is said."""
        return (
            self.path,
            self.line or 0,
            self.column or 0,
            self.level,
            self.code,
            self.message,
        )

    def to_json(self) -> dict[str, Any]:
        """The finding as `sluice lint --json` tells it."""
        return {
            "path": self.path,
            "line": self.line,
            "column": self.column,
            "level": self.level,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
        }

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.path, self.line, self.column) if part)
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {self.level}: {self.message} [{self.code}]{hint}"


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The hint for a word that nothing knows."""
    known = list(known)
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if not close:
        # The words of the contract are camelCase; a spelling in other case is the commonest slip.
        flat = {one.lower().replace("_", "").replace("-", ""): one for one in known}
        close = [
            flat[key] for key in (word.lower().replace("_", "").replace("-", ""),) if key in flat
        ]
    return f"did you mean `{close[0]}`?" if close else otherwise
