"""From what the timeline knows at a moment to the facts a sentence needs: names, zones, moments.

The words themselves are in `messages_calendar`; what is open is the timeline's to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.core import messages_calendar as say
from bot.core.calendar.answers import ROLLBACK
from bot.core.calendar.rules import Rule
from bot.core.calendar.timeline import Changes, Timeline, names

_UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Words:
    """Explains one question: this class of units, asked at this moment."""

    timeline: Timeline
    at: datetime
    policy: str

    def why(
        self, changes: Changes, denying: Sequence[Rule], ends: Sequence[datetime | None]
    ) -> str:
        """`ends` says for each denying rule when it lets go; changes are cut at the horizon."""
        if changes.open:
            return self._open(changes.first)
        opens = self._opens(changes.first)
        if denying:
            return say.denied(
                [self._denial(*pair) for pair in zip(denying, ends, strict=True)], opens
            )
        if self.timeline.allows:
            allows = self.timeline.allows
            holidays = (rule.holiday_at(self.at) for rule in allows)
            return say.outside(
                names(allows),
                holidays=[name for name in holidays if name is not None],
                opens=opens,
                after=self._delaying(self.at, changes.first),
            )
        return say.kept_closed(self.policy)

    def too_late(self, need: timedelta, close: datetime, first: datetime) -> str:
        return say.too_late(
            need,
            self._closes(close),
            closed_by=names(self.timeline.denying(close)),
            first=self._when_open(first),
            after=self._delaying(close, first),
        )

    def too_short(self, closed: str, need: timedelta, first: datetime) -> str:
        return say.too_short(closed, need, self._when_open(first))

    def _open(self, close: datetime | None) -> str:
        closes = self._closes(close) if close is not None else None
        closed_by = names(self.timeline.denying(close)) if close is not None else ()
        allowing = self.timeline.allowing(self.at)
        if allowing:
            return say.within(names(allowing), closes, closed_by)
        if self.timeline.action == ROLLBACK:
            return say.rollback_open(closes, closed_by)
        return say.left_open(self.policy, closes, closed_by)

    def _delaying(self, closed: datetime, opens: datetime | None) -> tuple[str, ...]:
        return names(self.timeline.delaying(closed, opens)) if opens is not None else ()

    def _denial(self, rule: Rule, end: datetime | None) -> say.Denial:
        return say.Denial(
            kind=rule.kind,
            name=rule.name,
            until=self._when(end, rule.zone) if end is not None else None,
            reason=rule.reason,
            owner=rule.owner,
        )

    def _opens(self, opening: datetime | None) -> say.When | None:
        return self._when_open(opening) if opening is not None else None

    def _when_open(self, opening: datetime) -> say.When:
        """In the zone of the Allow that holds it open, else of the rule that ends there."""
        before = opening - timedelta.resolution
        speaking = self.timeline.allowing(opening) or self.timeline.denying(before)
        return self._when(opening, speaking[0].zone if speaking else _UTC_ZONE)

    def _closes(self, close: datetime) -> say.When:
        speaking = self.timeline.allowing(self.at) or self.timeline.ending(close)
        return self._when(close, speaking[0].zone if speaking else _UTC_ZONE)

    def _when(self, at: datetime, zone: ZoneInfo) -> say.When:
        return say.When(at=at, zone=zone, year=self.at.year)
