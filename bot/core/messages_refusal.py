"""Refusals and answers: what a person reads who asked for something.

A refusal says why, who can, and when or how. Never decides whether something is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.messages_words import clause, exact, many, moment, row, sentence, some, where

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why not. `code` is stable; `who` can do it, `until` when it becomes possible by itself."""

    code: str
    why: str
    who: tuple[str, ...] = ()
    until: datetime | None = None

    @property
    def text(self) -> str:
        """One line for a terminal or a chat: the reason, then who can, then when."""
        return sentence(
            f"Refused: {self.why}",
            f"Who can: {row(self.who)}" if self.who else "",
            f"From {moment(self.until)}" if self.until is not None else "",
        )


def refusal(code: str, /, **facts: Any) -> Refusal:
    """The refusal of a code; `who` and `until` among the facts are carried beside the sentence."""
    say = _REFUSALS.get(code)
    why = say(facts) if say is not None else sentence(f"{code}: {clause(facts.get('why'))}")
    who = facts.get("who") or ()
    names = (who,) if isinstance(who, str) else tuple(str(name) for name in who)
    until = facts.get("until")
    return Refusal(
        code=code, why=why, who=names, until=until if isinstance(until, datetime) else None
    )


def done(verb: str, /, **facts: Any) -> str:
    """What came of a command, in one sentence or two."""
    say = _DONE.get(verb)
    return say(facts) if say is not None else sentence(f"Done: {verb} {_what(facts)}".rstrip())


def _not_mapped(f: Facts) -> str:
    return sentence(
        f"{f.get('by', 'this account')} is nobody in people.yaml",
        "Add the account there, by a pull request",
    )


def _role(f: Facts) -> str:
    needs = row(f.get("needs") or f.get("roles"), joint=" or ")
    held = row(f.get("has"))
    return sentence(
        f"{f.get('verb', 'this')} needs the role {needs or 'named in people.yaml'}"
        + (f"; {f.get('by', 'you')} has {held}" if held else "")
    )


def _author(f: Facts) -> str:
    return sentence(
        f"{f.get('by', 'you')} is an author of this release, and no author approves",
        "Somebody else decides",
    )


def _stale(f: Facts) -> str:
    return sentence(
        "this changed since it was shown" + (f": {clause(f['why'])}" if f.get("why") else ""),
        f"Look at {f.get('id') or f.get('release') or 'the card'} again, then decide",
    )


def _void(f: Facts) -> str:
    why = f": {clause(f['why'])}" if f.get("why") else ""
    return sentence(f"decision {f.get('id', '')} is void{why}", "A new one is asked where needed")


def _unknown(kind: str, key: str) -> Callable[[Facts], str]:
    def say(f: Facts) -> str:
        hint = row(f.get("hint") or f.get("near"))
        known = row(f.get("known"), most=30)
        return sentence(
            f"there is no {kind} {f.get(key) or f.get('name') or ''}".rstrip(),
            f"Did you mean {hint}?" if hint else (f"Known: {known}" if known else ""),
        )

    return say


def _nothing_open(f: Facts) -> str:
    return sentence(f"{f.get('release') or 'nothing'} has no open decision, so nothing to decide")


def _already_done(f: Facts) -> str:
    by = f" by {f['by']}" if f.get("by") else ""
    at = f", {moment(f['at'])}" if f.get("at") else ""
    what = _what(f) or f.get("verb") or "this"
    return sentence(f"{what}: already done{by}{at}", "Nothing changes")


def _ended(f: Facts) -> str:
    phase = f" ({f['phase']})" if f.get("phase") else ""
    return sentence(
        f"release {f.get('release', '')} has ended{phase}", "A new release is the way on"
    )


def _not_failed(f: Facts) -> str:
    phase = f", it is {f['phase']}" if f.get("phase") else ""
    return sentence(f"{_what(f)} has not failed{phase}, so there is nothing to {_verb(f, 'retry')}")


def _not_held(f: Facts) -> str:
    others = row(f.get("others"))
    return sentence(
        f"there is no hold on {_what(f)}, so nothing to {_verb(f, 'resume')}",
        f"Held now: {others}" if others else "",
    )


def _still_held(f: Facts) -> str:
    return sentence(
        f"{_what(f)} is still held: {clause(f.get('why'))}", f"The way on is {_verb(f, 'retry')}"
    )


def _replaced(f: Facts) -> str:
    return sentence(
        f"release {f.get('by', '')} has written the same units after {_what(f)}",
        "Roll that one back first",
    )


def _override_never(f: Facts) -> str:
    gate = f.get("gate") or f.get("what") or "this gate"
    return sentence(
        f"{gate} is never overridden: locks, fences, guards and unknown identities protect"
        " from harm that nobody can see",
        "Clear its cause",
    )


def _second_person(f: Facts) -> str:
    return sentence(
        f"{f.get('what') or 'an override of windows and freezes'} needs two people",
        f"{f['by']} is the first; another admin says the same" if f.get("by") else "",
    )


def _quorum(f: Facts) -> str:
    return sentence(
        f"{f.get('id', 'the decision')} asks for {many(f.get('count', 1), 'approval')}, and only"
        f" {many(some(f.get('able')), 'person', 'people')} can still give one",
        "Add people with the role to people.yaml",
    )


def _bad_time(f: Facts) -> str:
    said = f" {clause(f['text'])}" if f.get("text") else ""
    why = f": {clause(f['why'])}" if f.get("why") else ""
    return sentence(
        f"the time{said} is not one{why}",
        "Write 2h, or a moment with its zone such as 2026-11-24T16:00:00Z",
    )


def _no_reason(f: Facts) -> str:
    return sentence(f"{f.get('verb', 'this')} needs a reason", "Add --reason and why")


def _not_before_merge(f: Facts) -> str:
    return sentence(
        f"release {f.get('release', '')} is only proposed; {_verb(f, 'this')} waits for its merge"
    )


def _locked_store(f: Facts) -> str:
    why = f": {clause(f['why'])}" if f.get("why") else ""
    return sentence(f"the store is not to be written{why}", "Nothing was recorded; try again")


def _bare(f: Facts) -> str:
    return sentence(
        f"{f.get('verb', 'this')} needs a scope",
        "Name all, a release, a unit, or component:C, group:G, cluster:K, label:k=v",
    )


def _syntax(f: Facts) -> str:
    hint = f"Did you mean {f['hint']}?" if f.get("hint") else ""
    return sentence(f"not understood: {clause(f.get('text'))}", clause(f.get("why")), hint)


def _several(f: Facts) -> str:
    return sentence(f"several decisions are open: {row(f.get('ids'), most=10)}", "Name one of them")


def _skip_running(f: Facts) -> str:
    return sentence(
        f"{_what(f)} is in flight and cannot be skipped", "Pause it first, or roll it back"
    )


def _not_begun(f: Facts) -> str:
    return sentence(
        f"{_what(f)} has written nothing, so there is nothing to roll back", "Cancel it"
    )


def _begun(f: Facts) -> str:
    return sentence(
        f"{_what(f)} has begun: what was written stays unless it is rolled back",
        "Roll it back instead",
    )


def _window(f: Facts) -> str:
    return sentence(f"closed: {clause(f.get('why'))}")


_REFUSALS: Mapping[str, Callable[[Facts], str]] = {
    "not-mapped": _not_mapped,
    "role": _role,
    "author": _author,
    "stale": _stale,
    "void": _void,
    "unknown-release": _unknown("release", "release"),
    "unknown-unit": _unknown("unit", "unit"),
    "unknown-scope": _unknown("scope", "scope"),
    "unknown-decision": _unknown("decision", "id"),
    "unknown-verb": _unknown("command", "verb"),
    "nothing-open": _nothing_open,
    "already-done": _already_done,
    "ended": _ended,
    "not-failed": _not_failed,
    "not-held": _not_held,
    "still-held": _still_held,
    "replaced": _replaced,
    "not-begun": _not_begun,
    "begun": _begun,
    "in-flight": _skip_running,
    "override-never": _override_never,
    "needs-second-person": _second_person,
    "quorum-impossible": _quorum,
    "bad-time": _bad_time,
    "no-reason": _no_reason,
    "no-scope": _bare,
    "not-understood": _syntax,
    "several-open": _several,
    "not-before-merge": _not_before_merge,
    "locked-store": _locked_store,
    "window": _window,
}

REFUSALS = tuple(_REFUSALS)
"""Every code a refusal may have."""


def _approved(f: Facts) -> str:
    have, count = f.get("have"), f.get("count")
    if isinstance(have, int) and isinstance(count, int) and have < count:
        return sentence(
            f"Recorded: {have} of {count} approvals for {_what(f)}",
            f"{many(count - have, 'more person', 'more people')} must approve",
        )
    votes = f", {have} of {count} approvals" if have and count else ""
    return sentence(f"Approved: {_what(f)}{votes}{_by(f)}")


def _rejected(f: Facts) -> str:
    return sentence(f"Rejected: {_what(f)}{_by(f)}{_because(f)}", "The release is held")


def _accepted(f: Facts) -> str:
    return sentence(f"Accepted: {_what(f)}{_by(f)}", "It goes on by its gates")


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
    return sentence(f"Paused {_what(f)}: {moment_of}", wire, batches, "Resume lifts it")


def _resumed(f: Facts) -> str:
    left = row(f.get("left") or f.get("holds"))
    return sentence(
        f"Resumed {_what(f)}{_by(f)}",
        f"Still held: {left}" if left else "It goes on by its gates",
    )


def _rolling_back(f: Facts) -> str:
    units = f.get("units")
    count = f": {many(some(units), 'unit')}, newest first" if some(units) else ""
    return sentence(
        f"Rolling back {_what(f)}{count}",
        "What was there before is put back, its content is blocked, and a revert is proposed",
    )


def _retried(f: Facts) -> str:
    return sentence(f"Retrying {_what(f)}: the failed batch begins again by its gates")


def _skipped(f: Facts) -> str:
    return sentence(f"Skipped {_what(f)}{_because(f)}", "It is listed as owed")


def _cancelled(f: Facts) -> str:
    return sentence(f"Cancelled {_what(f)}{_because(f)}", "Nothing more begins")


def _overridden(f: Facts) -> str:
    what = f.get("what") or f.get("gate") or "the gate"
    return sentence(
        f"Overridden: {row(what)} of {_what(f)}{_by(f)}{_because(f)}",
        "It is recorded, and the next step goes on without it",
    )


def _frozen(f: Facts) -> str:
    until = f" until {moment(f['until'], f.get('zone') or 'UTC')}" if f.get("until") else ""
    return sentence(
        f"Frozen {_what(f)}{until}{_because(f)}", "No batch of it begins; unfreeze lifts it"
    )


def _unfrozen(f: Facts) -> str:
    return sentence(f"Unfrozen {_what(f)}{_by(f)}", "Windows and other freezes still count")


def _snoozed(f: Facts) -> str:
    until = f" until {moment(f['until'], f.get('zone') or 'UTC')}" if f.get("until") else ""
    return sentence(f"Snoozed {_what(f)}{until}", "Nobody is asked again before that")


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


def _what(f: Facts) -> str:
    for key in ("id", "scope", "unit", "release", "units"):
        value = f.get(key)
        if value:
            return where(value) if key == "scope" else row(value)
    return ""


def _verb(f: Facts, default: str) -> str:
    return str(f.get("verb") or default)


def _by(f: Facts) -> str:
    return f" by {f['by']}" if f.get("by") else ""


def _because(f: Facts) -> str:
    return f": {clause(f['reason'])}" if f.get("reason") else ""
