"""A rehearsal on paper: as people read it, and as scripts do. Layout only."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.core import messages_rehearsal as say
from bot.core.messages_exposure import exposure_lines
from bot.core.messages_text import clean, indent
from bot.core.messages_words import moment
from bot.core.plan_json import exposure_json, instant
from bot.rehearse.told import Line, Rehearsal
from release_repo_schema.models import duration_text

WIDTH = 100
_INDENT = " " * 7


def rehearsal_text(told: Rehearsal) -> str:
    """What is rehearsed and on what, the conversation day by day, the curve, the end."""
    zone = told.zone
    lines = [*say.heading(told.plans), ""]
    lines += [f"  {line}" for line in _folded(say.frame(told.clusters, told.answers_after), 2)]
    lines += [f"  {say.after_failure(told.on_failure)}"]
    lines += [f"  {say.fault(unit, batch)}" for unit, batch in told.faults]
    for note in told.assumptions:
        lines += [f"  {line}" for line in _folded(f"Assumed: {note}.", 2)]
    lines += [*_conversation(told), ""]
    for ending in told.endings:
        lines += _folded(say.ending(ending.release, ending.phase, moment(ending.at, zone)), 0)
        lines += [f"  {line}" for why in ending.stands for line in _folded(say.stands(why), 2)]
        lines.append(f"  {say.counted(ending.units, ending.batches, ending.at - told.began)}")
    if told.asked:
        lines.append(f"  {say.answered(told.asked)}")
    lines += [f"  {say.would_open(branch, title)}" for branch, title in told.proposed.items()]
    lines += [f"  {say.missed(unit)}" for unit in told.missed]
    for release, exposure in told.exposure.items():
        curve = exposure_lines(exposure, zone)
        if curve:
            head = f"{release}: {curve[0]}" if len(told.exposure) > 1 else curve[0]
            lines += ["", head, *curve[1:]]
    return "\n".join(lines) + "\n"


def rehearsal_json(told: Rehearsal) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "releases": [
            {
                "release": ending.release,
                "planHash": plan.plan_hash,
                "phase": ending.phase,
                "ended": not ending.stands,
                "stands": list(ending.stands),
                "end": instant(ending.at),
                "units": dict(ending.units),
                "batches": ending.batches,
                "exposure": exposure_json(told.exposure[ending.release]),
            }
            for ending in told.endings
            for plan in told.plans
            if plan.release == ending.release
        ],
        "began": instant(told.began),
        "zone": told.zone,
        "clusters": told.clusters,
        "answersAfter": duration_text(told.answers_after),
        "onFailure": told.on_failure,
        "faults": [
            {"unit": unit, "batch": batch, "reached": unit not in told.missed}
            for unit, batch in told.faults
        ],
        "assumptions": list(told.assumptions),
        "conversation": [
            {
                "at": instant(line.at),
                "kind": line.kind,
                "release": line.release,
                "by": line.by,
                "text": line.text,
            }
            for line in told.lines
        ],
        "answered": dict(told.asked),
        "wouldOpen": [
            {"branch": branch, "title": title} for branch, title in told.proposed.items()
        ],
        "ticks": told.ticks,
    }


def _conversation(told: Rehearsal) -> Iterator[str]:
    zone = ZoneInfo(told.zone)
    day = None
    for line in told.lines:
        local = line.at.astimezone(zone)
        if local.date() != day:
            day = local.date()
            yield ""
            yield _day(line.at, told.zone)
        yield from _said(line, f"{local.hour:02}:{local.minute:02}")


def _day(at: datetime, zone: str) -> str:
    return f"{moment(at, zone).rpartition(' ')[0].rpartition(' ')[0]} ({zone})"


def _said(line: Line, clock: str) -> Iterator[str]:
    text = line.text
    match line.kind:
        case "person":
            text = f"{line.by} $ sluice {line.text}"
        case "card":
            text = f"{say.CARD}\n{line.text}"
        case "call":
            text = say.would_call(line.text)
        case _:
            pass
    head, *rest = (_harmless(one) for one in text.split("\n"))
    shown = clock if line.kind != "answer" else "     "
    first, *more = _folded(head, len(_INDENT))
    yield f"{shown}  {first}".rstrip()
    deep = "  " if line.kind == "card" else ""
    for one in (*more, *(f"{deep}{each}" for each in rest)):
        for folded in _folded(one, len(_INDENT)):
            yield f"{_INDENT}{folded}".rstrip()


def _harmless(line: str) -> str:
    """Foreign text moves no cursor; what stands indented stays so."""
    return " " * indent(line) + clean(line)


def _folded(line: str, taken: int) -> list[str]:
    """A long line on several, those after the first a little deeper."""
    if len(line) <= WIDTH - taken:
        return [line]
    deep = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(
        line,
        WIDTH - taken,
        subsequent_indent=deep,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]
