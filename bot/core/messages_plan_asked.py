"""What clusters would say to a plan, as people read it in the plan. Text only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from bot.core.messages_words import many
from bot.core.plan_asked import Said, Would

MOST_REASONS = 10


def on_the_line(said: Iterable[Said]) -> str:
    """What follows on the line of units: what would be refused, and why."""
    told = dict.fromkeys(
        f"would be refused: {one.object}: {one.why}" for one in said if one.would is Would.REFUSE
    )
    return "".join(f"; {one}" for one in told)


def asked_lines(said: Mapping[str, Said], units: int) -> Sequence[str]:
    """How many were asked about, and what was not simply accepted: each reason once."""
    asked = {one.asked: one for one in said.values()}
    counts = Counter(one.would for one in asked.values())
    told = [f"{counts[would]} {would.value}" for would in Would if counts[would]]
    lines = [
        f"{many(len(asked), 'unit')} of {units} tried without writing, one of each rendering in "
        f"each group: {', '.join(told) or 'none could be'}"
    ]
    like = Counter(one.asked for one in said.values())
    for name, one in asked.items():
        if one.would is Would.TAKE and not one.why:
            continue
        others = f" (and {many(like[name] - 1, 'unit')} like it)" if like[name] > 1 else ""
        what = {Would.TAKE: "warns", Would.REFUSE: "refused", Would.UNKNOWN: "not known"}
        about = f"{one.object}: " if one.object else ""
        lines.append(f"{name}{others}, {what[one.would]}: {about}{one.why}")
    left = len(lines) - 1 - MOST_REASONS
    return [*lines[: MOST_REASONS + 1], *([f"… and {left} more: with --json"] if left > 0 else [])]
