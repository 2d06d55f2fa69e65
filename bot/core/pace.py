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
