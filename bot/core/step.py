"""What follows from a situation, as data: the result of one turn of one release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.model.effects import Write
from bot.model.gate import Waiting
from bot.model.plan import JSON
from bot.model.state import Decision, Event, Hold, ReleaseState, UnitState


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What follows from a situation: rows to write down, writes to send, units to look at first."""

    state: ReleaseState
    units: Mapping[str, UnitState]
    decisions: tuple[Decision, ...] = ()
    holds: tuple[Hold, ...] = ()
    events: tuple[Event, ...] = ()
    writes: tuple[tuple[str, Write], ...] = ()
    asks: frozenset[str] = frozenset()
    waiting: tuple[Waiting, ...] = ()
    wake: datetime | None = None
    puts: tuple[JSON, ...] = ()
    """Certificates, applied specs, blocks: rows that follow from what happened."""
    drops: tuple[tuple[type, str], ...] = ()
    blobs: Mapping[str, JSON] = field(default_factory=dict)
