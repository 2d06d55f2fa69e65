"""What a planted defect is, and how it is put into a copy of the code. Runs no test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One line made wrong. `first`: the tests that are asked first, relative to the project."""

    name: str
    """What is broken, in the words of a release manager."""
    path: str
    old: str
    """The text that stands there once, and once only."""
    new: str
    first: tuple[str, ...]


def asked(file: str, test: str = "") -> str:
    """A file of tests/, or one test of it, as pytest is told."""
    return f"tests/{file}.py" + (f"::test_{test}" if test else "")


class NotPlantable(ValueError):
    """The code has moved on: what the defect replaces is not there, or not once."""


def planted(defect: Defect, source: str) -> str:
    """The source with the defect in it. Raises NotPlantable."""
    found = source.count(defect.old)
    if found != 1:
        raise NotPlantable(f"{defect.name}: {defect.path} has its text {found} times, not once")
    changed = source.replace(defect.old, defect.new)
    compile(changed, defect.path, "exec")
    return changed


def plant(defect: Defect, project: Path) -> None:
    """Write the defect into a copy of the project."""
    there = project / defect.path
    there.write_text(planted(defect, there.read_text()))
