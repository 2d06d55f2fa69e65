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
    # A holiday may be observed across New Year, so the neighbours are asked as well.
    found = holidays.country_holidays(
        country, subdiv=subdivision or None, years=(year - 1, year, year + 1), observed=True
    )
    return {day: name for day, name in found.items() if day.year == year}
