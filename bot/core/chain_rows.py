"""What stands beside the audit, held against its lines: writes, their outcomes, and people's votes.

A row may be edited without touching a line; then the line tells. Stores nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.core import chain
from bot.core.chain import Break, Flaw
from bot.model.plan import JSON
from bot.model.state import Certificate, Decision, DecisionStatus, Event, Intent, IntentStatus

WRITE = "write"
"""The line before a write leaves."""
OUTCOME = "write.outcome"
"""The line of a write that did not simply succeed."""


@dataclass(frozen=True, slots=True)
class Record:
    """All of a store that the audit can be held against."""

    lines: tuple[Event, ...]
    count: int | None = None
    """How many lines were ever written, where the store knows."""
    certificates: Iterable[Certificate] = ()
    intents: Iterable[Intent] = ()
    decisions: Iterable[Decision] = ()
    known: Mapping[int, str] | None = None
    """Line → hash, as somebody noted it elsewhere: what a whole rewritten chain cannot have."""


def verify(record: Record) -> Break | None:
    """The first thing that does not hold: the lines, then what they prove, then what they tell."""
    return (
        chain.verify(record.lines, count=record.count)
        or _noted(record)
        or chain.certified(record.lines, record.certificates)
        or _intended(record.lines, record.intents)
        or _voted(record.lines, record.decisions)
    )


def told(intent: Intent) -> dict[str, JSON]:
    """What the line of a write says of it."""
    return {
        "seq": intent.seq,
        "fence": intent.fence,
        "purpose": intent.purpose,
        "verb": intent.verb,
        "object": intent.ref.key,
        "digest": intent.digest,
        "commit": intent.commit,
        "planHash": intent.plan_hash,
        "approvers": list(intent.approvers),
    }


def line_of(intent: Intent) -> Event:
    """The line that is written down with an intent, before its write leaves."""
    return Event(
        at=intent.at,
        kind=WRITE,
        release=intent.release,
        unit=intent.unit,
        batch=intent.batch,
        data=told(intent),
    )


def outcome_of(intent: Intent) -> tuple[Event, ...]:
    """The line of a write that did not simply succeed; none for one that did without a word."""
    if intent.ended is None or (intent.status is IntentStatus.DONE and not intent.outcome):
        return ()
    data = {"seq": intent.seq, "status": intent.status.value, "why": intent.outcome}
    return (
        Event(
            at=intent.ended,
            kind=OUTCOME,
            release=intent.release,
            unit=intent.unit,
            batch=intent.batch,
            data=data,
        ),
    )


def _noted(record: Record) -> Break | None:
    """A line whose hash is not the one that was noted elsewhere."""
    have = {line.seq: line.hash for line in record.lines}
    for seq, noted in sorted((record.known or {}).items()):
        if have.get(seq) != noted:
            return Break(seq, Flaw.OTHER_RECORD)
    return None


def _intended(lines: Iterable[Event], intents: Iterable[Intent]) -> Break | None:
    """The first write whose row is gone or another, or a row that no line tells of."""
    standing = {intent.key: intent for intent in intents}
    writes = {_key(line): line for line in lines if line.kind == WRITE}
    ends = {_key(line): line for line in lines if line.kind == OUTCOME}
    for key, line in sorted(writes.items(), key=lambda item: item[1].seq):
        intent = standing.pop(key, None)
        if intent is None:
            return Break(line.seq, Flaw.NO_INTENT, key)
        same = (intent.unit, intent.batch, intent.at) == (line.unit, line.batch, line.at)
        if not same or told(intent) != dict(line.data):
            return Break(line.seq, Flaw.OTHER_INTENT, key)
        if not _ended(intent, ends.get(key)):
            return Break(line.seq, Flaw.OTHER_OUTCOME, key)
    added = min(standing, default=None)
    return None if added is None else Break(0, Flaw.ADDED_INTENT, added)


def _ended(intent: Intent, end: Event | None) -> bool:
    if end is None:
        return intent.status in (IntentStatus.DONE, IntentStatus.INTENDED)
    said = (end.data.get("status"), end.data.get("why"))
    return said == (intent.status.value, intent.outcome)


def _key(line: Event) -> str:
    return f"{line.release}/{line.data.get('seq')}"


def _voted(lines: Iterable[Event], decisions: Iterable[Decision]) -> Break | None:
    """The first decision that says more than the audit: a vote or an answer that nobody gave."""
    votes: set[tuple[str, str]] = set()
    answers: set[tuple[str, str]] = set()
    windows: set[tuple[str, str]] = set()
    asked: set[str] = set()
    for line in lines:
        name = str(line.data.get("id", ""))
        match line.kind:
            case "decision.asked":
                asked.add(name)
            case "decision.vote":
                votes.add((name, line.who))
            case "decision.approved" | "decision.rejected" | "decision.void":
                answers.add((name, line.kind.partition(".")[2].upper()))
            case "override":
                windows.add((line.release, line.who))
            case _:
                pass
    for one in sorted(decisions, key=lambda decision: decision.key):
        given = all(
            (one.id, vote.by) in votes
            or (one.what == "override-window" and (one.release, vote.by) in windows)
            for vote in one.votes
        )
        answered = one.status is DecisionStatus.OPEN or (one.id, one.status.value) in answers
        if one.id not in asked or not given or not answered:
            return Break(0, Flaw.OTHER_DECISION, one.id)
    return None
