"""Merging files in memory as Git does it: whole files first, then line by line. Pure.

Knows neither commits nor branches.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher

Files = Mapping[str, bytes]


def merge_files(base: Files, ours: Files, theirs: Files) -> tuple[dict[str, bytes], list[str]]:
    """The files of both sides, and the paths that cannot be merged."""
    merged: dict[str, bytes] = {}
    conflicts: list[str] = []
    for path in sorted({*base, *ours, *theirs}):
        was, mine, other = base.get(path), ours.get(path), theirs.get(path)
        if mine == other or other == was:
            found = mine
        elif mine == was:
            found = other
        elif mine is None or other is None:
            found = None
            conflicts.append(path)
        else:
            found = merge_lines(was or b"", mine, other)
            if found is None:
                conflicts.append(path)
        if found is not None:
            merged[path] = found
    return merged, conflicts


def merge_lines(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Line by line; None where both sides changed the same place."""
    was = base.splitlines(keepends=True)
    mine, other = (side.splitlines(keepends=True) for side in (ours, theirs))
    edits = sorted(
        {(low, high, tuple(new)) for side in (mine, other) for low, high, new in _edits(was, side)}
    )
    parts: list[bytes] = []
    at = 0
    for low, high, new in edits:
        # Changes that touch are told as a conflict, as Git tells them.
        if low < at or (low == at and at > 0):
            return None
        parts += [*was[at:low], *new]
        at = high
    return b"".join([*parts, *was[at:]])


def _edits(was: list[bytes], now: list[bytes]) -> list[tuple[int, int, list[bytes]]]:
    codes = SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
    return [(a, b, now[c:d]) for tag, a, b, c, d in codes if tag != "equal"]
