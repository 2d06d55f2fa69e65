"""The calendar of one commit of main, and the emergency freezes in force: ask, and be answered.

Everything worked out is remembered, per rule and per class of units; the answers stay pure.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.core import messages_calendar as say
from bot.core.calendar.answers import (
    ADVANCE,
    HORIZON,
    CalendarUnit,
    EmergencyFreeze,
    Interval,
    Opening,
    Start,
    in_utc,
)
from bot.core.calendar.explain import Words
from bot.core.calendar.rules import (
    Rule,
    RuleKind,
    rule_of_emergency,
    rule_of_freeze,
    rule_of_window,
)
from bot.core.calendar.spans import FIRST, Span, later, on_calendar
from bot.core.calendar.timeline import LOOK_AHEAD, Changes, Klass, Timeline, names

if TYPE_CHECKING:
    from release_repo_schema.models.calendar import Freeze, Window
    from release_repo_schema.models.policy import Policy

Sources = Callable[[str, str], str]
"""Kind and name of a rule → `file:line`."""


@dataclass(slots=True)
class _Answers:
    """Openings already given to a class, each with the stretch of time in which it holds."""

    timeline: Timeline
    starts: list[datetime] = field(default_factory=list)
    known: list[tuple[datetime, Opening]] = field(default_factory=list)
    fitted: tuple[datetime, timedelta, Start | None] | None = None
    """The last start that was asked for: all units of a turn ask for the same."""

    def at(self, at: datetime) -> Opening | None:
        place = bisect_right(self.starts, at) - 1
        if place < 0:
            return None
        end, opening = self.known[place]
        return opening if at < end else None

    def keep(self, start: datetime, end: datetime, opening: Opening) -> None:
        place = bisect_right(self.starts, start)
        self.starts.insert(place, start)
        self.known.insert(place, (end, opening))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendar:
    """Frozen. Build one per commit of main; `with_emergency` shares what it has worked out."""

    rules: tuple[Rule, ...]
    policy: str
    none_matches_open: bool
    attended: timedelta
    """The most of a soak that must fit before the close; see `attended_need`."""
    sources: Sources | None = None
    _by_unit: dict[tuple[CalendarUnit, str], _Answers] = field(default_factory=dict, repr=False)
    _by_klass: dict[Klass, _Answers] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        windows: Iterable[Window],
        freezes: Iterable[Freeze],
        policy: Policy,
        *,
        sources: Sources | None = None,
        emergency: Iterable[EmergencyFreeze] = (),
    ) -> Calendar:
        rules = [rule_of_window(window) for window in windows]
        rules += [rule_of_freeze(freeze) for freeze in freezes]
        rules += [rule_of_emergency(freeze) for freeze in emergency]
        return cls(
            rules=_in_order(rules),
            policy=policy.metadata.name,
            none_matches_open=policy.spec.windows.when_none_matches == "open",
            attended=policy.spec.windows.attended,
            sources=sources,
        )

    def with_emergency(self, emergency: Iterable[EmergencyFreeze]) -> Calendar:
        """The same calendar with these emergency freezes and no others."""
        kept = [rule for rule in self.rules if rule.kind is not RuleKind.EMERGENCY]
        rules = _in_order(kept + [rule_of_emergency(freeze) for freeze in emergency])
        return replace(self, rules=rules, _by_unit={}, _by_klass={})

    def klass(self, unit: CalendarUnit, action: str = ADVANCE) -> Klass:
        """Units of one class get the same answers from this calendar."""
        return self._answers(unit, action).timeline.klass

    def zone(self, unit: CalendarUnit) -> str:
        """The zone in which times of a unit are told: that of the first window it may begin in."""
        _, rules = self.klass(unit)
        allows = [rule for rule in rules if not rule.denies]
        return next((rule.zone.key for rule in (*allows, *rules)), "UTC")

    def ask(self, unit: CalendarUnit, at: datetime, action: str = ADVANCE) -> Opening:
        """Whether an action on the unit may begin at the moment, why, and when that changes."""
        at = in_utc(at)
        answers = self._answers(unit, action)
        opening = answers.at(at)
        if opening is None:
            start, end, opening = self._opening(answers.timeline, on_calendar(at))
            answers.keep(start, end, opening)
        return opening

    def next_start(
        self, unit: CalendarUnit, at: datetime, need: timedelta, action: str = ADVANCE
    ) -> Start | None:
        """The first moment from `at` on at which `need` fits; None when not within the horizon."""
        at = on_calendar(in_utc(at))
        answers = self._answers(unit, action)
        known = answers.fitted
        if known is None or known[:2] != (at, need):
            start = self._first_start(answers.timeline, unit, at, need, action)
            known = answers.fitted = (at, need, start)
        return known[2]

    def _first_start(
        self, timeline: Timeline, unit: CalendarUnit, at: datetime, need: timedelta, action: str
    ) -> Start | None:
        first = timeline.first_fit(at, need)
        if first is None:
            return None
        opening = self.ask(unit, at, action)
        if first == at or (not opening.open and first == opening.next_open):
            return Start(at=first, by=opening.by, why=opening.why, source=opening.source)
        return self._later_start(timeline, opening, at, need=need, first=first)

    def why_never(
        self, unit: CalendarUnit, at: datetime, need: timedelta, action: str = ADVANCE
    ) -> str:
        """The sentence for a `next_start` that is None."""
        return say.never_fits(self.ask(unit, at, action).why, need)

    def intervals(
        self, unit: CalendarUnit, start: datetime, end: datetime, action: str = ADVANCE
    ) -> tuple[Interval, ...]:
        """The open intervals in [start, end), merged, each with the Allows that it rests on."""
        timeline = self._answers(unit, action).timeline
        return timeline.intervals(on_calendar(in_utc(start)), on_calendar(in_utc(end)), self.policy)

    def _answers(self, unit: CalendarUnit, action: str) -> _Answers:
        known = self._by_unit.get((unit, action))
        if known is None:
            matching = tuple(rule for rule in self.rules if rule.matches(unit))
            timeline = Timeline.of(action, matching, self.none_matches_open)
            known = self._by_klass.setdefault(timeline.klass, _Answers(timeline))
            self._by_unit[unit, action] = known
        return known

    def _opening(self, timeline: Timeline, at: datetime) -> tuple[datetime, datetime, Opening]:
        """The answer, and the stretch of time in which it is the answer."""
        changes = timeline.changes(at)
        first, second = _within_horizon(changes.first, at), _within_horizon(changes.second, at)
        denying = timeline.denying(at)
        ends = tuple(rule.end_after(at, later(at, LOOK_AHEAD)) for rule in denying)
        why = Words(timeline, at, self.policy).why(
            Changes(changes.open, first, second),
            denying,
            tuple(
                end if rule.dated else _within_horizon(end, at)
                for rule, end in zip(denying, ends, strict=True)
            ),
        )
        by = denying or timeline.allowing(at) or timeline.allows
        opening = Opening(
            open=changes.open,
            why=why,
            by=names(by) or (self.policy,),
            next_open=second if changes.open else first,
            next_close=first if changes.open else second,
            source=self._source(by),
        )
        start, end = _unchanged(
            timeline.same_around(at), at, (changes.first, changes.second, *ends)
        )
        return start, end, opening

    def _later_start(
        self,
        timeline: Timeline,
        opening: Opening,
        at: datetime,
        *,
        need: timedelta,
        first: datetime,
    ) -> Start:
        """A start that waits because the batch does not fit where it is open sooner."""
        words = Words(timeline, at, self.policy)
        close = timeline.changes(at).first
        if not opening.open or close is None:
            why = words.too_short(opening.why, need, first)
            return Start(at=first, by=opening.by, why=why, source=opening.source)
        ending = timeline.ending(close)
        return Start(
            at=first,
            by=names(ending) or (self.policy,),
            why=words.too_late(need, close, first),
            source=self._source(ending),
        )

    def _source(self, rules: tuple[Rule, ...]) -> str | None:
        if self.sources is None:
            return None
        if not rules:
            return self.sources("Policy", self.policy) or None
        if rules[0].kind is RuleKind.EMERGENCY:
            return None
        return self.sources(rules[0].kind, rules[0].name) or None


def _in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """By name, so that the order of files reaches no answer."""
    return tuple(sorted(rules, key=lambda rule: (rule.name, rule.kind)))


def _within_horizon(at: datetime | None, asked: datetime) -> datetime | None:
    return at if at is not None and at <= later(asked, HORIZON) else None


def _unchanged(
    span: Span, at: datetime, changes: Iterable[datetime | None]
) -> tuple[datetime, datetime]:
    """The stretch in which an answer holds, cut to where no change crosses the horizon.

    A change that was not found needs no cut: the look went further than the stretch is long.
    """
    start, end = span
    for change in changes:
        if change is None or change - FIRST < HORIZON:
            continue
        if change - HORIZON <= at:
            start = max(start, change - HORIZON)
        else:
            end = min(end, change - HORIZON)
    return start, end
