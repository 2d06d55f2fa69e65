"""The answer of a gate: open, or why not, who can clear it, and when it clears by itself.

Facts, not sentences: `bot.core.messages` has the words. Never decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from bot.model.plan import JSON, ReleasePlan
from bot.model.state import Decision, Hold, ReleaseState, UnitState


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A closed gate that opens by itself (`until`), by the cluster, or by a person (`who`)."""

    code: str
    """The stable word of the reason; `messages.why` has a sentence for each."""
    facts: Mapping[str, JSON] = field(default_factory=dict)
    """What the sentence names: texts, counts; times as aware datetimes."""
    until: datetime | None = None
    """When it clears by itself; None when nobody can know."""
    again: datetime | None = None
    """When it is asked again, although nobody can know that it clears then."""
    who: tuple[str, ...] = ()
    """Roles or members who can clear it; empty: nobody needs to."""
    source: str | None = None
    """`file:line` of the rule on main that says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Wait):
    """A closed gate that became a failure of the unit: a person must decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """One line of `why`: the first closed gate of a unit (unit "" = the whole release)."""

    unit: str
    gate: str
    wait: Wait


@dataclass(frozen=True)
class WaveView:
    """One wave as it stands. A large one has many ends, and which came last is asked at each."""

    stage: str
    number: int
    """Counted from 1."""
    of: int
    """Waves of its stage."""
    units: tuple[str, ...]
    states: tuple[UnitState | None, ...]

    @cached_property
    def first(self) -> str | None:
        """The unit that began first, the first in the plan among equals; None: none has."""
        states = enumerate(self.states)
        began = [(s.began, place) for place, s in states if s is not None and s.began is not None]
        return self.units[min(began)[1]] if began else None

    @cached_property
    def last(self) -> str | None:
        """The unit that ended last, the last in the plan among equals; None: not all have."""
        ended = [
            (state.since, place)
            for place, state in enumerate(self.states)
            if state is not None and state.phase.ended
        ]
        return self.units[max(ended)[1]] if ended and len(ended) == len(self.units) else None


@dataclass(frozen=True, kw_only=True)
class ReleaseView:
    """Everything a card, a thread or a status line about one release is made from."""

    now: datetime
    plan: ReleasePlan
    state: ReleaseState
    units: Mapping[str, UnitState]
    holds: tuple[Hold, ...] = ()
    decisions: tuple[Decision, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    next_close: datetime | None = None
    """When the window that is open now closes; None when closed or unlimited."""
    next_open: datetime | None = None
    ends: datetime | None = None
    """Forecast end."""
    owed: tuple[str, ...] = ()
    """Units skipped, quarantined, or of clusters that joined later."""
    channel: str = ""
    zone: str = "UTC"
    deciders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Decision id → members who may still vote on it."""
    needs: Mapping[str, int] = field(default_factory=dict)
    """Decision id → votes that it needs now: the stricter of then and now, one more for an unknown
    author.
    """

    @cached_property
    def wave_of(self) -> Mapping[str, WaveView]:
        """Unit → its wave."""
        found: dict[str, WaveView] = {}
        for stage in self.plan.stages:
            for number, units in enumerate(stage.waves, 1):
                states = tuple(map(self.units.get, units))
                wave = WaveView(stage.name, number, len(stage.waves), units, states)
                for unit in units:
                    found.setdefault(unit, wave)
        return found
