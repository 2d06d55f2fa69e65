"""The sentences of the calendar: why a batch may begin now, or what it waits for and until when.

Turns facts into words. Never asks the calendar, never decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# Not strftime: what the bot says must not depend on the locale of its process.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A moment as people read it: in the zone of the rule that speaks, and in UTC."""

    at: datetime
    zone: ZoneInfo
    year: int
    """The year of the question; another year is spelled out."""

    def __str__(self) -> str:
        local = self.at.astimezone(self.zone)
        if self.zone.key == "UTC":
            return f"{_date(local, self.year)} {_clock(local)} UTC"
        utc = self.at.astimezone(UTC)
        there = f"{_clock(utc)} UTC"
        if utc.date() != local.date():
            there = f"{_date(utc, self.year)} {there}"
        return f"{_date(local, self.year)} {_clock(local)} {self.zone.key} ({there})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A Deny window or a freeze that covers the moment."""

    kind: str
    name: str
    until: When | None
    reason: str = ""
    owner: str = ""

    def __str__(self) -> str:
        word = _DENIALS[self.kind]
        until = f" until {self.until}" if self.until is not None else ""
        reason = f": {self.reason}" if self.reason else ""
        owner = f" ({self.owner})" if self.owner else ""
        return f"{word} {self.name}{until}{reason}{owner}"


_DENIALS = {
    "Window": "Deny window",
    "Freeze": "Freeze",
    "EmergencyFreeze": "Emergency freeze",
}


def denied(denials: Sequence[Denial], opens: When | None) -> str:
    """Closed by everything that denies; names the opening where it is not simply the last end."""
    text = "; ".join(str(denial) for denial in denials)
    if opens is None:
        return f"{text}; {_NO_OPENING}"
    if any(d.until is None for d in denials) or opens.at != max(
        d.until.at for d in denials if d.until is not None
    ):
        return f"{text}; opens {opens}"
    return text


def outside(
    windows: Sequence[str], *, holidays: Iterable[str], opens: When | None, after: Sequence[str]
) -> str:
    """Closed because no Allow window that matches covers the moment."""
    named = tuple(dict.fromkeys(holidays))
    holiday = f" (public holiday: {_list(named)})" if named else ""
    then = f"opens {opens}{_after(after)}" if opens is not None else _NO_OPENING
    return f"Outside {_list(windows)}{holiday}; {then}"


def kept_closed(policy: str) -> str:
    return f"No window matches; policy {policy} keeps that closed (windows.whenNoneMatches)"


def within(windows: Sequence[str], closes: When | None, closed_by: Sequence[str]) -> str:
    """Open because an Allow window covers the moment."""
    return f"Within {_list(windows)}{_closing(closes, closed_by)}"


def left_open(policy: str, closes: When | None, closed_by: Sequence[str]) -> str:
    text = f"No window matches; policy {policy} leaves that open (windows.whenNoneMatches)"
    return text + _closing(closes, closed_by)


def rollback_open(closes: When | None, closed_by: Sequence[str]) -> str:
    return "A rollback waits for no window" + _closing(closes, closed_by)


def too_late(
    need: timedelta, closes: When, *, closed_by: Sequence[str], first: When, after: Sequence[str]
) -> str:
    """Open, but what the batch needs people for does not fit before the close."""
    by = f" ({_list(closed_by)})" if closed_by else ""
    then = f"first fits {first}{_after(after)}"
    return f"{duration(need)} do not fit before the close {closes}{by}; {then}"


def too_short(closed: str, need: timedelta, first: When) -> str:
    """Closed, and the next opening is too short for the batch."""
    return f"{closed}; that is too short for {duration(need)}, first fits {first}"


def never_fits(closed: str, need: timedelta) -> str:
    """The next opening may be near, but none is long enough."""
    if closed.endswith(_NO_OPENING):
        return closed
    return f"{closed}; no opening within 400 days is long enough for {duration(need)}"


def duration(length: timedelta) -> str:
    """`1 h 30 min`; nothing smaller than a second is said."""
    seconds = int(length.total_seconds())
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [
        f"{amount} {word}"
        for amount, word in ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s"))
        if amount
    ]
    return " ".join(parts) or "0 s"


_NO_OPENING = "no opening within 400 days"


def _after(names: Sequence[str]) -> str:
    return f", after {_list(names)}" if names else ""


def _closing(closes: When | None, closed_by: Sequence[str]) -> str:
    if closes is None:
        return ""
    by = f" ({_list(closed_by)})" if closed_by else ""
    return f" until {closes}{by}"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _date(at: datetime, year: int) -> str:
    text = f"{_DAYS[at.weekday()]} {at.day} {_MONTHS[at.month - 1]}"
    return text if at.year == year else f"{text} {at.year}"


def _clock(at: datetime) -> str:
    return f"{at.hour:02}:{at.minute:02}"
