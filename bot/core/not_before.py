"""`notBefore` of a Release as a moment. Reads the spec; knows no clock."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.calendar.local_time import WhenTwice, moment
from bot.model.plan import ReleasePlan


def not_before(plan: ReleasePlan) -> datetime | None:
    """The release's `notBefore` as a moment; the later one where the clock shows it twice."""
    said = plan.spec.get("notBefore")
    if not said:
        return None
    local = datetime.fromisoformat(said["at"])
    return moment(local, ZoneInfo(said["zone"]), WhenTwice.SECOND)
