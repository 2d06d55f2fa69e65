"""The answer of a gate: open, or why not, who can clear it, and when it clears by itself.

Facts, not sentences: `bot.core.messages` has the words. Never decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

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


@dataclass(frozen=True, slots=True, kw_only=True)
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
