"""Releases as a list, one release as a page, and the answer of `why`: for the terminal.

The same words as the card. Views in, text out; never decides and never asks.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from bot.core.messages_card import card, summary, told_line, what
from bot.core.messages_figures import done_units, foremost, open_decisions, tone
from bot.core.messages_holds import frozen, held
from bot.core.messages_notice import main_broken
from bot.core.messages_text import EMOJI, as_text, clean, table
from bot.core.messages_words import short
from bot.model.gate import ReleaseView, Waiting
from bot.model.message import Tone
from bot.model.state import EmergencyStop, Hold

_WHAT = 48
_STATE = 100


def listing(views: Iterable[ReleaseView]) -> str:
    """One line a release: `list`, and `status` without a name."""
    shown = list(views)
    if not shown:
        return "No release."
    rows = [("State", "Release", "What", "Units", "Now")]
    rows.extend(
        (
            f"{EMOJI[tone(view)]} {tone(view).value}",
            view.plan.release,
            short(what(view), _WHAT),
            f"{done_units(view)}/{len(view.plan.units)}",
            short(clean(summary(view)), _STATE),
        )
        for view in shown
    )
    return table(rows)


def queue(views: Iterable[ReleaseView], member: str | None = None) -> str:
    """What waits for a decision, and the command that answers; of one member when one is named.
    Without a member also what stands still until somebody does something about it.
    """
    shown = list(views)
    lines = [
        f"{decision.id}  {clean(decision.asks)}  approve {decision.id}"
        for view in shown
        for decision in open_decisions(view)
        if member is None or member in view.deciders.get(decision.id, ())
    ]
    lines += [
        f"{view.plan.release}  waits for somebody  why {view.plan.release}"
        for view in shown
        if member is None
        and not open_decisions(view)
        and tone(view) in (Tone.STOPPED, Tone.DECISION)
    ]
    return "\n".join(lines) if lines else "Nothing waits for a decision."


def standing_text(
    holds: Iterable[Hold],
    freezes: Iterable[EmergencyStop],
    broken: str | None,
    zone: str = "UTC",
) -> str:
    """What stops more than one release, a line each: above every list; "" when nothing does."""
    lines = [main_broken(broken)] if broken else []
    lines += [held(asdict(hold), zone) for hold in holds]
    lines += [frozen(stop, zone) for stop in freezes]
    return "\n".join(clean(line) for line in lines)


def status_text(view: ReleaseView) -> str:
    """One release as a page: its card."""
    return as_text(card(view))


def why_text(waiting: Sequence[Waiting], zone: str = "UTC") -> str:
    """Every unit that waits, what stopped first. Equal reasons are told once."""
    if not waiting:
        return "Nothing is in the way: the next step is due."
    told: dict[str, list[Waiting]] = {}
    for line in foremost(waiting):
        told.setdefault(_reason(line, zone), []).append(line)
    return "\n".join(_line(reason, lines) for reason, lines in told.items())


def _reason(line: Waiting, zone: str) -> str:
    bare = Waiting(unit="", gate=line.gate, wait=line.wait)
    source = f" [{line.wait.source}]" if line.wait.source else ""
    return clean(told_line(bare, zone)) + source


def _line(reason: str, lines: Sequence[Waiting]) -> str:
    units = [clean(line.unit) for line in lines if line.unit]
    if not units:
        return reason
    named = ", ".join(units[:3]) + (f" and {len(units) - 3} more" if len(units) > 3 else "")
    return f"{named}: {reason}"
