"""The five answers of a check, and a measurement. Never decides what follows from an answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any


class Verdict(IntEnum):
    """Ordered: results merge by `max`; only PASSED opens a gate."""

    PASSED = 0
    PENDING = 1
    ERRORED = 2
    INCONCLUSIVE = 3
    FAILED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One answer at one time. `value` is JSON and bounded in size."""

    at: datetime
    verdict: Verdict
    why: str = ""
    value: Any = None
