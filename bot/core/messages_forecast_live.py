"""What the forecast of a running release rests on: one sentence for each thing in its way.

Words only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from bot.core.messages_words import clause, moment, row, where
from bot.model.state import Decision, Hold, HoldCode, ReleasePhase

_MOST = 3


def held(hold: Hold, release: str, zone: str) -> str:
    """`Paused by ana since Tue 24 Nov 10:00 UTC: odd latency.`"""
    scope = "" if hold.scope == release else f" ({where(hold.scope)})"
    what = "Paused" if hold.code is HoldCode.PAUSED else "On hold"
    reason = f": {clause(hold.reason)}" if hold.reason else ""
    return f"{what}{scope} by {hold.by} since {moment(hold.at, zone)}{reason}."


def held_notes(holds: Sequence[Hold], release: str, zone: str) -> list[str]:
    """Who stopped it; and that what follows is only so once that is lifted."""
    if not holds:
        return []
    told = [held(one, release, zone) for one in holds[:_MOST]]
    if len(holds) > _MOST:
        told.append(f"And {len(holds) - _MOST} more (status {release}).")
    lifted = "it were lifted" if len(holds) == 1 else "they were lifted"
    return [*told, f"Nothing moves until then; the times below are as if {lifted} now."]


def asked_notes(decisions: Sequence[Decision]) -> list[str]:
    """What people are being asked."""
    if not decisions:
        return []
    named = row([f"#{one.number} ({clause(one.asks)})" for one in decisions], most=_MOST)
    return [f"Waits for decision {named}; the times below are as if the yes came now."]


def behind_notes(behind: Mapping[str, datetime | None], zone: str) -> list[str]:
    """Releases that have units of it first."""
    return [
        f"{release} has units of it first, and by its own forecast ends {moment(end, zone)}: "
        "reckoned roughly."
        if end is not None
        else f"{release} has units of it first and has no end in sight: not reckoned with."
        for release, end in behind.items()
    ]


def no_forecast(release: str, phase: ReleasePhase, ended: datetime | None, zone: str) -> str:
    """A release that goes forward no more."""
    if ended is not None:
        return f"{release} has ended ({phase.value}), {moment(ended, zone)}: nothing is ahead.\n"
    return f"{release} goes back ({phase.value}); a way back is not reckoned, it only hurries.\n"


PROPOSED = "Not merged yet: the times below are as if it were merged now."
