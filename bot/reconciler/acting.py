"""Sends the writes that have been intended, and tells what came of each. Never decides, never
retries.

A forward write is not begun any more once somebody has asked for a stop; what has left is on the
wire.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import datetime

from bot.model.effects import Write
from bot.model.state import Intent, IntentStatus
from bot.ports import AnswerLost, Conflict, Fenced, Fleet, Refused, Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One intended write of one unit in its cluster."""

    cluster: str
    write: Write
    intent: Intent


def act(
    fleet: Fleet,
    pool: Executor | None,
    errands: Sequence[Sequence[Errand]],
    *,
    stopped: Callable[[Errand], bool],
    now: Callable[[], datetime],
) -> list[Intent]:
    """Do the errands of each unit one after another, units side by side; the intents with their
    outcome.

    After anything but success the rest of that unit is not sent: the next look tells what is right.
    """

    def run(unit: Sequence[Errand]) -> list[Intent]:
        done: list[Intent] = []
        good = True
        for errand in unit:
            if not good or (errand.write.purpose.forward and stopped(errand)):
                done.append(_ended(errand.intent, IntentStatus.NOT_SENT, "", now()))
                continue
            intent = _send(fleet, errand, now)
            good = intent.status is IntentStatus.DONE
            done.append(intent)
        return done

    if pool is None or len(errands) < 2:
        return [intent for unit in errands for intent in run(unit)]
    return [intent for unit in pool.map(run, errands) for intent in unit]


def _send(fleet: Fleet, errand: Errand, now: Callable[[], datetime]) -> Intent:
    try:
        fleet.write(errand.cluster, errand.write, fence=errand.intent.fence)
    except AnswerLost as lost:
        return _ended(errand.intent, IntentStatus.UNKNOWN, lost.why, now())
    except Unreachable as gone:
        return _ended(errand.intent, IntentStatus.NOT_SENT, gone.why, now())
    except Fenced as fenced:
        return _ended(errand.intent, IntentStatus.FENCED, fenced.why, now())
    except Conflict as conflict:
        return _ended(errand.intent, IntentStatus.NOT_SENT, f"conflict: {conflict.why}", now())
    except Refused as refused:
        return _ended(errand.intent, IntentStatus.REFUSED, refused.why, now())
    return _ended(errand.intent, IntentStatus.DONE, "", now())


def _ended(intent: Intent, status: IntentStatus, outcome: str, at: datetime) -> Intent:
    return replace(intent, status=status, outcome=outcome[:500], ended=at)
