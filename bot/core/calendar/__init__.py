"""The calendar: when a batch may begin, by which rule, and when that changes next.

Answers are intervals in UTC, worked out from windows and freezes per local date. It never reads a
clock, never samples minutes, and never decides anything but time.
"""

from __future__ import annotations

from bot.core.calendar.answers import (
    ADVANCE,
    HORIZON,
    ROLLBACK,
    CalendarUnit,
    EmergencyFreeze,
    Interval,
    Opening,
    Start,
    attended_need,
    fits,
)
from bot.core.calendar.calendar import Calendar
from bot.core.calendar.timeline import Klass

__all__ = [
    "ADVANCE",
    "HORIZON",
    "ROLLBACK",
    "Calendar",
    "CalendarUnit",
    "EmergencyFreeze",
    "Interval",
    "Klass",
    "Opening",
    "Start",
    "attended_need",
    "fits",
]
