"""A forecast as people read it: how long, which waves when, what waits for the calendar and why.

Plain text; it stays short for a thousand units. Words and layout only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core import messages_plan_facts as say
from bot.core.exposure import Exposure
from bot.core.forecast import Forecast, UnitForecast
from bot.core.forecast_waits import Delay
from bot.core.messages_exposure import exposure_lines
from bot.core.messages_words import length, many, moment, row
from bot.model.plan import ReleasePlan

FEW = 5
"""Up to so many units a wave tells the batches of each."""
MOST_WAITS = 3


def forecast_text(
    told: Forecast,
    plan: ReleasePlan,
    *,
    notes: Sequence[str] = (),
    exposure: Exposure | None = None,
    waits: Sequence[Delay] = (),
) -> str:
    """`sluice forecast`: the stages, waves and batches of a release in time. `notes`: what it
    rests on, and what stands in its way.
    """
    zone = ZoneInfo(told.zone)
    lines = [f"{plan.release}: {duration(told)}", *(f"  {note}" for note in notes)]
    lines += _waves(told, plan, zone)
    if told.costs:
        lines.append(f"  Longest: {say.costs_most(told.costs)}")
    for block in (wait_lines(waits), exposure_lines(exposure, told.zone) if exposure else []):
        if block:
            lines += ["", *(f"  {line}" for line in block)]
    return "\n".join(lines) + "\n"


def duration(told: Forecast) -> str:
    """From when to when, and how many working days that is."""
    if told.never:
        return f"It would never end: {row(dict.fromkeys(told.never.values()), most=2)}"
    if told.start is None or told.end is None:
        return "Nothing has to be done."
    start, end = (
        moment(at, told.zone, year=told.at.year).removesuffix(f" {told.zone}")
        for at in (told.start, told.end)
    )
    begins = "Begins" if told.start >= told.at else "Began"
    return (
        f"{begins} {start}, ends {end} ({told.zone}): {many(told.days, 'working day')}, "
        f"{say.roughly(told.end - told.start)}\n"
        "  (reckoned with approvals given at once and checks that pass)"
    )


def wait_lines(waits: Sequence[Delay]) -> list[str]:
    """What does not fit: the longest waits, in the order of time."""
    chosen = sorted(waits, key=lambda one: one.since - one.until)[:MOST_WAITS]
    if not chosen:
        return []
    lines = ["Waits for the calendar"]
    for one in sorted(chosen, key=lambda one: one.since):
        who = one.units[0] if len(one.units) == 1 else many(len(one.units), "unit")
        lines.append(
            f"- wave {one.wave} of {one.stage}, {who}, for {length(one.until - one.since)}: "
            f"{one.why}"
        )
    if len(waits) > len(chosen):
        lines.append(f"- and {many(len(waits) - len(chosen), 'shorter wait')}")
    return lines


def when(at: datetime | None, zone: ZoneInfo) -> str:
    """A cell of a table whose head names the zone."""
    return "never" if at is None else moment(at, zone.key).removesuffix(f" {zone.key}")


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(one[column]) for one in rows) for column in range(len(rows[0]))]
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(one, widths, strict=True)).rstrip()
        for one in rows
    ]


def _waves(told: Forecast, plan: ReleasePlan, zone: ZoneInfo) -> list[str]:
    """One row a wave; the batches of the units of a small wave below it."""
    rows: list[tuple[str, ...]] = [("stage", "wave", "units", f"begins ({told.zone})", "ends")]
    below: list[tuple[int, str]] = []
    for stage, seen in zip(plan.stages, told.stages, strict=True):
        for number, (names, span) in enumerate(zip(stage.waves, seen.waves, strict=True), start=1):
            name = stage.name if number == 1 else ""
            wave = f"{number} of {len(stage.waves)}"
            rows.append((name, wave, str(len(names)), when(span.start, zone), when(span.end, zone)))
            if len(names) <= FEW:
                below += [
                    (len(rows) - 1, f"{one}: {_batches(told.units[one], zone)}") for one in names
                ]
    lines = columns(rows)
    for after, text in reversed(below):
        lines.insert(after + 1, f"      {text}")
    return lines


def _batches(unit: UnitForecast, zone: ZoneInfo) -> str:
    """`10:00 → 10:10 → 10:20, done 10:55`; a day is named where it changes."""
    if not unit.batches:
        return "nothing to do" if unit.end is not None else "never begins"
    told: list[str] = []
    day = unit.batches[0].start
    for span in unit.batches:
        told.append(_clock(span.start, day, zone))
        day = span.start or day
    return f"{' → '.join(told)}, done {_clock(unit.end, day, zone)}"


def _clock(at: datetime | None, day: datetime | None, zone: ZoneInfo) -> str:
    if at is None:
        return "never"
    local = at.astimezone(zone)
    if day is not None and local.date() == day.astimezone(zone).date():
        return f"{local.hour:02}:{local.minute:02}"
    return when(at, zone)
