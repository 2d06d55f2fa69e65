"""Answers: what a person reads whose command was carried out. One sentence or two for each verb.

Says what is true from now on, and what lifts or follows it. Never carries anything out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.core.messages_words import clause, exact, many, moment, row, sentence, some, where

Facts = Mapping[str, Any]


def done(verb: str, /, **facts: Any) -> str:
    """What came of a command, in one sentence or two."""
    say = _DONE.get(verb)
    return say(facts) if say is not None else sentence(f"Done: {verb} {named(facts)}".rstrip())


def named(f: Facts) -> str:
    for key in ("id", "scope", "unit", "release", "units"):
        value = f.get(key)
        if value:
            return where(value) if key == "scope" else row(value)
    return ""


def verb_of(f: Facts, default: str) -> str:
    return str(f.get("verb") or default)


def by_whom(f: Facts) -> str:
    return f" by {f['by']}" if f.get("by") else ""


def because(f: Facts) -> str:
    return f": {clause(f['reason'])}" if f.get("reason") else ""


def _approved(f: Facts) -> str:
    have, count = f.get("have"), f.get("count")
    if isinstance(have, int) and isinstance(count, int) and have < count:
        return sentence(
            f"Recorded: {have} of {count} approvals for {named(f)}",
            f"{many(count - have, 'more person', 'more people')} must approve",
        )
    votes = f", {have} of {count} approvals" if have and count else ""
    return sentence(f"Approved: {named(f)}{votes}{by_whom(f)}")


def _rejected(f: Facts) -> str:
    return sentence(f"Rejected: {named(f)}{by_whom(f)}{because(f)}", after_no(f))


def after_no(f: Facts) -> str:
    """What a no changes: by the kind of its decision."""
    match f.get("what"):
        case "override-window":
            return "The override is not granted; nothing else changes"
        case "undo":
            return "What was installed is kept"
        case "undo-data":
            return "What may hold data is kept"
        case "leftovers":
            return "What left the template stays in the clusters"
        case _:
            return "The release is held"


def _accepted(f: Facts) -> str:
    return sentence(f"Accepted: {named(f)}{by_whom(f)}", "It goes on by its gates")


def _paused(f: Facts) -> str:
    at = f.get("at")
    moment_of = f"no forward write begins from {exact(at)}" if at else "no forward write begins"
    calls = f.get("calls", f.get("in_flight"))
    wire = "" if calls is None else "No call was on the wire"
    if some(calls):
        wire = f"{many(some(calls), 'call')} {'was' if some(calls) == 1 else 'were'} on the wire"
    if some(calls) and not isinstance(calls, int):
        wire += f": {row(calls, most=10)}"
    batches = "Batches that began go on to their end" if f.get("finish_batch") else ""
    return sentence(f"Paused {named(f)}: {moment_of}", wire, batches, "Resume lifts it")


def _resumed(f: Facts) -> str:
    left = row(f.get("left") or f.get("holds"))
    return sentence(
        f"Resumed {named(f)}{by_whom(f)}",
        f"Still held: {left}" if left else "It goes on by its gates",
    )


def _rolling_back(f: Facts) -> str:
    units = f.get("units")
    count = f": {many(some(units), 'unit')}, newest first" if some(units) else ""
    head = f"Rolling back {named(f)}{count}"
    along = row(f.get("along") or (), most=4)
    along = f"With it goes what depends on it or shares its objects: {along}" if along else ""
    if f.get("component"):
        return sentence(
            head,
            along,
            "What was there before is put back, its content is blocked, and what had not begun of"
            f" {f['component']} and of what depends on it is left out",
            "The other components go on",
        )
    if f.get("part"):
        return sentence(
            head,
            along,
            "What was there before is put back, and the release holds there",
            f"Retry {f['part']} brings it forward again",
            f"All of {row(given_up, most=4)} goes back: its content is blocked, and a revert is"
            " proposed"
            if (given_up := f.get("given_up"))
            else "",
        )
    if not f.get("sticks", True):
        forward = "What was there before is put back; retry brings it forward again"
        return sentence(head, along, forward)
    return sentence(
        head, "What was there before is put back, its content is blocked, and a revert is proposed"
    )


def _retried(f: Facts) -> str:
    again = "the failed batch begins again by its gates"
    if not f.get("failed", True):
        again = "what was left out goes on by its gates, from the batch where it stood"
    return sentence(f"Retrying {named(f)}: {again}")


def _freed(units: str, *, half_way: bool) -> str:
    if not units:
        return ""
    if half_way:
        return f"It was left half-way, so what depends on it is left out with it: {units}"
    return f"What depends on it goes on without it: {units}"


def _skipped(f: Facts) -> str:
    freed = row(f.get("freed") or (), most=4)
    return sentence(
        f"Skipped {named(f)}{because(f)}",
        "It is listed as owed",
        _freed(freed, half_way=bool(f.get("half_way"))),
    )


def _cancelled(f: Facts) -> str:
    return sentence(f"Cancelled {named(f)}{because(f)}", "Nothing more begins")


def _overridden(f: Facts) -> str:
    what = f.get("what") or f.get("gate") or "the gate"
    return sentence(
        f"Overridden: {row(what)} of {named(f)}{by_whom(f)}{because(f)}",
        "It is recorded, and the next step goes on without it",
    )


def _frozen(f: Facts) -> str:
    until = f" until {moment(f['until'], f.get('zone') or 'UTC')}" if f.get("until") else ""
    return sentence(
        f"Frozen {named(f)}{until}{because(f)}", "No batch of it begins; unfreeze lifts it"
    )


def _unfrozen(f: Facts) -> str:
    return sentence(f"Unfrozen {named(f)}{by_whom(f)}", "Windows and other freezes still count")


def _snoozed(f: Facts) -> str:
    until = f" until {moment(f['until'], f.get('zone') or 'UTC')}" if f.get("until") else ""
    return sentence(
        f"Snoozed {named(f)}{until}{because(f)}",
        "Batches that began go on; nothing more begins, and nobody is asked, before that",
    )


_DONE: Mapping[str, Callable[[Facts], str]] = {
    "approve": _approved,
    "reject": _rejected,
    "accept": _accepted,
    "pause": _paused,
    "stop": _paused,
    "resume": _resumed,
    "rollback": _rolling_back,
    "retry": _retried,
    "skip": _skipped,
    "cancel": _cancelled,
    "override": _overridden,
    "freeze": _frozen,
    "unfreeze": _unfrozen,
    "snooze": _snoozed,
}

VERBS = tuple(_DONE)
