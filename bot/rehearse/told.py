"""What a rehearsal found: the conversation with its times, the curve, the end. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.exposure import Exposure
from bot.model.plan import ReleasePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing said. kind: thread | card | person | answer | call."""

    at: datetime
    kind: str
    text: str
    by: str = ""
    release: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one release came out. `phase` of the contract; `stands`: why it stands still, if it
    does.
    """

    release: str
    phase: str
    at: datetime
    units: Mapping[str, int]
    """Phase → units that ended in it."""
    batches: int
    """Batches that closed with a certificate."""
    stands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """All of it. The same question gives the same answer, to the letter."""

    began: datetime
    zone: str
    plans: tuple[ReleasePlan, ...]
    answers_after: timedelta
    on_failure: str
    clusters: int
    assumptions: tuple[str, ...]
    faults: tuple[tuple[str, int], ...] = ()
    missed: tuple[str, ...] = ()
    """Units whose asked-for fault was never reached."""
    lines: tuple[Line, ...]
    endings: tuple[Ending, ...]
    exposure: Mapping[str, Exposure]
    asked: Mapping[str, int] = field(default_factory=dict)
    """Person → decisions that they answered."""
    proposed: Mapping[str, str] = field(default_factory=dict)
    """Branch → title of pull requests that the bot would have opened."""
    ticks: int = 0
