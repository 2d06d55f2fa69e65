"""The verb snooze: not now. A hold that lifts itself at its time and lets go on what began.

It delays what would begin and what would be asked, and nothing else: it stops no batch, no rollback
and no clock of an approval or of `expires`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.commands import Ask, Outcome
from bot.core.grammar import moment
from bot.core.messages_refusal import Refusal, done, refusal
from bot.core.scope import release_named
from bot.model.state import Hold, HoldCode

SNOOZE_MOST = timedelta(days=14)
"""What is to wait longer than a release lasts unbegun wants a pause, or a freeze in calendar/."""


def snooze(ask: Ask) -> Outcome:
    """Nothing of the scope begins, and nobody is asked about it, until then. Again: the new time
    counts.
    """
    until = _until(ask)
    if isinstance(until, Refusal):
        return Outcome(refused=until)
    scope = ask.scope
    hold = Hold(
        id=f"snooze/{scope}",
        scope=scope,
        code=HoldCode.SNOOZED,
        reason=ask.command.reason,
        by=ask.by,
        at=ask.now,
        finish_batch=True,
        release=release_named(scope),
        until=until,
    )
    reached = [active.state.release for active, _ in ask.board.reached(scope)]
    told = {"scope": scope, "code": hold.code.value, "reason": hold.reason, "until": until}
    return Outcome(
        holds=[hold],
        events=[
            ask.event("hold.set", release=name, finish_batch=True, **told)
            for name in reached or [""]
        ],
        text=done("snooze", scope=scope, until=until, reason=hold.reason, by=ask.by),
        body={
            "scope": scope,
            "until": until.isoformat().replace("+00:00", "Z"),
            "releases": reached,
        },
    )


def _until(ask: Ask) -> datetime | Refusal:
    said = ask.command.until
    until = moment(said, ask.now)
    if until is None or until <= ask.now:
        if until:
            return refusal("bad-time", text=until, limit="it is not in the future")
        return refusal("bad-time", text=said)
    if until - ask.now > SNOOZE_MOST:
        why = f"a snooze lasts {SNOOZE_MOST.days} days at most; pause it, or freeze it in calendar/"
        return refusal("bad-time", text=until, limit=why)
    return until
