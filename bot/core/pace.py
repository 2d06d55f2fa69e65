"""How often a cluster is asked while a unit is in a phase. Numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from bot.model.state import UnitPhase

LOOK_EVERY: Mapping[UnitPhase, timedelta] = {
    UnitPhase.PENDING: timedelta(seconds=30),
    UnitPhase.APPLYING: timedelta(seconds=5),
    UnitPhase.SOAKING: timedelta(seconds=30),
    UnitPhase.VERIFYING: timedelta(seconds=5),
    UnitPhase.ROLLING_BACK: timedelta(seconds=5),
    UnitPhase.FAILED: timedelta(seconds=30),
    UnitPhase.QUARANTINED: timedelta(minutes=5),
}
UNREACHABLE_EVERY = timedelta(seconds=30)
WATCH_NOTED = 2 * LOOK_EVERY[UnitPhase.SOAKING]
"""How often a healthy look of a soak is written down: a row for every look would be too many."""
UNWATCHED_MOST = 5 * LOOK_EVERY[UnitPhase.SOAKING]
"""A soak that nobody watched for longer goes on for as long as that."""

FOR_ROOM = frozenset(
    (
        "concurrency",
        "fleet-limit",
        "locked",
        "dependency",
        "dependency-first",
        "dependency-half",
        "host",
        "risk",
        "risk-error",
    )
)
"""Codes of waiting that something else in flight may end."""
