"""Windows and freezes of the release repo as rules: whom they match, and when they cover a moment.

Each rule remembers its spans block by block, so asking again is a look-up. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from bot.core.calendar.answers import CalendarUnit, EmergencyFreeze, in_utc
from bot.core.calendar.local_time import WhenTwice, moment
from bot.core.calendar.recurrence import Recurrence
from bot.core.calendar.spans import LAST, Span, block_of, block_span, clip

if TYPE_CHECKING:  # the models are only read here, and pydantic takes its time to load
    from release_repo_schema.models.calendar import Freeze, Window


class RuleKind(StrEnum):
    WINDOW = "Window"
    FREEZE = "Freeze"
    EMERGENCY = "EmergencyFreeze"


class Covering(Protocol):
    """Whatever can say which spans of a block it covers."""

    def block(self, block: int) -> tuple[Span, ...]: ...


@dataclass(frozen=True, slots=True)
class Once:
    """One span, as a freeze is."""

    start: datetime
    end: datetime

    def block(self, block: int) -> tuple[Span, ...]:
        return clip(((self.start, self.end),), block_span(block))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """One window or freeze. `zone` is the one its author thinks in, for what people read."""

    kind: RuleKind
    name: str
    denies: bool
    actions: frozenset[str]
    matches: Callable[[CalendarUnit], bool]
    covers: Covering
    zone: ZoneInfo
    reason: str = ""
    owner: str = ""
    _blocks: dict[int, tuple[Span, ...]] = field(default_factory=dict, repr=False)

    def block(self, block: int) -> tuple[Span, ...]:
        known = self._blocks.get(block)
        if known is None:
            known = self._blocks[block] = self.covers.block(block)
        return known

    @property
    def dated(self) -> bool:
        """Its end is written down, however far off."""
        return isinstance(self.covers, Once)

    def span_at(self, at: datetime) -> Span | None:
        """The span of its block that holds the moment; it may go on in the next block."""
        for start, end in self.block(block_of(at)):
            if start <= at < end:
                return start, end
        return None

    def end_after(self, at: datetime, limit: datetime) -> datetime | None:
        """When it stops covering the moment that it covers; None when not before the limit."""
        if isinstance(self.covers, Once):
            return self.covers.end
        while at < limit:
            span = self.span_at(at)
            if span is None:
                return at
            at = span[1]
        return None

    def overlaps(self, start: datetime, end: datetime) -> bool:
        for block in range(block_of(start), block_of(end) + 1):
            if any(low < end and start < high for low, high in self.block(block)):
                return True
        return False

    def edges_around(self, at: datetime) -> Span:
        """The longest stretch of its block around the moment in which its answers stay the same."""
        low, high = block_span(block_of(at))
        for span in self.block(block_of(at)):
            for edge in span:
                if edge <= at:
                    low = max(low, edge)
                else:
                    high = min(high, edge)
        if isinstance(self.covers, Recurrence) and self.covers.holidays is not None:
            midnight, next_midnight = self.covers.midnights_around(at)
            low, high = max(low, midnight), min(high, next_midnight)
        return low, high

    def holiday_at(self, at: datetime) -> str | None:
        return self.covers.holiday_at(at) if isinstance(self.covers, Recurrence) else None


def rule_of_window(window: Window) -> Rule:
    spec = window.spec
    zone = ZoneInfo(spec.zone)
    denies = spec.effect == "Deny"
    return Rule(
        kind=RuleKind.WINDOW,
        name=window.metadata.name,
        denies=denies,
        actions=frozenset(spec.actions),
        matches=_selected(window),
        covers=Recurrence(
            days=spec.weekdays,
            begins=timedelta(minutes=spec.from_minutes),
            ends=timedelta(minutes=spec.to_minutes),
            zone=zone,
            denies=denies,
            holidays=spec.holidays,
            first_day=spec.starts,
            last_day=spec.ends,
        ),
        zone=zone,
    )


def rule_of_freeze(freeze: Freeze) -> Rule:
    spec = freeze.spec
    zone = ZoneInfo(spec.zone)
    return Rule(
        kind=RuleKind.FREEZE,
        name=freeze.metadata.name,
        denies=True,
        actions=frozenset(spec.actions),
        matches=_selected(freeze),
        covers=Once(
            moment(spec.from_, zone, WhenTwice.FIRST),
            moment(spec.to, zone, WhenTwice.SECOND),
        ),
        zone=zone,
        reason=spec.reason,
        owner=spec.owner,
    )


def rule_of_emergency(freeze: EmergencyFreeze) -> Rule:
    return Rule(
        kind=RuleKind.EMERGENCY,
        name=freeze.name,
        denies=True,
        actions=frozenset(freeze.actions),
        matches=freeze.selector,
        covers=Once(in_utc(freeze.start), min(in_utc(freeze.until), LAST)),
        zone=_UTC_ZONE,
        reason=freeze.reason,
        owner=freeze.owner,
    )


def _selected(rule: Window | Freeze) -> Callable[[CalendarUnit], bool]:
    units, components = rule.spec.units, rule.spec.components

    def matches(unit: CalendarUnit) -> bool:
        return components.matches(unit.component_labels, unit.component) and units.matches(
            unit.labels, unit.cluster
        )

    return matches


_UTC_ZONE = ZoneInfo("UTC")
