"""The small words that every sentence shares: moments, counts, names in a row.

Turns values into text. Never reads a clock and knows no release.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.messages_calendar import duration

# Not strftime: what the bot says must not depend on the locale of its process.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def moment(at: Any, zone: str = "UTC", *, year: int | None = None) -> str:
    """`Tue 24 Nov 09:00 UTC`. Another year than `year` is spelled out; text passes as it is."""
    when = _moment(at)
    if when is None:
        return str(at)
    local = when.astimezone(ZoneInfo(zone))
    spelled = f" {local.year}" if year is not None and local.year != year else ""
    day = f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}{spelled}"
    return f"{day} {local.hour:02}:{local.minute:02} {zone}"


def exact(at: Any) -> str:
    """`14:02:11 UTC`: where the second matters, as after a pause."""
    when = _moment(at)
    if when is None:
        return str(at)
    local = when.astimezone(UTC)
    return f"{local.hour:02}:{local.minute:02}:{local.second:02} UTC"


def length(value: Any) -> str:
    """`1 h 30 min` of a timedelta or of seconds; text passes as it is."""
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return duration(timedelta(seconds=value))
    return str(value)


def many(count: Any, one: str, several: str = "") -> str:
    """`1 unit`, `3 units`."""
    return f"{count} {one if count == 1 else several or one + 's'}"


def some(value: Any) -> int:
    """How many: a count as it is, a list by its length, nothing as 0."""
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return int(value) if value.isdecimal() else 1
    return len(value) if isinstance(value, Sequence | Mapping | set | frozenset) else 0


def row(names: Any, *, most: int = 5, joint: str = ", ") -> str:
    """`a, b and 3 more`; one text passes as it is."""
    if names is None:
        return ""
    if isinstance(names, str):
        return names
    if not isinstance(names, Iterable):
        return str(names)
    listed = [str(name) for name in names]
    if len(listed) <= most:
        return joint.join(listed)
    return f"{joint.join(listed[:most])} and {len(listed) - most} more"


def sentence(*parts: str) -> str:
    """Parts as sentences, each with one full stop; empty ones are left out."""
    said = (part.strip() for part in parts)
    return " ".join(part if part.endswith((".", "?", "…")) else f"{part}." for part in said if part)


def clause(text: Any) -> str:
    """Foreign text inside a sentence: one line, without its full stop."""
    return " ".join(str(text or "").split()).rstrip(".")


def where(scope: Any) -> str:
    """A scope as people say it: `all` is everything."""
    return "everything" if scope == "all" else str(scope or "")


def short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(0, limit - 1)] + "…"


def _moment(at: Any) -> datetime | None:
    if isinstance(at, datetime):
        return at
    if isinstance(at, str):
        try:
            read = datetime.fromisoformat(at)
        except ValueError:
            return None
        return read if read.tzinfo is not None else None
    return None


__all__ = [
    "clause",
    "exact",
    "length",
    "many",
    "moment",
    "row",
    "sentence",
    "short",
    "some",
    "where",
]
