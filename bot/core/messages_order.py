"""Why a unit stands where it stands: the one line of each placement. Words only, no ordering."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.core.messages_words import many, row

if TYPE_CHECKING:
    from bot.core.plan_coverage import Riskier


def number(value: float) -> str:
    """`12`, `2.5`: no trailing zeros, no exponent."""
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"


def score_part(label: str, value: str | None, weight: float, rank: float) -> str:
    """`environment staging 100×1`: one addend of a score."""
    said = "not set" if value is None else value
    return f"{label} {said} {number(weight)}×{number(rank)}"


def by_score(wave: int, waves: int, score: float, parts: Sequence[str], place: str) -> str:
    """`wave 1 of 5: lowest risk, score 105 (environment staging 100×1, size medium 5×1)`."""
    why = f" ({', '.join(parts)})" if parts else ""
    return f"wave {wave} of {waves}: {place}score {number(score)}{why}"


LOWEST = "lowest risk, "
HIGHEST = "highest risk, "
ALL_THE_SAME = "by name, all have "
AS_WRITTEN = "as its cluster has it written, all have "


def by_name(wave: int, waves: int) -> str:
    return f"wave {wave} of {waves}: by name"


def listed(wave: int, waves: int, place: int, glob: str) -> str:
    """A hand-written order: the author's word is the reason."""
    first = "listed first by the author" if place == 1 else f"number {place} of the author's list"
    return f"wave {wave} of {waves}: {first} ({glob})"


def not_listed(wave: int, waves: int) -> str:
    return f"wave {wave} of {waves}: the author listed no name that fits it, so after the list"


def moved(wave: int, other: str, label: str, other_wave: int) -> str:
    """`moved to wave 3: eu-2 of the same haPair is in wave 2`."""
    return f"moved to wave {wave}: {other} of the same {label} is in wave {other_wave}"


def added(wave: int, label: str, value: str, asked: int) -> str:
    waves = "the one wave asked for" if asked == 1 else f"the {asked} waves asked for"
    return f"wave {wave} was added: more units share {label} {value} than {waves} can keep apart"


def healed(wave: int, releases: Sequence[str]) -> str:
    return f"wave {wave}: broken by {', '.join(releases)}, healed first"


def riskier(one: Riskier) -> str:
    """`the order of stage eu, written by hand, is riskier than by score: …`."""
    early, late = one.stages
    if early == late:
        what = f"the order of stage {early}, written by hand, is riskier than by score"
        how = f"{many(one.units, 'unit')} {'goes' if one.units == 1 else 'go'} before lower ones"
    else:
        what = f"stage {early} goes before stage {late} and is the riskier of the two by score"
        how = "the widest apart"
    values = [value or "not set" for value in one.values]
    return (
        f"{what}; {how}: {one.early} (score {number(one.scores[0])}) before {one.late} "
        f"(score {number(one.scores[1])}), {one.label} {values[0]} before {values[1]}"
    )


def uncovered(label: str, value: str, stage: str, wave: int, clusters: int) -> str:
    """`no cluster with size=large before wave 4 of stage production, where 120 come at once`."""
    return (
        f"no cluster with {label}={value} before wave {wave} of stage {stage}, where {clusters} "
        f"come at once: `coverage: [{label}]` takes one of them earlier"
    )


def more_uncovered(values: Sequence[str]) -> str:
    value = many(len(values), "more value")
    return f"{value} that no earlier wave has: {row(values, most=6)}"


def covers(wave: int, waves: int, label: str, value: str, why: str) -> str:
    """`wave 2 of 5: taken earlier, the first with size large; score 515 (…)`."""
    rest = why.partition(": ")[2]
    return f"wave {wave} of {waves}: taken earlier, the first with {label} {value}; {rest}"


JOINED = "joined while the release ran"
"""The reason of a unit's place behind all others of its stage."""
