"""Sends the writes that have been intended, and tells what came of each. Never decides, never
retries.

A forward write is not begun any more once somebody has asked for a stop; what has left is on the
wire.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from threading import Event

from bot.core.messages_rolling import NOT_SENT_BEHIND, dry_run_said
from bot.model.effects import Write
from bot.model.state import Intent, IntentStatus
from bot.ports import AnswerLost, Conflict, Fenced, Fleet, Refused, Unreachable
from bot.reconciler.dry_run import asks_first, dry_run
from bot.reconciler.lanes import Call, Lanes, Late

_MET = "conflict: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One intended write of one unit in its cluster."""

    cluster: str
    write: Write
    intent: Intent


def act(
    fleet: Fleet,
    lanes: Lanes,
    errands: Sequence[Sequence[Errand]],
    *,
    stopped: Callable[[Errand], bool],
    now: Callable[[], datetime],
) -> list[Intent]:
    """Do the errands of each unit one after another, and so those of a cluster, clusters side by
    side; the intents with their outcome.

    After anything but success the rest of that unit is not sent: the next look tells what is right.
    What is not back in time is not among them: `came_in` tells it later.
    """
    over = Event()

    def run(unit: Sequence[Errand]) -> list[Intent]:
        done: list[Intent] = []
        warned, failed = _asked(fleet, unit, stopped, now)
        good = failed is None
        for number, errand in enumerate(unit):
            if failed is not None and failed.key == errand.intent.key:
                done.append(failed)
                continue
            if not good or (errand.write.purpose.forward and stopped(errand)):
                done.append(_ended(errand.intent, IntentStatus.NOT_SENT, "", now()))
                continue
            if over.is_set():  # what was waited for is over: nothing more leaves by this way
                done.append(_ended(errand.intent, IntentStatus.NOT_SENT, NOT_SENT_BEHIND, now()))
                continue
            intent = _send(fleet, errand, now)
            good = intent.status is IntentStatus.DONE
            done.append(_with_warnings(intent, warned.get(number, "")))
        return done

    calls = [
        Call(unit[0].cluster, ("write", unit[0].intent.key), partial(run, unit)) for unit in errands
    ]
    found = lanes.run(calls)
    over.set()
    done: list[Intent] = []
    for unit, one in zip(errands, found, strict=True):
        if not isinstance(one, Late):
            done += one
        elif not one.begun:
            ended = partial(_ended, status=IntentStatus.NOT_SENT, outcome=NOT_SENT_BEHIND, at=now())
            done += [ended(errand.intent) for errand in unit]
    return done


def met(intent: Intent) -> bool:
    """Whether it came to nothing because somebody wrote in between."""
    return intent.status is IntentStatus.NOT_SENT and intent.outcome.startswith(_MET)


def came_in(lanes: Lanes) -> list[Intent]:
    """Outcomes of writes that were not waited for, each told once."""
    return [intent for done in lanes.came("write").values() for intent in done]


def _asked(
    fleet: Fleet,
    unit: Sequence[Errand],
    stopped: Callable[[Errand], bool],
    now: Callable[[], datetime],
) -> tuple[Mapping[int, str], Intent | None]:
    """What the cluster would say to a batch: warnings by the number of the errand, or the intent
    that it would not take, ended: then nothing of the batch leaves.
    """
    writes = [errand.write for errand in unit]
    if not asks_first(unit[0].intent.batch, writes) or any(map(stopped, unit)):
        return {}, None
    asked = [(errand.cluster, errand.write, errand.intent.fence) for errand in unit]
    number: list[int] = []
    warned: dict[int, str] = {}

    def ask(_: Errand) -> None:
        warned.update(dry_run(fleet, asked, number))

    intent = _outcome(ask, unit[0], now)
    if intent.status is IntentStatus.DONE:
        return warned, None
    errand = unit[number[0]] if number else unit[0]
    status = IntentStatus.NOT_SENT if intent.status is IntentStatus.UNKNOWN else intent.status
    return {}, _ended(errand.intent, status, dry_run_said(intent.outcome), now())


def _with_warnings(intent: Intent, warnings: str) -> Intent:
    if not warnings or intent.status is not IntentStatus.DONE:
        return intent
    return replace(intent, outcome=warnings[:500])


def _send(fleet: Fleet, errand: Errand, now: Callable[[], datetime]) -> Intent:
    def send(errand: Errand) -> None:
        fleet.write(errand.cluster, errand.write, fence=errand.intent.fence)

    return _outcome(send, errand, now)


def _outcome(do: Callable[[Errand], None], errand: Errand, now: Callable[[], datetime]) -> Intent:
    """The intent with what came of doing it."""
    try:
        do(errand)
    except AnswerLost as lost:
        return _ended(errand.intent, IntentStatus.UNKNOWN, lost.why, now())
    except Unreachable as gone:
        return _ended(errand.intent, IntentStatus.NOT_SENT, gone.why, now())
    except Fenced as fenced:
        return _ended(errand.intent, IntentStatus.FENCED, fenced.why, now())
    except Conflict as conflict:
        return _ended(errand.intent, IntentStatus.NOT_SENT, f"{_MET}{conflict.why}", now())
    except Refused as refused:
        return _ended(errand.intent, IntentStatus.REFUSED, refused.why, now())
    return _ended(errand.intent, IntentStatus.DONE, "", now())


def _ended(intent: Intent, status: IntentStatus, outcome: str, at: datetime) -> Intent:
    return replace(intent, status=status, outcome=outcome[:500], ended=at)
