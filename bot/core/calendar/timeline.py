"""The open time of one class of units: all those that the same rules match, for one action.

Built block by block as it is asked for, and kept. It knows rules, never units or words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bot.core.calendar.answers import ADVANCE, HORIZON, ROLLBACK, Interval
from bot.core.calendar.rules import Rule
from bot.core.calendar.spans import (
    BLOCK_DAYS,
    LAST,
    Span,
    block_of,
    block_span,
    clip,
    later,
    minus,
    union,
)

Klass = tuple[str, tuple[Rule, ...]]
"""An action and the rules that decide it: units of one class always get the same answer."""

LOOK_AHEAD = HORIZON + timedelta(days=BLOCK_DAYS)
"""Further than any answer reaches, so that one look serves the questions of the days after it."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What holds at a moment and the next two changes, none of them cut at the horizon yet."""

    open: bool
    first: datetime | None
    second: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timeline:
    """Deny beats Allow; without Allow rules the policy's word counts; a rollback knows no Allow."""

    action: str
    denies: tuple[Rule, ...]
    allows: tuple[Rule, ...]
    otherwise_open: bool
    _blocks: dict[int, tuple[Span, ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, action: str, rules: tuple[Rule, ...], none_matches_open: bool) -> Timeline:
        """The timeline of the rules that match a unit, which stand in the order of their names."""
        if action not in (ADVANCE, ROLLBACK):
            raise ValueError(f"the calendar knows {ADVANCE} and {ROLLBACK}, not {action!r}")
        advance = action == ADVANCE
        return cls(
            action=action,
            denies=tuple(r for r in rules if r.denies and action in r.actions),
            allows=tuple(r for r in rules if not r.denies) if advance else (),
            otherwise_open=none_matches_open if advance else True,
        )

    @property
    def klass(self) -> Klass:
        return self.action, self.denies + self.allows

    def spans(self, start: datetime, limit: datetime) -> Iterator[Span]:
        """Open spans from `start` on, joined across blocks, cut to [start, limit)."""
        held: Span | None = None
        for block in range(block_of(start), block_of(limit) + 1):
            for low, high in self._block(block):
                if high <= start:
                    continue
                if held is not None and low == held[1]:
                    held = held[0], high
                    continue
                if held is not None:
                    yield held[0], min(held[1], limit)
                held = max(low, start), high
                if held[0] >= limit:
                    return
            if held is not None and held[1] < block_span(block)[1]:
                # It cannot go on in the next block, so it need not be looked at.
                yield held[0], min(held[1], limit)
                held = None
        if held is not None and held[0] < limit:
            yield held[0], min(held[1], limit)

    def changes(self, at: datetime) -> Changes:
        limit = later(at, LOOK_AHEAD)
        spans = self.spans(at, limit)
        first = next(spans, None)
        if first is None:
            return Changes(False, None, None)
        start, end = first
        close = end if end < limit else None
        if start > at:
            return Changes(False, start, close)
        after = next(spans, None) if close is not None else None
        return Changes(True, close, after[0] if after is not None else None)

    def first_fit(self, at: datetime, need: timedelta) -> datetime | None:
        """The first moment within the horizon from which `need` is open without a break."""
        horizon = later(at, HORIZON)
        need = max(need, timedelta())
        for start, end in self.spans(at, later(later(horizon, need), timedelta(days=BLOCK_DAYS))):
            if start > horizon:
                return None
            if need <= end - start:
                return start
        return None

    def intervals(self, start: datetime, end: datetime, policy: str) -> tuple[Interval, ...]:
        return tuple(
            Interval(low, high, names(r for r in self.allows if r.overlaps(low, high)) or (policy,))
            for low, high in self.spans(start, end)
        )

    def denying(self, at: datetime) -> tuple[Rule, ...]:
        return tuple(r for r in self.denies if r.span_at(at) is not None)

    def allowing(self, at: datetime) -> tuple[Rule, ...]:
        return tuple(r for r in self.allows if r.span_at(at) is not None)

    def ending(self, at: datetime) -> tuple[Rule, ...]:
        """What closes at a close: the rules that deny from then on, else the Allows that end."""
        denying = self.denying(at)
        if denying:
            return denying
        return tuple(r for r in self.allows if r.overlaps(at - timedelta.resolution, at))

    def delaying(self, at: datetime, opens: datetime) -> tuple[Rule, ...]:
        """What denies, from a closed moment to the next opening, time that an Allow would open."""
        return tuple(rule for rule in self.denies if self._takes(rule, at, opens))

    def _takes(self, deny: Rule, start: datetime, end: datetime) -> bool:
        for block in range(block_of(start), block_of(end) + 1):
            taken = clip(deny.block(block), (start, end))
            if any(
                low < span[1] and span[0] < high
                for low, high in taken
                for rule in self.allows
                for span in rule.block(block)
            ):
                return True
        return False

    def same_around(self, at: datetime) -> Span:
        """A stretch around the moment in which no rule changes, and neither does the year."""
        low, high = block_span(block_of(at))
        low = max(low, at.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0))
        if at.year < LAST.year:
            high = min(high, low.replace(year=at.year + 1, month=1, day=1, hour=0, minute=0))
        for rule in self.denies + self.allows:
            start, end = rule.edges_around(at)
            low, high = max(low, start), min(high, end)
        return low, high

    def _block(self, block: int) -> tuple[Span, ...]:
        known = self._blocks.get(block)
        if known is None:
            known = self._blocks[block] = self._open_in(block)
        return known

    def _open_in(self, block: int) -> tuple[Span, ...]:
        if self.allows:
            allowed = union(span for rule in self.allows for span in rule.block(block))
        elif self.otherwise_open:
            allowed = (block_span(block),)
        else:
            return ()
        return minus(allowed, union(span for rule in self.denies for span in rule.block(block)))


def names(rules: Iterator[Rule] | tuple[Rule, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rule.name for rule in rules))
