"""What the calendar is asked and what it answers: frozen data in UTC, and the rule of the fit.

Knows nothing of zones, recurrence or the release repo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

ADVANCE = "advance"
ROLLBACK = "rollback"

HORIZON = timedelta(days=400)
"""How far ahead an opening or a close is looked for; what lies beyond is answered with None."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalendarUnit:
    """A unit as selectors see it: `labels` are the merged ones with the built-in labels in them.

    Two of them are equal when everything a rule could look at is equal.
    """

    unit: str
    component: str
    component_labels: Mapping[str, str]
    cluster: str
    labels: Mapping[str, str]
    key: tuple[object, ...] = field(init=False, repr=False)
    _hash: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        key = (
            self.unit,
            self.component,
            self.cluster,
            tuple(sorted(self.labels.items())),
            tuple(sorted(self.component_labels.items())),
        )
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "_hash", hash(key))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CalendarUnit) and self.key == other.key


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyFreeze:
    """A freeze that a person made with a command: no file, in force from `start` until `until`."""

    name: str
    selector: Callable[[CalendarUnit], bool]
    start: datetime
    until: datetime
    reason: str
    owner: str
    actions: tuple[str, ...] = (ADVANCE,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Whether a batch may begin at a moment, why, by which rules, and when that changes.

    Open: `next_close` is when it closes, `next_open` the opening after that. Closed: `next_open` is
    when it opens, `next_close` the close after that. None: not within the horizon.
    """

    open: bool
    why: str
    by: tuple[str, ...]
    next_open: datetime | None
    next_close: datetime | None
    source: str | None
    """`file:line` of the first rule in `by`; None for an emergency freeze, which has no file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The first moment at which a batch fits. `by` and `why` say what makes it wait until then.

    If it need not wait, they say what holds the calendar open.
    """

    at: datetime
    by: tuple[str, ...]
    why: str
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of time in which batches may begin: half open, `[start, end)`."""

    start: datetime
    end: datetime
    by: tuple[str, ...]


def fits(opening: Opening, at: datetime, need: timedelta) -> bool:
    """True when a batch begun at `at` has its attended time behind it before the close."""
    if not opening.open:
        return False
    return opening.next_close is None or need <= opening.next_close - at


def attended_need(batch_takes: timedelta, soak: timedelta, attended: timedelta) -> timedelta:
    """How much of a batch people must be there for; the rest of its soak writes nothing."""
    return batch_takes + min(soak, attended)


def in_utc(at: datetime) -> datetime:
    """The moment in UTC; refuses a time of no zone, which names no moment."""
    if at.tzinfo is UTC:
        return at
    if at.utcoffset() is None:
        raise ValueError(f"{at.isoformat()} has no zone; the calendar answers about moments")
    return at.astimezone(UTC)
