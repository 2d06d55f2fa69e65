"""What a plan says of objects that lose or gain more than a change usually does. Words only."""

from __future__ import annotations

from bot.core.messages_words import many


def sized(what: str, before: int, after: int, units: int) -> str:
    """A generated file that doubles, or one that comes out empty."""
    size = f"in {many(units, 'unit')} ({_size(before)} → {_size(after)})"
    if after > before:
        return (
            f"{what} becomes {after / before:.1f} times as large {size}: a generated file grows "
            "like this when what it is made from is wrong"
        )
    return (
        f"{what} loses {1 - after / before:.0%} of what it holds {size}: what is missing is taken "
        "away from every pod that reads it"
    )


def selects_no_more(who: str, by: str, what: str, units: int) -> str:
    """A label goes that something else selects these pods by."""
    return (
        f"{who} selects pods of {what} by {by}, and the new pods do not have that any more "
        f"({many(units, 'unit')}): each batch takes pods away from it, the last one leaves it none"
    )


def _size(count: int) -> str:
    return f"{count / 1024:.1f} KiB" if count < 1024 * 1024 else f"{count / 1024 / 1024:.1f} MiB"
