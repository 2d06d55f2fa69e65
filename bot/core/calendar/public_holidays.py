"""The one door to python-holidays: the public holidays of a country or one of its subdivisions.

Imported only when a window names a calendar, since most repos and most commands never do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache


def holiday(code: str, day: date) -> str | None:
    """The name of the public holiday on that day, observed and substitute days included."""
    return _year(code, day.year).get(day)


@lru_cache(maxsize=512)
def _year(code: str, year: int) -> Mapping[date, str]:
    import holidays  # 0.2 s, wanted only where a window names holidays

    country, _, subdivision = code.partition("-")
    found = holidays.country_holidays(
        country,
        subdiv=subdivision or None,
        years=year,  # with what is observed in it for a holiday of the year before or after
        observed=True,
        language="en_US",  # without it the names follow the environment of the process
    )
    return dict(found)
