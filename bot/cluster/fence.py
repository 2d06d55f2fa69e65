"""The fence on an object: which plan wrote it last. An older plan never overwrites a newer one.

A fence is (first-parent position of the release's commit, sequence of the write): it grows, and it
outlives the store. Read here, compared here; written by whoever sends a write.
"""

from __future__ import annotations

from bot.model.plan import JSON

FENCE = "sluice/fence"


def fence_of(obj: JSON) -> tuple[int, ...]:
    """The fence of an object as numbers; () when it has none."""
    return numbers((obj["metadata"].get("annotations") or {}).get(FENCE, ""))


def numbers(fence: str) -> tuple[int, ...]:
    """A fence as it is written, `12.3`, as numbers that compare; () when it is none."""
    parts = fence.split(".")
    return tuple(map(int, parts)) if fence and all(p.isdigit() for p in parts) else ()
