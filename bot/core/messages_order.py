"""Why a unit stands where it stands: the one line of each placement. Words only, no ordering."""

from __future__ import annotations

from collections.abc import Sequence


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
