"""Values as the contract writes them in JSON: moments in UTC with a Z. Never decides."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(at: datetime | None) -> str | None:
    """RFC 3339 in UTC, with Z; fractions of a second only where there are some."""
    if at is None:
        return None
    return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
