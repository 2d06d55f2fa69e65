"""IANA zones: whether the system knows one of this name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from release_repo_schema.findings import Finding, Pointer, did_you_mean
from release_repo_schema.loadedfile import Document


@lru_cache(maxsize=1024)
def zone_exists(name: str) -> bool:
    """Whether this is a zone of the IANA data base."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        # Not only "not found": a name may also be a folder, or no path at all.
        return False
    return name not in ("posixrules", "localtime", "Factory")


def zone_findings(document: Document, pointer: Pointer, name: str) -> Iterator[Finding]:
    """The finding for a zone that does not exist."""
    if zone_exists(name):
        return
    hint = did_you_mean(name, available_timezones(), "such as Europe/Berlin or UTC")
    said = f"expected an IANA zone, found `{name}`"
    yield document.finding(pointer, "unknown-zone", said, hint)
