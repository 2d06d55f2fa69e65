"""The wall clock: aware, in UTC, and it moves on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.adapters.clock import SystemClock


def test_the_clock_tells_the_moment_in_utc() -> None:
    """Every time in the store is compared with this one; a local one would be hours off."""
    clock = SystemClock()
    before = datetime.now(UTC)  # noqa: TID251
    now = clock.now()
    assert now.tzinfo is UTC
    assert before <= now <= before + timedelta(minutes=1)
    assert now <= clock.now()
