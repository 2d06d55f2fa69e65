"""Windows and freezes: when batches may begin.

What is written is kept as written; the calendar itself is computed elsewhere.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from release_repo_schema.models.base import KindModel, Model, Selector
from release_repo_schema.models.scalars import (
    Day,
    DayRange,
    DnsLabel,
    LocalTime,
    NonEmpty,
    TimeOfDay,
    refuse,
)

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CalendarAction = Literal["advance", "rollback"]


def _some_actions(actions: tuple[CalendarAction, ...]) -> tuple[CalendarAction, ...]:
    if not actions:
        refuse("empty-list", "expected advance or rollback, found an empty list", "leave it out")
    return actions


def _some_days(days: tuple[str, ...]) -> tuple[str, ...]:
    if not days:
        refuse("empty-list", "expected at least one day, found an empty list", "leave it out")
    return days


Actions = Annotated[tuple[CalendarAction, ...], AfterValidator(_some_actions)]


def _minutes(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)


class WindowSpec(Model):
    """An interval that comes again on its days, in its zone."""

    effect: Literal["Allow", "Deny"] = Field(
        default="Allow", description="Allow or Deny. Deny beats Allow. Default Allow."
    )
    days: Annotated[tuple[DayRange, ...], AfterValidator(_some_days)] = Field(
        default=("Mon-Sun",),
        description="Days on which the interval begins, in its zone; ranges may wrap (Fri-Mon). "
        "Default every day.",
        examples=[["Mon-Thu", "Fri"]],
    )
    from_: TimeOfDay = Field(
        default="00:00", description='Local time at which it begins. Default "00:00".'
    )
    to: TimeOfDay = Field(
        default="24:00",
        description="Local time at which it ends, not included. Not after `from`: ends on the next "
        'day. "24:00" is the day\'s end, the default.',
    )
    zone: NonEmpty = Field(description="The IANA zone.", examples=["Europe/Berlin"])
    holidays: NonEmpty | None = Field(
        default=None,
        description="A python-holidays code, COUNTRY or COUNTRY-SUBDIVISION: "
        "on a public holiday the interval does not begin.",
        examples=["DE-BE"],
    )
    starts: Day | None = Field(
        default=None, description="First day on which an interval may begin."
    )
    ends: Day | None = Field(default=None, description="Last day on which an interval may begin.")
    units: Selector = Field(default=Selector(), description="Which units. Default every unit.")
    components: Selector = Field(
        default=Selector(), description="Which components. Default every component."
    )
    actions: Actions = Field(
        default=("advance",),
        description="advance or rollback, the latter only in a Deny. Default [advance].",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.from_ == "24:00":
            refuse("wrong-time", "`from` is at most 23:59", 'write "00:00" of the next day', "from")
        if self.effect == "Allow" and "rollback" in self.actions:
            said = "rollback stands only in a Deny: Allow windows never stop a rollback"
            refuse("not-allowed-here", said, "drop rollback", at="actions")
        if self.starts is not None and self.ends is not None and self.ends < self.starts:
            refuse("ends-before-start", f"`ends` {self.ends} is before `starts`", at="ends")
        return self

    @property
    def weekdays(self) -> frozenset[int]:
        """The days on which an interval begins: Monday is 0."""
        found: set[int] = set()
        for entry in self.days:
            first, _, last = entry.partition("-")
            day, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
            while day != end:
                found.add(day)
                day = (day + 1) % 7
            found.add(end)
        return frozenset(found)

    @property
    def from_minutes(self) -> int:
        """Minutes after local midnight at which it begins."""
        return _minutes(self.from_)

    @property
    def to_minutes(self) -> int:
        """Minutes after the local midnight of the day it begins; over 1440 on the next day."""
        end = _minutes(self.to)
        return end if end > self.from_minutes else end + 24 * 60


class Window(KindModel):
    """When batches may begin, or may not."""

    kind: Literal["Window"] = Field(default="Window", description="Window.")
    spec: WindowSpec = Field(description="An interval that comes again on its days, in its zone.")


class FreezeSpec(Model):
    """A Deny from one local moment to another."""

    from_: LocalTime = Field(
        description="Local date and time at which it begins.", examples=["2026-12-18T00:00"]
    )
    to: LocalTime = Field(
        description="Local date and time at which it ends, not included.",
        examples=["2027-01-04T08:00"],
    )
    zone: NonEmpty = Field(description="The IANA zone of both.", examples=["Europe/Berlin"])
    units: Selector = Field(default=Selector(), description="Which units. Default every unit.")
    components: Selector = Field(
        default=Selector(), description="Which components. Default every component."
    )
    actions: Actions = Field(
        default=("advance",), description="What it stops: advance, rollback. Default [advance]."
    )
    reason: NonEmpty = Field(description="Why; shown to everybody it stops.")
    owner: DnsLabel = Field(description="Who answers for it: a member or a team.")

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.to <= self.from_:
            refuse("ends-before-start", "`to` is not after `from`", "swap them", at="to")
        return self


class Freeze(KindModel):
    """A time in which nothing may begin."""

    kind: Literal["Freeze"] = Field(default="Freeze", description="Freeze.")
    spec: FreezeSpec = Field(description="From, to, zone, for whom, why and whose.")
