"""Holiday codes: countries and subdivisions that python-holidays knows, as data.

The library itself is not loaded for a lint; a test holds the data to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

from release_repo_schema.findings import did_you_mean


@cache
def countries() -> Mapping[str, tuple[str, ...]]:
    """Every country code and its subdivisions."""
    text = resources.files("release_repo_schema").joinpath("holiday_codes.json").read_text("utf-8")
    return {country: tuple(subdivisions) for country, subdivisions in json.loads(text).items()}


def holiday_problem(code: str) -> str:
    """What is wrong with a code, "" where nothing is."""
    country, dash, subdivision = code.partition("-")
    known = countries().get(country)
    if known is None:
        return f"no country is known by the holiday code `{country}`"
    if dash and subdivision not in known:
        return f"{country} has no subdivision `{subdivision}`"
    return ""


def holiday_hint(code: str) -> str:
    """What could be written instead of a code that is not known."""
    country, _, subdivision = code.partition("-")
    known = countries().get(country)
    if known is None:
        return did_you_mean(country, countries(), "a country and perhaps a subdivision: DE, DE-BE")
    if not known:
        return f"write {country}"
    return did_you_mean(subdivision, known, f"{country} has {', '.join(known)}")
